//! The events that Lambda hands to a function, field by field.

use aws_sdk_sqs::types::Message;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::batch::{Batch, Record};
use super::mapping::Mapping;
use super::pace::Arrivals;
use crate::REGION;

/// The event for a batch of a shard. `role_arn` is the function's role, as which the pollers read.
pub(super) fn of_stream(mapping: &Mapping, shard: &str, role_arn: &str, batch: &Batch, arrivals: Arrivals) -> Value {
    let record = |record: &Record| {
        // At most three decimals: more than that is not a time to the function's parser.
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
        let arrived = arrival(record, arrivals) as f64 / 1_000.0;
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record.partition_key,
                "sequenceNumber": record.sequence.as_str(),
                "data": STANDARD.encode(&record.data),
                "approximateArrivalTimestamp": arrived,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("{shard}:{}", record.sequence),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": role_arn,
            "awsRegion": REGION,
            "eventSourceARN": mapping.source_arn,
        })
    };
    json!({ "Records": batch.records.iter().map(|one| record(one)).collect::<Vec<Value>>() })
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
pub(super) fn of_queue(mapping: &Mapping, messages: &[Message]) -> Value {
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
            "eventSourceARN": mapping.source_arn,
            "awsRegion": REGION,
        })
    };
    json!({ "Records": messages.iter().map(message).collect::<Vec<Value>>() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use aws_lambda_events::kinesis::KinesisEvent;
    use aws_lambda_events::sqs::SqsEvent;

    use super::*;
    use crate::driver::checkpoint::Sequence;
    use crate::driver::mapping::{QueueSettings, Source};

    fn mapping() -> Mapping {
        Mapping {
            id: "u".to_owned(),
            name: "events -> router".to_owned(),
            function_arn: "f".to_owned(),
            source_arn: "arn:aws:kinesis:eu-central-1:1:stream/events".to_owned(),
            batch_size: 1,
            window: Duration::ZERO,
            reports_failures: true,
            source: Source::Queue(QueueSettings { concurrency: None }),
        }
    }

    #[test]
    fn a_functions_own_types_read_the_stream_event() {
        let record = Record {
            sequence: Sequence::from("49".to_owned()),
            partition_key: "c1".to_owned(),
            data: b"{}".to_vec(),
            arrived: 1_545_084_650_987,
        };
        let event = of_stream(&mapping(), "shardId-000000000000", "role", &Batch::new(vec![Arc::new(record)]), Arrivals::AsTheyWere);
        assert!(event.to_string().contains("1545084650.987}"), "{event}");
        let event: KinesisEvent = serde_json::from_value(event).unwrap();
        let record = &event.records[0];
        assert_eq!(record.event_id.as_deref(), Some("shardId-000000000000:49"));
        assert_eq!(record.kinesis.data.0, b"{}");
        assert_eq!(record.kinesis.approximate_arrival_timestamp.0.timestamp_millis(), 1_545_084_650_987);
    }

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
        let event: SqsEvent = serde_json::from_value(of_queue(&mapping(), &[message])).unwrap();
        let message = &event.records[0];
        assert_eq!(message.attributes["ApproximateReceiveCount"], "2");
        assert_eq!(message.message_attributes["a"].string_value.as_deref(), Some("v"));
    }
}
