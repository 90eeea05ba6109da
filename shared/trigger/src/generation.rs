//! Generations: which triggers judge a record is a function of when the record arrived.
//!
//! A generation takes effect a margin after it was applied. The margin is longer than a router may go without looking, so
//! two routers never judge the same record by different triggers, and a retry judges as the first attempt did.

use blob::{ContentHash, OpenError, Record, Unknown, record};
use event::Time;

const FORMAT: u16 = 1;
const LARGEST: usize = 4 << 20;

/// Generations that ended longer ago than this are forgotten: no record on the stream is that old.
const KEPT_MILLIS: i64 = 9 * 24 * 60 * 60 * 1000;

/// The newest generations are kept whatever their age, to roll back to.
const KEPT_AT_LEAST: usize = 20;

record! {
    struct StoredHead {
        1 => generations: Vec<StoredGeneration>,
    }
}

record! {
    struct StoredGeneration {
        1 => number: u64,
        2 => applied_at: i64,
        3 => effective_from: i64,
        4 => bundle: String,
        5 => note: String,
        6 => marketing_stopped: bool,
        7 => back_to: u64,
    }
}

/// One state of all triggers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    pub number: u64,
    pub applied_at: Time,
    /// Records that arrive from this time on are judged by it.
    pub effective_from: Time,
    pub bundle: ContentHash,
    /// What changed, in a few words.
    pub note: String,
    /// Whether senders hold back all marketing, whatever the triggers' modes.
    pub marketing_stopped: bool,
    /// The earlier generation whose definitions these are, where it was rolled back.
    pub back_to: Option<u64>,
    unknown: Unknown,
}

/// The one mutable item of the triggers: its generations, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    generations: Vec<Generation>,
    /// What a newer version wrote: an older one that applies or rolls back does not lose it.
    unknown: Unknown,
}

impl Head {
    #[must_use]
    pub fn generations(&self) -> &[Generation] {
        &self.generations
    }

    /// The newest generation, whether or not it has taken effect.
    #[must_use]
    pub fn newest(&self) -> Option<&Generation> {
        self.generations.last()
    }

    /// The number on whose condition the next generation is written.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.newest().map_or(0, |generation| generation.number)
    }

    /// The generation that judges a record of this arrival. The first one also judges what arrived before it.
    #[must_use]
    pub fn in_force(&self, arrival: Time) -> Option<&Generation> {
        let in_force = self.generations.iter().rev().find(|generation| generation.effective_from <= arrival);
        in_force.or_else(|| self.generations.first())
    }

    /// The head with one generation more, in force `margin_millis` after `now`; the first one of a stack at once.
    #[must_use]
    pub fn with_next(&self, bundle: ContentHash, note: &str, now: Time, margin_millis: i64) -> Self {
        let effective_from = match self.newest() {
            None => now,
            Some(newest) => now.plus(margin_millis).max(newest.effective_from),
        };
        let mut generations = self.generations.clone();
        generations.push(Generation {
            number: self.number().saturating_add(1),
            applied_at: now,
            effective_from,
            bundle,
            note: note.to_owned(),
            marketing_stopped: self.newest().is_some_and(|newest| newest.marketing_stopped),
            back_to: None,
            unknown: Unknown::default(),
        });
        let ended_long_ago = |pair: &[Generation]| pair.last().is_some_and(|next| now.since(next.effective_from) > KEPT_MILLIS);
        let forgotten = generations.windows(2).take_while(|pair| ended_long_ago(pair)).count();
        let forgotten = forgotten.min(generations.len().saturating_sub(KEPT_AT_LEAST));
        Self { generations: generations.split_off(forgotten), unknown: self.unknown.clone() }
    }

    /// The head whose newest generation has the definitions of an earlier one.
    #[must_use]
    pub fn going_back_to(mut self, number: u64) -> Self {
        if let Some(newest) = self.generations.last_mut() {
            newest.back_to = Some(number);
        }
        self
    }

    /// The head with a generation of the same triggers, in which all marketing is held back, or goes out again. Senders
    /// look at the newest generation, so it acts within seconds.
    #[must_use]
    pub fn with_marketing(&self, stopped: bool, now: Time, margin_millis: i64) -> Option<Self> {
        let note = if stopped { "all marketing stopped" } else { "marketing goes out again" };
        let mut next = self.with_next(self.newest()?.bundle, note, now, margin_millis);
        next.generations.last_mut()?.marketing_stopped = stopped;
        Some(next)
    }

    /// The stored form.
    #[must_use]
    pub fn seal(&self) -> Vec<u8> {
        let generations = self.generations.iter().map(|generation| StoredGeneration {
            number: generation.number,
            applied_at: generation.applied_at.millis(),
            effective_from: generation.effective_from.millis(),
            bundle: generation.bundle.to_string(),
            note: generation.note.clone(),
            marketing_stopped: generation.marketing_stopped,
            back_to: generation.back_to.unwrap_or_default(),
            unknown: generation.unknown.clone(),
        });
        StoredHead { generations: generations.collect(), unknown: self.unknown.clone() }.seal(FORMAT)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// A blob that this version cannot read.
    pub fn open(blob: &[u8]) -> Result<Self, OpenError> {
        let stored = StoredHead::open(blob, FORMAT, LARGEST)?;
        let generation = |stored: StoredGeneration| {
            let bundle =
                stored.bundle.parse().map_err(|error: blob::IdError| OpenError::Malformed { field: 4, problem: error.to_string() })?;
            Ok(Generation {
                number: stored.number,
                applied_at: Time::from_millis(stored.applied_at),
                effective_from: Time::from_millis(stored.effective_from),
                bundle,
                note: stored.note,
                marketing_stopped: stored.marketing_stopped,
                back_to: (stored.back_to > 0).then_some(stored.back_to),
                unknown: stored.unknown,
            })
        };
        let generations = stored.generations.into_iter().map(generation).collect::<Result<_, _>>()?;
        Ok(Self { generations, unknown: stored.unknown })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bundle(number: u8) -> ContentHash {
        ContentHash::of(&[&[number]])
    }

    fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn the_first_generation_holds_at_once_and_for_what_came_before() {
        let head = Head::default().with_next(bundle(1), "first", at(1_000), 30_000);
        assert_eq!(head.in_force(at(0)).unwrap().number, 1);
        assert_eq!(Head::default().in_force(at(0)), None);
    }

    #[test]
    fn a_later_one_holds_for_records_that_arrive_after_the_margin() {
        let head = Head::default().with_next(bundle(1), "", at(0), 30_000).with_next(bundle(2), "", at(100_000), 30_000);
        assert_eq!(head.in_force(at(129_999)).unwrap().number, 1);
        assert_eq!(head.in_force(at(130_000)).unwrap().number, 2);
        assert_eq!(Head::open(&head.seal()), Ok(head));
    }

    #[test]
    fn generations_that_no_record_can_need_are_forgotten() {
        let day = 24 * 60 * 60 * 1000;
        let head = (0..60).fold(Head::default(), |head, number| head.with_next(bundle(1), "", at(number * day), 30_000));
        assert_eq!(head.generations().len(), KEPT_AT_LEAST);
        assert_eq!(head.number(), 60);
    }

    fn known() -> Head {
        let first = Head::default().with_next(bundle(1), "apply: welcome@1", at(1_772_359_200_000), 30_000);
        first.with_next(bundle(2), "", at(1_772_359_300_000), 30_000)
    }

    #[test]
    fn the_first_format_is_read_for_ever_and_written_as_it_was() {
        let golden = include_bytes!("../tests/data/head-format-1.bin");
        assert_eq!(Head::open(golden), Ok(known()));
        // Unpacked, since another version of the compressor may pack it otherwise.
        assert_eq!(blob::open(&known().seal(), FORMAT, LARGEST), blob::open(golden, FORMAT, LARGEST));
    }

    #[test]
    fn what_a_newer_version_added_outlives_the_next_generation() {
        let mut stored = StoredHead::open(&known().seal(), FORMAT, LARGEST).unwrap();
        stored.unknown.insert(98, vec![1]);
        stored.generations[0].unknown.insert(99, vec![2]);
        let next = Head::open(&stored.seal(FORMAT)).unwrap().with_next(bundle(3), "", at(1_772_359_400_000), 30_000);
        let next = StoredHead::open(&next.seal(), FORMAT, LARGEST).unwrap();
        assert_eq!(
            (next.generations.len(), next.unknown, &next.generations[0].unknown),
            (3, stored.unknown, &stored.generations[0].unknown)
        );
    }

    #[test]
    fn a_bundle_s_name_that_is_none_is_refused() {
        let mut stored = StoredHead::open(&known().seal(), FORMAT, LARGEST).unwrap();
        stored.generations[1].bundle = "$bundle".to_owned();
        assert!(matches!(Head::open(&stored.seal(FORMAT)), Err(OpenError::Malformed { field: 4, .. })));
    }

    #[test]
    fn a_shorter_margin_never_takes_effect_before_an_earlier_generation() {
        let head = Head::default().with_next(bundle(1), "", at(0), 0).with_next(bundle(2), "", at(1_000), 30_000).with_next(
            bundle(3),
            "",
            at(2_000),
            0,
        );
        assert_eq!(head.in_force(at(30_999)).unwrap().number, 1);
        assert_eq!(head.in_force(at(31_000)).unwrap().number, 3);
    }

    proptest! {
        #[test]
        fn a_generation_never_judges_what_an_earlier_look_gave_to_another(steps in prop::collection::vec((0_i64..100_000, 0_i64..60_000), 1..12), arrival in 0_i64..1_000_000) {
            // Whoever looked no longer ago than the margin judges as whoever looks now.
            let mut now = 0;
            let mut head = Head::default();
            for (pause, margin) in steps {
                now += pause;
                let next = head.with_next(bundle(1), "", at(now), margin);
                if head.number() > 0 && arrival < now + margin {
                    prop_assert_eq!(next.in_force(at(arrival)), head.in_force(at(arrival)));
                }
                head = next;
            }
        }

        #[test]
        fn no_blob_panics(bytes: Vec<u8>) {
            let _ = Head::open(&blob::seal(FORMAT, &bytes));
        }
    }
}
