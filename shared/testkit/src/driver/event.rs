//! The events that Lambda hands to a function, field by field.

use aws_sdk_sqs::types::Message;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event_source::{Batch, Origin, Record, stream_payload};
use serde_json::{Map, Value, json};

use super::mapping::Mapping;
use super::pace::Arrivals;
use crate::REGION;

/// The event for a batch of a shard. `role_arn` is the function's role, as which the pollers read.
pub(super) fn of_stream(mapping: &Mapping, shard: &str, role_arn: &str, batch: &Batch, arrivals: Arrivals) -> Value {
    let origin = Origin { stream_arn: &mapping.source_arn, shard, role_arn, region: REGION };
    stream_payload(origin, batch.records.iter().map(|record| (record.as_ref(), arrival(record, arrivals))))
}

fn arrival(record: &Record, arrivals: Arrivals) -> i64 {
    let claimed = || {
        let event: Value = serde_json::from_slice(&record.data).ok()?;
        DateTime::from_str(event.get("arrival")?.as_str()?, Format::DateTime).ok()?.to_millis().ok()
    };
    match arrivals {
        Arrivals::AsTheyWere => record.arrived,
        Arrivals::AsTheyClaim => claimed().unwrap_or(record.arrived),
    }
}

/// The event for a batch of a queue.
pub(super) fn of_queue(source_arn: &str, messages: &[Message]) -> Value {
    let message = |message: &Message| {
        let attributes: Map<String, Value> =
            message.attributes().into_iter().flatten().map(|(name, value)| (name.as_str().to_owned(), json!(value))).collect();
        let message_attributes: Map<String, Value> = message
            .message_attributes()
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                let value = json!({
                    "stringValue": value.string_value(),
                    "binaryValue": value.binary_value().map(|bytes| STANDARD.encode(bytes)),
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": value.data_type(),
                });
                (name.clone(), value)
            })
            .collect();
        json!({
            "messageId": message.message_id(),
            "receiptHandle": message.receipt_handle(),
            "body": message.body(),
            "attributes": attributes,
            "messageAttributes": message_attributes,
            "md5OfBody": message.md5_of_body(),
            "eventSource": "aws:sqs",
            "eventSourceARN": source_arn,
            "awsRegion": REGION,
        })
    };
    json!({ "Records": messages.iter().map(message).collect::<Vec<Value>>() })
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::sqs::SqsEvent;
    use event_source::Sequence;

    use super::*;

    #[test]
    fn a_record_is_told_to_have_arrived_when_it_says_so() {
        let record = |data: &str| Record {
            sequence: Sequence::from("49".to_owned()),
            partition_key: "c1".to_owned(),
            data: data.as_bytes().to_vec(),
            arrived: 7,
        };
        assert_eq!(arrival(&record(r#"{"arrival":"2026-03-01T10:00:00.250Z"}"#), Arrivals::AsTheyClaim), 1_772_359_200_250);
        assert_eq!(arrival(&record(r#"{"arrival":"2026-03-01T10:00:00.250Z"}"#), Arrivals::AsTheyWere), 7);
        for data in [r#"{"arrival":5}"#, r#"{"arrival":"soon"}"#, "{}", "no json"] {
            assert_eq!(arrival(&record(data), Arrivals::AsTheyClaim), 7, "{data}");
        }
    }

    #[test]
    fn a_functions_own_types_read_the_queue_event() {
        use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeName};
        let attribute = MessageAttributeValue::builder().data_type("String").string_value("v").build().unwrap();
        let message = Message::builder()
            .message_id("m")
            .receipt_handle("r")
            .body("b")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "2")
            .message_attributes("a", attribute)
            .build();
        let event: SqsEvent = serde_json::from_value(of_queue("arn:q", &[message])).unwrap();
        let message = &event.records[0];
        assert_eq!(message.attributes["ApproximateReceiveCount"], "2");
        assert_eq!(message.message_attributes["a"].string_value.as_deref(), Some("v"));
    }
}
