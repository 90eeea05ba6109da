//! What SES and SNS say of messages after they took them: late, twice, and in any order.

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud::{Call, Service};
use decision::FeedbackKind;
use event::Time;
use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};

use super::world::queue_url;

/// The queue of the function that takes them.
pub const FEEDBACK: &str = "feedback";

/// One report.
#[derive(Debug, Clone)]
pub struct Report {
    pub delivery: String,
    pub kind: FeedbackKind,
    /// When it happened, by the provider's clock.
    pub at: i64,
    /// The message on the queue, and what the function may make of it.
    pub bodies: Vec<String>,
}

/// All that were made.
#[derive(Debug)]
pub struct Reports {
    dice: Mutex<Rng>,
    /// Of so many messages in a hundred something is said.
    share: u32,
    made: Mutex<Vec<Report>>,
    on_the_way: AtomicUsize,
}

impl Reports {
    pub fn new(seed: u64, share: u32) -> Self {
        Self { dice: Mutex::new(Rng::with_seed(seed ^ 0xfeed)), share, made: Mutex::default(), on_the_way: AtomicUsize::new(0) }
    }

    pub fn made(&self) -> Vec<Report> {
        self.made.lock().expect("no task panicked").clone()
    }

    /// How many are not on the queue yet.
    pub fn on_the_way(&self) -> usize {
        self.on_the_way.load(Ordering::Relaxed)
    }

    pub fn arrived(&self) {
        self.on_the_way.fetch_sub(1, Ordering::Relaxed);
    }

    /// What is said of a message that was taken just now: messages for the queue, each after so many milliseconds.
    pub fn follow(&self, call: &Call, delivery: &str, answer: &Value, now: i64) -> Vec<(i64, String)> {
        let mut dice = self.dice.lock().expect("no task panicked");
        if dice.u32(..100) >= self.share {
            return Vec::new();
        }
        let provider_id = answer["MessageId"].as_str().unwrap_or_default();
        let kinds = if call.service == Service::Ses { of_mail(&mut dice) } else { of_text(&mut dice) };
        let mut messages = Vec::new();
        let mut at = now;
        for kind in kinds {
            at += dice.i64(10..30_000);
            let delivery = delivery.to_owned();
            let bodies =
                if call.service == Service::Ses { vec![mail(call, kind, provider_id, at)] } else { text(call, kind, provider_id, at) };
            let longest = if dice.u32(..5) == 0 { 600_000 } else { 2_000 };
            let waits = at - now + dice.i64(0..longest);
            let times = if dice.u32(..8) == 0 { 2 } else { 1 };
            messages.extend((0..times).map(|_| (waits + dice.i64(0..3_000), bodies[0].clone())));
            self.made.lock().expect("no task panicked").push(Report { delivery, kind, at, bodies });
        }
        self.on_the_way.fetch_add(messages.len(), Ordering::Relaxed);
        messages
    }
}

/// The call by which a report comes onto its queue.
pub fn enqueue(body: &str) -> Call {
    let input = json!({ "QueueUrl": queue_url(FEEDBACK), "Entries": [{ "Id": "0", "MessageBody": body }] });
    Call { service: Service::Sqs, operation: "SendMessageBatch".to_owned(), input }
}

fn of_mail(dice: &mut Rng) -> Vec<FeedbackKind> {
    use FeedbackKind::{Bounced, Clicked, Complained, Delayed, Delivered, Opened, Rejected, Sent, SoftBounced};
    match dice.u32(..20) {
        0..3 => vec![Sent, Bounced],
        3..5 => vec![Delayed, SoftBounced],
        5 => vec![Rejected],
        6..8 => vec![Delivered, Complained],
        8..13 => vec![Sent, Delivered, Opened, Clicked, Opened],
        13 => vec![Sent],
        _ => vec![Delivered],
    }
}

fn of_text(dice: &mut Rng) -> Vec<FeedbackKind> {
    use FeedbackKind::{Bounced, Delivered, SoftBounced, Unsubscribed};
    match dice.u32(..10) {
        0 => vec![Bounced],
        1 => vec![SoftBounced],
        2 => vec![Unsubscribed],
        _ => vec![Delivered],
    }
}

/// An event of SES, in the envelope of SNS.
fn mail(call: &Call, kind: FeedbackKind, id: &str, at: i64) -> String {
    let tags = call.input["EmailTags"].as_array().into_iter().flatten();
    let tags: Map<_, _> = tags.map(|tag| (tag["Name"].as_str().unwrap_or_default().to_owned(), json!([tag["Value"]]))).collect();
    let at = Time::from_millis(at).to_string();
    let (name, part, details) = match kind {
        FeedbackKind::Sent => ("Send", "send", json!({})),
        FeedbackKind::Delivered => ("Delivery", "delivery", json!({ "timestamp": at, "processingTimeMillis": 700 })),
        FeedbackKind::Delayed => ("DeliveryDelay", "deliveryDelay", json!({ "timestamp": at, "delayType": "MailboxFull" })),
        FeedbackKind::SoftBounced | FeedbackKind::Bounced => {
            let lasting = if kind == FeedbackKind::Bounced { "Permanent" } else { "Transient" };
            ("Bounce", "bounce", json!({ "timestamp": at, "bounceType": lasting, "bounceSubType": "General", "bouncedRecipients": [] }))
        }
        FeedbackKind::Complained => ("Complaint", "complaint", json!({ "timestamp": at, "complainedRecipients": [] })),
        FeedbackKind::Opened => ("Open", "open", json!({ "timestamp": at })),
        FeedbackKind::Clicked => ("Click", "click", json!({ "timestamp": at, "link": "https://shop.example/cart" })),
        FeedbackKind::Rejected => ("Reject", "reject", json!({ "reason": "Bad content" })),
        FeedbackKind::Unsubscribed => unreachable!("nothing unsubscribes from a mail here"),
    };
    let to = &call.input["Destination"]["ToAddresses"];
    let event = json!({ "eventType": name, "mail": { "timestamp": at, "messageId": id, "destination": to, "tags": tags }, part: details });
    json!({ "Type": "Notification", "TopicArn": "arn:topic", "Message": event.to_string() }).to_string()
}

/// A line of SNS's log as Lambda puts it onto the queue when an invocation failed, and the line alone.
fn text(call: &Call, kind: FeedbackKind, id: &str, at: i64) -> Vec<String> {
    let (status, response) = match kind {
        FeedbackKind::Delivered => ("SUCCESS", "Message has been accepted by phone carrier"),
        FeedbackKind::Bounced => ("FAILURE", "Invalid phone number"),
        FeedbackKind::Unsubscribed => ("FAILURE", "Phone number is opted out"),
        _ => ("FAILURE", "Phone is currently unreachable/unavailable"),
    };
    let published = Time::from_millis(at).to_string().replace('T', " ").trim_end_matches('Z').to_owned();
    let line = json!({
        "notification": { "messageId": id, "timestamp": published },
        "delivery": { "destination": call.input["PhoneNumber"], "providerResponse": response },
        "status": status,
    });
    let logs = json!({ "messageType": "DATA_MESSAGE", "logEvents": [{ "id": "1", "timestamp": at, "message": line.to_string() }] });
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(logs.to_string().as_bytes()).expect("a vector takes everything");
    let data = STANDARD.encode(packed.finish().expect("a vector takes everything"));
    let failed = json!({ "requestPayload": { "awslogs": { "data": data } } });
    vec![failed.to_string(), line.to_string()]
}
