//! DynamoDB's attribute values.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use event::Time;

/// An item of a table.
pub type Item = HashMap<String, AttributeValue>;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn binary(value: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// When an item of this time may be deleted, in the seconds that DynamoDB's time to live counts in.
pub(crate) fn expiry(from: Time, days: u32) -> AttributeValue {
    number(from.plus(i64::from(days) * DAY_MILLIS).millis() / 1000)
}

/// An attribute that is a text.
#[must_use]
pub fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// An attribute that is a number.
#[must_use]
pub fn get_number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(crate) fn get_binary<'a>(item: &'a Item, name: &str) -> Option<&'a [u8]> {
    item.get(name)?.as_b().ok().map(Blob::as_ref)
}
