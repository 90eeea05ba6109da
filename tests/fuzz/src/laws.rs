//! What more than one target holds its subject to.

use pattern::Json;
use serde_json::Value;

/// What stands for personal data in the corpus: an address, and a trait.
const PERSONAL: [&str; 2] = ["hunter2", "ana@example.com"];

/// A text for a log or an operator: not empty, of bounded length, and without personal data.
#[track_caller]
pub fn is_fit_for_a_log(text: &str, longest: usize) {
    assert!(!text.is_empty(), "says nothing");
    assert!(text.len() <= longest, "a text of {} bytes: {}…", text.len(), text.chars().take(200).collect::<String>());
    assert!(!has_personal(text), "tells personal data: {text}");
}

/// Whether personal data is in a text.
pub fn has_personal(text: &str) -> bool {
    PERSONAL.iter().any(|personal| text.contains(personal))
}

/// A text for whoever wrote the file: not empty, and of bounded length.
#[track_caller]
pub fn is_bounded(text: &str, longest: usize) {
    assert!(!text.is_empty(), "says nothing");
    assert!(text.len() <= longest, "a text of {} bytes: {}…", text.len(), text.chars().take(200).collect::<String>());
}

/// Whether two readers of one text understood the same: of a key that stands twice, the last one counts.
pub fn is_same(json: &Json, value: &Value) -> bool {
    match (json, value) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(one), Value::Bool(other)) => one == other,
        (Json::Number(text), Value::Number(number)) => text.parse::<f64>().ok() == number.as_f64(),
        (Json::String(one), Value::String(other)) => one == other,
        (Json::Array(ones), Value::Array(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| is_same(one, other))
        }
        (Json::Object(members), Value::Object(fields)) => {
            let last: std::collections::BTreeMap<_, _> = members.iter().map(|(key, member)| (key, member)).collect();
            last.len() == fields.len() && last.iter().all(|(key, member)| fields.get(*key).is_some_and(|field| is_same(member, field)))
        }
        _ => false,
    }
}

/// A text of `unit` again and again, of about `bytes` bytes, between two others.
pub fn grown(before: &str, unit: &str, bytes: usize, after: &str) -> Vec<u8> {
    format!("{before}{}{after}", unit.repeat(bytes / unit.len())).into_bytes()
}
