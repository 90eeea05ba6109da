//! DynamoDB's expressions, as far as the project writes them: conditions over top-level attributes, and updates.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::answer::Refusal;
use crate::items::{Item, compare, equal, invalid, sum};
use crate::shape::optional_text;

/// The names and values that a call's expressions speak of, and which of them were.
pub(crate) struct Terms<'a> {
    input: &'a Value,
    used: BTreeSet<String>,
}

impl<'a> Terms<'a> {
    pub(crate) fn new(input: &'a Value) -> Self {
        Self { input, used: BTreeSet::new() }
    }

    pub(crate) fn name(&mut self, token: &str) -> Result<String, Refusal> {
        if !token.starts_with('#') {
            return if RESERVED.contains(&token.to_ascii_uppercase().as_str()) {
                Err(invalid(&format!("Attribute name is a reserved keyword; reserved keyword: {token}")))
            } else {
                Ok(token.to_owned())
            };
        }
        self.used.insert(token.to_owned());
        let name = self.input.get("ExpressionAttributeNames").and_then(|names| optional_text(names, token));
        name.map(str::to_owned).ok_or_else(|| invalid(&format!("the name {token} is not defined")))
    }

    pub(crate) fn value(&mut self, token: &str) -> Result<Value, Refusal> {
        self.used.insert(token.to_owned());
        let value = self.input.get("ExpressionAttributeValues").and_then(|values| values.get(token));
        value.cloned().ok_or_else(|| invalid(&format!("the value {token} is not defined")))
    }

    /// Refuses names and values that no expression used, as DynamoDB does.
    pub(crate) fn check_all_used(&self) -> Result<(), Refusal> {
        for field in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
            for token in self.input.get(field).and_then(Value::as_object).into_iter().flat_map(|terms| terms.keys()) {
                if !self.used.contains(token) {
                    return Err(invalid(&format!("Value provided in {field} unused in expressions: {token}")));
                }
            }
        }
        Ok(())
    }
}

/// The reserved words among those that somebody here might use as a name.
const RESERVED: [&str; 24] = [
    "AT",
    "COUNT",
    "DATA",
    "DATE",
    "DELETE",
    "DOMAIN",
    "GROUP",
    "HASH",
    "KEY",
    "LEVEL",
    "NAME",
    "NUMBER",
    "OWNER",
    "POSITION",
    "RANGE",
    "STATE",
    "STATUS",
    "TIME",
    "TIMESTAMP",
    "TRIGGER",
    "TTL",
    "TYPE",
    "USER",
    "VALUE",
];

#[derive(Debug)]
pub(crate) enum Condition {
    Exists(String),
    Absent(String),
    BeginsWith(Operand, Operand),
    Compare(Operand, Comparison, Operand),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Comparison {
    Equal,
    Different,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Debug)]
pub(crate) enum Operand {
    Attribute(String),
    Value(Value),
    /// The attribute where it exists, else the other.
    OrElse(String, Box<Operand>),
    Sum(Box<Operand>, Box<Operand>, i128),
}

impl Operand {
    fn of<'a>(&'a self, item: &'a Item) -> Result<Option<Value>, Refusal> {
        Ok(match self {
            Self::Attribute(name) => item.get(name).cloned(),
            Self::Value(value) => Some(value.clone()),
            Self::OrElse(name, other) => match item.get(name) {
                Some(value) => Some(value.clone()),
                None => other.of(item)?,
            },
            Self::Sum(a, b, sign) => {
                let missing = || invalid("an attribute of the update does not exist in the item");
                Some(sum(&a.of(item)?.ok_or_else(missing)?, &b.of(item)?.ok_or_else(missing)?, *sign)?)
            }
        })
    }
}

impl Condition {
    /// Whether it holds for an item; an item that does not exist has no attributes.
    pub(crate) fn holds(&self, item: &Item) -> Result<bool, Refusal> {
        Ok(match self {
            Self::Exists(name) => item.contains_key(name),
            Self::Absent(name) => !item.contains_key(name),
            Self::BeginsWith(text, prefix) => {
                let text_of =
                    |operand: &Operand| Ok::<_, Refusal>(operand.of(item)?.and_then(|value| optional_text(&value, "S").map(str::to_owned)));
                text_of(text)?.zip(text_of(prefix)?).is_some_and(|(text, prefix)| text.starts_with(&prefix))
            }
            Self::Compare(a, comparison, b) => match (a.of(item)?, b.of(item)?) {
                (Some(a), Some(b)) => comparison.holds(&a, &b),
                _ => matches!(comparison, Comparison::Different),
            },
            Self::Not(condition) => !condition.holds(item)?,
            Self::And(a, b) => a.holds(item)? && b.holds(item)?,
            Self::Or(a, b) => a.holds(item)? || b.holds(item)?,
        })
    }
}

impl Comparison {
    fn holds(self, a: &Value, b: &Value) -> bool {
        let ordering = compare(a, b);
        match self {
            Self::Equal => equal(a, b),
            Self::Different => !equal(a, b),
            Self::Less => ordering == Some(Ordering::Less),
            Self::AtMost => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => ordering == Some(Ordering::Greater),
            Self::AtLeast => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

/// One step of an update.
#[derive(Debug)]
pub(crate) enum Change {
    Set(String, Operand),
    Remove(String),
    Add(String, Operand),
}

/// Applies an update to a copy of an item; all operands see the item as it was.
pub(crate) fn updated(item: &Item, changes: &[Change]) -> Result<Item, Refusal> {
    let mut next = item.clone();
    let mut touched = BTreeSet::new();
    for change in changes {
        let (Change::Set(name, _) | Change::Remove(name) | Change::Add(name, _)) = change;
        if !touched.insert(name) {
            return Err(invalid("Two document paths overlap with each other"));
        }
        match change {
            Change::Set(name, operand) => {
                let value = operand.of(item)?.ok_or_else(|| invalid("an attribute of the update does not exist in the item"))?;
                next.insert(name.clone(), value);
            }
            Change::Remove(name) => {
                next.remove(name);
            }
            Change::Add(name, operand) => {
                let value = operand.of(item)?.ok_or_else(|| invalid("what is added has no value"))?;
                let value = item.get(name).map_or_else(|| Ok(value.clone()), |before| sum(before, &value, 1))?;
                next.insert(name.clone(), value);
            }
        }
    }
    Ok(next)
}
