//! A lane of a shard: one of its concurrent batches, with the records of its partition keys in order.
//!
//! Guarantee: a record is finished when the function is done with it, or when its batch was discarded and the
//! on-failure destination has it; until then the checkpoint stays before it, and the records behind it wait.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aws_config::SdkConfig;
use tokio::sync::{mpsc, watch};

use event_source::{Batch, Condition, Limits, Reading, Record, Step, StreamAnswer, Take};

use super::activity::Activity;
use super::event;
use super::invoke::{Function, Invocation, in_full};
use super::mapping::{Mapping, StreamSettings};
use super::on_failure::{Discarded, now_ms};
use super::pace::Pace;
use super::stopped;

pub(super) struct Lane {
    pub(super) mapping: Arc<Mapping>,
    pub(super) settings: StreamSettings,
    pub(super) shard: String,
    pub(super) function: Function,
    pub(super) as_function: SdkConfig,
    pub(super) pace: Pace,
    pub(super) activity: Arc<Activity>,
    pub(super) reading: Arc<Mutex<Reading>>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Lane {
    /// Works until the shard has ended and its records are finished, or the driver stops.
    pub(super) async fn run(mut self, mut records: mpsc::Receiver<Arc<Record>>) {
        let mut pending = VecDeque::new();
        let mut since = Instant::now();
        let limits = Limits { size: self.mapping.batch_size, window: self.mapping.window };
        let mut open = true;
        loop {
            // Two batches ahead, no more: the channel then holds back the reader of the shard.
            while pending.len() < limits.size.saturating_mul(2) {
                let Ok(record) = records.try_recv() else { break };
                pending.push_back(record);
            }
            let wait = if pending.is_empty() {
                if !open {
                    return;
                }
                None
            } else {
                let waited = if open { since.elapsed() } else { limits.window };
                match event_source::take(&pending, waited, limits) {
                    Take::Now(count) => {
                        if *self.stop.borrow() {
                            return;
                        }
                        let batch = Batch::new(pending.drain(..count).collect());
                        if self.work_through(batch).await.is_break() {
                            return;
                        }
                        since = Instant::now();
                        continue;
                    }
                    Take::Wait(wait) => Some(wait),
                }
            };
            let began_empty = pending.is_empty();
            tokio::select! {
                () = stopped(&mut self.stop) => return,
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => (),
                record = records.recv() => match record {
                    Some(record) => {
                        if began_empty {
                            since = Instant::now(); // The window opens with the first record.
                        }
                        pending.push_back(record);
                    }
                    None => open = false,
                },
            }
        }
    }

    /// Invokes until every record of the batch is finished; breaks off when the driver stops.
    async fn work_through(&mut self, batch: Batch) -> std::ops::ControlFlow<()> {
        let mut todo = vec![batch];
        let mut failures = 0;
        let mut last: Option<Invocation> = None;
        while let Some(batch) = todo.pop() {
            let (old, mut batch) = {
                let expired = event_source::expired(&batch, self.settings.policy, now_ms());
                batch.split_at(expired)
            };
            if !old.is_empty() {
                self.discard(&old, Condition::RecordAgeExceeded, last.as_ref()).await?;
            }
            if batch.is_empty() {
                continue;
            }

            let event = event::of_stream(&self.mapping, &self.shard, &self.function.role_arn, &batch, self.pace.arrivals);
            let invocation = match self.function.invoke(&event).await {
                Ok(invocation) => invocation,
                Err(error) => {
                    // The function did not run: this is no attempt, and nothing is known about any record.
                    self.activity.trouble(&self.mapping.name, format!("cannot invoke: {error:#}"));
                    todo.push(batch);
                    failures += 1;
                    self.back_off(failures).await?;
                    continue;
                }
            };
            self.activity.well(&self.mapping.name);
            batch.invocations += 1;
            let answer = {
                let sequences: Vec<&str> = batch.records.iter().map(|record| record.sequence.as_str()).collect();
                event_source::of_stream(invocation.returned(), self.mapping.reports_failures, &sequences)
            };
            self.count(&batch, answer, &invocation);
            last = Some(invocation);

            let records = batch.records.clone();
            match event_source::after(batch, answer, self.settings.policy) {
                Step::Finished => {
                    self.finish(&records);
                    failures = 0;
                }
                Step::Again { done, batches } => {
                    self.finish(records.get(..done).unwrap_or_default());
                    todo.extend(batches.into_iter().rev());
                    failures = if done > 0 { 1 } else { failures + 1 };
                    self.back_off(failures).await?;
                }
                Step::Discard { done, batch } => {
                    self.finish(records.get(..done).unwrap_or_default());
                    self.discard(&batch, Condition::RetryAttemptsExhausted, last.as_ref()).await?;
                    failures = 0;
                }
            }
        }
        std::ops::ControlFlow::Continue(())
    }

    fn count(&self, batch: &Batch, answer: StreamAnswer, invocation: &Invocation) {
        let failed = match answer {
            StreamAnswer::Done => 0,
            StreamAnswer::FailedFrom(first) => batch.len() - first,
            StreamAnswer::Failed => batch.len(),
        };
        self.activity.invoked(&self.mapping, invocation, failed);
    }

    fn finish(&self, records: &[Arc<Record>]) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            reading.finish(&record.sequence);
        }
        drop(reading);
        self.activity.settled(records.len());
    }

    /// Hands a batch to the on-failure destination, as often as it takes: AWS drops it when that fails, and counts it;
    /// here a destination that cannot be reached is a mistake in the stack that has to be seen.
    async fn discard(&mut self, batch: &Batch, condition: Condition, last: Option<&Invocation>) -> std::ops::ControlFlow<()> {
        self.activity.count(&self.mapping, |counts| counts.discarded_batches += 1);
        if let Some(destination) = self.settings.on_failure.clone() {
            let about = format!("the on-failure destination of {}", self.mapping.name);
            let event = event::of_stream(&self.mapping, &self.shard, &self.function.role_arn, batch, self.pace.arrivals);
            let mapping = self.mapping.clone();
            let discarded = Discarded { mapping: &mapping, shard: &self.shard.clone(), batch, condition, last };
            while let Err(error) = discarded.send(&self.as_function, &destination, &event).await {
                let failures = self.activity.trouble(&about, in_full(error.as_ref()));
                self.back_off(failures).await?;
            }
            self.activity.well(&about);
            self.activity.count(&self.mapping, |counts| counts.on_failure_batches += 1);
        }
        self.finish(&batch.records);
        std::ops::ControlFlow::Continue(())
    }

    async fn back_off(&mut self, failures: u32) -> std::ops::ControlFlow<()> {
        let wait = self.pace.back_off(failures);
        tokio::select! {
            () = stopped(&mut self.stop) => std::ops::ControlFlow::Break(()),
            () = tokio::time::sleep(wait) => std::ops::ControlFlow::Continue(()),
        }
    }
}
