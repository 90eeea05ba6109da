//! The real client against a server that misbehaves.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a helper that fails is a test that fails")]

#[path = "../support/peer.rs"]
mod peer;

use std::time::{Duration, Instant};

use https::{Address, Answer, Request};
use sender::SendError;
use serde_json::{Value, json};
use testkit::Behaviour;

use peer::Peer;

async fn peer() -> Peer {
    Peer::start(|url| json!({ "url": url, "token": "t-1" })).await
}

/// A request to where the secret says, with the token that it has.
fn request(secret: &str) -> Result<Request, SendError> {
    let secret: Value = serde_json::from_str(secret).expect("JSON");
    let text = |name: &str| secret[name].as_str().expect("a text").to_owned();
    Ok(Request {
        address: Address::parse(&text("url")).expect("an address"),
        headers: vec![("authorization", text("token"))],
        body: "{\"a\":1}".into(),
    })
}

async fn call(peer: &Peer) -> Result<Answer, SendError> {
    peer.caller().await.call(request).await
}

/// What one call comes to, where the system behaves so.
async fn met(behaviour: Behaviour) -> Result<Answer, SendError> {
    let peer = peer().await;
    peer.system.answer("/", behaviour);
    let met = call(&peer).await;
    assert_eq!(peer.system.requests().len(), 1, "it is asked once: {met:?}");
    met
}

/// It says nothing of the one delivery.
fn unavailable(cause: &str) -> Result<Answer, SendError> {
    Err(SendError::Unavailable { cause: cause.to_owned() })
}

fn not_sent(cause: &str) -> Result<Answer, SendError> {
    Err(SendError::NotSent { cause: cause.to_owned() })
}

#[tokio::test]
async fn a_call_is_a_post_of_json() {
    let peer = peer().await;
    let answer = call(&peer).await.expect("an answer");
    assert_eq!((answer.status(), answer.json()), (200, Some(json!({}))));
    let requests = peer.system.requests();
    let request = requests.first().expect("a request");
    assert_eq!((request.method.as_str(), request.path.as_str(), request.json()), ("POST", "/", json!({ "a": 1 })));
    let header = |name: &str| request.header(name).unwrap_or_default();
    assert_eq!((header("content-type"), header("authorization")), ("application/json", "t-1"));
    assert_eq!(header("user-agent"), "customer-triggers");
}

#[tokio::test]
async fn what_is_no_answer_counts_as_not_sent() {
    assert_eq!(met(Behaviour::Closes).await, not_sent("connection_lost"));
    assert_eq!(met(Behaviour::Babbles).await, not_sent("unreadable_answer"));
    let long_head = Behaviour::status(200, "{}").with("x-long", &"x".repeat(1_000_000));
    assert!(matches!(met(long_head).await, Err(SendError::NotSent { .. })));
}

#[tokio::test]
async fn nobody_waits_longer_than_a_call_may_take() {
    let begun = Instant::now();
    assert_eq!(met(Behaviour::Hangs).await, not_sent("timeout"));
    assert!((9_900..11_000).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_status_counts_whatever_becomes_of_the_body() {
    let begun = Instant::now();
    for behaviour in [Behaviour::Floods { status: 200 }, Behaviour::BreaksOff { status: 200 }, Behaviour::status(200, "no JSON")] {
        let answer = met(behaviour).await.expect("an answer");
        assert_eq!((answer.status(), answer.json()), (200, None));
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let answer = met(Behaviour::Trickles { status: 200, pause: Duration::from_millis(100) }).await.expect("an answer");
    assert_eq!((answer.status(), answer.json()), (200, None));
    assert!(begun.elapsed() < Duration::from_secs(16), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = peer().await;
        let answer = met(Behaviour::status(status, "").with("location", elsewhere.system.url())).await.expect("an answer");
        assert_eq!(answer.taken(), unavailable(&format!("http_{status}")));
        assert!(elsewhere.system.requests().is_empty());
    }
}

#[tokio::test]
async fn nobody_there_counts_as_not_sent() {
    let peer = peer().await;
    let gone = peer::Peer::start(|url| json!(url)).await;
    let url = gone.system.url().to_owned();
    drop(gone);
    for url in [url.as_str(), "https://nobody.invalid/", "https://127.0.0.1:1/"] {
        peer.set_secret(&json!({ "url": url, "token": "t" }));
        let caller = peer.caller().await;
        assert_eq!(caller.call(request).await, unavailable("not_connected"), "{url}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_told_nothing() {
    let peer = peer().await;
    let url = peer.system.url().replace("http://", "https://");
    peer.set_secret(&json!({ "url": url, "token": "t" }));
    assert_eq!(call(&peer).await, unavailable("not_connected"));
    assert!(peer.system.requests().is_empty());
}

#[tokio::test]
async fn a_secret_is_read_once_in_five_minutes() {
    let peer = peer().await;
    let caller = peer.caller().await;
    for (passed, times) in [(0, 1), (0, 1), (299_999, 1), (1, 2), (0, 2), (-1, 3)] {
        peer.pass(passed);
        caller.call(request).await.expect("an answer");
        assert_eq!(peer.times_read(), times);
    }
}

#[tokio::test]
async fn a_secret_that_was_refused_is_read_again_once() {
    let peer = peer().await;
    let caller = peer.caller().await;
    caller.call(request).await.expect("an answer");
    peer.pass(1_000);
    peer.set_secret(&json!({ "url": peer.system.url(), "token": "t-2" }));
    peer.system.answer_once("/", Behaviour::status(401, ""));
    assert_eq!(caller.call(request).await.expect("an answer").status(), 200);
    let tokens: Vec<_> = peer.system.requests().iter().filter_map(|request| request.header("authorization").map(str::to_owned)).collect();
    assert_eq!((tokens, peer.times_read()), (["t-1", "t-1", "t-2"].map(str::to_owned).to_vec(), 2));

    peer.pass(1_000);
    peer.system.answer("/", Behaviour::status(401, ""));
    let answer = caller.call(request).await.expect("an answer");
    assert_eq!(answer.taken(), unavailable("http_401"));
    assert_eq!((peer.system.requests().len(), peer.times_read()), (4, 3), "the same secret is not tried twice");
}

#[tokio::test]
async fn many_refusals_at_once_lead_to_one_reading() {
    let peer = peer().await;
    let caller = peer.caller().await;
    caller.call(request).await.expect("an answer");
    peer.pass(1_000);
    peer.system.answer("/", Behaviour::status(401, ""));
    let (first, second, third) = tokio::join!(caller.call(request), caller.call(request), caller.call(request));
    assert!([first, second, third].into_iter().all(|answer| answer.is_ok_and(|answer| answer.status() == 401)));
    assert_eq!(peer.times_read(), 2);
}
