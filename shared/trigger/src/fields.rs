//! Reading the fields of a mapping, with a problem for each that is not as it should be.

use std::fmt::Display;

use crate::problem::{Path, Problems, unknown};
use crate::yaml::{Entry, Kind, Node};

/// A mapping whose fields may be asked for.
pub(crate) struct Fields<'n> {
    pub(crate) path: Path,
    pub(crate) line: usize,
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    /// Opens a node as a mapping with none but these fields.
    pub(crate) fn open(node: &'n Node, path: &Path, known: &[&str], problems: &mut Problems) -> Option<Fields<'n>> {
        let fields = Fields::open_any(node, path, &known.join(", "), problems)?;
        for entry in fields.entries {
            if problems.are_many() {
                break;
            }
            if !known.contains(&entry.name.as_str()) {
                let message = unknown("field", &entry.name, known);
                problems.add(entry.line, &path.field(&entry.name), message);
            }
        }
        Some(fields)
    }

    /// Opens a node as a mapping from names that the file is free to choose.
    pub(crate) fn open_any(node: &'n Node, path: &Path, content: &str, problems: &mut Problems) -> Option<Fields<'n>> {
        match &node.kind {
            Kind::Mapping(entries) => Some(Fields { path: path.clone(), line: node.line, entries }),
            Kind::Refused => None,
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) => {
                let message = format!("is {}; write a mapping with the fields {content}", node.noun());
                problems.add(node.line, path, message);
                None
            }
        }
    }

    pub(crate) fn entries(&self) -> &'n [Entry] {
        self.entries
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'n Node> {
        self.entry(name).map(|entry| &entry.value)
    }

    /// The field's value, which must be there.
    pub(crate) fn required(&self, name: &str, remedy: &str, problems: &mut Problems) -> Option<&'n Node> {
        let node = self.get(name);
        if node.is_none() {
            problems.add(self.line, &self.path.field(name), format!("is missing; {remedy}"));
        }
        node
    }

    /// The text of a field, if it is there and is text.
    pub(crate) fn text(&self, name: &str, problems: &mut Problems) -> Option<&'n str> {
        let entry = self.entry(name)?;
        text_of(&entry.value, &self.path.field(name), problems)
    }

    /// A field read from its text, if it is there.
    pub(crate) fn parsed<T, E: Display>(&self, name: &str, parse: fn(&str) -> Result<T, E>, problems: &mut Problems) -> Option<T> {
        let node = self.get(name)?;
        parsed(node, &self.path.field(name), parse, problems)
    }
}

/// Reads a value from its text. A number or a truth value is read from its letters, so that the
/// reader of the kind says what is wrong with it.
pub(crate) fn parsed<T, E: Display>(node: &Node, path: &Path, parse: fn(&str) -> Result<T, E>, problems: &mut Problems) -> Option<T> {
    let text = match &node.kind {
        Kind::Number(text) => text.clone(),
        Kind::Bool(value) => value.to_string(),
        Kind::Null | Kind::Text(_) | Kind::List(_) | Kind::Mapping(_) | Kind::Refused => text_of(node, path, problems)?.to_owned(),
    };
    match (parse(&text), &node.kind) {
        (Ok(_), Kind::Bool(_)) => {
            // Good letters, but a truth value in the canonical text.
            text_of(node, path, problems);
            None
        }
        (Ok(value), _) => Some(value),
        (Err(error), _) => {
            problems.add(node.line, path, error.to_string());
            None
        }
    }
}

pub(crate) fn text_of<'n>(node: &'n Node, path: &Path, problems: &mut Problems) -> Option<&'n str> {
    let message = match &node.kind {
        Kind::Text(text) => return Some(text),
        Kind::Refused => return None,
        Kind::Null => "has no value; write one, or remove the field".to_owned(),
        Kind::Bool(_) | Kind::Number(_) => {
            format!("is {}; put it in quotes to make it text", node.noun())
        }
        Kind::List(_) | Kind::Mapping(_) => format!("is {}; write text", node.noun()),
    };
    problems.add(node.line, path, message);
    None
}
