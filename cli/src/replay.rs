//! `triggers replay`: the batches that the router failed on for a day, onto the stream again.
//!
//! At least once: an object is removed only when the stream has all of its records. Its next replay puts all of them.

mod batch;

use std::process::ExitCode;

use anyhow::{Context, Result};
use aws::{Clock, Listed, Objects, Stream, object_store};
use clap::Args;
use event::{SequenceNumber, Time};
use trigger::Duration;

use self::batch::{Batch, BatchProblem};
use crate::columns::age;
use crate::interrupt::Interrupt;
use crate::pace::{Pace, Rate};
use crate::put_again::Again;
use crate::screen::{self, Activity, NOTHING_MATCHED, count};
use crate::target::Stack;

/// Under which Lambda puts what it gives up.
const PREFIX: &str = "aws/lambda/";

#[derive(Args)]
pub struct Arguments {
    /// The batches that the router failed on for a day.
    #[arg(long, required = true)]
    failed: bool,
    /// Those that were given up within this time, as in 12h or 2d.
    #[arg(long, value_name = "DURATION", value_parser = Duration::parse)]
    since: Option<Duration>,
    /// How many records a second.
    #[arg(long, value_name = "N/s", default_value = "100/s", value_parser = Rate::parse)]
    rate: Rate,
    /// Put also records that are several events in one; the router quarantines them.
    #[arg(long)]
    force: bool,
    /// Look at this many batches at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Do it.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    stack: Stack,
}

/// A batch that can be replayed. Its records are read again when its turn comes, for many batches may be many bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Ready {
    begins: (Time, SequenceNumber),
    key: String,
    records: usize,
    no_events: usize,
    condition: String,
}

struct Replay<'r> {
    objects: Objects,
    stream: Stream,
    arguments: &'r Arguments,
    interrupt: Interrupt,
}

pub async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let interrupt = Interrupt::listen();
    let (sdk, outputs) = arguments.stack.outputs().await?;
    let objects = Objects::new(object_store(&sdk), outputs.get("OnFailureBucket")?);
    let stream = Stream::new(aws_sdk_kinesis::Client::new(&sdk), outputs.get("StreamName")?);
    let replay = Replay { objects, stream, arguments, interrupt };
    let now = Clock::system().now();
    let since = arguments.since.map(|since| now.plus(-since.as_millis()));
    let wanted = |object: &Listed| since.is_none_or(|since| object.put_at >= since);
    let listing = replay.objects.list(PREFIX, usize::try_from(arguments.limit).unwrap_or(usize::MAX), wanted).await?;
    if listing.more {
        screen::looked_at_the_first(listing.objects.len());
    }
    let Some((ready, left)) = replay.judge(&listing.objects).await? else {
        screen::note("interrupted; nothing was changed");
        return Ok(Interrupt::exit_code());
    };
    let code = if left > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    if ready.is_empty() {
        screen::line("there is no batch to replay");
        return Ok(if left > 0 { code } else { ExitCode::from(NOTHING_MATCHED) });
    }
    lines(&ready, now).iter().for_each(|line| screen::line(line));
    if !arguments.yes {
        let records: usize = ready.iter().map(|batch| batch.records).sum();
        let seconds = arguments.rate.time_for(records).as_secs() + 1;
        screen::line(&format!("at {}, in about {seconds}s; nothing was changed, --yes does it", arguments.rate));
        return Ok(code);
    }
    match replay.perform(&ready).await? {
        true => Ok(code),
        false => Ok(Interrupt::exit_code()),
    }
}

impl Replay<'_> {
    /// The batches that can be replayed, the first arrival first, and how many objects cannot; none where somebody
    /// interrupted.
    async fn judge(&self, objects: &[Listed]) -> Result<Option<(Vec<Ready>, usize)>> {
        let (mut ready, mut left) = (Vec::new(), 0);
        let activity = Activity::start();
        for (number, object) in objects.iter().enumerate() {
            if self.interrupt.is_asked() {
                activity.done();
                return Ok(None);
            }
            activity.detail(&format!("looking at {} of {}", number + 1, count(objects.len(), "batch object")));
            let Some(bytes) = self.objects.read(&object.key).await? else { continue };
            match self.read(&bytes) {
                Ok((batch, again)) => ready.extend(batch.begins().map(|begins| Ready {
                    begins,
                    key: object.key.clone(),
                    records: again.len(),
                    no_events: again.iter().filter(|again| matches!(again, Again::NoEvent { .. })).count(),
                    condition: batch.condition,
                })),
                Err(problem) => {
                    left += 1;
                    screen::note(&format!("{} is left where it is: {problem}", object.key));
                }
            }
        }
        activity.done();
        ready.sort();
        Ok(Some((ready, left)))
    }

    fn read(&self, bytes: &[u8]) -> Result<(Batch, Vec<Again>), BatchProblem> {
        let batch = Batch::parse(bytes)?;
        let again = batch.again(self.arguments.force)?;
        Ok((batch, again))
    }

    /// Puts one batch after another; false where somebody interrupted.
    async fn perform(&self, ready: &[Ready]) -> Result<bool> {
        let activity = Activity::start();
        let all: usize = ready.iter().map(|batch| batch.records).sum();
        let mut pace = Pace::start(self.arguments.rate);
        let (mut batches, mut put) = (0, 0);
        let mut result = Ok(true);
        for batch in ready {
            result = self.replay(batch, &mut pace, &mut put, |put| activity.detail(&format!("{put} of {all} records put"))).await;
            if !matches!(result, Ok(true)) {
                break;
            }
            batches += 1;
        }
        activity.done();
        screen::line(&format!("{} put onto the stream, {} done with", count(put, "record"), batch_count(batches)));
        if batches < ready.len() {
            screen::note(&format!("{} left; replaying all of a batch again is harmless", batch_count(ready.len() - batches)));
        }
        result.context("the stream or the bucket failed")
    }

    /// One record after another, for each customer's must stay in their order; the object only after the last.
    async fn replay(&self, batch: &Ready, pace: &mut Pace, put: &mut usize, told: impl Fn(usize)) -> Result<bool> {
        let Some(bytes) = self.objects.read(&batch.key).await? else { return Ok(true) };
        let (_, again) = self.read(&bytes)?;
        for again in again {
            if !pace.go_on(1, &self.interrupt).await {
                return Ok(false);
            }
            let (Again::Event(record) | Again::NoEvent { put: record, .. }) = again;
            self.stream.put(record).await?;
            *put += 1;
            told(*put);
        }
        self.objects.remove(&batch.key).await?;
        Ok(true)
    }
}

fn batch_count(number: usize) -> String {
    if number == 1 { "1 batch".to_owned() } else { format!("{number} batches") }
}

/// The batches by why they were given up, and all of them together.
fn lines(ready: &[Ready], now: Time) -> Vec<String> {
    let mut conditions: Vec<&str> = ready.iter().map(|batch| batch.condition.as_str()).collect();
    conditions.sort_unstable();
    conditions.dedup();
    let of = |condition: &str| {
        let batches: Vec<_> = ready.iter().filter(|batch| batch.condition == condition).collect();
        let records: usize = batches.iter().map(|batch| batch.records).sum();
        let oldest = batches.iter().map(|batch| batch.begins.0).min().unwrap_or(now);
        let name = if condition.is_empty() { "-" } else { condition };
        format!("{name}: {}, {}, the oldest {} ago", batch_count(batches.len()), count(records, "record"), age(now.since(oldest)))
    };
    let mut lines: Vec<_> = conditions.into_iter().map(of).collect();
    let no_events: usize = ready.iter().map(|batch| batch.no_events).sum();
    if no_events > 0 {
        lines.push(format!("no events: {no_events}; the router will quarantine these"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_told_by_why_they_were_given_up() {
        let now = Time::from_millis(1_772_400_000_000);
        let ready = |hours: i64, records, no_events, condition: &str| Ready {
            begins: (now.plus(-hours * 3_600_000), SequenceNumber::new("1")),
            key: "k".to_owned(),
            records,
            no_events,
            condition: condition.to_owned(),
        };
        let batches = [ready(30, 1, 0, "RecordAgeExceeded"), ready(26, 200, 2, "RecordAgeExceeded"), ready(2, 5, 0, "")];
        insta::assert_snapshot!(lines(&batches, now).join("\n"), @r"
        -: 1 batch, 5 records, the oldest 2h ago
        RecordAgeExceeded: 2 batches, 201 records, the oldest 30h ago
        no events: 2; the router will quarantine these
        ");
        assert_eq!(lines(&batches[2..], now).len(), 1);
    }

    #[test]
    fn the_batch_that_arrived_first_is_replayed_first() {
        let ready = |millis, sequence: &str| Ready {
            begins: (Time::from_millis(millis), SequenceNumber::new(sequence)),
            key: String::new(),
            records: 1,
            no_events: 0,
            condition: String::new(),
        };
        let mut batches = [ready(2, "8"), ready(1, "10"), ready(1, "9")];
        batches.sort();
        assert_eq!(batches.map(|batch| batch.begins.1.to_string()), ["9", "10", "8"]);
    }
}
