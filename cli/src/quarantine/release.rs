//! `triggers quarantine release`: records onto the stream again, and only then out of the quarantine.
//!
//! At least once: a record whose object was not removed is put once more by the next release, which its id makes harmless.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use aws::{Put, Quarantine, Quarantined, StoreError, Stream};
use event::{NoEvent, SequenceNumber, Time};

use crate::interrupt::Interrupt;
use crate::put_again::Again;
use crate::screen::{self, Activity, NOTHING_MATCHED, count};

/// What is to be released, and how.
pub struct Release<'r> {
    pub quarantine: &'r Quarantine,
    pub stream: &'r Stream,
    /// What takes the place of the one record's bytes.
    pub mended: Option<Vec<u8>>,
    /// Put also what will be quarantined again.
    pub force: bool,
    /// Without it nothing is done.
    pub really: bool,
    pub interrupt: &'r Interrupt,
}

/// A record that can be released. Its bytes are read again when its turn comes, for many records may be many bytes.
struct Ready {
    key: String,
    arrival: Time,
    sequence: SequenceNumber,
    reason: String,
}

/// What a release would do with one object.
enum Judged {
    Ready(Ready),
    Refused(NoEvent),
    /// An object that is no record of the quarantine.
    Unreadable(StoreError),
    /// There is none under this key: released before, or expired.
    Gone,
}

/// How a release came to its end.
enum End {
    Done,
    Interrupted,
    Failed(anyhow::Error),
}

/// A mended record, from a file.
///
/// # Errors
/// A file that cannot be read.
pub fn mended(file: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read the record in {}", file.display()))?;
    Ok(bytes.trim_ascii().to_vec())
}

impl Release<'_> {
    /// Judges all of them, says what would be done, and does it where that is wanted, in the order in which they arrived.
    ///
    /// # Errors
    /// A call that failed. What was released up to there is said first.
    pub async fn run(&self, keys: &[String]) -> Result<ExitCode> {
        let (mut ready, mut refused) = (Vec::new(), 0);
        let activity = Activity::start();
        for (number, key) in keys.iter().enumerate() {
            if self.interrupt.is_asked() {
                activity.done();
                screen::note("interrupted; nothing was changed");
                return Ok(Interrupt::exit_code());
            }
            activity.detail(&format!("looking at {} of {}", number + 1, keys.len()));
            match self.judge(key).await? {
                Judged::Ready(record) => ready.push(record),
                Judged::Gone => screen::note(&format!("{key} is not in the quarantine: it was released, or it expired")),
                Judged::Unreadable(error) => {
                    refused += 1;
                    screen::note(&format!("{key} is refused: {error}"));
                }
                Judged::Refused(refusal) => {
                    refused += 1;
                    screen::note(&format!("{key} is refused, it would be quarantined again: {refusal}"));
                }
            }
        }
        activity.done();
        if refused > 0 {
            screen::note("to mend a record: show KEY --data > record.json, and release KEY --file record.json; --force puts it as it is");
        }
        ready.sort_by(|one, other| (one.arrival, &one.sequence).cmp(&(other.arrival, &other.sequence)));
        let failed = if refused > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        match ready.len() {
            0 if refused > 0 => return Ok(failed),
            0 => {
                screen::line("there is nothing to release");
                return Ok(ExitCode::from(NOTHING_MATCHED));
            }
            number if !self.really => {
                ready.iter().for_each(|record| screen::line(&format!("{:<16}  {}\n  {}", record.reason, record.arrival, record.key)));
                screen::line(&format!("{} would be released; nothing was changed, --yes does it", count(number, "record")));
                return Ok(failed);
            }
            _ => (),
        }
        let (released, end) = self.perform(&ready).await;
        screen::line(&format!("{} released", count(released, "record")));
        match end {
            End::Done => Ok(failed),
            End::Interrupted => {
                screen::note("interrupted; the others are still in the quarantine");
                Ok(Interrupt::exit_code())
            }
            End::Failed(error) => Err(error.context("the others are still in the quarantine; releasing all of them again is harmless")),
        }
    }

    async fn perform(&self, ready: &[Ready]) -> (usize, End) {
        let activity = Activity::start();
        let mut released = 0;
        let mut end = End::Done;
        for record in ready {
            if self.interrupt.is_asked() {
                end = End::Interrupted;
                break;
            }
            match self.release(&record.key).await {
                Ok(was_there) => released += usize::from(was_there),
                Err(error) => {
                    end = End::Failed(error);
                    break;
                }
            }
            activity.detail(&format!("{released} of {} released", ready.len()));
        }
        activity.done();
        (released, end)
    }

    async fn judge(&self, key: &str) -> Result<Judged> {
        let judged = match self.quarantine.read(key).await {
            Ok(None) => return Ok(Judged::Gone),
            Ok(Some(record)) => self.judged(key, record),
            Err(error) => Err(error),
        };
        judged.or_else(|error| match error {
            StoreError::Passing(_) => Err(error).with_context(|| format!("cannot read {key}")),
            StoreError::Conflict { .. } | StoreError::Unreadable { .. } => Ok(Judged::Unreadable(error)),
        })
    }

    fn judged(&self, key: &str, record: Quarantined) -> Result<Judged, StoreError> {
        Ok(match self.again(&record)? {
            Again::NoEvent { refusal, .. } if !self.force => Judged::Refused(refusal),
            Again::NoEvent { .. } | Again::Event(_) => {
                Judged::Ready(Ready { key: key.to_owned(), arrival: record.arrived()?, sequence: record.sequence, reason: record.reason })
            }
        })
    }

    fn again(&self, record: &Quarantined) -> Result<Again, StoreError> {
        let own = match &self.mended {
            Some(_) => None,
            None => Some(record.bytes()?),
        };
        let bytes = self.mended.as_ref().or(own.as_ref()).map_or(&[][..], Vec::as_slice);
        Ok(Again::of(&record.partition_key, record.arrived()?, bytes))
    }

    /// Onto the stream, and out of the quarantine once the stream has it; false where somebody else released it meanwhile.
    async fn release(&self, key: &str) -> Result<bool> {
        let Some(record) = self.quarantine.read(key).await? else { return Ok(false) };
        let put: Put = match self.again(&record)? {
            Again::Event(put) | Again::NoEvent { put, .. } => put,
        };
        self.stream.put(put).await?;
        self.quarantine.remove(key).await?;
        Ok(true)
    }
}
