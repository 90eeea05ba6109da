//! The event that a function is invoked with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::batch::Record;

/// Where a batch of a stream comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    pub stream_arn: &'a str,
    pub shard: &'a str,
    /// The function's role, as which the pollers read.
    pub role_arn: &'a str,
    pub region: &'a str,
}

/// The payload for records of a shard, with the arrival that each is said to have, in milliseconds.
#[must_use]
pub fn stream_payload<'a>(origin: Origin<'_>, records: impl IntoIterator<Item = (&'a Record, i64)>) -> Value {
    let records = records.into_iter().map(|(record, arrival)| {
        // At most three decimals: more than that is not a time to the function's parser.
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
        let arrival = arrival as f64 / 1_000.0;
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": record.partition_key,
                "sequenceNumber": record.sequence.as_str(),
                "data": STANDARD.encode(&record.data),
                "approximateArrivalTimestamp": arrival,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("{}:{}", origin.shard, record.sequence),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": origin.role_arn,
            "awsRegion": origin.region,
            "eventSourceARN": origin.stream_arn,
        })
    });
    json!({ "Records": records.collect::<Vec<Value>>() })
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::kinesis::KinesisEvent;

    use super::*;
    use crate::Sequence;

    #[test]
    fn a_functions_own_types_read_the_payload() {
        let record = Record {
            sequence: Sequence::from("49".to_owned()),
            partition_key: "c1".to_owned(),
            data: b"{}".to_vec(),
            arrived: 1_545_084_650_987,
        };
        let origin = Origin { stream_arn: "arn:stream", shard: "shardId-000000000000", role_arn: "arn:role", region: "eu-central-1" };
        let payload = stream_payload(origin, [(&record, record.arrived)]);
        assert!(payload.to_string().contains("1545084650.987}"), "{payload}");
        let event: KinesisEvent = serde_json::from_value(payload).unwrap();
        let record = &event.records[0];
        assert_eq!(record.event_id.as_deref(), Some("shardId-000000000000:49"));
        assert_eq!(record.kinesis.data.0, b"{}");
        assert_eq!(record.kinesis.approximate_arrival_timestamp.0.timestamp_millis(), 1_545_084_650_987);
    }
}
