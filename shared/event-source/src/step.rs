//! What to do with a batch of a stream after its invocation.
//!
//! Guarantee: a step accounts for every record of the batch: it is done, tried again, or discarded with a reason.

use std::time::Duration;

use crate::answer::StreamAnswer;
use crate::batch::Batch;

/// What a mapping says about failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub bisect: bool,
    /// `None`: until the record expires.
    pub retries: Option<u32>,
    /// `None`: as long as the stream keeps the record.
    pub record_age: Option<Duration>,
}

/// Why records are given up, in the words of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

impl Condition {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
        }
    }
}

/// The next step: the first `done` records are finished, and with the others goes on what the variant says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// There are no others.
    Finished,
    /// These batches are tried again, in this order, each until it is finished.
    Again { done: usize, batches: Vec<Batch> },
    /// The batch is given up. What comes after it goes on.
    Discard { done: usize, batch: Batch },
}

/// Decides what follows an invocation with `batch`.
///
/// As documented: with both settings on, a batch is split at the record that the answer names and the rest is tried
/// again; an error splits it in halves; and a split takes nothing from the retries. A single record, or a rest that
/// begins with the failure, cannot be split and takes one.
pub fn after(batch: Batch, answer: StreamAnswer, policy: Policy) -> Step {
    match answer {
        StreamAnswer::Done => Step::Finished,
        StreamAnswer::FailedFrom(first) => {
            let (_, rest) = batch.split_at(first);
            if policy.bisect && first > 0 { Step::Again { done: first, batches: vec![rest] } } else { retry(rest, first, policy) }
        }
        StreamAnswer::Failed if policy.bisect && batch.len() > 1 => {
            let half = batch.len().div_ceil(2);
            let (front, back) = batch.split_at(half);
            Step::Again { done: 0, batches: vec![front, back] }
        }
        StreamAnswer::Failed => retry(batch, 0, policy),
    }
}

fn retry(mut batch: Batch, done: usize, policy: Policy) -> Step {
    if policy.retries.is_some_and(|most| batch.retries >= most) {
        return Step::Discard { done, batch };
    }
    batch.retries += 1;
    Step::Again { done, batches: vec![batch] }
}

/// How many of the first records are too old to be sent to the function. `now` is in milliseconds since 1970.
pub fn expired(batch: &Batch, policy: Policy, now: i64) -> usize {
    let Some(age) = policy.record_age else { return 0 };
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    batch.records.iter().take_while(|record| now.saturating_sub(record.arrived) > age).count()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::batch::Record;
    use crate::checkpoint::Sequence;

    const POLICY: Policy = Policy { bisect: false, retries: Some(2), record_age: None };
    const BISECT: Policy = Policy { bisect: true, ..POLICY };

    fn batch(sequences: std::ops::Range<i64>, retries: u32) -> Batch {
        let record = |at: i64| {
            Arc::new(Record { sequence: Sequence::from(at.to_string()), partition_key: String::new(), data: vec![], arrived: at * 1_000 })
        };
        Batch { retries, ..Batch::new(sequences.map(record).collect()) }
    }

    #[test]
    fn a_partial_failure_keeps_what_was_done_before_it_and_retries_the_rest() {
        let step = after(batch(0..5, 0), StreamAnswer::FailedFrom(2), POLICY);
        assert_eq!(step, Step::Again { done: 2, batches: vec![batch(2..5, 1)] });
    }

    #[test]
    fn an_error_without_bisect_retries_the_whole_batch_until_it_is_given_up() {
        assert_eq!(after(batch(0..5, 1), StreamAnswer::Failed, POLICY), Step::Again { done: 0, batches: vec![batch(0..5, 2)] });
        assert_eq!(after(batch(0..5, 2), StreamAnswer::Failed, POLICY), Step::Discard { done: 0, batch: batch(0..5, 2) });
    }

    #[test]
    fn a_discarded_rest_does_not_take_along_what_was_done() {
        assert_eq!(after(batch(0..5, 2), StreamAnswer::FailedFrom(3), POLICY), Step::Discard { done: 3, batch: batch(3..5, 2) });
    }

    #[test]
    fn an_error_with_bisect_halves_the_batch_at_no_cost() {
        let step = after(batch(0..5, 2), StreamAnswer::Failed, BISECT);
        assert_eq!(step, Step::Again { done: 0, batches: vec![batch(0..3, 2), batch(3..5, 2)] });
    }

    #[test]
    fn with_both_the_batch_is_split_at_the_failure_at_no_cost() {
        assert_eq!(after(batch(0..5, 2), StreamAnswer::FailedFrom(2), BISECT), Step::Again { done: 2, batches: vec![batch(2..5, 2)] });
        assert_eq!(after(batch(2..5, 1), StreamAnswer::FailedFrom(0), BISECT), Step::Again { done: 0, batches: vec![batch(2..5, 2)] });
        assert_eq!(after(batch(2..5, 2), StreamAnswer::FailedFrom(0), BISECT), Step::Discard { done: 0, batch: batch(2..5, 2) });
    }

    #[test]
    fn without_a_limit_nothing_is_given_up() {
        let policy = Policy { retries: None, ..POLICY };
        assert_eq!(after(batch(0..1, 10_000), StreamAnswer::Failed, policy), Step::Again { done: 0, batches: vec![batch(0..1, 10_001)] });
    }

    #[test]
    fn only_the_first_records_expire() {
        let policy = Policy { record_age: Some(Duration::from_secs(60)), ..POLICY };
        assert_eq!(expired(&batch(0..5, 0), policy, 60_000), 0);
        assert_eq!(expired(&batch(0..5, 0), policy, 62_000), 2);
        assert_eq!(expired(&batch(0..5, 0), POLICY, i64::MAX), 0);
    }

    /// One poison record among others, at every place, with every way to fail: all others are done exactly once in
    /// the end and in order, and only batches with the poison record in them are given up.
    #[test]
    fn bisecting_isolates_a_poison_record() {
        for poison in 0..7 {
            let (mut todo, mut done, mut discarded) = (vec![batch(0..7, 0)], Vec::new(), Vec::new());
            while let Some(batch) = todo.pop() {
                let has_poison = batch.records.iter().any(|record| record.arrived == poison * 1_000);
                let answer = if has_poison { StreamAnswer::Failed } else { StreamAnswer::Done };
                let arrivals: Vec<i64> = batch.records.iter().map(|record| record.arrived / 1_000).collect();
                match after(batch, answer, BISECT) {
                    Step::Finished => done.extend(arrivals),
                    Step::Again { batches, .. } => todo.extend(batches.into_iter().rev()),
                    Step::Discard { batch, .. } => discarded.extend(batch.records.iter().map(|record| record.arrived / 1_000)),
                }
            }
            assert_eq!(discarded, [poison]);
            assert_eq!(done, (0..7).filter(|at| *at != poison).collect::<Vec<i64>>());
        }
    }
}
