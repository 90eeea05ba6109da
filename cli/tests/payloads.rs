//! The payloads of `events/invoke/`, one for each function, as `sam local invoke -e` takes them: each is what the samples
//! lead to, and each is run under AWS's Runtime Interface Emulator.
//!
//! To write them anew after a change of the samples: `UPDATE_PAYLOADS=1 cargo test -p triggers --test payloads`.

#![expect(clippy::expect_used, clippy::panic, reason = "a helper that fails is a test that fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decision::RunId;
use delivery::{Message, Tags};
use event::{CustomerId, Event, EventId, Position, SequenceNumber, ShardId, Source, Time};
use serde_json::{Value, json};
use testkit::{EmulatedFunction, LocalStack, Options, REGION, Receiver};
use trigger::{Channel, TriggerName, Version};

/// The samples in the payload of the router, and how many minutes after its beginning each arrives.
const SAMPLES: [&str; 3] = ["customer.signed_up", "payment.failed", "order.completed"];

/// Late enough that no payload ever expires.
const BEGINNING: &str = "2099-01-01T00:00:00Z";

const SHARD: &str = "shardId-000000000000";

const SENDERS: [(Channel, &str, &str); 4] = [
    (Channel::Email, "email", "EmailFunction"),
    (Channel::Sms, "sms", "SmsFunction"),
    (Channel::Crm, "crm", "CrmFunction"),
    (Channel::Webhook, "webhook", "WebhookFunction"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("cli/ lies in the workspace").to_owned()
}

fn arrival(place: usize) -> Time {
    let minutes = i64::try_from(place).expect("few samples");
    BEGINNING.parse::<Time>().expect("the beginning is a time").plus(minutes * 60_000)
}

fn sequence(place: usize) -> SequenceNumber {
    SequenceNumber::new(&format!("4965000000000000000000000000000000000000000000000000000{}", place + 1))
}

/// The samples' events, as if they happened when they arrive.
fn events() -> Vec<Event> {
    let event = |(place, name): (usize, &&str)| {
        let text = fs::read_to_string(root().join(format!("events/{name}.json"))).expect("there is a sample of each type");
        let mut value: Value = serde_json::from_str(&text).expect("a sample is JSON");
        value.as_object_mut().expect("a sample is an object").insert("time".to_owned(), json!(arrival(place).to_string()));
        Event::parse(value.to_string().as_bytes()).expect("a sample is an event")
    };
    SAMPLES.iter().enumerate().map(event).collect()
}

fn text(event: &Event) -> String {
    let mut value = event.to_value();
    value.as_object_mut().expect("an event is an object").insert("specversion".to_owned(), json!("1.0"));
    value.to_string()
}

fn router_payload(events: &[Event]) -> Value {
    let record = |(place, event): (usize, &Event)| {
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": event.subject().as_str(),
                "sequenceNumber": sequence(place).as_str(),
                "data": STANDARD.encode(text(event)),
                "approximateArrivalTimestamp": arrival(place).millis() / 1_000,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("{SHARD}:{}", sequence(place)),
            "eventName": "aws:kinesis:record",
            "awsRegion": REGION,
        })
    };
    json!({ "Records": events.iter().enumerate().map(record).collect::<Vec<_>>() })
}

/// What the triggers decide about the samples, by the command that a person has for it.
fn decisions(events: &[Event]) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("events.jsonl");
    fs::write(&file, events.iter().map(text).collect::<Vec<_>>().join("\n")).expect("a file can be written");
    let output = Command::new(env!("CARGO_BIN_EXE_triggers")).args(["simulate", "--events"]).arg(&file).current_dir(root()).output();
    let output = output.expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

fn message(decision: &Value, events: &[Event]) -> Message {
    let field = |name: &str| decision.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name} in {decision}"));
    let place = events.iter().position(|event| event.id().as_str() == field("event")).expect("it is about a sample");
    let event = events.get(place).expect("it is one of them");
    let trigger = TriggerName::parse(field("trigger")).expect("a trigger's name");
    let (source, id) = (Source::parse(event.source().as_str()).expect("a source"), EventId::parse(field("event")).expect("an id"));
    Message {
        delivery: field("delivery").parse().expect("a delivery's id"),
        customer: CustomerId::parse(field("customer")).expect("a customer's id"),
        position: Position::new(arrival(place), &sequence(place)),
        shard: ShardId::new(SHARD),
        sequence: sequence(place),
        run: RunId::new(&trigger, &source, &id),
        trigger,
        version: Version::FIRST,
        step: field("step").to_owned(),
        channel: Channel::parse(field("channel")).expect("a channel"),
        not_before: Time::default(),
        not_after: arrival(place).plus(3_600_000),
        waits: 0,
    }
}

/// What SES says of the first mail: it was delivered, and a link in it was followed.
fn feedback_payload(decisions: &[Value], events: &[Event]) -> Value {
    let is_mail = |decision: &&Value| {
        decision.get("decision") == Some(&json!("deliver")) && decision.get("channel") == Some(&json!(Channel::Email.as_str()))
    };
    let message = message(decisions.iter().find(is_mail).expect("a sample leads to a mail"), events);
    let tags: serde_json::Map<_, _> =
        Tags::of(&message).pairs().into_iter().map(|(name, value)| (name.to_owned(), json!([value]))).collect();
    let at = |minutes: usize| arrival(minutes).to_string();
    let event = |kind: &str, name: &str, about: Value| {
        let mail = json!({ "timestamp": at(1), "messageId": "0107018e00000001-00000000-0000-4000-8000-000000000000-000000",
            "destination": ["ana@example.com"], "tags": tags });
        json!({ "eventType": kind, "mail": mail, name: about }).to_string()
    };
    let delivered =
        event("Delivery", "delivery", json!({ "timestamp": at(1), "processingTimeMillis": 900, "recipients": ["ana@example.com"] }));
    let clicked = event("Click", "click", json!({ "timestamp": at(2), "link": "https://shop.example.com/welcome", "linkTags": null }));
    let records: Vec<_> = [delivered, clicked].iter().enumerate().map(|(place, body)| record(place, body)).collect();
    json!({ "Records": records })
}

/// A message of a queue, as Lambda hands it to a function.
fn record(place: usize, body: &str) -> Value {
    json!({
        "messageId": format!("00000000-0000-4000-8000-00000000000{place}"),
        "receiptHandle": "none",
        "body": body,
        "attributes": { "ApproximateReceiveCount": "1" },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "awsRegion": REGION,
    })
}

fn sender_payload(channel: Channel, decisions: &[Value], events: &[Event]) -> Value {
    let of_channel = decisions.iter().filter(|decision| {
        decision.get("decision") == Some(&json!("deliver")) && decision.get("channel") == Some(&json!(channel.as_str()))
    });
    let records: Vec<_> = of_channel.enumerate().map(|(place, decision)| record(place, &message(decision, events).to_text())).collect();
    assert!(!records.is_empty(), "no sample leads to a delivery by {channel}");
    json!({ "Records": records })
}

/// The payload's file, which must be what the samples lead to.
fn held(name: &str, payload: &Value) -> String {
    let path = root().join(format!("events/invoke/{name}.json"));
    let text = format!("{payload:#}\n");
    if std::env::var_os("UPDATE_PAYLOADS").is_some() {
        fs::write(&path, &text).expect("a payload can be written");
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "{name} is not what the samples lead to; see the top of this file");
    text
}

async fn tell_secrets(stack: &LocalStack, receiver: &Receiver) {
    let endpoint = json!({ "url": receiver.url(), "secret": "whsec_bG9jYWwgcnVucyBhcmUgc2lnbmVkIHdpdGggdGhpcw==" });
    let endpoints: serde_json::Map<_, _> =
        ["inventory", "payment", "shipping", "support"].map(|name| (name.to_owned(), endpoint.clone())).into_iter().collect();
    let client = aws_sdk_secretsmanager::Client::new(stack.sdk_config());
    for (output, value) in
        [("CrmAccessSecret", json!({ "base_url": receiver.url(), "token": "local" })), ("WebhookEndpointsSecret", json!(endpoints))]
    {
        let secret = stack.outputs().get(output).expect("the stack has the secret");
        client.put_secret_value().secret_id(secret).secret_string(value.to_string()).send().await.expect("a secret is written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_function_takes_its_payload_under_the_runtime_interface_emulator() {
    let events = events();
    let decisions = decisions(&events);
    let stack = LocalStack::start(Options::default(), &mut |_| ()).await.expect("the local stack starts");
    let receiver = Receiver::start().await.expect("the receiver starts");
    tell_secrets(&stack, &receiver).await;
    let mut apply = Command::new(env!("CARGO_BIN_EXE_triggers"));
    apply.args(["apply", "--stack", &Options::default().stack_name]).current_dir(root());
    apply
        .env("AWS_ENDPOINT_URL", stack.endpoint())
        .env("AWS_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test");
    assert!(apply.output().expect("the binary runs").status.success());

    let all_well = json!({ "batchItemFailures": [] });
    let payload = held("router", &router_payload(&events));
    let router = EmulatedFunction::start(&stack, "router", "RouterFunction").await.expect("the router starts");
    assert_eq!(router.invoke(&payload).await.expect("the router answers"), all_well);
    let mut expected = 0;
    for (channel, package, output) in SENDERS {
        let payload = sender_payload(channel, &decisions, &events);
        expected += payload.get("Records").and_then(Value::as_array).map_or(0, Vec::len);
        let text = held(package, &payload);
        let sender = EmulatedFunction::start(&stack, package, output).await.expect("the sender starts");
        assert_eq!(sender.invoke(&text).await.expect("the sender answers"), all_well, "{package}");
    }
    let text = held("feedback", &feedback_payload(&decisions, &events));
    let feedback = EmulatedFunction::start(&stack, "feedback", "FeedbackFunction").await.expect("the function starts");
    assert_eq!(feedback.invoke(&text).await.expect("the function answers"), all_well);
    let (mails, texts) = (stack.captured_emails().await.expect("mails"), stack.captured_texts().await.expect("texts"));
    assert_eq!(mails.len() + texts.len() + receiver.requests().len(), expected);
}
