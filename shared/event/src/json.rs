//! JSON from outside to a value, with no key that means more than itself.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads a whole text.
///
/// `serde_json` reads an object whose one key is that of its own `RawValue` as the JSON inside of the text behind it. A
/// producer could thereby nest without a bound, which exhausts the stack, and say one thing to patterns and another to
/// templates. Here that key is one like any other. Of a key that stands twice, the last one counts.
///
/// # Errors
/// A text that is not JSON, or nests 128 levels or deeper.
pub fn json_value(text: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(text).map(|Plain(value)| value)
}

struct Plain(Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Read).map(Self)
    }
}

struct Read;

impl<'de> Visitor<'de> for Read {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Plain(element)) = elements.next_element()? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Plain(member))) = members.next_entry()? {
            object.insert(key, member);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_other_text_is_read_as_ever() {
        for text in [
            r#"{"a":[1,-2,0.5,1e300,18446744073709551615,true,null,"\ud83d\ude00"],"b":{"c":{}},"a":1}"#,
            "7",
            " \"x\" ",
            "[",
            "1e999",
            "{}}",
        ] {
            assert_eq!(json_value(text.as_bytes()).ok(), serde_json::from_str(text).ok(), "{text}");
        }
    }

    #[test]
    fn no_key_means_more_than_itself() {
        let text = r#"{"$serde_json::private::RawValue":"[1]"}"#;
        assert_eq!(json_value(text.as_bytes()).unwrap().to_string(), text);
        assert_eq!(serde_json::from_str::<Value>(text).unwrap().to_string(), "[1]", "the detour is not needed any more");
    }
}
