//! What goes into one invocation: how many records, how many bytes, how long to wait for more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::checkpoint::Sequence;

/// What Lambda takes as the payload of a synchronous invocation.
pub const LARGEST_PAYLOAD: usize = 6 * 1024 * 1024;
/// More than the fields around a record or message take in an event.
pub const AROUND: usize = 1_024;

/// A record of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub sequence: Sequence,
    pub partition_key: String,
    pub data: Vec<u8>,
    /// Milliseconds since 1970.
    pub arrived: i64,
}

impl Record {
    fn payload(&self) -> usize {
        self.data.len().div_ceil(3) * 4 + self.partition_key.len() * 2 + AROUND
    }
}

/// Records that go to the function together, and what became of them so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub records: Vec<Arc<Record>>,
    /// Attempts after the first that counted against the mapping's limit.
    pub retries: u32,
    /// Invocations that had these records, splits included.
    pub invocations: u32,
}

impl Batch {
    pub fn new(records: Vec<Arc<Record>>) -> Self {
        Self { records, retries: 0, invocations: 0 }
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The first `count` records, and the others.
    pub fn split_at(mut self, count: usize) -> (Self, Self) {
        let rest = self.records.split_off(count.min(self.records.len()));
        let rest = Self { records: rest, retries: self.retries, invocations: self.invocations };
        (self, rest)
    }
}

/// What a mapping says about its batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub size: usize,
    pub window: Duration,
}

/// Whether to invoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// With so many of the first pending records.
    Now(usize),
    /// Not before more came, or so much time passed.
    Wait(Duration),
}

/// Decides over the pending records, the first of which has `waited`. There is at least one.
pub fn take(pending: &VecDeque<Arc<Record>>, waited: Duration, limits: Limits) -> Take {
    let mut bytes = 0;
    let fitting = pending
        .iter()
        .take(limits.size)
        .take_while(|record| {
            bytes += record.payload();
            bytes <= LARGEST_PAYLOAD
        })
        .count();
    let full = fitting == limits.size || fitting < pending.len();
    if full || waited >= limits.window { Take::Now(fitting.max(1)) } else { Take::Wait(limits.window.saturating_sub(waited)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(sizes: &[usize]) -> VecDeque<Arc<Record>> {
        let record = |(at, size): (usize, &usize)| {
            Arc::new(Record { sequence: Sequence::from(at.to_string()), partition_key: "c".to_owned(), data: vec![0; *size], arrived: 0 })
        };
        sizes.iter().enumerate().map(record).collect()
    }

    #[test]
    fn batches_end_by_size_bytes_or_time() {
        const MB: usize = 1024 * 1024;
        let second = Duration::from_secs(1);
        let limits = Limits { size: 3, window: second };
        let cases: [(&[usize], Duration, Take); 6] = [
            (&[1, 1], Duration::ZERO, Take::Wait(second)),
            (&[1, 1], second / 4, Take::Wait(second * 3 / 4)),
            (&[1, 1], second, Take::Now(2)),
            (&[1, 1, 1, 1], Duration::ZERO, Take::Now(3)),
            (&[2 * MB, 2 * MB, 2 * MB], Duration::ZERO, Take::Now(2)),
            // Too large for Lambda: it goes alone and Lambda says no.
            (&[7 * MB], Duration::ZERO, Take::Now(1)),
        ];
        for (sizes, waited, expected) in cases {
            let limits = if sizes == [7 * MB] { Limits { window: Duration::ZERO, ..limits } } else { limits };
            assert_eq!(take(&pending(sizes), waited, limits), expected, "{sizes:?} after {waited:?}");
        }
    }

    #[test]
    fn without_a_window_nothing_waits() {
        assert_eq!(take(&pending(&[1]), Duration::ZERO, Limits { size: 100, window: Duration::ZERO }), Take::Now(1));
    }
}
