//! Items and the values in them, in DynamoDB's own JSON: `{"S": "text"}`, `{"N": "1"}`, `{"B": "base64"}`.

use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::answer::Refusal;

pub(crate) type Item = Map<String, Value>;

/// An item takes no more.
const LARGEST_ITEM: usize = 400 * 1024;

/// A value of a key attribute, in the order in which DynamoDB sorts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Number(i128),
    /// Sorted by the bytes of its UTF-8.
    Text(String),
    Binary(Vec<u8>),
}

impl Key {
    pub(crate) fn of(value: &Value) -> Result<Self, Refusal> {
        let key = match typed(value) {
            Some(("S", Value::String(text))) if !text.is_empty() => Some(Self::Text(text.clone())),
            Some(("N", Value::String(digits))) => digits.parse().ok().map(Self::Number),
            Some(("B", Value::String(base64))) => STANDARD.decode(base64).ok().map(Self::Binary),
            _ => None,
        };
        key.ok_or_else(|| invalid("a key attribute is empty or of a type that no key has"))
    }
}

pub(crate) fn invalid(message: &str) -> Refusal {
    Refusal::sender("ValidationException", message)
}

/// The type and the content of a value.
pub(crate) fn typed(value: &Value) -> Option<(&str, &Value)> {
    let mut fields = value.as_object()?.iter();
    let (kind, content) = fields.next()?;
    fields.next().is_none().then_some((kind.as_str(), content))
}

/// How two values stand to each other; none where their types differ or have no order.
pub(crate) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (typed(a)?, typed(b)?) {
        (("N", Value::String(a)), ("N", Value::String(b))) => number(a)?.partial_cmp(&number(b)?),
        (("S", Value::String(a)), ("S", Value::String(b))) => Some(a.as_bytes().cmp(b.as_bytes())),
        (("B", Value::String(a)), ("B", Value::String(b))) => Some(STANDARD.decode(a).ok()?.cmp(&STANDARD.decode(b).ok()?)),
        _ => None,
    }
}

/// Whether two values are equal: numbers by value.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    a == b || compare(a, b) == Some(Ordering::Equal)
}

/// A number as far as this AWS computes: whole ones exactly, others not at all.
fn number(digits: &str) -> Option<i128> {
    digits.parse().ok()
}

/// The sum of two whole numbers, as a value.
pub(crate) fn sum(a: &Value, b: &Value, sign: i128) -> Result<Value, Refusal> {
    let of = |value: &Value| match typed(value) {
        Some(("N", Value::String(digits))) => number(digits),
        _ => None,
    };
    let sum = of(a).zip(of(b)).and_then(|(a, b)| a.checked_add(b.checked_mul(sign)?));
    let sum = sum.ok_or_else(|| invalid("an operand of the update is no whole number"))?;
    Ok(serde_json::json!({ "N": sum.to_string() }))
}

/// Refuses an item that is too large, roughly as DynamoDB counts: names and contents.
pub(crate) fn check_size(item: &Item) -> Result<(), Refusal> {
    let size: usize = item.iter().map(|(name, value)| name.len() + size(value)).sum();
    if size <= LARGEST_ITEM { Ok(()) } else { Err(invalid("Item size has exceeded the maximum allowed size")) }
}

fn size(value: &Value) -> usize {
    match typed(value) {
        Some(("B", Value::String(base64))) => base64.len() / 4 * 3,
        Some((_, Value::String(text))) => text.len(),
        Some((_, Value::Array(values))) => values.iter().map(size).sum::<usize>() + 3,
        Some((_, Value::Object(fields))) => fields.iter().map(|(name, value)| name.len() + size(value)).sum::<usize>() + 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_compared_by_value_and_never_with_texts() {
        assert_eq!(compare(&json!({ "N": "9" }), &json!({ "N": "10" })), Some(Ordering::Less));
        assert_eq!(compare(&json!({ "S": "9" }), &json!({ "S": "10" })), Some(Ordering::Greater));
        assert_eq!(compare(&json!({ "N": "9" }), &json!({ "S": "9" })), None);
        assert!(equal(&json!({ "N": "1" }), &json!({ "N": "01" })) && !equal(&json!({ "N": "1" }), &json!({ "S": "1" })));
    }

    #[test]
    fn an_item_has_a_largest_size() {
        let item = |bytes: usize| Item::from_iter([("a".to_owned(), json!({ "S": "x".repeat(bytes) }))]);
        assert!(check_size(&item(LARGEST_ITEM - 1)).is_ok() && check_size(&item(LARGEST_ITEM)).is_err());
    }
}
