//! The real client of SES against a server on the loopback interface: what it sends, what it makes of each answer, and
//! that it asks once, whatever the answer.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod mail;
#[path = "../../../../tests/tests/local/operations.rs"]
mod operations;
#[path = "../../../../tests/tests/local/server.rs"]
mod server;

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use email::Ses;
use sender::{Accepted, Provider, SendError};
use serde_json::{Value, json};

use mail::{MARKETING, TRANSACTIONAL, build};
use server::{Answer, Server};

const ACCEPTED: Answer = Answer::Says(200, "", r#"{"MessageId":"ses-1"}"#);

async fn ses(url: &str) -> Ses {
    let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("eu-central-1"))
        .endpoint_url(url)
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .load()
        .await;
    Ses { client: Ses::client(&sdk), from: "hello@example.com".to_owned(), reply_to: None, configuration_set: "mails".to_owned() }
}

/// The body of the one request that a mail leads to.
async fn request(ses: impl FnOnce(Ses) -> Ses, definition: &str, unsubscribe_url: Option<&str>) -> Value {
    let server = Server::start(&[ACCEPTED]);
    let ses = ses(self::ses(&server.url).await);
    let mail = build(&ses, definition, unsubscribe_url).expect("a mail");
    assert_eq!(ses.send(mail).await, Ok(Accepted { provider_id: "ses-1".to_owned() }));
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let request = requests.into_iter().next().expect("a request");
    assert_eq!(request.line, "POST /v2/email/outbound-emails HTTP/1.1");
    request.body
}

/// What one answer means; it is asked for once.
async fn meaning(answer: Answer) -> SendError {
    let server = Server::start(&[answer]);
    let ses = ses(&server.url).await;
    let error = ses.send(build(&ses, TRANSACTIONAL, None).expect("a mail")).await.expect_err("no mail was accepted");
    assert_eq!(server.requests().len(), 1, "{error:?}");
    error
}

#[tokio::test]
async fn a_mail_is_sent_with_all_its_parts() {
    let body =
        request(|ses| Ses { reply_to: Some("answers@example.com".to_owned()), ..ses }, TRANSACTIONAL, Some("https://example.com/u")).await;
    let utf8 = |data: &str| json!({ "Data": data, "Charset": "UTF-8" });
    let tag = |name: &str, value: &str| json!({ "Name": name, "Value": value });
    assert_eq!(
        body,
        json!({
            "FromEmailAddress": "hello@example.com",
            "ReplyToAddresses": ["answers@example.com"],
            "Destination": { "ToAddresses": ["ana@example.com"] },
            "Content": { "Simple": {
                "Subject": utf8("Danke, Zoë"),
                "Body": { "Text": utf8("Order 7 & more"), "Html": utf8("<p>Order &lt;7&gt;</p>") },
            } },
            "ConfigurationSetName": "mails",
            "EmailTags": [tag("delivery", &mail::delivery().to_string()), tag("trigger", "thanks"), tag("customer", "Yy0x")],
        })
    );
}

#[tokio::test]
async fn marketing_can_be_withdrawn_from_with_one_click() {
    let headers = |body: &Value| body["Content"]["Simple"]["Headers"].clone();
    let url = "https://example.com/u?c=c-1&d=2";
    let body = request(|ses| ses, MARKETING, Some(url)).await;
    let expected = json!([
        { "Name": "List-Unsubscribe", "Value": format!("<{url}>") },
        { "Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click" },
    ]);
    assert_eq!(headers(&body), expected);
    assert_eq!(headers(&request(|ses| ses, MARKETING, None).await), Value::Null, "a stack without such a page");
}

#[tokio::test]
async fn a_trigger_s_own_sender_outranks_the_stack_s() {
    let definition = "trigger: thanks\non: order.completed\nthen:\n  - email: { template: thanks, class: transactional, \
                      from: Bäckerei Grün <hallo@example.com>, reply_to: Help <help@example.com> }\n";
    let body = request(|ses| Ses { reply_to: Some("answers@example.com".to_owned()), ..ses }, definition, None).await;
    assert_eq!(body["FromEmailAddress"], json!("=?UTF-8?Q?B=C3=A4ckerei_Gr=C3=BCn?= <hallo@example.com>"));
    assert_eq!(body["ReplyToAddresses"], json!(["\"Help\" <help@example.com>"]));
}

#[tokio::test]
async fn throttling_asks_for_another_time() {
    for (status, code) in
        [(429, "TooManyRequestsException"), (400, "LimitExceededException"), (400, "ThrottlingException"), (429, "SomethingNew")]
    {
        let error = meaning(Answer::Says(status, code, r#"{"message":"Maximum sending rate exceeded."}"#)).await;
        assert_eq!(error, SendError::Throttled { cause: code.to_owned(), retry_after_millis: None });
    }
}

#[tokio::test]
async fn an_account_that_may_send_nothing_is_told_from_a_hurry() {
    for code in ["SendingPausedException", "AccountSuspendedException"] {
        let error = meaning(Answer::Says(400, code, r#"{"message":"Sending paused for this account."}"#)).await;
        assert_eq!(error, SendError::Stopped { cause: code.to_owned() });
    }
}

#[tokio::test]
async fn a_refused_mail_is_refused_for_good() {
    for code in ["MessageRejected", "MailFromDomainNotVerifiedException", "BadRequestException"] {
        let error = meaning(Answer::Says(400, code, r#"{"message":"Email address ana@example.com is not verified."}"#)).await;
        assert_eq!(error, SendError::Rejected { cause: code.to_owned() });
    }
}

#[tokio::test]
async fn who_is_not_let_in_has_sent_nothing() {
    for (status, code) in [
        (403, "AccessDeniedException"),
        (403, "ExpiredTokenException"),
        (400, "InvalidSignatureException"),
        (404, "UnknownOperationException"),
    ] {
        assert_eq!(meaning(Answer::Says(status, code, "{}")).await, SendError::NotSent { cause: code.to_owned() });
    }
    // A page of something that stands before SES.
    assert!(matches!(meaning(Answer::Says(403, "", "<html>")).await, SendError::NotSent { .. }));
    assert!(matches!(meaning(Answer::BreaksOff(403)).await, SendError::NotSent { .. }));
}

#[tokio::test]
async fn a_server_in_trouble_may_have_sent_it() {
    for (status, code) in [(500, "InternalFailure"), (503, "ServiceUnavailable"), (504, "")] {
        assert!(matches!(meaning(Answer::Says(status, code, "{}")).await, SendError::Ambiguous { .. }), "{status}");
    }
    assert!(matches!(meaning(Answer::Says(500, "", "<html>")).await, SendError::Ambiguous { .. }));
    assert!(matches!(meaning(Answer::Says(200, "", "<html>")).await, SendError::Ambiguous { .. }));
    assert!(matches!(meaning(Answer::BreaksOff(200)).await, SendError::Ambiguous { .. }));
    assert!(matches!(meaning(Answer::BreaksOff(500)).await, SendError::Ambiguous { .. }));
}

#[tokio::test]
async fn a_connection_that_ends_after_the_request_may_have_sent_it() {
    assert_eq!(meaning(Answer::Closes).await, SendError::Ambiguous { cause: "connection_lost".to_owned() });
}

/// What no answer means, and how often it was asked for.
async fn no_answer() -> (SendError, usize) {
    let server = Server::start(&[Answer::Nothing]);
    let mut ses = ses(&server.url).await;
    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_millis(300)).build();
    ses.client = aws_sdk_sesv2::Client::from_conf(ses.client.config().to_builder().timeout_config(timeouts).build());
    let error = ses.send(build(&ses, TRANSACTIONAL, None).expect("a mail")).await.expect_err("no mail was accepted");
    (error, server.requests().len())
}

async fn nobody_there() -> SendError {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let ses = ses(&url).await;
    ses.send(build(&ses, TRANSACTIONAL, None).expect("a mail")).await.expect_err("nobody is there")
}

#[tokio::test]
async fn an_answer_that_does_not_come_may_have_sent_it() {
    assert_eq!(no_answer().await, (SendError::Ambiguous { cause: "timeout".to_owned() }, 1));
}

#[tokio::test]
async fn what_never_connected_was_not_sent() {
    let unavailable = SendError::Unavailable { cause: "not_connected".to_owned() };
    let began = Instant::now();
    assert_eq!(nobody_there().await, unavailable);
    let ses = ses("http://nowhere.invalid").await;
    assert_eq!(ses.send(build(&ses, TRANSACTIONAL, None).expect("a mail")).await, Err(unavailable));
    assert!(began.elapsed() < Duration::from_secs(20));
}

/// What an example of the document comes to.
async fn example(example: &str) -> SendError {
    match example {
        "no connection" => nobody_there().await,
        "no answer in time" => no_answer().await.0,
        "connection lost" => meaning(Answer::Closes).await,
        answer => {
            let (status, code) = answer.split_once(' ').expect("a status and a code");
            // The codes of a server live as long as the test.
            meaning(Answer::Says(status.parse().expect("a status"), code.to_owned().leak(), "{}")).await
        }
    }
}

#[tokio::test]
async fn each_answer_counts_as_the_document_says() {
    for (kind, said) in operations::examples("email") {
        assert_eq!(operations::kind(&example(&said).await), kind, "{said}");
    }
}

#[tokio::test]
async fn what_cannot_be_built_is_refused_before_the_call() {
    let ses = ses("http://127.0.0.1:1").await;
    let outcome = mail::build_for(&ses, TRANSACTIONAL, None, &json!({ "locale": "de" })).err();
    assert_eq!(outcome, Some(decision::Outcome::Refused(decision::Reason::NoAddress)));
    // The subject needs the name.
    let outcome = mail::build_for(&ses, TRANSACTIONAL, None, &json!({ "email": "ana@example.com" })).err();
    assert_eq!(outcome, Some(decision::Outcome::Refused(decision::Reason::TemplateError)));
}
