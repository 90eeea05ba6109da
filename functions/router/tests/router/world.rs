//! What one test has: a customer or more, triggers, a queue and a stream of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws::{Archive, Clock, Customers, Quarantine, Quarantined, Queue, Queues, StoredTemplate, Stream, TriggerBook, Triggers, object_store};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use blob::ContentHash;
use customer::Customer;
use decision::Recorded;
use delivery::Message;
use event::{Position, SequenceNumber, ShardId, Time};
use lambda::StreamRecord;
use router::Router;
use serde_json::{Value, json};
use trigger::{Bundle, BundleEntry, Exposure, Head, Published, Version};

use crate::faults::Fails;
use crate::local::{Place, now, on_stream, output, queue, received, stream, triggers, unique};

/// Thanks for each order; what is sent needs no consent.
pub const THANKS: &str = "trigger: thanks\non: order.completed\nthen:\n  - email: { template: thanks, class: transactional }\n";

/// Advertises at each order, to whom consented.
pub const OFFER: &str = "trigger: offer\non: order.completed\nthen:\n  - email: { template: offer, class: marketing }\n";

/// A fault of every call of an operation.
pub fn every(operation: &'static str) -> Fails {
    Fails { operation, containing: String::new() }
}

pub struct World {
    stack: &'static Place,
    pub started: Time,
    /// How far the clock of the routers is ahead of `started`.
    ahead: Arc<AtomicI64>,
    shard: ShardId,
    triggers: Triggers,
    queue: (Queue, String),
    stream: (Stream, String),
}

impl World {
    /// A world in which the triggers of these texts hold from the beginning.
    pub async fn new(stack: &'static Place, texts: &[&str]) -> Self {
        let world = Self {
            stack,
            started: now(),
            ahead: Arc::default(),
            shard: ShardId::new(unique("shardId")),
            triggers: triggers(stack).await,
            queue: queue(stack).await,
            stream: stream(stack).await,
        };
        world.apply(texts, world.started.plus(-3_600_000)).await;
        world
    }

    /// Puts other triggers into force, for records that arrive from a time on.
    pub async fn apply(&self, texts: &[&str], from: Time) {
        let head = self.triggers.head().await.expect("the head can be read");
        let version = Version::new(u32::try_from(head.number()).expect("few generations") + 1).expect("a version");
        let mut entries = Vec::new();
        for text in texts {
            let name = text.lines().next().and_then(|line| line.strip_prefix("trigger: ")).expect("the first line has the name");
            let trigger = trigger::parse(&format!("{name}.yaml"), text).expect("a valid trigger");
            let template = StoredTemplate { subject: Some("Hello".to_owned()), text: Some("Hi".to_owned()), ..StoredTemplate::default() };
            self.triggers.put_template(&template).await.expect("a template is written");
            let templates: BTreeMap<_, _> = trigger.templates().into_iter().map(|name| (name.clone(), template.hash())).collect();
            let published = Published { trigger: trigger.clone(), version, templates: templates.clone() };
            self.triggers.publish(&published).await.expect("a version is written");
            entries.push(BundleEntry { trigger, version, exposure: Exposure::FULL, declared: Exposure::FULL, templates });
        }
        let bundle = self.triggers.put_bundle(&entries.into_iter().collect::<Bundle>()).await.expect("a bundle is written");
        self.triggers.flip(&head, &head.with_next(bundle, "", from, 0)).await.expect("the head is flipped");
    }

    /// A router, as a new process would have it.
    pub fn router(&self) -> Router {
        let dynamodb = aws_sdk_dynamodb::Client::new(self.stack.sdk_config());
        let (started, ahead) = (self.started, Arc::clone(&self.ahead));
        let clock = Clock::new(move || started.plus(ahead.load(Ordering::Relaxed)));
        Router {
            customers: Customers::new(dynamodb.clone(), output(self.stack, "CustomersTable")),
            archive: Archive::new(dynamodb, output(self.stack, "EventsTable"), 400),
            queues: Queues {
                email: self.queue.0.clone(),
                sms: self.queue.0.clone(),
                crm: self.queue.0.clone(),
                webhook: self.queue.0.clone(),
            },
            stream: self.stream.0.clone(),
            quarantine: Quarantine::new(object_store(self.stack.sdk_config()), output(self.stack, "QuarantineBucket")),
            book: TriggerBook::new(self.triggers.clone(), clock.clone()),
            clock,
        }
    }

    /// A router without a table of states: it can neither read nor write any.
    pub fn without_customers(&self) -> Router {
        let client = aws_sdk_dynamodb::Client::new(self.stack.sdk_config());
        Router { customers: Customers::new(client, "nowhere".to_owned()), ..self.router() }
    }

    /// A router whose calls fail where they write states.
    pub fn failing_commits(&self, fails: Fails) -> Router {
        Router { customers: Customers::new(self.failing(fails), output(self.stack, "CustomersTable")), ..self.router() }
    }

    /// A router whose calls fail where they write records.
    pub fn failing_archive(&self, fails: Fails) -> Router {
        Router { archive: Archive::new(self.failing(fails), output(self.stack, "EventsTable"), 400), ..self.router() }
    }

    fn failing(&self, fails: Fails) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(self.stack.sdk_config()).interceptor(fails).build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    /// A router that cannot enqueue.
    pub fn without_queue(&self) -> Router {
        let config = aws_sdk_sqs::config::Builder::from(self.stack.sdk_config()).interceptor(every("SendMessageBatch")).build();
        let email = Queue::new(aws_sdk_sqs::Client::from_conf(config), self.queue.1.clone());
        let router = self.router();
        Router { queues: Queues { email, ..router.queues }, ..router }
    }

    /// A router that cannot put anything aside.
    pub fn without_quarantine(&self) -> Router {
        Router { quarantine: Quarantine::new(object_store(self.stack.sdk_config()), "nowhere".to_owned()), ..self.router() }
    }

    /// A router whose triggers name a bundle that is not there.
    pub async fn with_a_bundle_that_is_missing(&self) -> Router {
        let triggers = triggers(self.stack).await;
        let head = Head::default().with_next(ContentHash::of(&[b"missing"]), "", self.started, 0);
        triggers.flip(&Head::default(), &head).await.expect("the head is flipped");
        let router = self.router();
        Router { book: TriggerBook::new(triggers, router.clock.clone()), ..router }
    }

    /// Lets time pass for all routers of this world.
    pub fn pass(&self, millis: i64) {
        self.ahead.fetch_add(millis, Ordering::Relaxed);
    }

    /// Handles a batch with time enough, and gives the sequence number from which it comes again.
    pub async fn handle(&self, router: &Router, records: &[StreamRecord]) -> Option<String> {
        let deadline = router.clock.now().plus(60_000);
        router.handle(records, deadline).await.map(|record| record.identifier.clone())
    }

    /// The record of an event, arrived when the world began, `sequence` milliseconds later.
    pub fn record(&self, sequence: u32, customer: &str, event: &Value) -> StreamRecord {
        self.raw(sequence, customer, event.to_string().as_bytes())
    }

    pub fn raw(&self, sequence: u32, key: &str, data: &[u8]) -> StreamRecord {
        StreamRecord {
            shard: self.shard.clone(),
            sequence: SequenceNumber::new(&sequence.to_string()),
            identifier: format!("{sequence:056}"),
            partition_key: key.to_owned(),
            arrival: self.started.plus(i64::from(sequence)),
            data: data.to_vec(),
        }
    }

    /// The same record, in a shard into which that of this world was split.
    pub fn on_a_child(&self, record: StreamRecord) -> StreamRecord {
        StreamRecord { shard: ShardId::new(format!("{}-child", record.shard.as_str())), ..record }
    }

    pub fn event(&self, id: &str, customer: &str, kind: &str, data: &Value) -> Value {
        json!({ "specversion": "1.0", "id": id, "source": "/shop", "type": kind, "time": self.started.to_string(), "subject": customer, "data": data })
    }

    /// An order of a customer who has an address and consented.
    pub fn order(&self, sequence: u32, customer: &str) -> StreamRecord {
        let data = json!({ "customer": { "email": "ana@example.com", "consent": { "marketing": ["email"] } } });
        self.record(sequence, customer, &self.event(&format!("order-{sequence}"), customer, "order.completed", &data))
    }

    /// What was enqueued since it was asked last, in the order of the records that led to it.
    pub async fn enqueued(&self) -> Vec<Message> {
        let bodies = received(self.stack, &self.queue.1).await;
        let mut messages: Vec<_> = bodies.iter().map(|body| Message::parse(body).expect("a message")).collect();
        messages.sort_by(|a, b| (&a.sequence, a.trigger.as_str()).cmp(&(&b.sequence, b.trigger.as_str())));
        messages
    }

    pub async fn put_again(&self) -> Vec<(String, Value)> {
        let records = on_stream(self.stack, &self.stream.1).await;
        records.into_iter().map(|(key, data)| (key, serde_json::from_slice(&data).expect("an event"))).collect()
    }

    /// A customer's state and how often it was written.
    pub async fn state(&self, customer: &str) -> Option<(Customer, u64)> {
        let get = aws_sdk_dynamodb::Client::new(self.stack.sdk_config()).get_item().table_name(output(self.stack, "CustomersTable"));
        let item = get.key("customer", AttributeValue::S(customer.to_owned())).send().await.expect("a table can be read").item?;
        let state = Customer::open(item["state"].as_b().expect("a state is binary").as_ref()).expect("a state can be read");
        Some((state, item["version"].as_n().expect("a version is a number").parse().expect("a version is a number")))
    }

    /// What the archive has of a record.
    pub async fn archived(&self, record: &StreamRecord, subject: &str) -> Option<Recorded> {
        let position = Position::new(record.arrival, &record.sequence);
        let get = aws_sdk_dynamodb::Client::new(self.stack.sdk_config()).get_item().table_name(output(self.stack, "EventsTable"));
        let get =
            get.key("customer", AttributeValue::S(subject.to_owned())).key("position", AttributeValue::S(position.as_str().to_owned()));
        let item = get.send().await.expect("a table can be read").item?;
        Some(Recorded::open(item["record"].as_b().expect("a record is binary").as_ref()).expect("a record can be read"))
    }

    /// Makes a customer's state one that no program can read.
    pub async fn break_state(&self, customer: &str) {
        let put = aws_sdk_dynamodb::Client::new(self.stack.sdk_config()).put_item().table_name(output(self.stack, "CustomersTable"));
        let put = put.item("customer", AttributeValue::S(customer.to_owned())).item("version", AttributeValue::N("1".to_owned()));
        put.item("state", AttributeValue::B(b"broken".to_vec().into())).send().await.expect("an item is written");
    }

    /// What the quarantine has of a record, and its bytes.
    pub async fn quarantined(&self, record: &StreamRecord) -> Option<(Quarantined, Vec<u8>)> {
        let key = format!("{}/{}", record.shard.as_str(), record.sequence);
        let get = object_store(self.stack.sdk_config()).get_object().bucket(output(self.stack, "QuarantineBucket")).key(key);
        let body = get.send().await.ok()?.body.collect().await.expect("an object can be read").into_bytes();
        let record: Quarantined = serde_json::from_slice(&body).expect("a quarantined record");
        let bytes = STANDARD.decode(&record.data).expect("base64");
        Some((record, bytes))
    }
}
