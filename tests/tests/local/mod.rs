//! Two AWS for all tests of a file, and what a test has for itself in them: no test sees another's data.
//!
//! Each test runs in both: in the AWS of this process, which the fault simulation uses, and in the local stack. So the one
//! cannot drift from the other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws::{Clock, Queue, Stream, Triggers};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_sdk_kinesis::types::ShardIteratorType;
use cloud::Cloud;
use event::Time;
use testkit::{LocalStack, Options};
use tokio::runtime::Runtime;

pub struct Local {
    // One runtime for all tests, because the connections of a client die with the runtime that opened them.
    pub runtime: Runtime,
    pub places: [Place; 2],
    // It ends with the process.
    pub _stack: LocalStack,
}

/// Where a test runs.
#[derive(Debug)]
pub struct Place {
    sdk: SdkConfig,
    outputs: BTreeMap<String, String>,
}

impl Place {
    /// What the clients of this AWS are made from.
    pub fn sdk_config(&self) -> &SdkConfig {
        &self.sdk
    }
}

pub static LOCAL: LazyLock<Local> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime starts");
    let stack = runtime.block_on(LocalStack::start(Options::default(), &mut |step| eprintln!("{step}"))).expect("the local stack starts");
    let deployed = Place { sdk: stack.sdk_config().clone(), outputs: stack.outputs().all().clone() };
    Local { runtime, places: [in_this_process(), deployed], _stack: stack }
});

/// What the template has of stores, in the AWS of this process.
fn in_this_process() -> Place {
    let cloud = Arc::new(Cloud::new(|| Clock::system().now().millis()));
    let mut outputs = BTreeMap::new();
    for (name, hash, range) in [
        ("CustomersTable", "customer", None),
        ("EventsTable", "customer", Some("position")),
        ("DeliveriesTable", "customer", Some("delivery")),
        ("SuppressionsTable", "subject", None),
        ("StatisticsTable", "trigger", Some("hour")),
    ] {
        cloud.create_table(name, hash, range);
        outputs.insert(name.to_owned(), name.to_owned());
    }
    cloud.create_index("DeliveriesTable", "TextMessages", "text_message");
    outputs.insert("FeedbackQueueUrl".to_owned(), cloud.create_queue("feedback", 180, 4, None));
    cloud.create_bucket("quarantine");
    outputs.insert("QuarantineBucket".to_owned(), "quarantine".to_owned());
    Place { sdk: cloud.sdk_config(), outputs }
}

/// Runs a test, in one AWS after the other.
pub fn run(test: impl AsyncFn(&'static Place)) {
    for place in &LOCAL.places {
        LOCAL.runtime.block_on(test(place));
    }
}

/// A name that no other test has.
pub fn unique(kind: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{kind}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The machine's time, from which tests count.
pub fn now() -> Time {
    Clock::system().now()
}

pub fn output(stack: &Place, name: &str) -> String {
    stack.outputs.get(name).expect("the template has the output").clone()
}

/// A table of triggers in which nothing was applied yet.
pub async fn triggers(stack: &Place) -> Triggers {
    let client = aws_sdk_dynamodb::Client::new(stack.sdk_config());
    let table = unique("triggers");
    let mut create = client.create_table().table_name(&table).billing_mode(BillingMode::PayPerRequest);
    for (name, kind, key) in [("trigger", ScalarAttributeType::S, KeyType::Hash), ("version", ScalarAttributeType::N, KeyType::Range)] {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().expect("an attribute");
        let key = KeySchemaElement::builder().attribute_name(name).key_type(key).build().expect("a key");
        create = create.attribute_definitions(attribute).key_schema(key);
    }
    create.send().await.expect("a table is made");
    Triggers::new(client, table)
}

/// A queue that is empty, and its URL.
pub async fn queue(stack: &Place) -> (Queue, String) {
    let client = aws_sdk_sqs::Client::new(stack.sdk_config());
    let made = client.create_queue().queue_name(unique("queue")).send().await.expect("a queue is made");
    let url = made.queue_url.expect("a queue has a URL");
    (Queue::new(client, url.clone()), url)
}

/// Takes everything off a queue that can be received now.
pub async fn received(stack: &Place, url: &str) -> Vec<String> {
    let client = aws_sdk_sqs::Client::new(stack.sdk_config());
    let mut bodies = Vec::new();
    loop {
        let answer = client.receive_message().queue_url(url).max_number_of_messages(10).send().await.expect("a queue can be read");
        let messages = answer.messages.unwrap_or_default();
        if messages.is_empty() {
            return bodies;
        }
        bodies.extend(messages.into_iter().filter_map(|message| message.body));
    }
}

/// A stream that is empty, and its name.
pub async fn stream(stack: &Place) -> (Stream, String) {
    let client = aws_sdk_kinesis::Client::new(stack.sdk_config());
    let name = unique("stream");
    client.create_stream().stream_name(&name).shard_count(1).send().await.expect("a stream is made");
    for _ in 0..100 {
        let summary = client.describe_stream_summary().stream_name(&name).send().await.expect("a stream can be described");
        if summary.stream_description_summary.is_some_and(|stream| stream.stream_status.as_str() == "ACTIVE") {
            return (Stream::new(client, name.clone()), name);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    unreachable!("a stream becomes active")
}

/// Everything that was ever put onto a stream of [`stream`]: partition keys and data.
pub async fn on_stream(stack: &Place, name: &str) -> Vec<(String, Vec<u8>)> {
    let client = aws_sdk_kinesis::Client::new(stack.sdk_config());
    let shards = client.list_shards().stream_name(name).send().await.expect("shards can be listed").shards.unwrap_or_default();
    let mut records = Vec::new();
    for shard in shards {
        let iterator =
            client.get_shard_iterator().stream_name(name).shard_id(shard.shard_id).shard_iterator_type(ShardIteratorType::TrimHorizon);
        let mut next = iterator.send().await.expect("an iterator").shard_iterator;
        while let Some(iterator) = next {
            let page = client.get_records().shard_iterator(iterator).send().await.expect("records can be read");
            next = page.next_shard_iterator.filter(|_| !page.records.is_empty());
            records.extend(page.records.into_iter().map(|record| (record.partition_key.unwrap_or_default(), record.data.into_inner())));
        }
    }
    records
}
