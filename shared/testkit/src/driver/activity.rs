//! What the pollers share: what is under way, what has been done, and what went wrong.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::counts::Counts;
use super::invoke::Invocation;
use super::mapping::Mapping;

/// So many failures in a row are no passing trouble.
const LASTING: u32 = 10;
/// So many function errors are kept to be shown.
const REMEMBERED: usize = 20;
/// So long after a nudge the shards are read closely.
const CLOSELY: Duration = Duration::from_millis(300);

#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    nudged: watch::Sender<Instant>,
}

#[derive(Debug)]
struct State {
    outstanding: usize,
    last: Instant,
    counts: BTreeMap<String, Counts>,
    /// When the read began that last found a shard read to its tip.
    tips: BTreeMap<String, Option<Instant>>,
    troubles: BTreeMap<String, (u32, String)>,
    function_errors: VecDeque<String>,
}

impl Activity {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let state = State {
            outstanding: 0,
            last: now,
            counts: BTreeMap::new(),
            tips: BTreeMap::new(),
            troubles: BTreeMap::new(),
            function_errors: VecDeque::new(),
        };
        // Not nudged yet: the instant is one that has passed as far as anyone asks.
        Self { state: Mutex::new(state), nudged: watch::channel(now).0 }
    }

    /// A panic elsewhere leaves only numbers behind, all of them usable.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register(&self, mapping: &Mapping) {
        self.state().counts.entry(mapping.name.clone()).or_default();
    }

    pub(super) fn count(&self, mapping: &Mapping, count: impl FnOnce(&mut Counts)) {
        count(self.state().counts.entry(mapping.name.clone()).or_default());
    }

    pub(super) fn counts(&self) -> BTreeMap<String, Counts> {
        self.state().counts.clone()
    }

    /// Items were taken from a source.
    pub(super) fn taken(&self, items: usize) {
        let mut state = self.state();
        state.outstanding += items;
        state.last = Instant::now();
    }

    /// Items that were taken are dealt with.
    pub(super) fn settled(&self, items: usize) {
        let mut state = self.state();
        state.outstanding = state.outstanding.saturating_sub(items);
        state.last = Instant::now();
    }

    pub(super) fn outstanding(&self) -> usize {
        self.state().outstanding
    }

    pub(super) fn last(&self) -> Instant {
        self.state().last
    }

    pub(super) fn quiet(&self) -> Duration {
        self.state().last.elapsed()
    }

    pub(super) fn shard_known(&self, shard: &str) {
        self.state().tips.entry(shard.to_owned()).or_insert(None);
    }

    pub(super) fn shard_at_tip(&self, shard: &str, read_began: Instant) {
        self.state().tips.insert(shard.to_owned(), Some(read_began));
    }

    pub(super) fn shard_ended(&self, shard: &str) {
        self.state().tips.remove(shard);
    }

    /// A shard that no read, begun since `asked`, has found at its tip.
    pub(super) fn not_at_tip_since(&self, asked: Instant) -> Option<String> {
        let state = self.state();
        state.tips.iter().find(|(_, tip)| tip.is_none_or(|read_began| read_began < asked)).map(|(shard, _)| shard.clone())
    }

    pub(super) fn trouble(&self, of: &str, text: String) -> u32 {
        let mut state = self.state();
        let (times, last) = state.troubles.entry(of.to_owned()).or_default();
        *times += 1;
        *last = text;
        *times
    }

    pub(super) fn well(&self, of: &str) {
        self.state().troubles.remove(of);
    }

    pub(super) fn lasting_trouble(&self) -> Option<String> {
        self.state().troubles.iter().find(|(_, (times, _))| *times >= LASTING).map(|(of, (_, text))| format!("{of}: {text}"))
    }

    pub(super) fn any_trouble(&self) -> Option<String> {
        self.state().troubles.iter().next().map(|(of, (_, text))| format!("{of}: {text}"))
    }

    /// Counts an invocation of which so many items failed.
    pub(super) fn invoked(&self, mapping: &Mapping, invocation: &Invocation, failed: usize) {
        self.count(mapping, |counts| {
            counts.invocations += 1;
            counts.function_errors += u64::from(invocation.function_error.is_some());
            counts.failed_items += failed as u64;
        });
        if let Some(failure) = invocation.failure() {
            let mut state = self.state();
            if state.function_errors.len() >= REMEMBERED {
                state.function_errors.pop_front();
            }
            state.function_errors.push_back(format!("{}: {failure}", mapping.name));
        }
    }

    pub(super) fn function_errors(&self) -> Vec<String> {
        self.state().function_errors.iter().cloned().collect()
    }

    pub(super) fn nudge(&self) {
        self.nudged.send_replace(Instant::now());
    }

    pub(super) fn nudges(&self) -> watch::Receiver<Instant> {
        self.nudged.subscribe()
    }

    pub(super) fn nudged_lately(&self) -> bool {
        self.nudged.borrow().elapsed() < CLOSELY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_at_its_tip_only_by_a_read_that_began_afterwards() {
        let activity = Activity::new();
        let (before, asked, after) = (Instant::now(), Instant::now() + Duration::from_secs(1), Instant::now() + Duration::from_secs(2));
        activity.shard_known("s");
        assert_eq!(activity.not_at_tip_since(asked).as_deref(), Some("s"));
        activity.shard_at_tip("s", before);
        assert_eq!(activity.not_at_tip_since(asked).as_deref(), Some("s"));
        activity.shard_at_tip("s", after);
        assert_eq!(activity.not_at_tip_since(asked), None);
    }

    #[test]
    fn trouble_lasts_when_nothing_goes_well_in_between() {
        let activity = Activity::new();
        (1..LASTING).for_each(|_| assert!(activity.trouble("q", "no".to_owned()) < LASTING));
        assert_eq!((activity.lasting_trouble(), activity.any_trouble().as_deref()), (None, Some("q: no")));
        activity.trouble("q", "no".to_owned());
        assert_eq!(activity.lasting_trouble().as_deref(), Some("q: no"));
        activity.well("q");
        assert_eq!(activity.lasting_trouble(), None);
    }
}
