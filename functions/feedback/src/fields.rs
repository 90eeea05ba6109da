//! The fields of an event of a provider, each named where it is missing.

use event::Time;
use serde_json::Value;

use crate::Unreadable;

/// A word that goes on into an event is no longer than this.
const LONGEST_WORD: usize = 64;

/// An event, and what it calls itself.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    value: &'a Value,
    kind: &'static str,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(value: &'a Value, kind: &'static str) -> Self {
        Self { value, kind }
    }

    pub(crate) fn get(&self, path: &str) -> Option<&'a Value> {
        self.value.pointer(path)
    }

    pub(crate) fn missing(&self, field: &'static str) -> Unreadable {
        Unreadable::Field { kind: self.kind, field }
    }

    /// A text that must be there and not be empty.
    pub(crate) fn text(&self, path: &'static str) -> Result<&'a str, Unreadable> {
        self.get(path).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or_else(|| self.missing(path))
    }

    pub(crate) fn time(&self, path: &'static str) -> Result<Time, Unreadable> {
        self.text(path)?.parse().map_err(|_| self.missing(path))
    }

    /// A short word out of a list that the provider has. What does not look like one is left out: it may quote somebody.
    pub(crate) fn word(&self, path: &str) -> Option<&'a str> {
        let harmless = |text: &&str| {
            (1..=LONGEST_WORD).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b' '))
        };
        self.get(path)?.as_str().filter(harmless)
    }

    /// The texts of a list, under a name in each entry where the entries are objects.
    pub(crate) fn texts(&self, path: &str, name: Option<&str>) -> Vec<&'a str> {
        let entries = self.get(path).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        entries.iter().filter_map(|entry| name.map_or(Some(entry), |name| entry.get(name))?.as_str()).collect()
    }
}
