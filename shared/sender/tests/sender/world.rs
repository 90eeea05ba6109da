//! What one test has: a customer who ordered something, the delivery that follows, and a sender.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use aws::{
    AddressKey, Archive, Clock, Customers, DeliveryReads, Ledger, Loaded, Queue, Secret, StoredTemplate, Stream, TriggerBook, Triggers,
};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use customer::{Customer, Evolved, Input, decide, evolve};
use decision::Recorded;
use delivery::{Message, Recipients};
use event::{CustomerId, Event, SequenceNumber, ShardId, Time};
use futures::future::BoxFuture;
use sender::{Breakers, Failure, Handled, Sender};
use serde_json::{Value, json};
use trigger::{Bundle, BundleEntry, Exposure, Mode, Published, TriggerSet, Version};

use crate::faults::Fails;
use crate::local::{Place, now, on_stream, output, queue, received, stream, triggers, unique};
use crate::provider::Script;
use crate::virtual_queue::PutBack;

pub struct World {
    stack: &'static Place,
    pub sender: Sender<Script>,
    pub customer: CustomerId,
    pub message: Message,
    started: Time,
    ahead: Arc<AtomicI64>,
    attempts: AtomicU32,
    state: Customer,
    entry: BundleEntry,
    triggers: Triggers,
    queue_url: String,
    stream_name: String,
}

/// `class: marketing` is sent at most once, `class: transactional` at least once, unless the class says otherwise.
async fn entry(triggers: &Triggers, class: &str) -> BundleEntry {
    let text = format!("trigger: thanks\non: order.completed\nthen:\n  - email: {{ template: thanks, class: {class}, valid_for: 6h }}\n");
    let trigger = trigger::parse("thanks.yaml", &text).expect("a valid trigger");
    let template = StoredTemplate { subject: Some("Hello".to_owned()), text: Some("Hi".to_owned()), ..StoredTemplate::default() };
    triggers.put_template(&template).await.expect("a template is written");
    let templates: BTreeMap<_, _> = trigger.templates().into_iter().map(|name| (name.clone(), template.hash())).collect();
    triggers
        .publish(&Published { trigger: trigger.clone(), version: Version::FIRST, templates: templates.clone() })
        .await
        .expect("a version");
    BundleEntry { trigger, version: Version::FIRST, exposure: Exposure::FULL, declared: Exposure::FULL, templates }
}

impl World {
    /// A delivery of this class that is archived and committed.
    pub async fn new(stack: &'static Place, class: &str) -> Self {
        let world = Self::uncommitted(stack, class).await;
        world.commit().await;
        world
    }

    /// One whose cause is archived and not committed yet.
    pub async fn uncommitted(stack: &'static Place, class: &str) -> Self {
        let (started, triggers) = (now(), triggers(stack).await);
        let entry = entry(&triggers, class).await;
        let customer = CustomerId::parse(&unique("c")).expect("a customer's id");
        let input = order(&customer, started);
        let set = TriggerSet::new(1, std::iter::once(entry.clone()).collect::<Bundle>());
        let decided = decide(&Customer::default(), &input, &set).expect("it can be decided");
        let Evolved::Changed(state) = evolve(&Customer::default(), &input, &decided) else { unreachable!("a delivery changes the state") };
        let (decision, deliver) = decided.deliveries().next().expect("a delivery follows");
        let message = Message {
            delivery: deliver.id,
            customer: customer.clone(),
            position: input.position(),
            shard: input.shard().clone(),
            sequence: input.sequence().clone(),
            trigger: decision.trigger.clone(),
            version: decision.version,
            run: decision.run,
            step: decision.step.clone().expect("a delivery has a step"),
            channel: deliver.channel,
            not_before: deliver.not_before,
            not_after: deliver.not_after,
            waits: 0,
        };
        let (bytes, shard) = (order_bytes(&customer, started), input.shard().clone());
        let cause = Recorded::new(bytes, input.arrival(), shard, input.sequence().clone(), decided.clone());
        let archive = Archive::new(dynamodb(stack), output(stack, "EventsTable"), 400);
        archive.put(customer.as_str(), &message.position, "order.completed", &cause).await.expect("a record is archived");

        let ((queue, queue_url), (stream, stream_name), ahead) = (queue(stack).await, stream(stack).await, Arc::<AtomicI64>::default());
        let sender = sender(stack, &triggers, queue, stream, clock(started, &ahead)).await;
        let attempts = AtomicU32::new(0);
        let world = Self { stack, sender, customer, message, started, ahead, attempts, state, entry, triggers, queue_url, stream_name };
        world.set_mode(Some(Mode::Live)).await;
        world
    }

    pub async fn commit(&self) {
        let customers = Customers::new(dynamodb(self.stack), output(self.stack, "CustomersTable"));
        customers.commit(&self.customer, &Loaded::default(), &self.state).await.expect("a state is written");
    }

    /// What a later event of the customer does to the state that is committed.
    pub async fn then(&self, kind: &str, data: &Value) {
        let at = self.now();
        let event = json!({ "specversion": "1.0", "id": "e2", "source": "/shop", "type": kind, "time": at.to_string(), "subject": self.customer.as_str(), "data": data });
        let event = Event::parse(event.to_string().as_bytes()).expect("an event");
        let input = Input::new(self.customer.clone(), event, at, ShardId::new("shard"), SequenceNumber::new("8")).expect("an input");
        let decided = decide(&self.state, &input, &TriggerSet::default()).expect("it can be decided");
        let Evolved::Changed(state) = evolve(&self.state, &input, &decided) else { unreachable!("the event changes the state") };
        let customers = Customers::new(dynamodb(self.stack), output(self.stack, "CustomersTable"));
        let mut loaded = customers.load(std::slice::from_ref(&self.customer)).await.expect("a table can be read");
        let loaded = loaded.remove(&self.customer).expect("each id is answered").expect("a state can be read");
        customers.commit(&self.customer, &loaded, &state).await.expect("a state is written");
    }

    /// The customer's state, written once more by somebody else.
    pub fn moving(&self) -> BoxFuture<'static, ()> {
        let (stack, customer) = (self.stack, self.customer.clone());
        Box::pin(async move {
            let customers = Customers::new(dynamodb(stack), output(stack, "CustomersTable"));
            let mut loaded = customers.load(std::slice::from_ref(&customer)).await.expect("a table can be read");
            let loaded = loaded.remove(&customer).expect("each id is answered").expect("a state can be read");
            customers.commit(&customer, &loaded, &loaded.customer).await.expect("a state is written");
        })
    }

    /// Sets the trigger's mode, or takes the trigger out.
    pub async fn set_mode(&self, mode: Option<Mode>) {
        let head = self.triggers.head().await.expect("the head can be read");
        let entry = mode.map(|mode| BundleEntry { exposure: Exposure { mode, ..Exposure::FULL }, ..self.entry.clone() });
        let bundle = self.triggers.put_bundle(&entry.into_iter().collect::<Bundle>()).await.expect("a bundle is written");
        self.triggers.flip(&head, &head.with_next(bundle, "", self.now(), 0)).await.expect("the head is flipped");
    }

    pub async fn suppress(&self, mark: &str, at: Time) {
        let put = dynamodb(self.stack).put_item().table_name(output(self.stack, "SuppressionsTable"));
        let put = put.item("subject", AttributeValue::S(format!("customer#{}", self.customer)));
        put.item(mark, AttributeValue::N(at.millis().to_string())).send().await.expect("a suppression is written");
    }

    pub async fn forget_the_event(&self) {
        let delete = dynamodb(self.stack).delete_item().table_name(output(self.stack, "EventsTable"));
        let delete = delete.key("customer", AttributeValue::S(self.customer.to_string()));
        delete.key("position", AttributeValue::S(self.message.position.as_str().to_owned())).send().await.expect("an item is deleted");
    }

    pub fn now(&self) -> Time {
        self.started.plus(self.ahead.load(Ordering::Relaxed))
    }

    pub fn pass(&self, millis: i64) {
        self.ahead.fetch_add(millis, Ordering::Relaxed);
    }

    /// One attempt by an owner of its own.
    pub async fn handle(&self) -> Result<Handled, Failure> {
        self.handle_message(&self.message).await
    }

    /// The same with another delivery to the same customer.
    pub async fn handle_message(&self, message: &Message) -> Result<Handled, Failure> {
        let owner = format!("request-{}/0", self.attempts.fetch_add(1, Ordering::Relaxed));
        self.sender.handle(&message.to_text(), &owner, self.now().plus(30_000)).await
    }

    pub fn calls(&self) -> usize {
        self.sender.provider.calls()
    }

    /// Another process's sender whose calls fail where they write to the ledger.
    pub fn failing_ledger(&mut self, fails: Fails) {
        let config = aws_sdk_dynamodb::config::Builder::from(self.stack.sdk_config()).interceptor(fails).build();
        self.sender.ledger = ledger(self.stack, aws_sdk_dynamodb::Client::from_conf(config));
    }

    pub fn healthy_ledger(&mut self) {
        self.sender.ledger = ledger(self.stack, dynamodb(self.stack));
    }

    pub fn stream_to(&mut self, name: Option<&str>) {
        let name = name.unwrap_or(&self.stream_name).to_owned();
        self.sender.stream = Stream::new(aws_sdk_kinesis::Client::new(self.stack.sdk_config()), name);
    }

    /// The deliveries that can be received from the queue now, each with how often it waited.
    pub async fn waiting(&self) -> Vec<(String, u32)> {
        let bodies = received(self.stack, &self.queue_url).await;
        let messages = bodies.iter().map(|body| Message::parse(body).expect("a message"));
        messages.map(|message| (message.delivery.to_string(), message.waits)).collect()
    }

    /// How many deliveries are put back and cannot be received yet.
    pub async fn waiting_later(&self) -> usize {
        let attributes = aws_sdk_sqs::Client::new(self.stack.sdk_config()).get_queue_attributes().queue_url(&self.queue_url);
        let attributes = attributes.attribute_names(QueueAttributeName::All).send().await.expect("a queue has attributes").attributes;
        let count = |name| attributes.as_ref().and_then(|all| all.get(&name)?.parse::<usize>().ok()).unwrap_or_default();
        count(QueueAttributeName::ApproximateNumberOfMessagesDelayed) + count(QueueAttributeName::ApproximateNumberOfMessages)
    }

    /// Why the ledger says that the delivery was given back.
    pub async fn ledger_s_cause(&self) -> String {
        let get = dynamodb(self.stack).get_item().table_name(output(self.stack, "DeliveriesTable"));
        let get = get.key("customer", AttributeValue::S(self.customer.to_string()));
        let get = get.key("delivery", AttributeValue::S(self.message.delivery.to_string()));
        let item = get.send().await.expect("the ledger can be read").item.expect("an entry");
        item.get("cause").and_then(|cause| cause.as_s().ok()).cloned().unwrap_or_default()
    }

    /// Everything that is put back is told, too.
    pub fn watch_queue(&mut self, put_back: PutBack) {
        let config = aws_sdk_sqs::config::Builder::from(self.stack.sdk_config()).interceptor(put_back).build();
        self.sender.queue = Queue::new(aws_sdk_sqs::Client::from_conf(config), self.queue_url.clone());
    }

    pub fn queue_to(&mut self, url: &str) {
        let config = aws_sdk_sqs::config::Builder::from(self.stack.sdk_config()).endpoint_url(url).build();
        self.sender.queue = Queue::new(aws_sdk_sqs::Client::from_conf(config), url.to_owned());
    }

    /// The events that were put onto the stream, each under its customer's key.
    pub async fn told(&self) -> Vec<Value> {
        let records = on_stream(self.stack, &self.stream_name).await;
        let event = |(key, data): (String, Vec<u8>)| {
            assert_eq!(key, self.customer.as_str());
            Event::parse(&data).expect("an event that the router takes");
            serde_json::from_slice(&data).expect("JSON")
        };
        records.into_iter().map(event).collect()
    }
}

fn dynamodb(stack: &Place) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(stack.sdk_config())
}

fn ledger(stack: &Place, client: aws_sdk_dynamodb::Client) -> Ledger {
    Ledger::new(client, output(stack, "DeliveriesTable"), 90)
}

fn clock(started: Time, ahead: &Arc<AtomicI64>) -> Clock {
    let ahead = Arc::clone(ahead);
    Clock::new(move || started.plus(ahead.load(Ordering::Relaxed)))
}

async fn sender(stack: &Place, triggers: &Triggers, queue: Queue, stream: Stream, clock: Clock) -> Sender<Script> {
    let secrets = aws_sdk_secretsmanager::Client::new(stack.sdk_config());
    let name = unique("secret");
    secrets.create_secret().name(&name).secret_string("key").send().await.expect("a secret is made");
    let key = AddressKey::new(Secret::read(&secrets, &name).await.expect("a secret can be read"));
    let [customers, events, suppressions] = ["CustomersTable", "EventsTable", "SuppressionsTable"].map(|name| output(stack, name));
    Sender {
        provider: Script::default(),
        reads: DeliveryReads::new(dynamodb(stack), customers, events, suppressions, Some(key)),
        ledger: ledger(stack, dynamodb(stack)),
        queue,
        stream,
        book: TriggerBook::new(triggers.clone(), clock.clone()),
        clock,
        unsubscribe_url: Some("https://example.com/u?c={customer}&d={delivery}".to_owned()),
        recipients: Recipients::Everybody,
        breakers: Breakers::default(),
    }
}

fn order_bytes(customer: &CustomerId, at: Time) -> Vec<u8> {
    let profile = json!({ "email": "ana@example.com", "consent": { "marketing": ["email"] } });
    let event = json!({ "specversion": "1.0", "id": "order-1", "source": "/shop", "type": "order.completed", "time": at.to_string(),
        "subject": customer.as_str(), "data": { "customer": profile } });
    event.to_string().into_bytes()
}

fn order(customer: &CustomerId, at: Time) -> Input {
    let event = Event::parse(&order_bytes(customer, at)).expect("an event");
    Input::new(customer.clone(), event, at, ShardId::new("shard"), SequenceNumber::new("7")).expect("an input")
}
