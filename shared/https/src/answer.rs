//! What an answer says about the delivery.

use hyper::HeaderMap;
use hyper::header::{DATE, HeaderName, RETRY_AFTER};
use jiff::fmt::rfc2822;
use sender::{Accepted, SendError};
use serde_json::Value;

/// An answer: its status, which counts by itself, and what came of its body.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    retry_after_millis: Option<i64>,
    body: Option<Vec<u8>>,
}

impl Answer {
    /// An answer as it came; no body where none came whole.
    #[must_use]
    pub fn new(status: u16, headers: &HeaderMap, body: Option<Vec<u8>>) -> Self {
        Self { status, retry_after_millis: retry_after_millis(headers), body }
    }

    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body as JSON; none where it is something else, or too long, or did not come whole and in time.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        event::json_value(self.body.as_ref()?).ok()
    }

    /// The delivery was taken, or why it was not.
    ///
    /// A system that is in trouble (5xx) may have done its work before it failed. It counts as not sent all the same: these
    /// systems recognise a delivery by its id, so that another attempt does no harm, and attempts that keep failing end among
    /// the dead letters, from where they can be sent when the trouble is over. It may also be this delivery on which the system
    /// fails, and no other. For the same reason nothing is ever unknown.
    ///
    /// # Errors
    /// Any status but 2xx.
    pub fn taken(self) -> Result<Self, SendError> {
        let cause = format!("http_{}", self.status);
        match self.status {
            200..=299 => Ok(self),
            408 | 425 | 429 => Err(self.throttled()),
            503 if self.retry_after_millis.is_some() => Err(self.throttled()),
            // It does not know us. That says nothing about this delivery: the secret is to be put right.
            401 => Err(SendError::Unavailable { cause }),
            // No redirect is followed, since a signed call is for the address that the operator wrote, and no other.
            300..=399 => Err(SendError::Unavailable { cause }),
            400..=499 => Err(SendError::Rejected { cause }),
            _ => Err(SendError::NotSent { cause }),
        }
    }

    /// The system asks to come back later.
    #[must_use]
    pub fn throttled(&self) -> SendError {
        SendError::Throttled { cause: format!("http_{}", self.status), retry_after_millis: self.retry_after_millis }
    }
}

/// Without the body, which may be personal.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.body.as_ref().map(Vec::len);
        f.debug_struct("Answer").field("status", &self.status).field("bytes", &bytes).finish_non_exhaustive()
    }
}

/// The id that a system gave the delivery, where it is one; else the delivery's own. What looks like no id may be
/// anything, and a ledger keeps no personal data.
#[must_use]
pub fn accepted(id: Option<&Value>, delivery: &str) -> Accepted {
    let id = match id {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let is_id = |text: &String| {
        (1..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'))
    };
    Accepted { provider_id: id.filter(is_id).unwrap_or_else(|| delivery.to_owned()) }
}

/// Seconds, or a date: that is measured from the answer's own date, because no two clocks agree.
fn retry_after_millis(headers: &HeaderMap) -> Option<i64> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let after = text(RETRY_AFTER)?;
    if !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(after.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(1_000));
    }
    let date = |text: &str| rfc2822::DateTimeParser::new().parse_timestamp(text).ok().map(|time| time.as_millisecond());
    Some(date(after)?.saturating_sub(date(text(DATE)?)?))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use serde_json::json;

    use super::*;

    fn answer(status: u16, headers: &[(HeaderName, &'static str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        Answer::new(status, &headers, None)
    }

    #[test]
    fn each_status_says_what_to_do_next() {
        let cause = |status: u16| format!("http_{status}");
        for status in [200, 201, 202, 204, 207, 299] {
            assert!(answer(status, &[]).taken().is_ok(), "{status}");
        }
        for status in [408, 425, 429] {
            assert_eq!(answer(status, &[]).taken(), Err(SendError::Throttled { cause: cause(status), retry_after_millis: None }));
        }
        for status in [400, 402, 403, 404, 409, 410, 413, 422, 499] {
            assert_eq!(answer(status, &[]).taken(), Err(SendError::Rejected { cause: cause(status) }));
        }
        for status in [301, 302, 307, 308, 401] {
            assert_eq!(answer(status, &[]).taken(), Err(SendError::Unavailable { cause: cause(status) }));
        }
        for status in [500, 501, 502, 503, 504, 599, 600, 999] {
            assert_eq!(answer(status, &[]).taken(), Err(SendError::NotSent { cause: cause(status) }));
        }
        let later = answer(503, &[(RETRY_AFTER, "7")]).taken();
        assert_eq!(later, Err(SendError::Throttled { cause: cause(503), retry_after_millis: Some(7_000) }));
    }

    #[test]
    fn when_to_come_back_is_said_in_seconds_or_as_a_date() {
        let date = (DATE, "Wed, 21 Oct 2026 07:28:00 GMT");
        for (after, millis) in [
            ("0", Some(0)),
            (" 120 ", Some(120_000)),
            ("99999999999999999999", Some(i64::MAX)),
            ("Wed, 21 Oct 2026 07:28:30 GMT", Some(30_000)),
            ("Wed, 21 Oct 2026 07:27:30 GMT", Some(-30_000)),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(answer(429, &[(RETRY_AFTER, after), date.clone()]).retry_after_millis, millis, "{after}");
        }
        assert_eq!(answer(429, &[(RETRY_AFTER, "Wed, 21 Oct 2026 07:28:30 GMT")]).retry_after_millis, None, "from when?");
    }

    #[test]
    fn an_id_is_taken_only_if_it_looks_like_one() {
        for (id, taken) in [
            (json!("evt_1.2:3-4"), "evt_1.2:3-4"),
            (json!(501), "501"),
            (json!("ana@example.com"), "d"),
            (json!("two words"), "d"),
            (json!(""), "d"),
            (json!("x".repeat(129)), "d"),
            (json!({}), "d"),
            (Value::Null, "d"),
        ] {
            assert_eq!(accepted(Some(&id), "d").provider_id, taken);
        }
    }

    #[test]
    fn a_body_is_not_shown() {
        let answer = Answer::new(200, &HeaderMap::new(), Some(b"ana@example.com".to_vec()));
        assert!(!format!("{answer:?}").contains("ana"));
        assert_eq!(answer.json(), None);
    }
}
