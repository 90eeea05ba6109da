//! A call that needs a secret: a token, or a key to sign with.

use std::time::Duration;

use aws::{CachedSecret, Passing};
use decision::Outcome;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use sender::SendError;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::{Address, Answer, Client};

/// The longest body of a request in bytes.
const LONGEST_BODY: usize = 256 << 10;

/// A request with a JSON body.
pub struct Request {
    pub address: Address,
    /// Names in lower case. They are secret as far as logs are concerned.
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

/// A body for a request.
///
/// # Errors
/// The delivery has failed: no system is sent so much.
pub fn body(value: &Value) -> Result<Bytes, Outcome> {
    let text = value.to_string();
    if text.len() > LONGEST_BODY { Err(Outcome::Failed { cause: "payload_too_large".to_owned() }) } else { Ok(Bytes::from(text)) }
}

/// A client with the secret that its calls need.
#[derive(Debug)]
pub struct Caller {
    client: Client,
    secret: CachedSecret,
}

impl Caller {
    /// Everything together: reading the secret, connecting, the answer, and the second try after a 401.
    pub const LONGEST_CALL_MILLIS: i64 = 10_000;

    #[must_use]
    pub fn new(client: Client, secret: CachedSecret) -> Self {
        Self { client, secret }
    }

    /// Makes a request of the secret's text and sends it. A 401 means that the secret may have changed: it is read again,
    /// and where it did, the request is made and sent once more.
    ///
    /// # Errors
    /// No request could be made, or there was no answer.
    pub async fn call<F>(&self, request: F) -> Result<Answer, SendError>
    where
        F: Fn(&str) -> Result<Request, SendError> + Send + Sync,
    {
        let until = Instant::now() + Duration::from_millis(Self::LONGEST_CALL_MILLIS.unsigned_abs());
        let secret = in_time(until, self.secret.get()).await?;
        let answer = self.send(request(secret.expose())?, until).await?;
        if answer.status() != 401 {
            return Ok(answer);
        }
        match in_time(until, self.secret.other_than(&secret)).await? {
            Some(newer) => self.send(request(newer.expose())?, until).await,
            None => Ok(answer),
        }
    }

    async fn send(&self, request: Request, until: Instant) -> Result<Answer, SendError> {
        let headers = headers(&request.headers).ok_or_else(|| SendError::Unavailable { cause: "secret_malformed".to_owned() })?;
        self.client.post(&request.address, headers, request.body, until).await
    }
}

/// What a header cannot have can only come from the secret: all else is an id, a number or a name of ours.
fn headers(ours: &[(&'static str, String)]) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut headers =
        vec![(CONTENT_TYPE, HeaderValue::from_static("application/json")), (USER_AGENT, HeaderValue::from_static("customer-triggers"))];
    for (name, value) in ours {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        headers.push((HeaderName::from_bytes(name.as_bytes()).ok()?, value));
    }
    Some(headers)
}

async fn in_time<T>(until: Instant, read: impl Future<Output = Result<T, Passing>>) -> Result<T, SendError> {
    match timeout_at(until, read).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) | Err(_) => Err(SendError::Unavailable { cause: "secret_not_read".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_has_a_bound() {
        assert!(body(&json!("x".repeat(LONGEST_BODY - 2))).is_ok());
        assert_eq!(body(&json!("x".repeat(LONGEST_BODY - 1))), Err(Outcome::Failed { cause: "payload_too_large".to_owned() }));
    }

    #[test]
    fn a_header_that_is_none_is_found_before_anything_is_sent() {
        assert!(headers(&[("authorization", "Bearer a\nb".to_owned())]).is_none());
        assert!(headers(&[("authorization", "Bearer ü".to_owned())]).is_some(), "what is not ASCII is opaque");
        assert!(!format!("{:?}", headers(&[("authorization", "Bearer s3cret".to_owned())])).contains("s3cret"));
    }
}
