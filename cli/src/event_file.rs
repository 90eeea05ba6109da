//! A file of events, one a line; or one event over several lines.
//!
//! A line is put onto the stream as it stands, under its subject as partition key. Where something else is wanted, it is
//! `{"event": …}` or `{"raw": "…"}`, with a `"partition_key"` beside it. An event may have the attribute `arrival`: when it
//! arrived on the stream. Without it, it arrived when it happened.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use aws::Put;
use event::{Event, Time};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The key of a record that names no subject.
const NO_SUBJECT: &str = "none";

/// A record to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub partition_key: String,
    /// The bytes as they stand in the file, whether or not they are text.
    pub data: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    event: Option<Box<RawValue>>,
    raw: Option<String>,
    partition_key: Option<String>,
}

/// Reads a file, or standard input where it is `-`.
///
/// # Errors
/// A file that cannot be read, or has no line.
pub fn read(file: &Path) -> Result<Vec<Line>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).context("cannot read the events from standard input")?;
    } else {
        bytes = std::fs::read(file).with_context(|| format!("cannot read the events in {}", file.display()))?;
    }
    // A file that is one event, written over several lines.
    if bytes.trim_ascii().contains(&b'\n') && serde_json::from_slice::<Value>(&bytes).is_ok_and(|value| value.is_object()) {
        let compact = serde_json::from_slice::<Attributes>(&bytes).and_then(|attributes| serde_json::to_vec(&attributes));
        return Ok(vec![line(&compact.unwrap_or(bytes))]);
    }
    let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()).map(line).collect();
    ensure!(!lines.is_empty(), "{} has no events", file.display());
    Ok(lines)
}

fn line(bytes: &[u8]) -> Line {
    let (data, key) = match serde_json::from_slice::<Wrapped>(bytes) {
        Ok(Wrapped { event: Some(event), raw: None, partition_key }) => (event.get().as_bytes().to_vec(), partition_key),
        Ok(Wrapped { event: None, raw: Some(raw), partition_key }) => (raw.into_bytes(), partition_key),
        // Neither, or no JSON at all: the line itself is the record.
        Ok(_) | Err(_) => (bytes.to_vec(), None),
    };
    let subject = || {
        let value: Value = serde_json::from_slice(&data).ok()?;
        value.get("subject")?.as_str().filter(|subject| !subject.is_empty() && subject.chars().count() <= 256).map(str::to_owned)
    };
    let partition_key = key.or_else(subject).unwrap_or_else(|| NO_SUBJECT.to_owned());
    Line { partition_key, data }
}

impl Line {
    /// The record as the line has it.
    pub fn put(&self) -> Put {
        Put { partition_key: self.partition_key.clone(), data: self.data.clone() }
    }

    /// When the record arrived, if it is an event.
    pub fn arrival(&self) -> Option<Time> {
        let event = Event::parse(&self.data).ok()?;
        let attributes: Attributes = serde_json::from_slice(&self.data).ok()?;
        Some(time(&attributes, "arrival").unwrap_or(event.time()))
    }

    /// The record `millis` later: its time and its arrival moved, all else as it was written.
    pub fn later(&self, millis: i64) -> Put {
        let moved = || {
            let arrival = self.arrival()?;
            let mut attributes: Attributes = serde_json::from_slice(&self.data).ok()?;
            attributes.insert("arrival".to_owned(), raw(arrival.plus(millis))?);
            for name in ["time", "originalarrival"] {
                if let Some(time) = time(&attributes, name) {
                    attributes.insert(name.to_owned(), raw(time.plus(millis))?);
                }
            }
            serde_json::to_vec(&attributes).ok()
        };
        let data = moved().unwrap_or_else(|| self.data.clone());
        Put { partition_key: self.partition_key.clone(), data }
    }
}

type Attributes = BTreeMap<String, Box<RawValue>>;

fn time(attributes: &Attributes, name: &str) -> Option<Time> {
    serde_json::from_str::<String>(attributes.get(name)?.get()).ok()?.parse().ok()
}

fn raw(time: Time) -> Option<Box<RawValue>> {
    RawValue::from_string(format!("\"{time}\"")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_record_whatever_it_is() {
        for (text, key, record) in [
            (r#"{"subject":"c-1","id":"x"}"#, "c-1", r#"{"subject":"c-1","id":"x"}"#),
            ("no json", "none", "no json"),
            (r#"{"raw":"{\"subject\":\"c-2\"","partition_key":"k"}"#, "k", r#"{"subject":"c-2""#),
            (r#"{"event":{"subject":"c-3"}}"#, "c-3", r#"{"subject":"c-3"}"#),
            (r#"{"event":{"subject":"c-3"},"partition_key":"other"}"#, "other", r#"{"subject":"c-3"}"#),
            (r#"{"subject":""}"#, "none", r#"{"subject":""}"#),
        ] {
            assert_eq!(line(text.as_bytes()), Line { partition_key: key.to_owned(), data: record.into() }, "{text}");
        }
        assert_eq!(line(b"{\"subject\":\"\xff\"}").data, b"{\"subject\":\"\xff\"}");
    }

    #[test]
    fn a_record_is_moved_with_its_lateness_and_its_text() {
        let event = |more: &str| {
            let text = format!(
                r#"{{"specversion":"1.0","id":"e","source":"/s","type":"a.b","time":"2026-03-01T10:00:00Z","subject":"c-1","data":{{"n":1.50}}{more}}}"#
            );
            line(text.as_bytes())
        };
        for (more, arrival) in [("", "2026-03-01T11:00:00.000Z"), (r#","arrival":"2026-03-04T10:00:00Z""#, "2026-03-04T11:00:00.000Z")] {
            let moved = line(&event(more).later(3_600_000).data);
            let parsed = Event::parse(&moved.data).unwrap();
            assert_eq!((parsed.time().to_string().as_str(), parsed.data_text()), ("2026-03-01T11:00:00.000Z", r#"{"n":1.50}"#));
            assert_eq!(moved.arrival().unwrap().to_string(), arrival);
        }
        assert_eq!(line(b"no json").later(5).data, b"no json");
    }
}
