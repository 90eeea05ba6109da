//! The archive's record of an input: as received, and what was decided about it.

use std::fmt;

use blob::{Bytes, OpenError, Record, record};
use event::{SequenceNumber, ShardId, Time};
use thiserror::Error;
use trigger::{Channel, TriggerName, Version};

use crate::{Decided, Decision, Deliver, DeliveryId, Reason, Remember, RunId, Verdict};

/// The version of the deciding code: raised when the same input would be decided otherwise.
pub const ENGINE: u32 = 1;

/// The newest format of the record that is read, and the one that is written.
const FORMAT: u16 = 1;

/// An event and its decisions, unpacked.
const LARGEST: usize = 4 << 20;

const DELIVER: u32 = 1;
const REFUSE: u32 = 2;

// Field numbers are for ever.
record! {
    struct Item {
        1 => input: Bytes,
        2 => arrival: i64,
        3 => shard: String,
        4 => sequence: String,
        5 => now: i64,
        6 => generation: u64,
        7 => engine: u32,
        8 => remember: Option<Memory>,
        9 => repeat: bool,
        10 => decisions: Vec<Entry>,
    }
}

// Kept free: key hashes, traits set.
record! {
    struct Memory {
        1 => depth: u32,
    }
}

record! {
    struct Entry {
        1 => trigger: String,
        2 => version: u32,
        3 => run: Bytes,
        4 => step: Option<String>,
        5 => verdict: u32,
        6 => reason: Option<String>,
        7 => delivery: Bytes,
        8 => channel: String,
        9 => not_before: i64,
        10 => not_after: i64,
    }
}

/// An input with what was decided about it, as the archive keeps it: put once, never rewritten.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The bytes as they were received.
    pub input: Vec<u8>,
    pub arrival: Time,
    pub shard: ShardId,
    pub sequence: SequenceNumber,
    pub engine: u32,
    pub decided: Decided,
}

/// The input is not shown, since it is personal: no log line can have it.
impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, arrival, shard, sequence, engine, decided } = self;
        f.debug_struct("Recorded")
            .field("input", &format_args!("{} bytes", input.len()))
            .field("arrival", arrival)
            .field("shard", shard)
            .field("sequence", sequence)
            .field("engine", engine)
            .field("decided", decided)
            .finish()
    }
}

/// Why a record of the archive cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RecordedError {
    #[error(transparent)]
    Blob(#[from] OpenError),
    #[error("the recorded decision has a {field} that this program cannot read; deploy the newer program first")]
    Field { field: &'static str },
}

impl Recorded {
    #[must_use]
    pub fn new(input: Vec<u8>, arrival: Time, shard: ShardId, sequence: SequenceNumber, decided: Decided) -> Self {
        Self { input, arrival, shard, sequence, engine: ENGINE, decided }
    }

    /// The stored form.
    #[must_use]
    pub fn seal(&self) -> Vec<u8> {
        let item = Item {
            input: Bytes(self.input.clone()),
            arrival: self.arrival.millis(),
            shard: self.shard.as_str().to_owned(),
            sequence: self.sequence.as_str().to_owned(),
            now: self.decided.now.millis(),
            generation: self.decided.generation,
            engine: self.engine,
            remember: self.decided.remember.map(|remember| Memory { depth: remember.depth, ..Memory::default() }),
            repeat: self.decided.repeat,
            decisions: self.decided.decisions.iter().map(entry).collect(),
            ..Item::default()
        };
        item.seal(FORMAT)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// A blob or a decision that this version cannot read.
    pub fn open(blob: &[u8]) -> Result<Self, RecordedError> {
        let item = Item::open(blob, FORMAT, LARGEST)?;
        let decisions = item.decisions.into_iter().map(decision).collect::<Result<_, _>>()?;
        Ok(Self {
            input: item.input.0,
            arrival: Time::from_millis(item.arrival),
            shard: ShardId::new(item.shard),
            sequence: SequenceNumber::new(&item.sequence),
            engine: item.engine,
            decided: Decided {
                now: Time::from_millis(item.now),
                generation: item.generation,
                repeat: item.repeat,
                decisions,
                remember: item.remember.map(|memory| Remember { depth: memory.depth }),
            },
        })
    }

    /// The decisions as codes, outside the blob: `welcome@3/0=deliver`, `offer@1=no_consent`, `repeat`.
    #[must_use]
    pub fn codes(&self) -> Vec<String> {
        if self.decided.repeat {
            return vec!["repeat".to_owned()];
        }
        self.decided.decisions.iter().map(code).collect()
    }
}

fn code(decision: &Decision) -> String {
    let step = decision.step.as_ref().map(|step| format!("/{step}")).unwrap_or_default();
    let verdict = match &decision.verdict {
        Verdict::Deliver(_) => "deliver",
        Verdict::Refuse(reason) => reason.code(),
    };
    format!("{}@{}{step}={verdict}", decision.trigger, decision.version)
}

fn entry(decision: &Decision) -> Entry {
    let entry = Entry {
        trigger: decision.trigger.as_str().to_owned(),
        version: decision.version.get(),
        run: Bytes(decision.run.bytes().to_vec()),
        step: decision.step.clone(),
        ..Entry::default()
    };
    match &decision.verdict {
        Verdict::Refuse(reason) => Entry { verdict: REFUSE, reason: Some(reason.code().to_owned()), ..entry },
        Verdict::Deliver(deliver) => Entry {
            verdict: DELIVER,
            delivery: Bytes(deliver.id.bytes().to_vec()),
            channel: deliver.channel.as_str().to_owned(),
            not_before: deliver.not_before.millis(),
            not_after: deliver.not_after.millis(),
            ..entry
        },
    }
}

fn decision(entry: Entry) -> Result<Decision, RecordedError> {
    let field = |field| RecordedError::Field { field };
    let verdict = match entry.verdict {
        DELIVER => Verdict::Deliver(Deliver {
            id: DeliveryId::from_bytes(&entry.delivery.0).map_err(|_| field("delivery id"))?,
            channel: Channel::parse(&entry.channel).map_err(|_| field("channel"))?,
            not_before: Time::from_millis(entry.not_before),
            not_after: Time::from_millis(entry.not_after),
        }),
        REFUSE => Verdict::Refuse(entry.reason.and_then(|code| Reason::parse(&code).ok()).ok_or_else(|| field("reason"))?),
        _ => return Err(field("verdict")),
    };
    Ok(Decision {
        trigger: TriggerName::parse(&entry.trigger).map_err(|_| field("trigger"))?,
        version: Version::new(entry.version).map_err(|_| field("version"))?,
        run: RunId::from_bytes(&entry.run.0).map_err(|_| field("run"))?,
        step: entry.step,
        verdict,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn recorded() -> Recorded {
        let trigger = TriggerName::parse("welcome").unwrap();
        let run = RunId::from_bytes(&[7; 16]).unwrap();
        let deliver = Deliver {
            id: DeliveryId::from_bytes(&[9; 16]).unwrap(),
            channel: Channel::Email,
            not_before: Time::from_millis(1_000),
            not_after: Time::from_millis(2_000),
        };
        let decision = |step: Option<&str>, verdict| Decision {
            trigger: trigger.clone(),
            version: Version::new(3).unwrap(),
            run,
            step: step.map(str::to_owned),
            verdict,
        };
        let decisions = vec![decision(Some("0"), Verdict::Deliver(deliver)), decision(None, Verdict::Refuse(Reason::NoConsent))];
        let decided = Decided { now: Time::from_millis(1_000), generation: 4, repeat: false, decisions, remember: None };
        Recorded::new(b"{}".to_vec(), Time::from_millis(999), ShardId::new("shardId-0"), SequenceNumber::new("42"), decided)
    }

    #[test]
    fn what_was_recorded_is_read_back() {
        assert_eq!(Recorded::open(&recorded().seal()), Ok(recorded()));
        assert_eq!(recorded().codes(), ["welcome@3/0=deliver", "welcome@3=no_consent"]);
    }

    #[test]
    fn the_first_format_is_read_for_ever() {
        let golden = include_bytes!("../tests/data/recorded-format-1.bin");
        assert_eq!(Recorded::open(golden), Ok(recorded()));
        // Unpacked, since another version of the compressor may pack it otherwise.
        assert_eq!(blob::open(&recorded().seal(), FORMAT, LARGEST), blob::open(golden, FORMAT, LARGEST));
    }

    #[test]
    fn a_decision_that_this_version_cannot_read_says_which_field() {
        let item = |change: fn(&mut Entry)| {
            let mut entry = entry(&recorded().decided.decisions[0]);
            change(&mut entry);
            Recorded::open(&Item { decisions: vec![entry], ..Item::default() }.seal(FORMAT)).unwrap_err()
        };
        let field = |field| RecordedError::Field { field };
        assert_eq!(item(|entry| entry.verdict = 0), field("verdict"));
        assert_eq!(item(|entry| entry.verdict = REFUSE), field("reason"));
        assert_eq!(item(|entry| entry.channel = "pigeon".to_owned()), field("channel"));
        assert_eq!(item(|entry| entry.delivery = Bytes(vec![1; 15])), field("delivery id"));
        assert_eq!(item(|entry| entry.run = Bytes(Vec::new())), field("run"));
        assert_eq!(item(|entry| entry.trigger = "$head".to_owned()), field("trigger"));
        assert_eq!(item(|entry| entry.version = 0), field("version"));
        assert_eq!(Recorded::open(&Item::default().seal(2)), Err(RecordedError::Blob(OpenError::UnknownFormat { found: 2, newest: 1 })));
    }

    #[test]
    fn what_a_newer_version_added_does_not_hinder_this_one() {
        let mut fields = Item::open(&recorded().seal(), FORMAT, LARGEST).unwrap().to_fields();
        fields.put(12, &"cart.updated".to_owned());
        fields.put(99, &1_u64);
        assert_eq!(Recorded::open(&blob::seal(FORMAT, &fields.to_bytes())), Ok(recorded()));
    }

    #[test]
    fn a_repeat_is_one_code() {
        let mut repeat = recorded();
        repeat.decided = Decided { repeat: true, decisions: Vec::new(), ..repeat.decided };
        assert_eq!(Recorded::open(&repeat.seal()), Ok(repeat.clone()));
        assert_eq!(repeat.codes(), ["repeat"]);
    }

    proptest! {
        #[test]
        fn no_blob_panics(bytes: Vec<u8>) {
            let _ = Recorded::open(&bytes);
            let _ = Recorded::open(&blob::seal(FORMAT, &bytes));
        }
    }
}
