//! What a subscription of CloudWatch Logs invokes a function with: lines of a log, packed.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// A payload of Lambda has 6 MB; text of a log packs to a tenth or so. What unpacks to more would take the function's memory.
const LARGEST: u64 = 64 << 20;

/// Log data that cannot be unpacked. Nothing of what is in it is said.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("log data of CloudWatch Logs {0}")]
pub struct LogsError(&'static str);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unpacked {
    message_type: String,
    #[serde(default)]
    log_events: Vec<LogEvent>,
}

#[derive(Deserialize)]
struct LogEvent {
    message: String,
}

/// The lines in a payload of a subscription, in their order and without the empty ones; none where it is another payload.
/// CloudWatch Logs also sends a message to see whether anybody is there: it has no lines.
///
/// # Errors
/// Data that is not what CloudWatch Logs writes.
pub fn lines_of(payload: &Value) -> Result<Option<Vec<String>>, LogsError> {
    let Some(logs) = payload.get("awslogs") else { return Ok(None) };
    let data = logs.get("data").and_then(Value::as_str).ok_or(LogsError("has no text"))?;
    let packed = STANDARD.decode(data).map_err(|_| LogsError("is no base64"))?;
    let text = unpack(&packed, LARGEST)?;
    let unpacked: Unpacked = serde_json::from_str(&text).map_err(|_| LogsError("has no log events"))?;
    if unpacked.message_type != "DATA_MESSAGE" {
        return Ok(Some(Vec::new()));
    }
    Ok(Some(unpacked.log_events.into_iter().map(|event| event.message).filter(|line| !line.trim().is_empty()).collect()))
}

fn unpack(packed: &[u8], largest: u64) -> Result<String, LogsError> {
    let mut text = String::new();
    let read = GzDecoder::new(packed).take(largest + 1).read_to_string(&mut text);
    read.map_err(|_| LogsError("is no packed text"))?;
    if text.len() as u64 > largest { Err(LogsError("unpacks to more than there is room for")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;

    use super::*;

    fn packed(text: &str) -> Value {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        json!({ "awslogs": { "data": STANDARD.encode(encoder.finish().unwrap()) } })
    }

    fn logs(kind: &str, lines: &[&str]) -> Value {
        let events: Vec<_> = lines.iter().map(|line| json!({ "id": "1", "timestamp": 1_772_359_200_000_i64, "message": line })).collect();
        packed(&json!({ "messageType": kind, "owner": "123456789012", "logGroup": "sns/eu-central-1/123456789012/DirectPublishToPhoneNumber", "logStream": "s", "subscriptionFilters": ["f"], "logEvents": events }).to_string())
    }

    #[test]
    fn lines_come_in_their_order() {
        assert_eq!(lines_of(&logs("DATA_MESSAGE", &["b", "", " ", "a"])), Ok(Some(vec!["b".to_owned(), "a".to_owned()])));
        assert_eq!(lines_of(&logs("CONTROL_MESSAGE", &["CWL CONTROL MESSAGE: Checking health of destination"])), Ok(Some(Vec::new())));
    }

    #[test]
    fn another_payload_is_not_looked_into() {
        assert_eq!(lines_of(&json!({ "Records": [] })), Ok(None));
        assert_eq!(lines_of(&json!(null)), Ok(None));
    }

    #[test]
    fn what_cannot_be_unpacked_is_an_error_that_quotes_nothing() {
        for payload in [
            json!({ "awslogs": {} }),
            json!({ "awslogs": { "data": 7 } }),
            json!({ "awslogs": { "data": "%" } }),
            json!({ "awslogs": { "data": "YW5h" } }),
            packed("ana@example.com"),
            packed("{}"),
        ] {
            let error = lines_of(&payload).unwrap_err().to_string();
            assert!(error.starts_with("log data of CloudWatch Logs ") && !error.contains("ana"), "{error}");
        }
    }

    #[test]
    fn data_that_unpacks_to_more_than_there_is_room_for_is_refused() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&[b'a'; 1_000]).unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(unpack(&packed, 1_000).map(|text| text.len()), Ok(1_000));
        assert_eq!(unpack(&packed, 999), Err(LogsError("unpacks to more than there is room for")));
    }
}
