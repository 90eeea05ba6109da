//! The answer of a provider that is called over HTTP, as it comes over the line: a status, headers, an empty line, a body.

use https::{Answer, accepted};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use sender::{Accepted, SendError};

use crate::laws;

const DELIVERY: &str = "0123456789abcdef0123456789abcdef";

/// An answer means that the delivery was taken, with an id that looks like one, or why not, in a code.
pub fn check(bytes: &[u8]) {
    let Some(answer) = read(bytes) else { return };
    laws::is_fit_for_a_log(&format!("{answer:?}"), 200);
    let said = answer.json();
    is_good(answer.clone().taken().map(|answer| accepted(answer.json().as_ref().and_then(|said| said.get("id")), DELIVERY)));
    is_good(crm::meaning(answer, DELIVERY));
    drop(said);
}

#[track_caller]
fn is_good(meaning: Result<Accepted, SendError>) {
    match meaning {
        Ok(Accepted { provider_id }) => {
            assert!((1..=128).contains(&provider_id.len()) && !provider_id.contains(['@', ' ', '+']), "{provider_id}");
        }
        Err(
            SendError::Throttled { cause, .. }
            | SendError::Stopped { cause }
            | SendError::Unavailable { cause }
            | SendError::NotSent { cause }
            | SendError::Rejected { cause }
            | SendError::Ambiguous { cause },
        ) => laws::is_fit_for_a_log(&cause, 40),
    }
}

/// The parts of an answer, as a client hands them over.
fn read(bytes: &[u8]) -> Option<Answer> {
    let (head, body) = match bytes.windows(2).position(|two| two == b"\n\n") {
        Some(end) => (&bytes[..end], Some(bytes[end + 2..].to_vec())),
        None => (bytes, None),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let status = std::str::from_utf8(lines.next()?).ok()?.trim().parse().ok().filter(|status| (100..=999).contains(status))?;
    let header = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        Some((HeaderName::from_bytes(&line[..colon]).ok()?, HeaderValue::from_bytes(&line[colon + 1..]).ok()?))
    };
    let headers: HeaderMap = lines.filter_map(header).collect();
    Some(Answer::new(status, &headers, body))
}

/// Answers of the size that is read.
pub fn grown() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("JSON in texts in JSON", format!("200\n\n{{\"id\":{}}}", crate::event::nested_texts(12, 120)).into_bytes()),
        ("lists in lists", laws::grown("200\n\n", "[", 64_000, "")),
        ("a date in brackets", laws::grown("429\nretry-after:", "(", 60_000, "\n\n")),
        ("a date with a year without end", laws::grown("429\nretry-after:Wed, 21 Oct ", "9", 60_000, " 07:28:00 GMT\n\n")),
        ("seconds without end", laws::grown("429\nretry-after:", "9", 60_000, "\n\n")),
        ("an id without end", laws::grown("200\n\n{\"id\":\"", "x", 60_000, "\"}")),
    ]
}
