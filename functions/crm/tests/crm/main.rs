//! The provider against a server on the loopback interface that plays HubSpot: what it sends, and what it makes of each
//! answer.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

#[path = "../../../../shared/https/tests/support/dispatch.rs"]
mod dispatch;
#[path = "../../../../shared/https/tests/support/example.rs"]
mod example;
#[path = "../../../../tests/tests/local/operations.rs"]
mod operations;
#[path = "../../../../shared/https/tests/support/peer.rs"]
mod peer;

use crm::HubSpot;
use decision::{Outcome, Reason};
use sender::{Accepted, Provider, SendError};
use serde_json::{Value, json};
use testkit::{Behaviour, Received};

use dispatch::build;
use peer::Peer;

const CONTACT: &str = "crm: { contact: { properties: { firstname: \"{{ customer.traits.name }}\", orders: 3, phone: \"{{ customer.phone }}\", \
                       note: null } } }";
const BY_ID: &str = "crm: { contact: { by: customer_id, properties: { firstname: Ana } } }";
const TIMELINE: &str =
    "crm: { timeline: { template: \"1001298\", tokens: { order: \"{{ event.data.order }}\", total: \"{{ event.data.total }}\" } } }";

async fn peer() -> Peer {
    Peer::start(|url| json!({ "base_url": url, "token": "pat-1" })).await
}

fn ana() -> Value {
    json!({ "email": "ana@example.com", "traits": { "name": "Zoë" } })
}

/// The one request that a step leads to, the delivery's id, and the answer.
async fn sent(peer: &Peer, step: &str) -> (Received, String, Result<Accepted, SendError>) {
    let hubspot = HubSpot { caller: peer.caller().await };
    let (entry, delivery) = build(&hubspot, step, &ana());
    let answer = hubspot.send(entry.unwrap_or_else(|outcome| unreachable!("{outcome:?}"))).await;
    let requests = peer.system.requests();
    assert_eq!(requests.len(), 1, "{answer:?}");
    (requests.into_iter().next().expect("a request"), delivery, answer)
}

/// What an answer means for a contact.
async fn meaning(behaviour: Behaviour) -> Result<Accepted, SendError> {
    let peer = peer().await;
    peer.system.answer("/crm/v3/objects/contacts/batch/upsert", behaviour);
    sent(&peer, CONTACT).await.2
}

fn says(status: u16, body: &Value) -> Behaviour {
    Behaviour::status(status, &body.to_string())
}

fn headers(request: &Received) -> [Option<&str>; 3] {
    ["authorization", "idempotency-key", "content-type"].map(|name| request.header(name))
}

async fn unbuilt(step: &str, profile: &Value) -> Outcome {
    let hubspot = HubSpot { caller: peer().await.caller().await };
    build(&hubspot, step, profile).0.err().expect("nothing to send")
}

#[tokio::test]
async fn a_contact_is_written_by_its_email() {
    let peer = peer().await;
    peer.system.answer("/", says(200, &json!({ "status": "COMPLETE", "results": [{ "id": "501", "new": true }] })));
    let (request, delivery, answer) = sent(&peer, CONTACT).await;
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/crm/v3/objects/contacts/batch/upsert"));
    assert_eq!(headers(&request), [Some("Bearer pat-1"), Some(delivery.as_str()), Some("application/json")]);
    let properties = json!({ "firstname": "Zoë", "orders": 3, "phone": "", "note": "" });
    assert_eq!(request.json(), json!({ "inputs": [{ "idProperty": "email", "id": "ana@example.com", "properties": properties }] }));
    assert_eq!(answer, Ok(Accepted { provider_id: "501".to_owned() }));
}

#[tokio::test]
async fn a_contact_is_written_by_the_customer_s_id() {
    let (request, delivery, answer) = sent(&peer().await, BY_ID).await;
    assert_eq!(request.json(), json!({ "inputs": [{ "idProperty": "customer_id", "id": "c-1", "properties": { "firstname": "Ana" } }] }));
    assert_eq!(answer, Ok(Accepted { provider_id: delivery }), "an answer without an id leaves the delivery's own");
}

#[tokio::test]
async fn an_event_of_the_timeline_has_the_delivery_s_id() {
    let peer = peer().await;
    peer.system.answer("/", says(201, &json!({ "id": "e-9" })));
    let (request, delivery, answer) = sent(&peer, TIMELINE).await;
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/crm/v3/timeline/events"));
    assert_eq!(headers(&request), [Some("Bearer pat-1"), Some(delivery.as_str()), Some("application/json")]);
    let tokens = json!({ "order": "o-7", "total": 80.5 });
    let event = json!({ "eventTemplateId": "1001298", "email": "ana@example.com", "tokens": tokens, "id": delivery, "timestamp": "2026-03-01T10:00:00.000Z" });
    assert_eq!((request.json(), answer), (event, Ok(Accepted { provider_id: "e-9".to_owned() })));
}

#[tokio::test]
async fn who_has_no_email_is_not_written_by_it() {
    let nameless = json!({ "traits": { "name": "Zoë" } });
    assert_eq!(unbuilt(CONTACT, &nameless).await, Outcome::Refused(Reason::NoAddress));
    assert_eq!(unbuilt(TIMELINE, &nameless).await, Outcome::Refused(Reason::NoAddress));
    let hubspot = HubSpot { caller: peer().await.caller().await };
    assert!(build(&hubspot, BY_ID, &nameless).0.is_ok());
}

#[tokio::test]
async fn what_cannot_be_built_ends_with_its_reason() {
    let missing = "crm: { contact: { properties: { a: \"{{ event.data.nothing }}\" } } }";
    assert_eq!(unbuilt(missing, &ana()).await, Outcome::Refused(Reason::TemplateError));
    let repeated = "{{ customer.traits.name }}".repeat(150);
    let long = format!("crm: {{ contact: {{ by: customer_id, properties: {{ a: \"{repeated}\" }} }} }}");
    let profile = json!({ "traits": { "name": "x".repeat(2_000) } });
    assert_eq!(unbuilt(&long, &profile).await, Outcome::Failed { cause: "payload_too_large".to_owned() });
}

#[tokio::test]
async fn each_answer_says_what_to_do_next() {
    let unavailable = |cause: &str| Err(SendError::Unavailable { cause: cause.to_owned() });
    let not_sent = |cause: &str| Err(SendError::NotSent { cause: cause.to_owned() });
    let throttled = |cause: &str, millis| Err(SendError::Throttled { cause: cause.to_owned(), retry_after_millis: millis });
    let rejected = |cause: &str| Err(SendError::Rejected { cause: cause.to_owned() });
    let empty = |status| says(status, &json!({}));
    let fault = json!({ "status": "COMPLETE", "results": [], "numErrors": 1, "errors": [{ "category": "VALIDATION_ERROR" }] });
    for (behaviour, means) in [
        (empty(400), rejected("http_400")),
        (empty(404), rejected("http_404")),
        (says(207, &fault), rejected("http_207")),
        (empty(401), unavailable("http_401")),
        (empty(429).with("Retry-After", "11"), throttled("http_429", Some(11_000))),
        (empty(429), throttled("http_429", None)),
        (empty(423), throttled("http_423", None)),
        (empty(477).with("Retry-After", "86400"), throttled("http_477", Some(86_400_000))),
        (empty(503).with("Retry-After", "2"), throttled("http_503", Some(2_000))),
        (empty(503), not_sent("http_503")),
        (empty(500), not_sent("http_500")),
        (empty(302).with("Location", "https://example.com/"), unavailable("http_302")),
        (Behaviour::Closes, not_sent("connection_lost")),
        (Behaviour::Babbles, not_sent("unreadable_answer")),
    ] {
        assert_eq!(meaning(behaviour.clone()).await, means, "{behaviour:?}");
    }
    assert_eq!(meaning(says(207, &json!({ "results": [{ "id": "501" }] }))).await, Ok(Accepted { provider_id: "501".to_owned() }));
    for taken in [Behaviour::status(200, "what?"), Behaviour::Floods { status: 200 }, Behaviour::BreaksOff { status: 201 }] {
        assert!(meaning(taken.clone()).await.is_ok(), "{taken:?}");
    }
}

#[tokio::test]
async fn a_system_that_says_nothing_counts_as_not_sent() {
    assert_eq!(meaning(Behaviour::Hangs).await, Err(SendError::NotSent { cause: "timeout".to_owned() }));
}

#[tokio::test]
async fn a_new_token_is_in_use_at_once() {
    let peer = peer().await;
    let hubspot = HubSpot { caller: peer.caller().await };
    let entry = || build(&hubspot, CONTACT, &ana()).0.unwrap_or_else(|outcome| unreachable!("{outcome:?}"));
    hubspot.send(entry()).await.expect("taken");
    peer.pass(1_000);
    peer.set_secret(&json!({ "base_url": format!("{}/", peer.system.url()), "token": " pat-2\n" }));
    peer.system.answer_once("/", says(401, &json!({})));
    hubspot.send(entry()).await.expect("taken");
    let tokens: Vec<_> = peer.system.requests().iter().filter_map(|request| request.header("authorization").map(str::to_owned)).collect();
    assert_eq!((tokens, peer.times_read()), (["Bearer pat-1", "Bearer pat-1", "Bearer pat-2"].map(str::to_owned).to_vec(), 2));
}

#[tokio::test]
async fn a_secret_that_is_not_filled_in_sends_nothing() {
    let peer = peer().await;
    let url = peer.system.url();
    for (secret, cause) in [
        (json!({}), "token_missing"),
        (json!({ "base_url": url, "token": "" }), "token_missing"),
        (json!({ "base_url": url, "token": "a\nb" }), "secret_malformed"),
        (json!({ "base_url": "http://crm.example.com", "token": "t" }), "address_refused"),
        (json!("a text"), "token_missing"),
    ] {
        peer.set_secret(&secret);
        let hubspot = HubSpot { caller: peer.caller().await };
        let entry = build(&hubspot, CONTACT, &ana()).0.unwrap_or_else(|outcome| unreachable!("{outcome:?}"));
        assert_eq!(hubspot.send(entry).await, Err(SendError::Unavailable { cause: cause.to_owned() }), "{secret}");
    }
    assert!(peer.system.requests().is_empty());
}

#[test]
fn only_a_contact_follows_the_profile() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let hubspot = runtime.block_on(async { HubSpot { caller: peer().await.caller().await } });
    for (step, follows) in [(CONTACT, true), (BY_ID, true), (TIMELINE, false)] {
        let definition = trigger::parse("t.yaml", &format!("trigger: t\non: a.done\nthen:\n  - {step}\n")).expect("a valid trigger");
        assert_eq!(hubspot.follows_profile(definition.steps().first().expect("a step").action()), follows, "{step}");
    }
}

/// What an answer means that comes for another reason than the system's own.
async fn elsewhere(example: &str) -> Option<Result<Accepted, SendError>> {
    let secret = match example {
        "no connection" => json!({ "base_url": "http://127.0.0.1:1", "token": "t" }),
        "no token" => json!({}),
        _ => return None,
    };
    let peer = peer().await;
    peer.set_secret(&secret);
    let hubspot = HubSpot { caller: peer.caller().await };
    let entry = build(&hubspot, CONTACT, &ana()).0.unwrap_or_else(|outcome| unreachable!("{outcome:?}"));
    Some(hubspot.send(entry).await)
}

#[tokio::test]
async fn each_answer_counts_as_the_document_says() {
    for (kind, said) in operations::examples("crm") {
        let answer = match elsewhere(&said).await {
            Some(answer) => answer,
            None => meaning(example::behaviour(&said)).await,
        };
        assert_eq!(operations::kind(&answer.expect_err("it was not taken")), kind, "{said}");
    }
}
