//! Where a record stands on the stream.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Time;

/// A shard of the stream. Sequence numbers are compared within one shard only.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShardId(String);

impl ShardId {
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A record's sequence number: a decimal of some 56 digits, ordered by value.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct SequenceNumber(String);

impl From<String> for SequenceNumber {
    fn from(digits: String) -> Self {
        Self::new(&digits)
    }
}

impl SequenceNumber {
    /// Leading zeros do not count.
    #[must_use]
    pub fn new(digits: &str) -> Self {
        let significant = digits.trim_start_matches('0');
        Self(if significant.is_empty() { "0" } else { significant }.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Ord for SequenceNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record's place in its customer's archive: `arrival#sequence`, fixed in width, so that text order is time order.
///
/// Both parts come from the record itself, so that a redelivery has the same position.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(String);

impl Position {
    #[must_use]
    pub fn new(arrival: Time, sequence: &SequenceNumber) -> Self {
        Self(format!("{:015}#{:0>56}", arrival.millis().max(0), sequence.as_str()))
    }

    /// A position that was stored or sent; any text, since it is only looked up.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the record arrived; none where the text is no position.
    #[must_use]
    pub fn arrival(&self) -> Option<Time> {
        self.0.split_once('#').and_then(|(arrival, _)| arrival.parse().ok()).map(Time::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_are_ordered_by_value() {
        let mut numbers = ["49671", "0100", "9", "49669999999999999999999999999999999999999999999999999999"].map(SequenceNumber::new);
        numbers.sort();
        assert_eq!(
            numbers.each_ref().map(SequenceNumber::as_str),
            ["9", "100", "49671", "49669999999999999999999999999999999999999999999999999999"]
        );
    }

    #[test]
    fn a_sequence_number_is_the_same_however_it_comes() {
        assert_eq!(serde_json::from_str::<SequenceNumber>("\"0042\"").unwrap(), SequenceNumber::new("42"));
        assert_eq!(serde_json::to_string(&SequenceNumber::new("0042")).unwrap(), "\"42\"");
    }

    #[test]
    fn positions_sort_by_arrival_then_sequence() {
        let at = |millis, sequence| Position::new(Time::from_millis(millis), &SequenceNumber::new(sequence));
        assert!(at(999, "5") < at(1_000, "4"));
        assert!(at(1_000, "9") < at(1_000, "10"));
        assert_eq!(at(1_764_000_000_000, "7").as_str(), "001764000000000#00000000000000000000000000000000000000000000000000000007");
        assert_eq!(at(1_764_000_000_000, "7").arrival(), Some(Time::from_millis(1_764_000_000_000)));
        assert_eq!(Position::stored("yesterday".to_owned()).arrival(), None);
    }
}
