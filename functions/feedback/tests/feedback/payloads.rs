//! What is read out of the payloads that AWS documents, and what of all others.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decision::FeedbackKind::{self, Bounced, Clicked, Complained, Delayed, Delivered, Opened, Rejected, Sent, SoftBounced, Unsubscribed};
use delivery::SuppressionKind;
use feedback::{About, Payload, Said, Unreadable};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixture;

fn said(body: &str) -> Said {
    match Payload::parse(body) {
        Ok(Payload::Said(said)) => *said,
        other => panic!("{other:?}"),
    }
}

/// Fixture, kind, time, what it suppresses, which purposes it withdraws, and the details that go on.
type Case = (&'static str, FeedbackKind, &'static str, &'static [SuppressionKind], &'static [&'static str], Value);

fn cases() -> Vec<Case> {
    use SuppressionKind::{Bounce, Complaint};
    let bounced = json!({ "bounce_type": "Permanent", "bounce_sub_type": "NoEmail", "status": "5.1.1" });
    let full = json!({ "bounce_type": "Transient", "bounce_sub_type": "MailboxFull", "status": "4.2.2" });
    let click = json!({ "link": "https://shop.example/offers/spring", "link_tags": { "place": ["header"] } });
    let response = |code: &str| json!({ "response": code });
    vec![
        ("ses-send", Sent, "2026-03-01T10:00:00.120Z", &[], &[], json!({})),
        ("ses-delivery", Delivered, "2026-03-01T10:00:01.800Z", &[], &[], json!({ "processing_ms": 1680 })),
        ("ses-delivery-delay", Delayed, "2026-03-01T10:20:00.000Z", &[], &[], json!({ "delay_type": "TransientCommunicationFailure" })),
        ("ses-bounce-permanent", Bounced, "2026-03-01T10:00:03.500Z", &[Bounce], &[], bounced),
        ("ses-bounce-transient", SoftBounced, "2026-03-01T10:00:03.500Z", &[], &[], full),
        ("ses-complaint", Complained, "2026-03-01T12:30:00.000Z", &[Complaint], &[], json!({ "complaint_type": "abuse" })),
        ("ses-complaint-not-spam", Sent, "2026-03-01T12:30:00.000Z", &[], &[], json!({})),
        ("ses-reject", Rejected, "2026-03-01T10:00:00.120Z", &[], &[], json!({ "reason": "Bad content" })),
        ("ses-rendering-failure", Rejected, "2026-03-01T10:00:00.120Z", &[], &[], json!({ "reason": "Rendering failure" })),
        ("ses-open", Opened, "2026-03-01T11:00:00.000Z", &[], &[], json!({})),
        ("ses-click", Clicked, "2026-03-01T11:00:07.000Z", &[], &[], click),
        ("ses-subscription-all", Unsubscribed, "2026-03-01T13:00:00.000Z", &[], &["*"], json!({ "purposes": [] })),
        ("ses-subscription-topics", Unsubscribed, "2026-03-01T13:00:00.000Z", &[], &["news"], json!({ "purposes": ["news"] })),
        ("ses-subscription-opt-in", Sent, "2026-03-01T13:00:00.000Z", &[], &[], json!({})),
        ("sns-success", Delivered, "2026-03-01T10:00:02.000Z", &[], &[], json!({})),
        ("sns-invalid", Bounced, "2026-03-01T10:00:02.000Z", &[Bounce], &[], response("invalid")),
        ("sns-opted-out", Unsubscribed, "2026-03-01T10:00:02.000Z", &[Bounce], &["*"], response("opted_out")),
        ("sns-unreachable", SoftBounced, "2026-03-01T10:00:02.000Z", &[], &[], response("unreachable")),
        ("sns-max-price", Rejected, "2026-03-01T10:00:02.000Z", &[], &[], response("max_price")),
        ("sns-new-words", SoftBounced, "2026-03-01T10:00:02.000Z", &[], &[], response("other")),
        ("text-delivered", Delivered, "2026-03-01T10:00:05.000Z", &[], &[], response("delivered")),
        ("text-successful-so-far", Sent, "2026-03-01T10:00:05.000Z", &[], &[], response("successful")),
        ("text-invalid", Bounced, "2026-03-01T10:00:05.000Z", &[Bounce], &[], response("invalid")),
        ("text-carrier-blocked", SoftBounced, "2026-03-01T10:00:05.000Z", &[], &[], response("carrier_blocked")),
    ]
}

#[test]
fn each_documented_payload_says_what_it_says() {
    for (name, kind, at, suppresses, withdrawn, details) in cases() {
        let said = said(&fixture(name).to_string());
        assert_eq!((said.kind, said.at.to_string().as_str(), said.suppresses.as_slice()), (kind, at, suppresses), "{name}");
        let purposes: Vec<_> = said.withdrawn.iter().map(|purpose| purpose.as_ref().map_or("*", |purpose| purpose.as_str())).collect();
        assert_eq!((purposes.as_slice(), Value::Object(said.details.clone())), (withdrawn, details), "{name}");
        let is_personal = !suppresses.is_empty() || !withdrawn.is_empty();
        let address = if name.starts_with("ses") { "ana@example.com" } else { "+4915112345678" };
        assert_eq!(said.addresses, if is_personal { vec![address.to_owned()] } else { Vec::new() }, "{name}");
        let about_delivery = matches!(&said.about, About::Delivery(tags) if tags.customer.as_str() == "c-1");
        assert_eq!(about_delivery, !name.starts_with("sns"), "{name}");
        let shown = format!("{said:?} {}", Value::Object(said.details.clone()));
        assert!(!shown.contains("ana@") && !shown.contains("4915"), "{shown}");
    }
}

#[test]
fn every_fixture_is_held_against_what_it_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    let mut named: Vec<_> = cases().into_iter().map(|(name, ..)| format!("{name}.json")).collect();
    named.sort();
    assert_eq!(files, named);
}

#[test]
fn an_envelope_of_sns_changes_nothing() {
    for (name, ..) in cases() {
        let body = fixture(name).to_string();
        let envelope = json!({ "Type": "Notification", "MessageId": "m-1", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:t",
            "Subject": "Amazon SES Email Event Notification", "Message": body, "Timestamp": "2026-03-01T10:00:00.000Z" });
        assert_eq!(Payload::parse(&envelope.to_string()), Payload::parse(&body), "{name}");
    }
    let greeting = "Successfully validated SNS topic for Amazon SES event publishing.";
    assert_eq!(Payload::parse(greeting), Ok(Payload::Greeting));
    assert_eq!(Payload::parse(&json!({ "Type": "Notification", "Message": greeting }).to_string()), Ok(Payload::Greeting));
}

#[test]
fn lines_that_lambda_gave_up_are_lines_again() {
    let logs = json!({ "messageType": "DATA_MESSAGE", "logEvents": [{ "id": "1", "timestamp": 1, "message": "{}" }] });
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(logs.to_string().as_bytes()).unwrap();
    let payload = json!({ "awslogs": { "data": STANDARD.encode(encoder.finish().unwrap()) } });
    let given_up = json!({ "version": "1.0", "requestContext": { "condition": "RetriesExhausted" }, "requestPayload": payload });
    for body in [payload, given_up] {
        assert_eq!(Payload::parse(&body.to_string()), Ok(Payload::Lines(vec!["{}".to_owned()])));
    }
}

#[test]
fn a_mail_without_our_tags_is_nobody_s() {
    for tags in [json!(null), json!({}), json!({ "delivery": ["express"], "customer": ["Yy0x"], "trigger": ["welcome"] })] {
        let mut event = fixture("ses-complaint");
        event["mail"]["tags"] = tags;
        assert_eq!(said(&event.to_string()).about, About::Nobody);
    }
    let mut own_notification = fixture("ses-bounce-permanent");
    let kind = own_notification.as_object_mut().unwrap().remove("eventType").unwrap();
    own_notification["notificationType"] = kind;
    assert_eq!(said(&own_notification.to_string()).kind, Bounced);
}

#[test]
fn the_address_is_the_one_that_the_mail_was_sent_to() {
    for (destination, reported, addresses) in [
        (json!(["Ana@Example.com"]), "ana.forwards@example.org", vec!["Ana@Example.com"]),
        (json!(["Ana <ana@example.com>"]), "ana@example.com", vec!["ana@example.com"]),
        (json!(["ana@example.com", "ben@example.com"]), "Ben <ben@example.com>", vec!["ben@example.com"]),
        (json!([]), "", vec![]),
    ] {
        let mut event = fixture("ses-bounce-permanent");
        event["mail"]["destination"] = destination;
        event["bounce"]["bouncedRecipients"][0]["emailAddress"] = json!(reported);
        assert_eq!(said(&event.to_string()).addresses, addresses);
    }
}

#[test]
fn a_topic_that_is_no_purpose_may_be_any() {
    let mut event = fixture("ses-subscription-topics");
    event["subscription"]["newTopicPreferences"]["topicSubscriptionStatus"][2] =
        json!({ "topicName": "Weekly News!", "subscriptionStatus": "OptOut" });
    assert_eq!(said(&event.to_string()).withdrawn, [None]);
}

#[test]
fn what_a_provider_quotes_goes_nowhere() {
    let mut event = fixture("ses-bounce-permanent");
    event["bounce"]["bounceSubType"] = json!("no mailbox ana@example.com");
    event["bounce"]["bouncedRecipients"][0]["status"] = json!("5".repeat(65));
    assert_eq!(Value::Object(said(&event.to_string()).details), json!({ "bounce_type": "Permanent" }));
}

#[test]
fn what_cannot_be_read_is_named_without_its_content() {
    let without = |name: &str, path: &str| {
        let mut event = fixture(name);
        *event.pointer_mut(path).unwrap() = json!(null);
        Payload::parse(&event.to_string()).unwrap_err()
    };
    let field = |kind, field| Unreadable::Field { kind, field };
    assert_eq!(without("ses-bounce-permanent", "/bounce/bounceType"), field("Bounce", "/bounce/bounceType"));
    assert_eq!(without("ses-bounce-permanent", "/bounce/timestamp"), field("Bounce", "/bounce/timestamp"));
    assert_eq!(without("ses-open", "/mail/messageId"), field("Open", "/mail/messageId"));
    assert_eq!(without("ses-click", "/click/link"), field("Click", "/click/link"));
    assert_eq!(
        without("ses-subscription-all", "/subscription/newTopicPreferences"),
        field("Subscription", "/subscription/newTopicPreferences")
    );
    assert_eq!(without("sns-success", "/status"), field("SNS delivery status", "/status"));
    assert_eq!(without("sns-invalid", "/delivery/providerResponse"), field("SNS delivery status", "/delivery/providerResponse"));
    assert_eq!(without("sns-success", "/notification/timestamp"), field("SNS delivery status", "/notification/timestamp"));
    assert_eq!(without("text-invalid", "/eventTimestamp"), field("TEXT_INVALID", "/eventTimestamp"));
    for body in
        ["", "ana@example.com", "[]", "7", "{}", r#"{"eventType":"ana@example.com"}"#, r#"{"eventType":"TEXT_ANA"}"#, r#"{"awslogs":{}}"#]
    {
        let error = Payload::parse(body).unwrap_err().to_string();
        assert!(!error.contains("ana") && !error.contains("ANA"), "{error}");
    }
    // An envelope in an envelope in an envelope is not followed.
    let twice = json!({ "Type": "Notification", "Message": json!({ "Type": "Notification", "Message": "{}" }).to_string() });
    assert_eq!(Payload::parse(&twice.to_string()), Err(Unreadable::UnknownKind));
}

proptest! {
    #[test]
    fn no_body_panics(body in ".*", at in any::<usize>(), which in any::<prop::sample::Index>()) {
        let _ = Payload::parse(&body);
        let cases = cases();
        let mut broken = fixture(which.get(&cases).0).to_string();
        let at = (0..=at % broken.len()).rev().find(|at| broken.is_char_boundary(*at)).unwrap_or_default();
        let _ = Payload::parse(&broken[..at]);
        broken.insert_str(at, &body);
        let _ = Payload::parse(&broken);
    }

    #[test]
    fn a_field_of_any_other_type_is_no_panic(which in any::<prop::sample::Index>(), field in any::<prop::sample::Index>(), value in prop_oneof![
        Just(json!(null)), Just(json!([])), Just(json!({})), Just(json!(-1)), Just(json!(u64::MAX)), Just(json!("")), Just(json!([[null]]))
    ]) {
        let cases = cases();
        let mut event = fixture(which.get(&cases).0);
        let mut paths = Vec::new();
        collect(&event, String::new(), &mut paths);
        let path: &String = field.get(&paths);
        *event.pointer_mut(path).unwrap() = value;
        let _ = Payload::parse(&event.to_string());
    }
}

fn collect(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| collect(value, format!("{path}/{}", name.replace('/', "~1")), paths))
        }
        Value::Array(entries) => entries.iter().enumerate().for_each(|(at, value)| collect(value, format!("{path}/{at}"), paths)),
        _ => (),
    }
    paths.push(path);
}
