//! What one test has: a customer, a delivery that a sender has claimed, and a function that takes feedback.

use std::collections::BTreeMap;

use aws::{
    AddressKey, Archive, Claim, Clock, Earlier, Ledger, LedgerRecord, RawQueue, Secret, Statistics, Stream, Suppressions, TriggerBook,
    Triggers,
};
use aws_sdk_dynamodb::types::AttributeValue;
use decision::{Decided, DeliveryId, Outcome, Recorded, RunId};
use delivery::{Message, Tags};
use event::{CustomerId, Event, EventId, Position, SequenceNumber, ShardId, Source, Time};
use feedback::{Failure, Feedback, Handled};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use trigger::SendPolicy::AtLeastOnce;
use trigger::{Bundle, BundleEntry, Channel, Exposure, TriggerName, Version};

use crate::fixture;
use crate::local::{Place, now, on_stream, output, stream, triggers, unique};

pub const OWNER: &str = "request-1/0";
pub const LEASE: i64 = 30_000;
const KEY: &str = "key";

pub struct World {
    pub stack: &'static Place,
    pub feedback: Feedback,
    pub message: Message,
    pub address: String,
    pub provider_id: String,
    pub started: Time,
    stream_name: String,
}

pub fn dynamodb(stack: &Place) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(stack.sdk_config())
}

fn message(channel: Channel, at: Time) -> Message {
    let customer = CustomerId::parse(&unique("kundin-ü")).expect("a customer's id");
    let trigger = TriggerName::parse(&unique("thanks")).expect("a name");
    let run = RunId::new(&trigger, &Source::parse("/shop").expect("a source"), &EventId::parse("e1").expect("an id"));
    Message {
        delivery: DeliveryId::new(&customer, &trigger, run, "0", channel),
        position: Position::new(at, &SequenceNumber::new("7")),
        customer,
        shard: ShardId::new("shard"),
        sequence: SequenceNumber::new("7"),
        trigger,
        version: Version::FIRST,
        run,
        step: "0".to_owned(),
        channel,
        not_before: at,
        not_after: at.plus(60_000),
        waits: 0,
    }
}

impl World {
    /// A delivery that was claimed at noon of a day in March, and triggers that start with each of these types.
    pub async fn new(stack: &'static Place, channel: Channel, types: &[&str]) -> Self {
        let started: Time = "2026-03-01T09:59:59Z".parse().expect("a time");
        let (message, (stream, stream_name)) = (message(channel, started), stream(stack).await);
        let triggers = triggers(stack).await;
        apply(&triggers, types).await;
        archive_cause(stack, &message, started).await;
        let feedback = feedback(stack, dynamodb(stack), &triggers, stream).await;
        let claim = feedback.ledger.claim(&message, OWNER, AtLeastOnce, started, LEASE).await.expect("it can be claimed");
        assert_eq!(claim, Claim::Granted(Earlier::NotTaken));
        let address = match channel {
            Channel::Sms => format!("+49151{:08}", unique("").trim_start_matches('-')),
            _ => format!("{}@example.com", unique("Ana")),
        };
        Self { stack, feedback, message, address, provider_id: unique("provider"), started, stream_name }
    }

    /// A fixture of SES as it would be of this world's mail.
    pub fn mail(&self, name: &str) -> Value {
        let mut event = fixture(name);
        let tags = Tags::of(&self.message).pairs().into_iter().map(|(name, value)| (name.to_owned(), json!([value])));
        event["mail"]["tags"] = Value::Object(tags.collect());
        event["mail"]["messageId"] = json!(self.provider_id);
        event["mail"]["destination"] = json!([self.address]);
        event
    }

    /// A line of SNS's log as it would be of this world's text message.
    pub fn line(&self, name: &str) -> Value {
        let mut line = fixture(name);
        line["notification"]["messageId"] = json!(self.provider_id);
        line["delivery"]["destination"] = json!(self.address);
        line
    }

    pub async fn handle(&self, event: &Value) -> Result<Handled, Failure> {
        self.feedback.handle(&event.to_string()).await
    }

    /// Handles events that must be taken.
    pub async fn take(&self, names: &[&str]) {
        for name in names {
            let handled = self.handle(&self.mail(name)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(matches!(handled, Handled::Taken { .. }), "{name}: {handled:?}");
        }
    }

    pub fn sent(&self) -> Outcome {
        Outcome::Sent { provider_id: self.provider_id.clone() }
    }

    pub async fn settle(&self, outcome: &Outcome) -> Result<(), aws::StoreError> {
        self.feedback.ledger.settle(&self.message, OWNER, outcome, self.started.plus(500)).await
    }

    pub async fn record(&self) -> LedgerRecord {
        let record = self.feedback.ledger.read(&self.message.customer, self.message.delivery).await;
        record.expect("the ledger can be read").expect("the delivery has an entry")
    }

    pub async fn facts(&self) -> BTreeMap<&'static str, String> {
        self.record().await.facts.into_iter().map(|(kind, at)| (kind.code(), at.to_string())).collect()
    }

    /// The suppressions of the customer, and those of the address.
    pub async fn suppressed(&self) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("a key");
        mac.update(self.address.to_lowercase().as_bytes());
        let address = mac.finalize().into_bytes().iter().fold("address#".to_owned(), |text, byte| format!("{text}{byte:02x}"));
        (self.marks(&format!("customer#{}", self.message.customer)).await, self.marks(&address).await)
    }

    async fn marks(&self, subject: &str) -> BTreeMap<String, String> {
        let get = dynamodb(self.stack).get_item().table_name(output(self.stack, "SuppressionsTable")).consistent_read(true);
        let item = get.key("subject", AttributeValue::S(subject.to_owned())).send().await.expect("a table can be read").item;
        let marks = item.unwrap_or_default().into_iter().filter(|(name, _)| name != "subject");
        let time = |value: AttributeValue| Time::from_millis(value.as_n().expect("a number").parse().expect("milliseconds")).to_string();
        marks.map(|(name, value)| (name, time(value))).collect()
    }

    /// What was counted for the trigger, by hour.
    pub async fn counted(&self) -> BTreeMap<String, BTreeMap<String, u64>> {
        counted(self.stack, self.message.trigger.as_str()).await
    }

    /// The events that were put onto the stream, each under its customer's key and one that the router takes.
    pub async fn told(&self) -> Vec<Value> {
        let records = on_stream(self.stack, &self.stream_name).await;
        let event = |(key, data): (String, Vec<u8>)| {
            assert_eq!(key, self.message.customer.as_str());
            Event::parse(&data).expect("an event that the router takes");
            serde_json::from_slice(&data).expect("JSON")
        };
        records.into_iter().map(event).collect()
    }

    pub async fn types_told(&self) -> Vec<String> {
        self.told().await.into_iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
    }
}

pub async fn counted(stack: &Place, trigger: &str) -> BTreeMap<String, BTreeMap<String, u64>> {
    let query = dynamodb(stack).query().table_name(output(stack, "StatisticsTable")).consistent_read(true);
    let query = query.key_condition_expression("#trigger = :trigger").expression_attribute_names("#trigger", "trigger");
    let query = query.expression_attribute_values(":trigger", AttributeValue::S(trigger.to_owned()));
    let items = query.send().await.expect("a table can be read").items.unwrap_or_default();
    let counters = |item: aws::Item| {
        let hour = aws::get_text(&item, "hour").expect("an hour").to_owned();
        assert!(aws::get_number::<i64>(&item, "expires_at").is_some_and(|at| at > 1_772_359_200));
        let counters = item.iter().filter(|(name, _)| !["trigger", "hour", "expires_at"].contains(&name.as_str()));
        (hour, counters.map(|(name, _)| (name.clone(), aws::get_number(&item, name).expect("a number"))).collect())
    };
    items.into_iter().map(counters).collect()
}

/// A function whose calls of DynamoDB go through this client.
pub async fn feedback(stack: &Place, client: aws_sdk_dynamodb::Client, triggers: &Triggers, stream: Stream) -> Feedback {
    let secrets = aws_sdk_secretsmanager::Client::new(stack.sdk_config());
    let name = unique("secret");
    secrets.create_secret().name(&name).secret_string(KEY).send().await.expect("a secret is made");
    let key = AddressKey::new(Secret::read(&secrets, &name).await.expect("a secret can be read"));
    let clock = Clock::new(now);
    Feedback {
        ledger: Ledger::new(client.clone(), output(stack, "DeliveriesTable"), 365),
        suppressions: Suppressions::new(client.clone(), output(stack, "SuppressionsTable"), key),
        statistics: Statistics::new(client.clone(), output(stack, "StatisticsTable"), 400),
        archive: Archive::new(client, output(stack, "EventsTable"), 400),
        stream,
        book: TriggerBook::new(triggers.clone(), clock.clone()),
        queue: RawQueue::new(aws_sdk_sqs::Client::new(stack.sdk_config()), output(stack, "FeedbackQueueUrl")),
        clock,
    }
}

async fn apply(triggers: &Triggers, types: &[&str]) {
    let entry = |(number, kind): (usize, &&str)| {
        let name = format!("listens-{number}");
        let text = format!("trigger: {name}\non: {kind}\nthen:\n  - email: {{ template: t, class: transactional }}\n");
        let trigger = trigger::parse(&format!("{name}.yaml"), &text).expect("a valid trigger");
        let templates = BTreeMap::new();
        BundleEntry { trigger, version: Version::FIRST, exposure: Exposure::FULL, declared: Exposure::FULL, templates }
    };
    let bundle = triggers.put_bundle(&types.iter().enumerate().map(entry).collect::<Bundle>()).await.expect("a bundle is written");
    let head = triggers.head().await.expect("the head can be read");
    triggers.flip(&head, &head.with_next(bundle, "", now(), 0)).await.expect("the head is flipped");
}

/// The event that the delivery answers: one that another caused.
async fn archive_cause(stack: &Place, message: &Message, at: Time) {
    let event = json!({ "specversion": "1.0", "id": "order-1", "source": "/shop", "type": "order.completed", "time": at.to_string(),
        "subject": message.customer.as_str(), "hops": 2, "data": {} });
    let decided = Decided { now: at, generation: 1, repeat: false, decisions: Vec::new(), remember: None };
    let recorded = Recorded::new(event.to_string().into_bytes(), at, message.shard.clone(), message.sequence.clone(), decided);
    let archive = Archive::new(dynamodb(stack), output(stack, "EventsTable"), 400);
    archive.put(message.customer.as_str(), &message.position, "order.completed", &recorded).await.expect("a record is archived");
}
