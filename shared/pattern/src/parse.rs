//! From a pattern's text to its branches.
//!
//! `$or` is resolved here: a branch is one way to choose among all alternatives, and a map from path to condition. This makes
//! it plain what a path that is named twice means: the later condition replaces the earlier one in each branch that
//! has both.

use std::collections::{BTreeMap, BTreeSet};

use crate::condition::Condition;
use crate::json::{Json, MAX_DEPTH};
use crate::leaf::Paths;
use crate::operator;
use crate::problem::{Problem, Problems};

/// How many fields one branch may name.
const MAX_FIELDS: usize = 256;

/// How many conditions all branches may have together.
const MAX_CONDITIONS: usize = 50_000;

/// How many bytes the keys down to a field may take, dots included.
const LONGEST_PATH: usize = 1_024;

/// How often a condition may be put into a branch, or a branch be copied, while a pattern is read.
const MAX_WORK: usize = 1_000_000;

/// Keys that mean something inside a `$or`, or might one day.
const RESERVED: [&str; 24] = [
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

/// An event pattern that is known to be valid.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    pub(crate) conditions: Vec<Condition>,
    /// Each branch is a list of conditions in the order of their paths; one branch must hold.
    pub(crate) branches: Vec<Vec<usize>>,
    pub(crate) paths: Paths,
}

/// What `$or` is taken for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Dialect {
    /// A choice between objects.
    Choices,
    /// A field like any other, in the older language that has no choices.
    Plain,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// Fails with every problem that the pattern has. A text that is not JSON has one problem.
    pub fn parse(text: &str) -> Result<Pattern, Vec<Problem>> {
        let json = Json::parse(text).map_err(|error| vec![Problem { path: Vec::new(), message: format!("not JSON: {error}") }])?;
        Pattern::from_json(&json)
    }

    /// Reads a pattern that is part of a larger document.
    ///
    /// Fails with every problem that the pattern has. If `$or` stands for something else than a choice between
    /// two or more objects, it is tried as the name of a field.
    pub fn from_json(json: &Json) -> Result<Pattern, Vec<Problem>> {
        read(json, Dialect::Choices).or_else(|problems| read(json, Dialect::Plain).map_err(|_| problems))
    }

    /// The paths that the pattern names, in order: keys joined by dots.
    pub fn fields(&self) -> BTreeSet<&str> {
        self.paths.iter().collect()
    }
}

fn read(json: &Json, dialect: Dialect) -> Result<Pattern, Vec<Problem>> {
    let mut reader = Reader { dialect, conditions: Vec::new(), work: 0, too_large: false };
    let mut problems = Problems::default();
    let mut branches = vec![Branch::new()];
    match json {
        Json::Object(members) => {
            reader.object(members, &Keys::default(), &mut branches, &mut problems);
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            problems.note("a pattern is an object: put the fields into one");
        }
    }
    let found = problems.into_found();
    if found.is_empty() { Ok(reader.finish(branches)) } else { Err(found) }
}

/// The condition of each path, by its position among all conditions.
type Branch = BTreeMap<String, usize>;

/// How many conditions the branches have, an empty branch counted as one.
fn size(branches: &[Branch]) -> usize {
    branches.iter().map(|branch| branch.len().max(1)).sum()
}

/// The keys down to a place in the pattern.
#[derive(Debug, Clone, Default)]
struct Keys {
    path: String,
    inside_or: bool,
}

impl Keys {
    /// The path to a field. An empty path adds no dot: `{"":{"a":…}}` names the field `a`.
    fn then(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

struct Reader {
    dialect: Dialect,
    conditions: Vec<Condition>,
    work: usize,
    /// A bound was passed. What else is wrong is still looked for, but nothing is kept.
    too_large: bool,
}

impl Reader {
    /// Reads the fields of an object into every branch.
    fn object(&mut self, members: &[(String, Json)], keys: &Keys, branches: &mut Vec<Branch>, problems: &mut Problems) {
        if members.is_empty() {
            problems.note("an empty object: name a field in it, or leave it out");
        }
        if problems.depth() >= MAX_DEPTH {
            problems.note(format!("nested too deep: fewer than {MAX_DEPTH} levels are allowed"));
            return;
        }
        for (key, value) in members {
            problems.within(key, |problems| {
                if key == "$or" && self.dialect == Dialect::Choices {
                    self.choice(value, keys, branches, problems);
                } else {
                    self.field(key, value, keys, branches, problems);
                }
            });
        }
    }

    fn field(&mut self, key: &str, value: &Json, keys: &Keys, branches: &mut Vec<Branch>, problems: &mut Problems) {
        if keys.inside_or && RESERVED.contains(&key) {
            problems.note(format!("\"{key}\" cannot name a field inside \"$or\": an operator stands in the list of a field"));
        }
        let path = keys.then(key);
        match value {
            Json::Object(members) => {
                let keys = Keys { path, inside_or: keys.inside_or };
                self.object(members, &keys, branches, problems);
            }
            Json::Array(elements) => {
                let tests = operator::tests(elements, self.dialect, problems);
                if path.len() > LONGEST_PATH {
                    problems.note(format!("a path of {} bytes: {LONGEST_PATH} is the limit, so shorten the names", path.len()));
                    return;
                }
                if self.too_large {
                    return;
                }
                self.work += branches.len();
                let position = self.conditions.len();
                self.conditions.push(Condition { path: path.clone(), tests });
                for branch in branches.iter_mut() {
                    branch.insert(path.clone(), position);
                }
                self.check_size(branches, problems);
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
                problems.note("a bare value: put it into a list, as in [\"value\"]");
            }
        }
    }

    /// Multiplies the branches by the alternatives of a `$or`.
    fn choice(&mut self, value: &Json, keys: &Keys, branches: &mut Vec<Branch>, problems: &mut Problems) {
        let alternatives = match value {
            Json::Array(alternatives) => alternatives.as_slice(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
                problems.note("\"$or\" needs a list of two or more objects");
                return;
            }
        };
        if alternatives.len() < 2 {
            problems.note("\"$or\" needs two or more objects: add one, or do without \"$or\"");
        }
        let keys = Keys { path: keys.path.clone(), inside_or: true };
        let mut chosen = Vec::new();
        let mut chosen_size = 0;
        for (position, alternative) in alternatives.iter().enumerate() {
            problems.within(position, |problems| match alternative {
                Json::Object(members) => {
                    if self.too_large {
                        branches.truncate(1);
                    }
                    self.work += size(branches);
                    let mut with = branches.clone();
                    self.object(members, &keys, &mut with, problems);
                    chosen_size += size(&with);
                    chosen.append(&mut with);
                }
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                    problems.note("an alternative of \"$or\" is an object: name fields in it");
                }
            });
            if chosen_size > MAX_CONDITIONS || self.work > MAX_WORK {
                self.check_size(&mut chosen, problems);
                chosen_size = size(&chosen);
            }
        }
        *branches = chosen;
    }

    /// Notes once if the branches have grown too many, and goes on with a single one, to find what else is wrong.
    fn check_size(&mut self, branches: &mut Vec<Branch>, problems: &mut Problems) {
        let too_long = branches.iter().any(|branch| branch.len() > MAX_FIELDS);
        let too_many = size(branches) > MAX_CONDITIONS || self.work > MAX_WORK;
        if too_long || too_many {
            branches.truncate(1);
            if !self.too_large && too_long {
                problems.note(format!("more than {MAX_FIELDS} fields: split the pattern into several"));
            } else if !self.too_large {
                problems.note("too many combinations of alternatives: split the pattern into several");
            }
            self.too_large = true;
        }
    }

    fn finish(self, branches: Vec<Branch>) -> Pattern {
        let paths = self.conditions.iter().map(|condition| condition.path.clone());
        let paths = Paths::new(paths.collect());
        let branches = branches.into_iter().map(|branch| {
            let mut conditions: Vec<(String, usize)> = branch.into_iter().collect();
            // The order matters to absence, and it is the order of UTF-16 units.
            conditions.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            conditions.into_iter().map(|(_, condition)| condition).collect()
        });
        Pattern { branches: branches.collect(), conditions: self.conditions, paths }
    }
}
