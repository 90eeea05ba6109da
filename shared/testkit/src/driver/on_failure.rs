//! Where a batch goes that is given up, in the form that AWS documents.
//!
//! Guarantee: a bucket gets the records themselves, under a key that no other batch has; a queue gets what says where
//! the records are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Value, json};

use super::invoke::Invocation;
use super::mapping::{Destination, Mapping};
use super::name_of;
use crate::digest::hex;
use event_source::Batch;
use event_source::Condition;

/// A batch that is given up, and why.
pub(super) struct Discarded<'a> {
    pub(super) mapping: &'a Mapping,
    pub(super) shard: &'a str,
    pub(super) batch: &'a Batch,
    pub(super) condition: Condition,
    /// The last invocation that had the records, if one had.
    pub(super) last: Option<&'a Invocation>,
}

impl Discarded<'_> {
    /// Sends the batch to its destination.
    pub(super) async fn send(&self, sdk: &SdkConfig, destination: &Destination, event: &Value) -> Result<()> {
        let now = now_ms();
        let mut body = self.body(now)?;
        match destination {
            Destination::Bucket(bucket) => {
                if let Some(fields) = body.as_object_mut() {
                    fields.insert("payload".to_owned(), json!(event.to_string()));
                }
                let key = self.key(now)?;
                let s3 = aws_sdk_s3::Client::new(sdk);
                let put =
                    s3.put_object().bucket(bucket).key(&key).content_type("application/json").body(body.to_string().into_bytes().into());
                put.send().await.with_context(|| format!("cannot put {key} into {bucket}"))?;
            }
            Destination::Queue { arn } => {
                let sqs = aws_sdk_sqs::Client::new(sdk);
                let url =
                    sqs.get_queue_url().queue_name(name_of(arn)).send().await.with_context(|| format!("cannot find the queue {arn}"))?;
                let url = url.queue_url().with_context(|| format!("the queue {arn} has no URL"))?;
                sqs.send_message()
                    .queue_url(url)
                    .message_body(body.to_string())
                    .send()
                    .await
                    .with_context(|| format!("cannot send to {arn}"))?;
            }
        }
        Ok(())
    }

    /// `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid>`
    fn key(&self, now: i64) -> Result<String> {
        let time = iso(now)?;
        let (date, clock) = time.split_once('T').context("a time has no T")?;
        let clock: String = clock.chars().take(8).map(|digit| if digit == ':' { '.' } else { digit }).collect();
        Ok(format!("aws/lambda/{}/{}/{}/{date}T{clock}-{}", self.mapping.id, self.shard, date.replace('-', "/"), uuid(now)))
    }

    fn body(&self, now: i64) -> Result<Value> {
        let records = &self.batch.records;
        let (first, last) = (records.first().context("a batch has no record")?, records.last().context("a batch has no record")?);
        let mut response = json!({ "statusCode": 200, "executedVersion": self.last.map_or("$LATEST", |last| last.version.as_str()) });
        if let (Some(error), Some(response)) = (self.last.and_then(|last| last.function_error.as_ref()), response.as_object_mut()) {
            response.insert("functionError".to_owned(), json!(error));
        }
        Ok(json!({
            "requestContext": {
                "requestId": self.last.map_or_else(String::new, |last| last.request_id.clone()),
                "functionArn": self.mapping.function_arn,
                "condition": self.condition.as_str(),
                "approximateInvokeCount": self.batch.invocations,
            },
            "responseContext": response,
            "version": "1.0",
            "timestamp": iso(now)?,
            "KinesisBatchInfo": {
                "shardId": self.shard,
                "startSequenceNumber": first.sequence.as_str(),
                "endSequenceNumber": last.sequence.as_str(),
                "approximateArrivalOfFirstRecord": iso(first.arrived)?,
                "approximateArrivalOfLastRecord": iso(last.arrived)?,
                "batchSize": records.len(),
                "streamArn": self.mapping.source_arn,
            },
        }))
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

fn iso(ms: i64) -> Result<String> {
    Ok(DateTime::from_millis(ms).fmt(Format::DateTime)?)
}

/// In the form of a UUID: unique among everything that this and other processes make.
fn uuid(now: i64) -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let seed = format!("{now} {} {}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let digits: Vec<char> = hex(seed.as_bytes(), 32).chars().collect();
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| digits.get(part).unwrap_or_default().iter().collect::<String>()).join("-")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::driver::mapping::{QueueSettings, Source};
    use event_source::Record;
    use event_source::Sequence;

    #[test]
    fn key_and_body_have_the_documented_form() {
        let mapping = Mapping {
            id: "9c1f".to_owned(),
            name: String::new(),
            function_arn: "arn:f".to_owned(),
            source_arn: "arn:s".to_owned(),
            batch_size: 1,
            window: Duration::ZERO,
            reports_failures: false,
            source: Source::Queue(QueueSettings { concurrency: None }),
        };
        let record = |at: i64| {
            Arc::new(Record { sequence: Sequence::from(at.to_string()), partition_key: String::new(), data: vec![], arrived: at })
        };
        let batch = Batch { records: vec![record(1_573_691_884_835), record(1_573_691_885_580)], retries: 2, invocations: 3 };
        let discarded = Discarded {
            mapping: &mapping,
            shard: "shardId-000000000001",
            batch: &batch,
            condition: Condition::RetryAttemptsExhausted,
            last: None,
        };
        let key = discarded.key(1_573_691_886_021).unwrap();
        let prefix = "aws/lambda/9c1f/shardId-000000000001/2019/11/14/2019-11-14T00.38.06-";
        assert_eq!((key.strip_prefix(prefix).map(str::len)), Some(36), "{key}");
        let body = discarded.body(1_573_691_886_021).unwrap();
        assert_eq!(body["timestamp"], "2019-11-14T00:38:06.021Z");
        assert_eq!(body["requestContext"]["approximateInvokeCount"], 3);
        assert_eq!(body["KinesisBatchInfo"]["approximateArrivalOfFirstRecord"], "2019-11-14T00:38:04.835Z");
        assert_eq!(body["KinesisBatchInfo"]["batchSize"], 2);
    }
}
