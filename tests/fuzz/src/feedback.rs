//! What a provider says of a delivery, as it lies on the queue: `feedback::Payload`.

use std::io::Write;

use ::feedback::Payload;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::laws;

/// An event of a provider has a few hundred bytes of details.
const LARGEST_DETAILS: usize = 16 << 10;

/// What is read shows nobody's address and tells the stream little, each word of it out of a list; what is refused says why
/// and quotes nothing.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = Payload::parse(text);
    assert!(read == Payload::parse(text), "read again, it is another one");
    match read {
        Ok(Payload::Said(said)) => {
            laws::is_fit_for_a_log(&format!("{said:?}"), 400);
            let details = serde_json::Value::Object(said.details).to_string();
            laws::is_fit_for_a_log(&details, LARGEST_DETAILS);
        }
        Ok(Payload::Lines(lines)) => assert!(lines.iter().all(|line| !line.trim().is_empty())),
        Ok(Payload::Greeting) => {}
        Err(error) => laws::is_fit_for_a_log(&error.to_string(), 200),
    }
}

/// Events of the size that a queue takes.
pub fn grown() -> Vec<(&'static str, Vec<u8>)> {
    let bounce = |rest: &str| {
        format!(r#"{{"eventType":"Bounce","mail":{{"timestamp":"2026-03-01T10:00:00Z","messageId":"m"}},"bounce":{{"bounceType":"Permanent","timestamp":"2026-03-01T10:00:00Z",{rest}}}}}"#).into_bytes()
    };
    vec![
        ("lists in lists", laws::grown("{\"Type\":", "[", 250_000, "")),
        ("JSON in texts in JSON", crate::event::nested_texts(12, 120).into_bytes()),
        ("a subtype without end", bounce(&format!(r#""bounceSubType":"{}""#, "hunter2".repeat(30_000)))),
        ("recipients without end", bounce(&format!(r#""bouncedRecipients":[{}{{}}]"#, "{\"emailAddress\":\"a\"},".repeat(11_000)))),
        ("log data that unpacks to more than there is room for", packed_lines(80 << 20)),
    ]
}

/// Log data of CloudWatch Logs that unpacks to this many bytes.
fn packed_lines(unpacked: usize) -> Vec<u8> {
    let line = "{\"message\":\"x\"},".repeat(1 << 12);
    let write = || -> std::io::Result<Vec<u8>> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(b"{\"messageType\":\"DATA_MESSAGE\",\"logEvents\":[")?;
        for _ in 0..unpacked / line.len() {
            packed.write_all(line.as_bytes())?;
        }
        packed.write_all(b"{\"message\":\"x\"}]}")?;
        packed.finish()
    };
    let data = STANDARD.encode(write().unwrap_or_default());
    format!(r#"{{"awslogs":{{"data":"{data}"}}}}"#).into_bytes()
}
