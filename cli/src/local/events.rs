//! A file of events, one a line.
//!
//! A line is put onto the stream as it stands, under its subject as partition key. Where something else is wanted, it is
//! `{"event": …}` or `{"raw": "…"}`, with a `"partition_key"` beside it.

use std::collections::BTreeMap;
use std::fs;
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
    partition_key: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    event: Option<Box<RawValue>>,
    raw: Option<String>,
    partition_key: Option<String>,
}

/// # Errors
/// A file that cannot be read, or has no line.
pub fn read(file: &Path) -> Result<Vec<Line>> {
    let text = fs::read(file).with_context(|| format!("cannot read the events in {}", file.display()))?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).map(line).collect();
    ensure!(!lines.is_empty(), "{} has no events", file.display());
    Ok(lines)
}

fn line(text: &str) -> Line {
    let (text, key) = match serde_json::from_str::<Wrapped>(text) {
        Ok(Wrapped { event: Some(event), raw: None, partition_key }) => (event.get().to_owned(), partition_key),
        Ok(Wrapped { event: None, raw: Some(raw), partition_key }) => (raw, partition_key),
        // Neither, or no JSON at all: the line itself is the record.
        Ok(_) | Err(_) => (text.to_owned(), None),
    };
    let subject = || {
        let value: Value = serde_json::from_str(&text).ok()?;
        value.get("subject")?.as_str().filter(|subject| !subject.is_empty() && subject.chars().count() <= 256).map(str::to_owned)
    };
    let partition_key = key.or_else(subject).unwrap_or_else(|| NO_SUBJECT.to_owned());
    Line { partition_key, text }
}

impl Line {
    /// The record as the line has it.
    pub fn put(&self) -> Put {
        Put { partition_key: self.partition_key.clone(), data: self.text.clone().into_bytes() }
    }
}

/// How far the file's own time has come.
#[derive(Debug, Default)]
pub struct Clock(Option<Time>);

impl Clock {
    /// The record as if it happened now; if it is late in the file, then late by as much.
    pub fn retimed(&mut self, line: &Line, now: Time) -> Put {
        let Ok(event) = Event::parse(line.text.as_bytes()) else { return line.put() };
        let newest = self.0.map_or(event.time(), |newest| newest.max(event.time()));
        self.0 = Some(newest);
        let time = now.plus(-newest.since(event.time()));
        match with_time(&line.text, time) {
            Some(text) => Put { partition_key: line.partition_key.clone(), data: text.into_bytes() },
            None => line.put(),
        }
    }
}

/// All but the time stays as it was written.
fn with_time(text: &str, time: Time) -> Option<String> {
    let mut attributes: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).ok()?;
    attributes.insert("time".to_owned(), RawValue::from_string(format!("\"{time}\"")).ok()?);
    serde_json::to_string(&attributes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, time: &str) -> String {
        format!(r#"{{"specversion":"1.0","id":"{id}","source":"/s","type":"a.b","time":"{time}","subject":"c-1","data":{{"n":1.50}}}}"#)
    }

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
            assert_eq!(line(text), Line { partition_key: key.to_owned(), text: record.to_owned() }, "{text}");
        }
    }

    #[test]
    fn an_event_happens_now_and_a_late_one_is_late_by_as_much() {
        let mut clock = Clock::default();
        let now: Time = "2027-01-01T00:00:00Z".parse().unwrap();
        let mut retimed = |time: &str| {
            let put = clock.retimed(&line(&event("e", time)), now);
            let event = Event::parse(&put.data).unwrap();
            (event.time().to_string(), event.data_text().to_owned())
        };
        assert_eq!(retimed("2026-03-01T10:00:00Z"), ("2027-01-01T00:00:00.000Z".to_owned(), r#"{"n":1.50}"#.to_owned()));
        assert_eq!(retimed("2026-03-02T10:00:00Z").0, "2027-01-01T00:00:00.000Z");
        assert_eq!(retimed("2026-02-27T10:00:00Z").0, "2026-12-29T00:00:00.000Z");
    }
}
