//! A batch that was given up, as Lambda leaves it in a bucket: the invocation stands as text in `payload`.
//!
//! The form is that of the AWS Lambda Developer Guide, "Capturing discarded batches for a Kinesis Data Streams event source".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::{QuarantineReason, SequenceNumber, Time};
use lambda::StreamRecord;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::put_again::Again;

/// Why an object cannot be replayed. It stays where it is.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum BatchProblem {
    #[error("it is no JSON of a batch that Lambda gave up")]
    NoBatch,
    #[error("it says where its records were and not what they are; read those from the stream while it keeps them: {0}")]
    MetadataOnly(String),
    #[error("its payload is no batch of Kinesis records")]
    NoRecords,
    #[error("the data of record {0} is no base64")]
    Undecodable(SequenceNumber),
    #[error("the record {0} is aggregated by the Kinesis Producer Library; --force puts it, and the router quarantines it")]
    Aggregated(SequenceNumber),
}

/// The records of a batch, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub records: Vec<StreamRecord>,
    /// Why Lambda gave it up, by its own word.
    pub condition: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    payload: Option<String>,
    request_context: Option<RequestContext>,
    #[serde(rename = "KinesisBatchInfo")]
    info: Info,
}

#[derive(Deserialize)]
struct RequestContext {
    condition: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Info {
    shard_id: String,
    start_sequence_number: String,
    end_sequence_number: String,
}

impl Batch {
    /// # Errors
    /// An object of another form, or one that has no records.
    pub fn parse(object: &[u8]) -> Result<Self, BatchProblem> {
        let object: Object = serde_json::from_slice(object).map_err(|_| BatchProblem::NoBatch)?;
        let Some(payload) = object.payload else {
            let Info { shard_id, start_sequence_number, end_sequence_number } = object.info;
            return Err(BatchProblem::MetadataOnly(format!("{shard_id}, {start_sequence_number} to {end_sequence_number}")));
        };
        let payload: Value = serde_json::from_str(&payload).map_err(|_| BatchProblem::NoRecords)?;
        undecodable(&payload)?;
        let records = lambda::records_of(payload).map_err(|_| BatchProblem::NoRecords)?;
        if records.is_empty() {
            return Err(BatchProblem::NoRecords);
        }
        let condition = object.request_context.and_then(|context| context.condition).unwrap_or_default();
        Ok(Self { records, condition })
    }

    /// The first arrival, and with it the first sequence number.
    pub fn begins(&self) -> Option<(Time, SequenceNumber)> {
        self.records.first().map(|record| (record.arrival, record.sequence.clone()))
    }

    /// Each record as it is to be put, in the order of the batch, which is the order of each key's records.
    ///
    /// # Errors
    /// A record that is several events in one, unless it is wanted all the same.
    pub fn again(&self, force: bool) -> Result<Vec<Again>, BatchProblem> {
        let again = |record: &StreamRecord| match Again::of(&record.partition_key, record.arrival, &record.data) {
            Again::NoEvent { refusal, .. } if refusal.reason == QuarantineReason::Aggregated && !force => {
                Err(BatchProblem::Aggregated(record.sequence.clone()))
            }
            again => Ok(again),
        };
        self.records.iter().map(again).collect()
    }
}

/// A router takes such data as it is, and quarantines it; here nothing is put that Lambda did not write.
fn undecodable(payload: &Value) -> Result<(), BatchProblem> {
    let records = payload.get("Records").and_then(Value::as_array).into_iter().flatten();
    for record in records.filter_map(|record| record.get("kinesis")) {
        if record.get("data").and_then(Value::as_str).is_none_or(|data| STANDARD.decode(data).is_err()) {
            let sequence = record.get("sequenceNumber").and_then(Value::as_str).unwrap_or_default();
            return Err(BatchProblem::Undecodable(SequenceNumber::new(sequence)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(sequence: &str, key: &str, data: &str) -> Value {
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0", "partitionKey": key, "sequenceNumber": sequence, "data": data,
                "approximateArrivalTimestamp": 1_545_084_650.987,
            },
            "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": format!("shardId-000000000006:{sequence}"),
            "eventName": "aws:kinesis:record", "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
            "awsRegion": "us-east-2", "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
        })
    }

    fn object(payload: Option<String>) -> Vec<u8> {
        let mut object = json!({
            "requestContext": {
                "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5", "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:router",
                "condition": "RecordAgeExceeded", "approximateInvokeCount": 3,
            },
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
            "version": "1.0", "timestamp": "2019-11-14T00:38:06.021Z",
            "KinesisBatchInfo": {
                "shardId": "shardId-000000000006", "startSequenceNumber": "11", "endSequenceNumber": "13",
                "approximateArrivalOfFirstRecord": "2019-11-14T00:38:04.835Z",
                "approximateArrivalOfLastRecord": "2019-11-14T00:38:05.580Z",
                "batchSize": 3, "streamArn": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
            },
        });
        if let Some(payload) = payload {
            object["payload"] = json!(payload);
        }
        object.to_string().into_bytes()
    }

    fn of(records: &[Value]) -> Vec<u8> {
        object(Some(json!({ "Records": records }).to_string()))
    }

    #[test]
    fn the_records_of_a_batch_are_put_in_its_order_with_their_first_arrival() {
        let event = |id: &str, subject: &str| {
            let text = json!({ "specversion": "1.0", "id": id, "source": "/s", "type": "a.b", "time": "2026-03-01T10:00:00Z", "subject": subject });
            STANDARD.encode(text.to_string())
        };
        let records = [
            record("11", "c-1", &event("1", "c-1")),
            record("12", "wrong", &event("2", "c-2")),
            record("13", "k", &STANDARD.encode("no json")),
        ];
        let batch = Batch::parse(&of(&records)).unwrap();
        assert_eq!(batch.condition, "RecordAgeExceeded");
        assert_eq!(batch.begins(), Some((Time::from_millis(1_545_084_650_987), SequenceNumber::new("11"))));
        let again = batch.again(false).unwrap();
        let shown = again.iter().map(|again| match again {
            Again::Event(put) => format!("{}: {}", put.partition_key, String::from_utf8_lossy(&put.data)),
            Again::NoEvent { put, refusal } => format!("{}: {}, {}", put.partition_key, String::from_utf8_lossy(&put.data), refusal.reason),
        });
        insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
        c-1: {"id":"1","originalarrival":"2018-12-17T22:10:50.987Z","source":"/s","specversion":"1.0","subject":"c-1","time":"2026-03-01T10:00:00Z","type":"a.b"}
        c-2: {"id":"2","originalarrival":"2018-12-17T22:10:50.987Z","source":"/s","specversion":"1.0","subject":"c-2","time":"2026-03-01T10:00:00Z","type":"a.b"}
        k: no json, not_json
        "#);
    }

    #[test]
    fn an_object_that_cannot_be_replayed_says_why() {
        for (bytes, problem) in [
            (b"no json".to_vec(), "it is no JSON of a batch that Lambda gave up"),
            (b"{}".to_vec(), "it is no JSON of a batch that Lambda gave up"),
            (
                object(None),
                "it says where its records were and not what they are; read those from the stream while it keeps them: shardId-000000000006, 11 to 13",
            ),
            (of(&[]), "its payload is no batch of Kinesis records"),
            (object(Some("{}".to_owned())), "its payload is no batch of Kinesis records"),
            (object(Some("ana@example.com".to_owned())), "its payload is no batch of Kinesis records"),
            (of(&[record("11", "k", "%%%")]), "the data of record 11 is no base64"),
        ] {
            assert_eq!(Batch::parse(&bytes).unwrap_err().to_string(), problem);
        }
        let aggregated = of(&[record("12", "k", &STANDARD.encode(b"\xF3\x89\x9A\xC2several"))]);
        let batch = Batch::parse(&aggregated).unwrap();
        assert_eq!(batch.again(false).unwrap_err(), BatchProblem::Aggregated(SequenceNumber::new("12")));
        assert!(matches!(&batch.again(true).unwrap()[..], [Again::NoEvent { put, .. }] if put.data.ends_with(b"several")));
    }
}
