//! A batch of the stream.
//!
//! The payload is read here and not by `aws_lambda_events`, which loses the milliseconds of an arrival such as `…5.5`
//! (`docs/decisions/0005-kinesis-payload.md`) and fails a whole batch for one record that it cannot decode.

use aws_lambda_events::streams::KinesisEventResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::{SequenceNumber, ShardId, Time};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// One record of the stream, as it was put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRecord {
    pub shard: ShardId,
    pub sequence: SequenceNumber,
    /// The sequence number as the mapping wrote it, to name the record in an answer.
    pub identifier: String,
    pub partition_key: String,
    pub arrival: Time,
    pub data: Vec<u8>,
}

/// The payload is no batch of a stream: nothing of it can be done. The parser's own words can quote it, so they are not taken
/// over.
#[derive(Debug, Error)]
#[error("the payload is no batch of Kinesis records; only a mapping of the stream may call this function")]
pub struct BatchError;

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "Records")]
    records: Vec<PayloadRecord>,
}

#[derive(Deserialize)]
struct PayloadRecord {
    #[serde(rename = "eventID")]
    event_id: String,
    kinesis: PayloadData,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PayloadData {
    sequence_number: String,
    partition_key: String,
    /// Seconds with a fraction.
    approximate_arrival_timestamp: f64,
    data: String,
}

/// The records of an invocation, in their order.
///
/// # Errors
/// A payload of another shape; data that is no base64 is taken as it is, and ends in the quarantine.
pub fn records_of(payload: Value) -> Result<Vec<StreamRecord>, BatchError> {
    let payload: Payload = serde_json::from_value(payload).map_err(|_| BatchError)?;
    Ok(payload.records.into_iter().map(record).collect())
}

fn record(record: PayloadRecord) -> StreamRecord {
    let data = record.kinesis;
    // `shardId-000000000000:49545115243490985018280067714973144582180062593244200961`
    let shard = record.event_id.split_once(':').map_or(record.event_id.as_str(), |(shard, _)| shard);
    StreamRecord {
        shard: ShardId::new(shard),
        sequence: SequenceNumber::new(&data.sequence_number),
        identifier: data.sequence_number,
        partition_key: data.partition_key,
        arrival: Time::from_millis(millis(data.approximate_arrival_timestamp)),
        data: STANDARD.decode(&data.data).unwrap_or_else(|_| data.data.into_bytes()),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float beyond i64 saturates, and what is no number becomes 0")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

/// The answer that has the mapping go on behind the record before the first one that failed.
#[must_use]
pub fn failed_from(first_failure: Option<&StreamRecord>) -> KinesisEventResponse {
    let mut response = KinesisEventResponse::default();
    if let Some(record) = first_failure {
        response.add_failure(record.identifier.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn payload(arrival: Value, data: &str) -> Value {
        json!({ "Records": [{ "eventID": "shardId-000000000001:0042", "kinesis": {
            "kinesisSchemaVersion": "1.0", "partitionKey": "c-1", "sequenceNumber": "0042", "data": data, "approximateArrivalTimestamp": arrival } }] })
    }

    #[test]
    fn a_record_keeps_its_milliseconds() {
        for (arrival, millis) in
            [(json!(1_545_084_650.5), 1_545_084_650_500), (json!(1_545_084_650.987), 1_545_084_650_987), (json!(7), 7_000)]
        {
            let records = records_of(payload(arrival, "e30=")).unwrap();
            assert_eq!((records[0].arrival.millis(), records[0].data.as_slice()), (millis, b"{}".as_slice()));
        }
    }

    #[test]
    fn an_answer_names_the_record_as_the_mapping_wrote_it() {
        let records = records_of(payload(json!(1.0), "e30=")).unwrap();
        assert_eq!((records[0].shard.as_str(), records[0].sequence.as_str()), ("shardId-000000000001", "42"));
        let answer = serde_json::to_value(failed_from(records.first())).unwrap();
        assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "0042" }] }));
        assert_eq!(serde_json::to_value(failed_from(None)).unwrap(), json!({ "batchItemFailures": [] }));
    }

    #[test]
    fn data_that_is_no_base64_is_handed_on() {
        assert_eq!(records_of(payload(json!(1.0), "%%%")).unwrap()[0].data, b"%%%");
    }
}
