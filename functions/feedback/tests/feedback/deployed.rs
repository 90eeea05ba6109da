//! The function as it is deployed: its queue, its role, its environment, and what CloudWatch Logs invokes it with.

use std::io::Write;
use std::time::Duration;

use aws::Ledger;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use decision::Outcome;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use testkit::{Driver, LocalStack};
use trigger::Channel::Email;

use crate::local::{Place, output};
use crate::local_deployed::run_deployed;
use crate::world::{World, dynamodb};

/// The types of the events that the archive has of a customer.
async fn archived(stack: &Place, customer: &str) -> Vec<String> {
    let query = dynamodb(stack).query().table_name(output(stack, "EventsTable")).consistent_read(true);
    let query = query.key_condition_expression("customer = :customer");
    let query = query.expression_attribute_values(":customer", AttributeValue::S(customer.to_owned()));
    let items = query.send().await.expect("the archive can be read").items.unwrap_or_default();
    items.iter().filter_map(|item| aws::get_text(item, "type").map(str::to_owned)).collect()
}

/// One after the other, since there is one queue.
#[test]
fn the_deployed_function_takes_its_queue_and_its_log() {
    run_deployed(async |place, stack| {
        an_event_of_ses_on_the_queue_ends_in_every_table_and_in_the_archive(place, stack).await;
        lines_of_a_log_are_put_onto_the_queue_to_be_received_later(place).await;
    });
}

async fn an_event_of_ses_on_the_queue_ends_in_every_table_and_in_the_archive(stack: &'static Place, local: &LocalStack) {
    let world = World::new(stack, Email, &[]).await;
    let (sqs, url) = (aws_sdk_sqs::Client::new(stack.sdk_config()), output(stack, "FeedbackQueueUrl"));
    for name in ["ses-subscription-all", "ses-bounce-permanent", "ses-bounce-permanent", "ses-delivery"] {
        sqs.send_message().queue_url(&url).message_body(world.mail(name).to_string()).send().await.expect("it works");
    }
    let driver = Driver::start(local).await.expect("it works");
    driver.wait_until_idle(Duration::from_millis(500), Duration::from_secs(120)).await.expect("it works");
    assert_eq!(driver.function_errors(), Vec::<String>::new());
    driver.stop().await;

    let customer = world.message.customer.as_str();
    let ledger = Ledger::new(dynamodb(stack), output(stack, "DeliveriesTable"), 365);
    let record = ledger.read(&world.message.customer, world.message.delivery).await.expect("the ledger can be read").expect("an entry");
    assert_eq!(record.outcome(), Some(&Outcome::Sent { provider_id: world.provider_id.clone() }));
    assert_eq!(record.facts.len(), 3);
    let marks: Vec<_> = world.suppressed().await.0.into_keys().collect();
    assert_eq!(marks, ["bounce#email#*", "withdrawal#email#*"]);
    assert_eq!(world.counted().await["2026-03-01T10"]["bounced"], 1);
    let mut types = archived(stack, customer).await;
    types.sort();
    types.dedup();
    assert_eq!(types, ["consent.withdrawn", "email.bounced", "email.unsubscribed", "order.completed"]);
}

async fn lines_of_a_log_are_put_onto_the_queue_to_be_received_later(stack: &Place) {
    let logs = json!({ "messageType": "DATA_MESSAGE", "logEvents": [{ "id": "1", "timestamp": 1, "message": "{\"a\":1}" }, { "id": "2", "timestamp": 2, "message": "{\"b\":2}" }] });
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(logs.to_string().as_bytes()).expect("it packs");
    let payload = json!({ "awslogs": { "data": STANDARD.encode(encoder.finish().expect("it packs")) } });
    let lambda = aws_sdk_lambda::Client::new(stack.sdk_config());
    let invoke = lambda.invoke().function_name(output(stack, "FeedbackFunction"));
    let answer = invoke.payload(aws_sdk_lambda::primitives::Blob::new(payload.to_string())).send().await.expect("it works");
    assert_eq!(answer.function_error(), None, "{:?}", answer.payload());

    let (sqs, url) = (aws_sdk_sqs::Client::new(stack.sdk_config()), output(stack, "FeedbackQueueUrl"));
    let delayed = QueueAttributeName::ApproximateNumberOfMessagesDelayed;
    let attributes = sqs.get_queue_attributes().queue_url(&url).attribute_names(delayed.clone()).send().await.expect("it works");
    assert_eq!(attributes.attributes().and_then(|attributes| attributes.get(&delayed)).map(String::as_str), Some("2"));
}
