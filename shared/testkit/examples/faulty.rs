//! A function that fails as it is told, for the tests of the driver.
//!
//! Each record or message is `{"id": "a", "fail": "report" | "throw", "times": 2}`: it is counted under its id in a
//! table, and fails that way the first so many times. A record that is not told to fail only counts.

use std::env;

use anyhow::{Context, bail};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Order {
    id: String,
    #[serde(default)]
    fail: Option<String>,
    #[serde(default)]
    times: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::v2026_01_12()).await;
    let client = aws_sdk_dynamodb::Client::new(&config);
    let table = env::var("ATTEMPTS_TABLE")?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| {
        let (client, table) = (&client, &table);
        async move { handle(client, table, &event.payload).await.map_err(|error| lambda_runtime::Error::from(format!("{error:#}"))) }
    }))
    .await
}

async fn handle(client: &aws_sdk_dynamodb::Client, table: &str, event: &Value) -> anyhow::Result<Value> {
    let records = event.get("Records").and_then(Value::as_array).context("an event has records")?;
    let mut failures = Vec::new();
    for record in records {
        let ordered = is_ordered(record);
        let (identifier, order) = read(record)?;
        if attempts(client, table, &order.id).await? > order.times {
            continue;
        }
        match order.fail.as_deref() {
            Some("throw") => bail!("told to throw at {}", order.id),
            Some(_) => failures.push(json!({ "itemIdentifier": identifier })),
            None => (),
        }
        if ordered && !failures.is_empty() {
            break; // What follows on a stream is tried again whatever is done with it now.
        }
    }
    Ok(json!({ "batchItemFailures": failures }))
}

fn is_ordered(record: &Value) -> bool {
    record.get("kinesis").is_some()
}

fn read(record: &Value) -> anyhow::Result<(String, Order)> {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str).with_context(|| format!("a record has {pointer}"));
    if is_ordered(record) {
        let data = STANDARD.decode(text("/kinesis/data")?)?;
        Ok((text("/kinesis/sequenceNumber")?.to_owned(), serde_json::from_slice(&data)?))
    } else {
        Ok((text("/messageId")?.to_owned(), serde_json::from_str(text("/body")?)?))
    }
}

/// Counts this attempt, and says which it is.
async fn attempts(client: &aws_sdk_dynamodb::Client, table: &str, id: &str) -> anyhow::Result<u64> {
    let updated = client
        .update_item()
        .table_name(table)
        .key("id", AttributeValue::S(id.to_owned()))
        .update_expression("ADD attempts :one")
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .return_values(ReturnValue::UpdatedNew)
        .send()
        .await?;
    let attempts = updated.attributes().and_then(|attributes| attributes.get("attempts")).context("an update returns what it set")?;
    let AttributeValue::N(attempts) = attempts else { bail!("a count is a number") };
    Ok(attempts.parse()?)
}
