//! The real client of SNS against a server on the loopback interface: what it sends, what it makes of each answer, and
//! that it asks once, whatever the answer.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

#[path = "../../../../tests/tests/local/operations.rs"]
mod operations;
mod server;
mod text_message;

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use decision::{Outcome, Reason};
use sender::{Accepted, Provider, SendError};
use serde_json::{Value, json};
use sms::Sns;
use trigger::SenderId;

use server::{Answer, Server};
use text_message::{DELIVERY, build, build_for};

const TRANSACTIONAL: &str = "sms: { template: thanks, class: transactional }";
const MARKETING: &str = "sms: { template: thanks, class: marketing }";
const TEXT: &str = "Danke, {{ customer.traits.name }}! Order {{ event.data.order }} & more.";

fn accepted() -> Answer {
    let result = "<PublishResult><MessageId>sns-1</MessageId></PublishResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>";
    Answer::Says(200, format!("<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">{result}</PublishResponse>"))
}

fn refused(status: u16, code: &str, message: &str) -> Answer {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId>");
    Answer::Says(status, format!("<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">{error}</ErrorResponse>"))
}

async fn sns(url: &str) -> Sns {
    let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("eu-central-1"))
        .endpoint_url(url)
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .load()
        .await;
    Sns { client: Sns::client(&sdk), sender_id: None, max_price_usd: None }
}

/// The fields of the one request that a message leads to.
async fn request(sns: impl FnOnce(Sns) -> Sns, step: &str) -> Vec<String> {
    let server = Server::start(accepted());
    let sns = sns(self::sns(&server.url).await);
    assert_eq!(sns.send(build(&sns, step, TEXT)).await, Ok(Accepted { provider_id: "sns-1".to_owned() }));
    let forms = server.forms();
    assert_eq!(forms.len(), 1);
    forms.iter().flat_map(|form| form.split('&')).map(str::to_owned).collect()
}

/// The attributes of a request: `name type value`, sorted.
fn attributes(fields: &[String]) -> Vec<String> {
    let value = |key: String| fields.iter().find_map(|field| field.strip_prefix(&format!("{key}=")));
    let attribute = |number| {
        let key = format!("MessageAttributes.entry.{number}");
        let parts = ["Name", "Value.DataType", "Value.StringValue"].map(|part| value(format!("{key}.{part}")));
        parts.into_iter().collect::<Option<Vec<_>>>().map(|parts| parts.join(" "))
    };
    let mut attributes: Vec<_> = (1..).map_while(attribute).collect();
    attributes.sort();
    attributes
}

/// What one answer means; it is asked for once.
async fn meaning(answer: Answer) -> SendError {
    let server = Server::start(answer);
    let sns = sns(&server.url).await;
    let error = sns.send(build(&sns, TRANSACTIONAL, TEXT)).await.expect_err("no message was accepted");
    assert_eq!(server.forms().len(), 1, "{error:?}");
    error
}

#[tokio::test]
async fn a_message_goes_to_the_number_with_its_text() {
    let fields = request(|sns| sns, TRANSACTIONAL).await;
    let others: Vec<_> = fields.iter().filter(|field| !field.starts_with("MessageAttributes")).collect();
    assert_eq!(
        others,
        ["Action=Publish", "Version=2010-03-31", "PhoneNumber=%2B491511234567", "Message=Danke%2C%20Zo%C3%AB%21%20Order%207%20%26%20more.",]
    );
    let expected = ["AWS.SNS.SMS.SMSType String Transactional", &format!("delivery String {DELIVERY}"), "trigger String thanks"];
    assert_eq!(attributes(&fields), expected);
}

#[tokio::test]
async fn marketing_is_promotional() {
    assert_eq!(attributes(&request(|sns| sns, MARKETING).await).first().expect("attributes"), "AWS.SNS.SMS.SMSType String Promotional");
}

#[tokio::test]
async fn a_trigger_s_own_sender_outranks_the_stack_s() {
    let stack = |sns| Sns { sender_id: SenderId::parse("SHOP").ok(), max_price_usd: Some("0.25".to_owned()), ..sns };
    let own = "sms: { template: thanks, class: transactional, sender_id: BAKERY }";
    for (step, sender_id) in [(TRANSACTIONAL, "SHOP"), (own, "BAKERY")] {
        let attributes = attributes(&request(stack, step).await);
        let expected = ["AWS.SNS.SMS.MaxPrice Number 0.25", "AWS.SNS.SMS.SMSType String Transactional"];
        assert!(expected.iter().all(|attribute| attributes.iter().any(|found| found == attribute)), "{attributes:?}");
        assert!(attributes.contains(&format!("AWS.SNS.SMS.SenderID String {sender_id}")), "{attributes:?}");
        assert_eq!(attributes.len(), 5);
    }
    let attributes = attributes(&request(|sns| sns, own).await);
    assert!(attributes.contains(&"AWS.SNS.SMS.SenderID String BAKERY".to_owned()), "{attributes:?}");
}

/// The lines of a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panicked").write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_says_how_many_segments_it_took_and_nothing_personal() {
    for (text, segments, encoding) in [("Danke", 1, "gsm7"), (&"a€".repeat(54), 2, "gsm7"), (&"Дякуємо ".repeat(9), 2, "ucs2")] {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone()).finish();
        let server = Server::start(accepted());
        let sns = sns(&server.url).await;
        let message = build(&sns, TRANSACTIONAL, text);
        {
            let _log = tracing::subscriber::set_default(subscriber);
            sns.send(message).await.expect("it is accepted");
        }
        let log = String::from_utf8(log.0.lock().expect("no test panicked").clone()).expect("a log is text");
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
        assert_eq!(lines.len(), 1, "{log}");
        let found = ["level", "delivery.id", "trigger.id", "sms.segments", "sms.encoding"].map(|field| lines[0][field].clone());
        assert_eq!(found, [json!("INFO"), json!(DELIVERY), json!("thanks"), json!(segments), json!(encoding)]);
        assert!(!log.contains("4915") && !log.contains("Danke"), "{log}");
    }
}

#[tokio::test]
async fn throttling_asks_for_another_time() {
    for (status, code) in [
        (400, "Throttling"),
        (400, "ThrottlingException"),
        (429, "Throttled"),
        (400, "ThrottledException"),
        (400, "KMSThrottling"),
        (503, "Throttling"),
        (429, "SomethingNew"),
    ] {
        let error = meaning(refused(status, code, "Rate exceeded")).await;
        assert_eq!(error, SendError::Throttled { cause: code.to_owned(), retry_after_millis: None });
    }
}

#[tokio::test]
async fn a_refused_message_is_refused_for_good() {
    for (code, message, cause) in [
        ("InvalidParameter", "Invalid parameter: PhoneNumber Reason: +491511234567 is not valid to publish to", "InvalidParameter"),
        ("InvalidParameter", "Invalid parameter: PhoneNumber Reason: the phone number is opted out", "opted_out"),
        ("OptedOut", "", "opted_out"),
        ("OptedOutException", "", "opted_out"),
        ("ParameterValueInvalid", "Invalid parameter value", "ParameterValueInvalid"),
        ("ValidationException", "1 validation error detected", "ValidationException"),
        ("ValidationError", "1 validation error detected", "ValidationError"),
    ] {
        assert_eq!(meaning(refused(400, code, message)).await, SendError::Rejected { cause: cause.to_owned() });
    }
}

#[tokio::test]
async fn who_is_not_let_in_has_sent_nothing() {
    for (status, code) in [
        (403, "AuthorizationError"),
        (403, "ExpiredToken"),
        (403, "SignatureDoesNotMatch"),
        (403, "InvalidSecurity"),
        (400, "KMSAccessDenied"),
        (400, "KMSDisabled"),
        (404, "NotFound"),
    ] {
        assert_eq!(meaning(refused(status, code, "no")).await, SendError::NotSent { cause: code.to_owned() });
    }
    // A page of something that stands before SNS.
    assert!(matches!(meaning(Answer::Says(403, "<html>".to_owned())).await, SendError::NotSent { .. }));
}

#[tokio::test]
async fn a_server_in_trouble_may_have_sent_it() {
    for (status, code) in [(500, "InternalError"), (500, "InternalFailure"), (503, "ServiceUnavailable"), (504, "")] {
        assert!(matches!(meaning(refused(status, code, "")).await, SendError::Ambiguous { .. }), "{status}");
    }
    for (status, body) in [(500, "<html>"), (502, ""), (200, "<html>"), (200, "")] {
        assert!(matches!(meaning(Answer::Says(status, body.to_owned())).await, SendError::Ambiguous { .. }), "{status} {body}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_after_the_request_may_have_sent_it() {
    assert_eq!(meaning(Answer::Closes).await, SendError::Ambiguous { cause: "connection_lost".to_owned() });
}

/// What no answer means, and how often it was asked for.
async fn no_answer() -> (SendError, usize) {
    let server = Server::start(Answer::Nothing);
    let mut sns = sns(&server.url).await;
    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_millis(300)).build();
    sns.client = aws_sdk_sns::Client::from_conf(sns.client.config().to_builder().timeout_config(timeouts).build());
    let error = sns.send(build(&sns, TRANSACTIONAL, TEXT)).await.expect_err("no message was accepted");
    (error, server.forms().len())
}

#[tokio::test]
async fn an_answer_that_does_not_come_may_have_sent_it() {
    assert_eq!(no_answer().await, (SendError::Ambiguous { cause: "timeout".to_owned() }, 1));
}

async fn nobody_there() -> SendError {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let sns = sns(&url).await;
    sns.send(build(&sns, TRANSACTIONAL, TEXT)).await.expect_err("nobody is there")
}

#[tokio::test]
async fn what_never_connected_was_not_sent() {
    assert_eq!(nobody_there().await, SendError::Unavailable { cause: "not_connected".to_owned() });
}

/// What an example of the document comes to.
async fn example(example: &str) -> SendError {
    match example {
        "no connection" => nobody_there().await,
        "no answer in time" => no_answer().await.0,
        "connection lost" => meaning(Answer::Closes).await,
        answer => {
            let (status, code) = answer.split_once(' ').expect("a status and a code");
            meaning(refused(status.parse().expect("a status"), code, "no")).await
        }
    }
}

#[tokio::test]
async fn each_answer_counts_as_the_document_says() {
    for (kind, said) in operations::examples("sms") {
        assert_eq!(operations::kind(&example(&said).await), kind, "{said}");
    }
}

#[tokio::test]
async fn what_cannot_be_built_is_refused_before_the_call() {
    let sns = sns("http://127.0.0.1:1").await;
    for (step, profile, outcome) in [
        (TRANSACTIONAL, json!({ "email": "ana@example.com" }), Outcome::Refused(Reason::NoAddress)),
        // The text needs the name.
        (TRANSACTIONAL, json!({ "phone": "+491511234567" }), Outcome::Refused(Reason::TemplateError)),
        (
            "email: { template: thanks, class: transactional }",
            json!({ "phone": "+491511234567" }),
            Outcome::Failed { cause: "wrong_channel".to_owned() },
        ),
    ] {
        assert_eq!(build_for(&sns, step, TEXT, &profile).err(), Some(outcome), "{step}");
    }
}
