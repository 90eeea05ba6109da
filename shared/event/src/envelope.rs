//! The envelope of an event.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::{EventId, EventType, NoEvent, QuarantineReason, Source, Subject, Time, json_value};

/// The largest event, in bytes.
pub const LARGEST_EVENT: usize = 64 * 1024;

/// What is added, at most, to a record that is put again under its subject: a hop, and its first arrival.
const ADDED_WHEN_READDRESSED: usize = 64;

/// How often an event may have caused another before it is put aside.
pub const MOST_HOPS: u8 = 8;

/// What the Kinesis Producer Library writes before several records in one.
const AGGREGATED: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];

/// A fact about a customer.
#[derive(Clone, PartialEq)]
pub struct Event {
    id: EventId,
    source: Source,
    kind: EventType,
    time: Time,
    subject: Subject,
    data: Map<String, Value>,
    data_text: String,
    cause: Option<String>,
    hops: u8,
    original_arrival: Option<Time>,
}

/// The data is not shown, since it is personal: no log line can have it.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, source, kind, time, subject, .. } = self;
        write!(f, "Event({kind} {id} of {source} about {} at {time})", subject.as_str())
    }
}

type Attributes = BTreeMap<String, Box<RawValue>>;

impl Event {
    /// Parses the bytes of one record.
    ///
    /// # Errors
    /// A [`NoEvent`] with every problem of the envelope; its reason is that of the first one.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoEvent> {
        if bytes.starts_with(&AGGREGATED) {
            let problem = "the record is aggregated by the Kinesis Producer Library; set AggregationEnabled to false";
            return Err(NoEvent::new(QuarantineReason::Aggregated, problem));
        }
        if !is_within_bounds(bytes) {
            let problem =
                format!("{} bytes, at most {LARGEST_EVENT} are allowed; put what is large elsewhere and send its address", bytes.len());
            return Err(NoEvent::new(QuarantineReason::TooLarge, problem));
        }
        let mut reader = Reader { attributes: attributes(bytes)?, problems: Vec::new() };
        reader.specversion();
        let id = reader.word("id", EventId::parse);
        let source = reader.word("source", Source::parse);
        let kind = reader.word("type", EventType::parse);
        let time = reader.time("time", Presence::Required);
        let subject = reader.subject();
        let data = reader.data();
        let cause = reader.text("cause", Presence::Optional);
        let hops = reader.hops();
        let original_arrival = reader.time("originalarrival", Presence::Optional);
        match (id, source, kind, time, subject, data) {
            (Some(id), Some(source), Some(kind), Some(time), Some(subject), Some((data, data_text))) if reader.problems.is_empty() => {
                Ok(Self { id, source, kind, time, subject, data, data_text, cause, hops, original_arrival })
            }
            _ => Err(reader.refusal()),
        }
    }

    #[must_use]
    pub fn id(&self) -> &EventId {
        &self.id
    }

    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The attribute `type`.
    #[must_use]
    pub fn kind(&self) -> &EventType {
        &self.kind
    }

    /// When it happened, by the producer's clock.
    #[must_use]
    pub fn time(&self) -> Time {
        self.time
    }

    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    #[must_use]
    pub fn data(&self) -> &Map<String, Value> {
        &self.data
    }

    /// `data` as it was written, for patterns, to which the text of a number matters.
    #[must_use]
    pub fn data_text(&self) -> &str {
        &self.data_text
    }

    /// What caused it, where this system did.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    #[must_use]
    pub fn hops(&self) -> u8 {
        self.hops
    }

    /// When the record first arrived, where it was put onto the stream again.
    #[must_use]
    pub fn original_arrival(&self) -> Option<Time> {
        self.original_arrival
    }

    /// The envelope as a value, for templates and explanations.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::json!({
            "id": self.id.as_str(),
            "source": self.source.as_str(),
            "type": self.kind.as_str(),
            "time": self.time.to_string(),
            "subject": self.subject.as_str(),
            "data": self.data,
        })
    }
}

/// The same event with one hop more and the arrival of its first record, to be put under its subject as partition key.
///
/// # Errors
/// Bytes that are no JSON object.
pub fn readdressed(bytes: &[u8], arrival: Time) -> Result<Vec<u8>, NoEvent> {
    let mut attributes = attributes(bytes)?;
    let hops = attributes.get("hops").and_then(|hops| hops.get().trim().parse::<u64>().ok()).unwrap_or(0).saturating_add(1);
    attributes.insert("hops".to_owned(), raw(hops.to_string())?);
    first_arrived(attributes, arrival)
}

/// The same event with the arrival of its first record, to be put again by a person. It gets no hop: no event caused it.
///
/// # Errors
/// Bytes that are no JSON object.
pub fn replayed(bytes: &[u8], arrival: Time) -> Result<Vec<u8>, NoEvent> {
    first_arrived(attributes(bytes)?, arrival)
}

/// An arrival that is there already is older, and stays.
fn first_arrived(mut attributes: Attributes, arrival: Time) -> Result<Vec<u8>, NoEvent> {
    if attributes.get("originalarrival").is_none_or(|original| original.get() == "null") {
        attributes.insert("originalarrival".to_owned(), raw(format!("\"{arrival}\""))?);
    }
    serde_json::to_vec(&attributes).map_err(|error| not_json(&error))
}

fn raw(text: String) -> Result<Box<RawValue>, NoEvent> {
    RawValue::from_string(text).map_err(|error| not_json(&error))
}

/// An event that was put again is not refused for what this system added to it.
fn is_within_bounds(bytes: &[u8]) -> bool {
    let was_readdressed = || attributes(bytes).is_ok_and(|attributes| attributes.contains_key("originalarrival"));
    bytes.len() <= LARGEST_EVENT || (bytes.len() <= LARGEST_EVENT + ADDED_WHEN_READDRESSED && was_readdressed())
}

fn attributes(bytes: &[u8]) -> Result<Attributes, NoEvent> {
    let attributes: Unique = serde_json::from_slice(bytes).map_err(|error| not_json(&error))?;
    Ok(attributes.0)
}

fn not_json(error: &serde_json::Error) -> NoEvent {
    // The parser's own words can quote the input, so only the place is taken over.
    let problem = if error.is_data() && error.to_string().starts_with(DUPLICATE) {
        "an attribute of the envelope stands twice".to_owned()
    } else if error.is_data() {
        "the record is no JSON object".to_owned()
    } else {
        format!("the record is no JSON, as line {} column {} shows", error.line(), error.column())
    };
    NoEvent::new(QuarantineReason::NotJson, problem)
}

const DUPLICATE: &str = "duplicate attribute";

/// The attributes of an envelope; one that stands twice is refused, since readers would disagree on which one counts.
struct Unique(Attributes);

impl<'de> serde::Deserialize<'de> for Unique {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Unique;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Unique, A::Error> {
                let mut attributes = Attributes::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if attributes.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom(DUPLICATE));
                    }
                }
                Ok(Unique(attributes))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

/// Reads one attribute after the other and keeps every problem.
struct Reader {
    attributes: Attributes,
    problems: Vec<(QuarantineReason, String)>,
}

impl Reader {
    fn problem(&mut self, reason: QuarantineReason, problem: impl Into<String>) {
        self.problems.push((reason, problem.into()));
    }

    fn refusal(self) -> NoEvent {
        let reason = self.problems.first().map_or(QuarantineReason::InvalidField, |(reason, _)| *reason);
        NoEvent { reason, problems: self.problems.into_iter().map(|(_, problem)| problem).collect() }
    }

    fn text(&mut self, name: &str, presence: Presence) -> Option<String> {
        let Some(raw) = self.attributes.get(name) else {
            if presence == Presence::Required {
                self.problem(QuarantineReason::MissingField, format!("{name} is missing"));
            }
            return None;
        };
        match serde_json::from_str::<Option<String>>(raw.get()) {
            Ok(Some(text)) => Some(text),
            Ok(None) if presence == Presence::Optional => None,
            Ok(None) => {
                self.problem(QuarantineReason::MissingField, format!("{name} is null"));
                None
            }
            Err(_) => {
                self.problem(QuarantineReason::InvalidField, format!("{name} is no string"));
                None
            }
        }
    }

    fn word<T>(&mut self, name: &str, parse: fn(&str) -> Result<T, crate::WordError>) -> Option<T> {
        let text = self.text(name, Presence::Required)?;
        parse(&text).map_err(|error| self.problem(QuarantineReason::InvalidField, format!("{name} {error}"))).ok()
    }

    fn specversion(&mut self) {
        if let Some(version) = self.text("specversion", Presence::Required)
            && version != "1.0"
        {
            self.problem(QuarantineReason::InvalidField, "specversion is not 1.0");
        }
    }

    fn time(&mut self, name: &str, presence: Presence) -> Option<Time> {
        let text = self.text(name, presence)?;
        text.parse().map_err(|error| self.problem(QuarantineReason::InvalidTime, format!("{name} is {error}"))).ok()
    }

    fn subject(&mut self) -> Option<Subject> {
        let text = self.text("subject", Presence::Required)?;
        Subject::parse(&text).map_err(|error| self.problem(QuarantineReason::InvalidSubject, error.to_string())).ok()
    }

    fn data(&mut self) -> Option<(Map<String, Value>, String)> {
        if self.attributes.contains_key("data_base64") {
            self.problem(QuarantineReason::InvalidField, "data_base64 is not supported; send data as a JSON object");
        }
        let Some(raw) = self.attributes.get("data") else { return Some((Map::new(), "{}".to_owned())) };
        match json_value(raw.get().as_bytes()) {
            Ok(Value::Object(data)) => Some((data, raw.get().to_owned())),
            Ok(_) => {
                self.problem(QuarantineReason::InvalidField, "data is no object");
                None
            }
            Err(_) => {
                self.problem(
                    QuarantineReason::NotJson,
                    "data nests deeper than 127 levels, or has a number or a character that JSON does not",
                );
                None
            }
        }
    }

    fn hops(&mut self) -> u8 {
        let Some(raw) = self.attributes.get("hops") else { return 0 };
        match serde_json::from_str::<Option<u64>>(raw.get()).map(Option::unwrap_or_default) {
            Ok(hops) if hops <= u64::from(MOST_HOPS) => u8::try_from(hops).unwrap_or(MOST_HOPS),
            Ok(_) => {
                self.problem(QuarantineReason::TooManyHops, format!("hops is above {MOST_HOPS}: events cause each other in a circle"));
                0
            }
            Err(_) => {
                self.problem(QuarantineReason::InvalidField, "hops is no whole number");
                0
            }
        }
    }
}
