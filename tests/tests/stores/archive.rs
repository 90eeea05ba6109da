//! The archive: what is recorded first stands.

use aws::{Archive, Archived, StoreError};
use aws_sdk_dynamodb::types::AttributeValue;
use decision::{Decided, Recorded};
use event::{SequenceNumber, ShardId};
use serde_json::json;

use crate::local::{Place, now, output, run};
use crate::{decided, event, message};

fn client(stack: &Place) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(stack.sdk_config())
}

fn archive(stack: &Place) -> Archive {
    Archive::new(client(stack), output(stack, "EventsTable"), 400)
}

#[test]
fn a_second_put_brings_back_what_was_decided_first() {
    run(async |stack| {
        let (archive, message) = (archive(stack), message());
        let subject = message.customer.as_str();
        let input = event(&message.customer, "customer.signed_up", now(), &json!({ "plan": "free" }));
        let recorded = |decided| Recorded::new(input.clone(), now(), ShardId::new("shard"), SequenceNumber::new("1"), decided);
        let first = recorded(decided(&message));
        assert_eq!(archive.put(subject, &message.position, "customer.signed_up", &first).await.unwrap(), Archived::First);
        let second = recorded(Decided { now: now(), generation: 2, repeat: false, decisions: Vec::new(), remember: None });
        let before = archive.put(subject, &message.position, "customer.signed_up", &second).await.unwrap();
        assert_eq!(before, Archived::Before(Box::new(first)));
    });
}

#[test]
fn what_was_decided_can_be_read_beside_the_record() {
    run(async |stack| {
        let (archive, message) = (archive(stack), message());
        let arrival = now();
        let recorded = Recorded::new(b"{}".to_vec(), arrival, ShardId::new("shard"), SequenceNumber::new("1"), decided(&message));
        archive.put(message.customer.as_str(), &message.position, "customer.signed_up", &recorded).await.unwrap();
        let get = client(stack).get_item().table_name(output(stack, "EventsTable"));
        let get = get
            .key("customer", AttributeValue::S(message.customer.to_string()))
            .key("position", AttributeValue::S(message.position.as_str().to_owned()));
        let item = get.send().await.unwrap().item.unwrap();
        assert_eq!(item["type"], AttributeValue::S("customer.signed_up".to_owned()));
        assert_eq!(item["decisions"], AttributeValue::L(vec![AttributeValue::S("welcome@1/0=deliver".to_owned())]));
        assert_eq!(item["generation"], AttributeValue::N("1".to_owned()));
        let in_400_days = arrival.plus(400 * 86_400_000).millis() / 1_000;
        assert_eq!(item["expires_at"], AttributeValue::N(in_400_days.to_string()));
    });
}

#[test]
fn a_record_that_cannot_be_read_is_an_error_without_its_content() {
    run(async |stack| {
        let (archive, message) = (archive(stack), message());
        let put = client(stack).put_item().table_name(output(stack, "EventsTable"));
        let put = put
            .item("customer", AttributeValue::S(message.customer.to_string()))
            .item("position", AttributeValue::S(message.position.as_str().to_owned()));
        put.item("record", AttributeValue::B(b"ana@example.com".to_vec().into())).send().await.unwrap();
        let recorded = Recorded::new(b"{}".to_vec(), now(), ShardId::new("shard"), SequenceNumber::new("1"), decided(&message));
        let error = archive.put(message.customer.as_str(), &message.position, "x", &recorded).await.unwrap_err();
        assert!(matches!(error, StoreError::Unreadable { .. }) && error.is_about_the_data(), "{error}");
        assert!(!format!("{error}{error:?}").contains("ana"), "{error:?}");
    });
}
