//! The quarantine: records that cannot be events, whole, with their reason.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::{NoEvent, SequenceNumber, ShardId, Time};
use serde::{Deserialize, Serialize};

use crate::Passing;

/// The client of the object store. At an endpoint of one's own, buckets are named in the path.
#[must_use]
pub fn object_store(sdk: &aws_config::SdkConfig) -> Client {
    Client::from_conf(aws_sdk_s3::config::Builder::from(sdk).force_path_style(sdk.endpoint_url().is_some()).build())
}

/// A record in the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    pub reason: String,
    pub problems: Vec<String>,
    pub shard: ShardId,
    pub sequence: SequenceNumber,
    pub partition_key: String,
    pub arrival: String,
    /// The record's bytes, in base64.
    pub data: String,
}

impl Quarantined {
    #[must_use]
    pub fn new(refusal: &NoEvent, shard: &ShardId, sequence: &SequenceNumber, partition_key: &str, arrival: Time, data: &[u8]) -> Self {
        Self {
            reason: refusal.reason.code().to_owned(),
            problems: refusal.problems.clone(),
            shard: shard.clone(),
            sequence: sequence.clone(),
            partition_key: partition_key.to_owned(),
            arrival: arrival.to_string(),
            data: STANDARD.encode(data),
        }
    }
}

impl Quarantined {
    /// The record as text, as far as it is text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&STANDARD.decode(&self.data).unwrap_or_default()).into_owned()
    }
}

/// The bucket of quarantined records.
#[derive(Debug, Clone)]
pub struct Quarantine {
    client: Client,
    bucket: String,
}

impl Quarantine {
    #[must_use]
    pub fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// Puts a record under `shard/sequence`; twice is once.
    ///
    /// # Errors
    /// A call that failed: the record is then not done with.
    pub async fn put(&self, record: &Quarantined) -> Result<(), Passing> {
        let what = "putting a record into the quarantine";
        let body = serde_json::to_vec(record).map_err(|_| Passing::because(what, "it has no JSON form"))?;
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(format!("{}/{}", record.shard.as_str(), record.sequence))
            .content_type("application/json")
            .metadata("reason", &record.reason)
            .body(ByteStream::from(body));
        put.send().await.map(drop).map_err(|error| Passing::new(what, &error))
    }
}
