//! What is remembered of a customer's past events, and what is claimed of it.
//!
//! For each event type that a trigger names: the first time, the count, and the last few times, in seconds. A window is
//! thereby judged exactly: at most 2 in 30 days means that the third latest is older than that.

use std::collections::BTreeMap;

use blob::record;
use event::{EventType, Time};
use trigger::{Claim, Fact};

/// Event types with a past. Above it, the type whose last event is the oldest is forgotten.
const MOST_TYPES: usize = 64;

/// Times kept over all types: some 10 KB.
const MOST_TIMES: usize = 2_000;

record! {
    /// The past of one event type. Times are seconds since 1970.
    pub struct HistoryMark {
        1 => pub(crate) first: u32,
        2 => pub(crate) count: u64,
        /// The last ones, oldest first.
        3 => pub(crate) last: Vec<u32>,
        /// The arrival, in milliseconds, from which on events are counted; 0 where the whole archive is.
        4 => pub(crate) since: i64,
    }
}

/// What a customer did, by event type.
pub(crate) type History = BTreeMap<String, HistoryMark>;

impl HistoryMark {
    /// Adds one event; so many of the last times are kept. The order in which events come does not matter.
    pub(crate) fn add(&mut self, time: Time, depth: u32) {
        let seconds = seconds(time);
        self.first = if self.count == 0 { seconds } else { self.first.min(seconds) };
        self.count = self.count.saturating_add(1);
        let at = self.last.partition_point(|known| *known <= seconds);
        self.last.insert(at, seconds);
        let excess = self.last.len().saturating_sub(depth as usize + 1);
        self.last.drain(..excess);
    }

    /// How many lie in the last `millis` before `now`, as far as is remembered.
    fn within(&self, now: Time, millis: i64) -> u64 {
        let now = i64::from(seconds(now));
        self.last.iter().filter(|time| now - i64::from(**time) <= millis / 1_000).count() as u64
    }
}

/// The seconds in which times are kept.
fn seconds(time: Time) -> u32 {
    u32::try_from(time.millis().div_euclid(1_000)).unwrap_or(if time.millis() < 0 { 0 } else { u32::MAX })
}

/// A customer's past at an event: what is on record, and the event itself.
pub(crate) struct Past<'a> {
    pub(crate) history: &'a History,
    pub(crate) present: (&'a EventType, Time),
    pub(crate) now: Time,
}

impl Past<'_> {
    /// Whether a claim holds. Counts and the first time have the present event in them, the last time has not.
    pub(crate) fn holds(&self, fact: &Fact) -> bool {
        let nothing = HistoryMark::default();
        let before = self.history.get(fact.event().as_str()).unwrap_or(&nothing);
        let mut with_present = before.clone();
        if fact.event() == self.present.0 {
            with_present.add(self.present.1, trigger::MOST_COUNTED);
        }
        let since = |time: u32| i64::from(seconds(self.now)).saturating_sub(i64::from(time)).max(0) * 1_000;
        match fact.claim() {
            Claim::Count { within, at_least, at_most } => {
                let count = within.map_or(with_present.count, |within| with_present.within(self.now, within.as_millis()));
                at_least.is_none_or(|least| count >= u64::from(least)) && at_most.is_none_or(|most| count <= u64::from(most))
            }
            Claim::SinceFirst(span) => with_present.count > 0 && span.holds(since(with_present.first)),
            Claim::SinceLast(span) => before.last.last().is_some_and(|last| span.holds(since(*last))),
        }
    }
}

/// Counts an event in, and keeps the whole within its bounds.
pub(crate) fn remember(history: &mut History, kind: &EventType, time: Time, arrival: Time, depth: u32) {
    let mark = history.entry(kind.as_str().to_owned()).or_default();
    if mark.count == 0 && mark.since == 0 {
        mark.since = arrival.millis();
    }
    mark.add(time, depth);
    bound(history, kind.as_str());
}

/// Forgets the types whose last event is the oldest, but never `kept`, until the rest is within its bounds.
pub(crate) fn bound(history: &mut History, kept: &str) {
    while history.len() > MOST_TYPES || (history.len() > 1 && history.values().map(|mark| mark.last.len()).sum::<usize>() > MOST_TIMES) {
        let oldest = history.iter().filter(|(name, _)| *name != kept).min_by_key(|(_, mark)| mark.last.last().copied());
        let Some(oldest) = oldest.map(|(name, _)| name.clone()) else { break };
        history.remove(&oldest);
    }
}
