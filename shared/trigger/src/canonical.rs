//! The one JSON text of a document: compact, fields in the file's order, numbers as written.

use pattern::Json;
use serde_json::Value;

pub(crate) fn write(json: &Json) -> String {
    let mut text = String::new();
    append(json, &mut text);
    text
}

fn append(json: &Json, text: &mut String) {
    match json {
        Json::Null => text.push_str("null"),
        Json::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Json::Number(number) => text.push_str(number),
        Json::String(value) => append_string(value, text),
        Json::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                append(item, text);
            }
            text.push(']');
        }
        Json::Object(fields) => {
            text.push('{');
            for (position, (name, value)) in fields.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                append_string(name, text);
                text.push(':');
                append(value, text);
            }
            text.push('}');
        }
    }
}

fn append_string(value: &str, text: &mut String) {
    text.push_str(&Value::from(value).to_string());
}
