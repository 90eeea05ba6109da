//! How far a shard has been processed.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// A sequence number of a shard: a decimal of up to 128 digits, compared as a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence(String);

impl Sequence {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Sequence {
    fn from(digits: String) -> Self {
        Self(digits)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ord for Sequence {
    fn cmp(&self, other: &Self) -> Ordering {
        let significant = |digits: &'_ str| digits.trim_start_matches('0').len();
        significant(&self.0)
            .cmp(&significant(&other.0))
            .then_with(|| self.0.trim_start_matches('0').cmp(other.0.trim_start_matches('0')))
            .then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Sequence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How far each shard of each mapping was processed when a driver stopped: another one goes on from there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoints(BTreeMap<(String, String), Sequence>);

impl Checkpoints {
    /// The checkpoints of one mapping, by shard.
    pub fn of(&self, mapping: &str) -> BTreeMap<String, Sequence> {
        self.0.iter().filter(|((of, _), _)| of == mapping).map(|((_, shard), sequence)| (shard.clone(), sequence.clone())).collect()
    }
}

impl FromIterator<((String, String), Sequence)> for Checkpoints {
    fn from_iter<I: IntoIterator<Item = ((String, String), Sequence)>>(checkpoints: I) -> Self {
        Self(checkpoints.into_iter().collect())
    }
}

/// The records of a shard that are read and not all finished. Lanes finish them in any order; the checkpoint is the
/// last record before the first that is not finished.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    checkpoint: Option<Sequence>,
    finished: BTreeMap<Sequence, bool>,
}

impl Reading {
    pub fn after(checkpoint: Option<Sequence>) -> Self {
        Self { checkpoint, finished: BTreeMap::new() }
    }

    pub fn read(&mut self, sequence: Sequence) {
        self.finished.insert(sequence, false);
    }

    pub fn finish(&mut self, sequence: &Sequence) {
        if let Some(finished) = self.finished.get_mut(sequence) {
            *finished = true;
        }
        while let Some(first) = self.finished.first_entry().filter(|first| *first.get()) {
            self.checkpoint = Some(first.remove_entry().0);
        }
    }

    pub fn checkpoint(&self) -> Option<&Sequence> {
        self.checkpoint.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(digits: &str) -> Sequence {
        Sequence::from(digits.to_owned())
    }

    #[test]
    fn sequence_numbers_compare_as_numbers() {
        assert!(sequence("9") < sequence("10"));
        assert!(sequence("0009") < sequence("10"));
        assert!(
            sequence("49601189658422359378836298521827638475320189012309704722")
                < sequence("49601189658422359378836298522902373528957594348623495186")
        );
    }

    #[test]
    fn the_checkpoint_never_passes_an_unfinished_record() {
        let mut reading = Reading::after(None);
        for digits in ["1", "2", "3"] {
            reading.read(sequence(digits));
        }
        reading.finish(&sequence("3"));
        assert_eq!(reading.checkpoint(), None);
        reading.finish(&sequence("1"));
        assert_eq!(reading.checkpoint(), Some(&sequence("1")));
        reading.finish(&sequence("2"));
        assert_eq!(reading.checkpoint(), Some(&sequence("3")));
    }
}
