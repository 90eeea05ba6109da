//! The leaves of a document: its values that are neither object nor array, by their paths.
//!
//! Arrays are transparent to paths, empty containers have no leaves, and a key that stands twice counts twice.

use std::collections::{BTreeMap, BTreeSet};

use crate::address;
use crate::condition::quoted;
use crate::json::Json;
use crate::number;
use crate::place::Place;

/// One value of a document.
#[derive(Debug)]
pub(crate) struct Leaf {
    /// The text that is compared, a string with its quotation marks.
    pub(crate) text: String,
    /// The value of a number that compares by value.
    pub(crate) number: Option<f64>,
    /// The digits of a string that is an IP address.
    pub(crate) address: Option<Vec<u8>>,
    /// The elements of arrays within which the value stands.
    pub(crate) place: Place,
}

/// The paths that are looked for, and the single keys that they are made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Paths {
    paths: BTreeSet<String>,
    keys: BTreeSet<String>,
}

impl Paths {
    pub(crate) fn new(paths: BTreeSet<String>) -> Paths {
        let keys = paths.iter().flat_map(|path| keys(path));
        let keys = keys.map(str::to_owned).collect();
        Paths { paths, keys }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// Whether some path might lead through this key. An empty key at the end of a path is overlooked: `{"a":{"":1}}` has no
    /// field `a.` to match.
    fn lead_through(&self, key: &str) -> bool {
        self.keys.contains(key) || (key.contains('.') && keys(key).iter().all(|part| self.keys.contains(*part)))
    }
}

/// The keys of a dotted path, without empty ones at its end.
fn keys(path: &str) -> Vec<&str> {
    let mut keys: Vec<&str> = path.split('.').collect();
    while keys.len() > 1 && keys.last().is_some_and(|key| key.is_empty()) {
        keys.pop();
    }
    if path.contains('.') && keys == [""] {
        keys.clear();
    }
    keys
}

/// Finds the leaves of an object at the given paths. Anything but an object has no leaves.
pub(crate) fn leaves<'a>(document: &Json, paths: &'a Paths) -> BTreeMap<&'a str, Vec<Leaf>> {
    let mut walk = Walk { paths, path: String::new(), depth: 0, place: Place::default(), arrays: 0, found: BTreeMap::new() };
    if let Json::Object(members) = document {
        walk.object(members);
    }
    walk.found
}

struct Walk<'a> {
    paths: &'a Paths,
    path: String,
    /// The number of keys in `path`, which does not show where keys are empty.
    depth: usize,
    place: Place,
    /// How many arrays were met: each has a number of its own, and an inner array a higher one than an outer.
    arrays: usize,
    found: BTreeMap<&'a str, Vec<Leaf>>,
}

impl Walk<'_> {
    fn object(&mut self, members: &[(String, Json)]) {
        for (key, value) in members {
            if !self.paths.lead_through(key) {
                continue;
            }
            let length = self.path.len();
            if self.depth > 0 {
                self.path.push('.');
            }
            self.path.push_str(key);
            self.depth += 1;
            self.value(value);
            self.depth -= 1;
            self.path.truncate(length);
        }
    }

    fn array(&mut self, elements: &[Json]) {
        let array = self.arrays;
        self.arrays += 1;
        for (position, element) in elements.iter().enumerate() {
            match element {
                // Only what has parts can have parts that belong together: any scalar of an array will do.
                Json::Object(_) | Json::Array(_) => {
                    self.place.enter(array, position);
                    self.value(element);
                    self.place.leave();
                }
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                    self.value(element);
                }
            }
        }
    }

    fn value(&mut self, value: &Json) {
        match value {
            Json::Object(members) => self.object(members),
            Json::Array(elements) => self.array(elements),
            Json::Null => self.leaf("null".to_owned(), None, None),
            Json::Bool(flag) => self.leaf(flag.to_string(), None, None),
            Json::Number(text) => self.leaf(text.clone(), number::comparable(text), None),
            Json::String(text) => self.leaf(quoted(text), None, address::digits(text)),
        }
    }

    fn leaf(&mut self, text: String, number: Option<f64>, address: Option<Vec<u8>>) {
        if let Some(path) = self.paths.paths.get(self.path.as_str()) {
            let place = self.place.clone();
            self.found.entry(path).or_default().push(Leaf { text, number, address, place });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(document: &str, path: &str) -> Vec<String> {
        let paths = Paths::new(BTreeSet::from([path.to_owned()]));
        let found = leaves(&Json::parse(document).unwrap(), &paths);
        found.into_values().flatten().map(|leaf| leaf.text).collect()
    }

    #[test]
    fn arrays_are_transparent_and_keys_join_by_dots() {
        let document = r#"{"a":[{"b":1},[{"b":"x"}],{"b":{}}],"a.b":null,"a":{"b":2}}"#;
        assert_eq!(texts(document, "a.b"), ["1", "\"x\"", "null", "2"]);
    }

    #[test]
    fn an_empty_key_counts_unless_it_ends_a_path() {
        assert_eq!(texts(r#"{"":1}"#, ""), ["1"]);
        assert_eq!(texts(r#"{"":{"a":1}}"#, ".a"), ["1"]);
        assert_eq!(texts(r#"{"a":{"":1}}"#, "a."), [""; 0]);
        assert_eq!(texts(r#"{"a.":1}"#, "a."), ["1"]);
    }
}
