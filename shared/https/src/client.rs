//! One request, one answer.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs;
use sender::SendError;
use thiserror::Error;
use tokio::time::{Instant, timeout_at};

use crate::{Address, Answer};

const LONGEST_CONNECT: Duration = Duration::from_secs(2);

/// A connection is kept for the messages of one batch. An older one may have died while the function slept.
const LONGEST_IDLE: Duration = Duration::from_secs(4);

/// The longest head of an answer.
const LONGEST_HEAD: usize = 64 << 10;

/// So much of an answer's body is read: the ids that are looked for stand in less.
const LONGEST_ANSWER: usize = 64 << 10;

/// A client for HTTP/1.1 that trusts the certificates of the system. It reads no proxy from the environment, follows no
/// redirect and keeps no cookie.
#[derive(Debug, Clone)]
pub struct Client(legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// The system has no certificates to trust.
#[derive(Debug, Error)]
#[error("no certificates to trust were found on this system")]
pub struct ClientError(#[source] std::io::Error);

impl Client {
    /// # Errors
    /// There are no certificates to trust.
    pub fn new() -> Result<Self, ClientError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(LONGEST_CONNECT));
        tcp.set_nodelay(true);
        let tls = HttpsConnectorBuilder::new().with_provider_and_native_roots(aws_lc_rs::default_provider()).map_err(ClientError)?;
        // Which addresses may go without TLS is decided where they are parsed.
        let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(LONGEST_IDLE)
            .http1_max_buf_size(LONGEST_HEAD)
            .build(connector);
        Ok(Self(client))
    }

    /// Posts a body, once. An answer whose body is too long or comes too late is an answer all the same.
    ///
    /// # Errors
    /// No answer: not reached, cut off, none in time, or none that is HTTP. As with an answer that tells of trouble, it counts
    /// as not sent.
    pub(crate) async fn post(
        &self,
        address: &Address,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
        until: Instant,
    ) -> Result<Answer, SendError> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = address.uri();
        request.headers_mut().extend(headers);
        let answer = match timeout_at(until, self.0.request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(meaning(&error)),
            Err(_) => return Err(SendError::NotSent { cause: "timeout".to_owned() }),
        };
        let (head, body) = answer.into_parts();
        let body = timeout_at(until, whole(body)).await.ok().flatten();
        Ok(Answer::new(head.status.as_u16(), &head.headers, body))
    }
}

/// Whoever was not reached had nothing of this delivery that it could fail on.
fn meaning(error: &legacy::Error) -> SendError {
    if error.is_connect() {
        return SendError::Unavailable { cause: "not_connected".to_owned() };
    }
    let error = std::error::Error::source(error).and_then(|error| error.downcast_ref::<hyper::Error>());
    let cause = if error.is_some_and(hyper::Error::is_parse) { "unreadable_answer" } else { "connection_lost" };
    SendError::NotSent { cause: cause.to_owned() }
}

/// A body that is not too long and not cut short.
async fn whole(mut body: Incoming) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.ok()?;
        let data = frame.data_ref().map(Bytes::as_ref).unwrap_or_default();
        if read.len() + data.len() > LONGEST_ANSWER {
            return None;
        }
        read.extend_from_slice(data);
    }
    Some(read)
}
