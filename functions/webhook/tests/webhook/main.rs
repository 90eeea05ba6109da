//! The provider against a server on the loopback interface: what an endpoint is sent, how it can know that it is ours, and
//! what becomes of each answer.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

#[path = "../../../../shared/https/tests/support/dispatch.rs"]
mod dispatch;
#[path = "../../../../shared/https/tests/support/example.rs"]
mod example;
#[path = "../../../../tests/tests/local/operations.rs"]
mod operations;
#[path = "../../../../shared/https/tests/support/peer.rs"]
mod peer;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decision::{Outcome, Reason};
use sender::{Accepted, Provider, Scope, SendError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testkit::{Behaviour, Received};
use trigger::EndpointName;
use webhook::Endpoints;

use dispatch::build;
use peer::Peer;

const KEY: &[u8] = b"twenty-four bytes of key";
const PLAIN: &str = "webhook: { endpoint: inventory }";
const PAYLOAD: &str =
    "webhook: { endpoint: inventory, payload: { order: \"{{ event.data.order }}\", total: \"{{ event.data.total }}\", n: 3 } }";

fn whsec(key: &[u8]) -> String {
    format!("whsec_{}", STANDARD.encode(key))
}

async fn peer() -> Peer {
    Peer::start(|url| json!({ "inventory": { "url": format!("{url}/in?shop=1"), "secret": whsec(KEY) } })).await
}

fn ana() -> Value {
    json!({ "email": "ana@example.com" })
}

async fn endpoints(peer: &Peer) -> Endpoints {
    Endpoints { caller: peer.caller().await, clock: peer.clock() }
}

/// The delivery's id, and the answer.
async fn send(peer: &Peer, step: &str) -> (String, Result<Accepted, SendError>) {
    let endpoints = endpoints(peer).await;
    let (call, delivery) = build(&endpoints, step, &ana());
    (delivery, endpoints.send(call.unwrap_or_else(|outcome| unreachable!("{outcome:?}"))).await)
}

fn only(peer: &Peer) -> Received {
    let requests = peer.system.requests();
    assert_eq!(requests.len(), 1);
    requests.into_iter().next().expect("a request")
}

/// HMAC as RFC 2104 has it, and not as the provider makes it.
fn hmac(key: &[u8], text: &[u8]) -> String {
    let padded = |pad: u8| (0..64).map(|at| key.get(at).unwrap_or(&0) ^ pad).collect::<Vec<_>>();
    let inner = Sha256::digest([padded(0x36), text.to_vec()].concat());
    STANDARD.encode(Sha256::digest([padded(0x5c), inner.to_vec()].concat()))
}

async fn meaning(behaviour: Behaviour) -> Result<Accepted, SendError> {
    let peer = peer().await;
    peer.system.answer("/in", behaviour);
    let (_, answer) = send(&peer, PLAIN).await;
    only(&peer);
    answer
}

#[tokio::test]
async fn an_endpoint_is_told_the_event_and_the_customer_s_id() {
    let peer = peer().await;
    let (delivery, answer) = send(&peer, PLAIN).await;
    let request = only(&peer);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/in?shop=1"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let mut event = dispatch::event(&ana());
    event.as_object_mut().expect("an object").remove("specversion");
    let data = json!({ "event": event, "customer": { "id": "c-1" } });
    assert_eq!(request.json(), json!({ "type": "order.completed", "timestamp": "2026-03-01T10:00:00.000Z", "data": data }));
    assert_eq!(answer, Ok(Accepted { provider_id: delivery }));
}

#[tokio::test]
async fn a_payload_stands_in_their_place() {
    let peer = peer().await;
    peer.system.answer("/", Behaviour::status(202, r#"{"id":"job-5"}"#));
    let (_, answer) = send(&peer, PAYLOAD).await;
    let data = json!({ "order": "o-7", "total": 80.5, "n": 3 });
    assert_eq!(only(&peer).json(), json!({ "type": "order.completed", "timestamp": "2026-03-01T10:00:00.000Z", "data": data }));
    assert_eq!(answer, Ok(Accepted { provider_id: "job-5".to_owned() }));
}

#[tokio::test]
async fn a_call_is_signed_over_id_time_and_body() {
    let peer = peer().await;
    peer.pass(1_999);
    let (delivery, _) = send(&peer, PAYLOAD).await;
    let request = only(&peer);
    let [id, timestamp, signature] =
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| request.header(name).expect("a header"));
    assert_eq!((id, timestamp), (delivery.as_str(), "1772359261"));
    let signed = [format!("{id}.{timestamp}.").as_bytes(), &request.body].concat();
    assert_eq!(signature, format!("v1,{}", hmac(KEY, &signed)));
}

#[tokio::test]
async fn another_attempt_has_the_same_id_and_its_own_time() {
    let peer = peer().await;
    let endpoints = endpoints(&peer).await;
    for _ in 0..2 {
        let call = build(&endpoints, PLAIN, &ana()).0.unwrap_or_else(|outcome| unreachable!("{outcome:?}"));
        endpoints.send(call).await.expect("taken");
        peer.pass(60_000);
    }
    let requests = peer.system.requests();
    let header = |at: usize, name: &str| requests[at].header(name).map(str::to_owned);
    assert_eq!(header(0, "webhook-id"), header(1, "webhook-id"));
    assert_ne!(header(0, "webhook-timestamp"), header(1, "webhook-timestamp"));
    assert_ne!(header(0, "webhook-signature"), header(1, "webhook-signature"));
}

#[tokio::test]
async fn an_endpoint_that_is_not_set_up_is_not_called() {
    let peer = peer().await;
    let url = format!("{}/in", peer.system.url());
    let named = |url: &str, secret: &str| json!({ "inventory": { "url": url, "secret": secret } });
    for (secret, cause) in [
        (json!({}), "endpoint_unknown"),
        (json!({ "payment": { "url": url, "secret": whsec(KEY) } }), "endpoint_unknown"),
        (json!("a text"), "endpoint_unknown"),
        (named("", &whsec(KEY)), "address_refused"),
        (named("http://inventory.example.com/in", &whsec(KEY)), "address_refused"),
        (named("http://10.0.0.7/in", &whsec(KEY)), "address_refused"),
        (named("https://user:word@example.com/in", &whsec(KEY)), "address_refused"),
        (named(&url, "not a key"), "secret_malformed"),
    ] {
        peer.set_secret(&secret);
        assert_eq!(send(&peer, PLAIN).await.1, Err(SendError::Unavailable { cause: cause.to_owned() }), "{secret}");
    }
    assert!(peer.system.requests().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_is_added_is_called_within_five_minutes() {
    let peer = peer().await;
    let right = json!({ "inventory": { "url": peer.system.url(), "secret": whsec(KEY) } });
    peer.set_secret(&json!({}));
    let endpoints = endpoints(&peer).await;
    let call = || build(&endpoints, PLAIN, &ana()).0.unwrap_or_else(|outcome| unreachable!("{outcome:?}"));
    assert!(endpoints.send(call()).await.is_err());
    peer.set_secret(&right);
    peer.pass(300_000);
    assert!(endpoints.send(call()).await.is_ok());
}

#[tokio::test]
async fn a_refused_signature_is_made_again_with_a_newer_key() {
    let peer = peer().await;
    let endpoints = endpoints(&peer).await;
    let call = || build(&endpoints, PLAIN, &ana()).0.unwrap_or_else(|outcome| unreachable!("{outcome:?}"));
    endpoints.send(call()).await.expect("taken");
    peer.pass(1_000);
    peer.set_secret(&json!({ "inventory": { "url": peer.system.url(), "secret": whsec(b"another key") } }));
    peer.system.answer_once("/in", Behaviour::status(401, ""));
    endpoints.send(call()).await.expect("taken");
    let requests = peer.system.requests();
    let last = requests.last().expect("a request");
    let signed = [format!("{}.1772359261.", last.header("webhook-id").expect("a header")).as_bytes(), &last.body].concat();
    assert_eq!(last.header("webhook-signature"), Some(format!("v1,{}", hmac(b"another key", &signed)).as_str()));
    assert_eq!((requests.len(), peer.times_read()), (3, 2));
}

#[tokio::test]
async fn a_payload_that_cannot_be_rendered_is_refused() {
    let endpoints = endpoints(&peer().await).await;
    let missing = "webhook: { endpoint: inventory, payload: { a: \"{{ event.data.nothing }}\" } }";
    assert_eq!(build(&endpoints, missing, &ana()).0.err(), Some(Outcome::Refused(Reason::TemplateError)));
}

#[tokio::test]
async fn each_answer_says_what_to_do_next() {
    let unavailable = |cause: &str| Err(SendError::Unavailable { cause: cause.to_owned() });
    let not_sent = |cause: &str| Err(SendError::NotSent { cause: cause.to_owned() });
    let throttled = |cause: &str, millis| Err(SendError::Throttled { cause: cause.to_owned(), retry_after_millis: millis });
    let rejected = |cause: &str| Err(SendError::Rejected { cause: cause.to_owned() });
    let empty = |status| Behaviour::status(status, "");
    for (behaviour, means) in [
        (empty(400), rejected("http_400")),
        (empty(410), rejected("http_410")),
        (empty(422), rejected("http_422")),
        (empty(401), unavailable("http_401")),
        (empty(408), throttled("http_408", None)),
        (empty(425), throttled("http_425", None)),
        (empty(429).with("Retry-After", "11"), throttled("http_429", Some(11_000))),
        (
            empty(429).with("Date", "Sun, 01 Mar 2026 10:00:00 GMT").with("Retry-After", "Sun, 01 Mar 2026 10:00:09 GMT"),
            throttled("http_429", Some(9_000)),
        ),
        (empty(503).with("Retry-After", "2"), throttled("http_503", Some(2_000))),
        (empty(503), not_sent("http_503")),
        (empty(500), not_sent("http_500")),
        (empty(307).with("Location", "/elsewhere"), unavailable("http_307")),
        (Behaviour::Closes, not_sent("connection_lost")),
        (Behaviour::Babbles, not_sent("unreadable_answer")),
    ] {
        assert_eq!(meaning(behaviour.clone()).await, means, "{behaviour:?}");
    }
    for taken in [Behaviour::status(200, "what?"), empty(204), Behaviour::Floods { status: 200 }, Behaviour::BreaksOff { status: 201 }] {
        assert!(meaning(taken.clone()).await.is_ok(), "{taken:?}");
    }
}

#[tokio::test]
async fn an_endpoint_that_says_nothing_counts_as_not_sent() {
    assert_eq!(meaning(Behaviour::Hangs).await, Err(SendError::NotSent { cause: "timeout".to_owned() }));
}

/// What an answer means that comes for another reason than the system's own.
async fn elsewhere(example: &str) -> Option<Result<Accepted, SendError>> {
    let secret = match example {
        "no connection" => json!({ "inventory": { "url": "http://127.0.0.1:1/in", "secret": whsec(KEY) } }),
        "no such endpoint" => json!({}),
        _ => return None,
    };
    let peer = peer().await;
    peer.set_secret(&secret);
    Some(send(&peer, PLAIN).await.1)
}

#[tokio::test]
async fn each_answer_counts_as_the_document_says() {
    for (kind, said) in operations::examples("webhook") {
        let answer = match elsewhere(&said).await {
            Some(answer) => answer,
            None => meaning(example::behaviour(&said)).await,
        };
        assert_eq!(operations::kind(&answer.expect_err("it was not taken")), kind, "{said}");
    }
}

#[tokio::test]
async fn trouble_with_an_endpoint_is_its_own() {
    let endpoints = endpoints(&peer().await).await;
    let scope = |step: &str| endpoints.scope(&build(&endpoints, step, &ana()).0.unwrap_or_else(|outcome| unreachable!("{outcome:?}")));
    let named = |name: &str| Scope::Endpoint(EndpointName::parse(name).expect("a name"));
    assert_eq!(
        [scope(PLAIN), scope(PAYLOAD), scope("webhook: { endpoint: payment }")],
        [named("inventory"), named("inventory"), named("payment")]
    );
}
