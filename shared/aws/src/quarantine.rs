//! The quarantine: records that cannot be events, whole, with their reason.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::{NoEvent, NotATime, SequenceNumber, ShardId, Time};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::objects::Listed;
use crate::{Objects, Passing, StoreError};

const WHAT: &str = "a quarantined record";

/// Objects that are looked at side by side.
const LOOKS_AT_ONCE: usize = 16;

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
    /// The record's bytes as they were on the stream.
    ///
    /// # Errors
    /// An object whose data is no base64: somebody else wrote it.
    pub fn bytes(&self) -> Result<Vec<u8>, StoreError> {
        STANDARD.decode(&self.data).map_err(|_| StoreError::unreadable(WHAT, &"its data is no base64"))
    }

    /// When the record arrived.
    ///
    /// # Errors
    /// An object whose arrival is no time.
    pub fn arrived(&self) -> Result<Time, StoreError> {
        self.arrival.parse().map_err(|error: NotATime| StoreError::unreadable(WHAT, &format!("its arrival is {error}")))
    }

    /// The record as text, as far as it is text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes().unwrap_or_default()).into_owned()
    }
}

/// What a listing tells of a record, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedObject {
    pub key: String,
    /// None where the object does not say.
    pub reason: Option<String>,
    /// When the record arrived; for an object that does not say, when it was put aside.
    pub arrival: Time,
    /// Of the record, in bytes; for an object that does not say, that of the object.
    pub size: u64,
}

/// The first records that were asked for, by their arrival.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuarantineListing {
    pub records: Vec<QuarantinedObject>,
    /// Whether there are more than were looked at.
    pub more: bool,
}

/// The bucket of quarantined records.
#[derive(Debug, Clone)]
pub struct Quarantine {
    client: Client,
    bucket: String,
    objects: Objects,
}

impl Quarantine {
    #[must_use]
    pub fn new(client: Client, bucket: String) -> Self {
        Self { objects: Objects::new(client.clone(), bucket.clone()), client, bucket }
    }

    /// Puts a record under `shard/sequence`; twice is once.
    ///
    /// # Errors
    /// A call that failed: the record is then not done with.
    pub async fn put(&self, record: &Quarantined) -> Result<(), Passing> {
        let what = "putting a record into the quarantine";
        let body = serde_json::to_vec(record).map_err(|_| Passing::because(what, "it has no JSON form"))?;
        let mut put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(format!("{}/{}", record.shard.as_str(), record.sequence))
            .content_type("application/json")
            .metadata("reason", &record.reason)
            .metadata("arrival", &record.arrival);
        if let Ok(bytes) = record.bytes() {
            put = put.metadata("size", bytes.len().to_string());
        }
        put.body(ByteStream::from(body)).send().await.map(drop).map_err(|error| Passing::new(what, &error))
    }

    /// Looks at the first `limit` records that were put aside at `since` or later; no record's bytes are read.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn list(&self, limit: usize, since: Option<Time>) -> Result<QuarantineListing, Passing> {
        let listing = self.objects.list("", limit, |object| since.is_none_or(|since| object.put_at >= since)).await?;
        let look = async |object: Listed| {
            // An object that was removed since it was listed is no longer there to be told of.
            let Some(metadata) = self.objects.metadata(&object.key).await? else { return Ok(None) };
            let arrival = metadata.get("arrival").and_then(|arrival| arrival.parse().ok()).unwrap_or(object.put_at);
            let size = metadata.get("size").and_then(|size| size.parse().ok()).unwrap_or(object.size);
            Ok(Some(QuarantinedObject { key: object.key, reason: metadata.get("reason").cloned(), arrival, size }))
        };
        let looked = futures::stream::iter(listing.objects).map(look).buffer_unordered(LOOKS_AT_ONCE);
        let mut records: Vec<_> = looked.try_collect::<Vec<_>>().await?.into_iter().flatten().collect();
        records.sort_by(|one, other| (one.arrival, &one.key).cmp(&(other.arrival, &other.key)));
        Ok(QuarantineListing { records, more: listing.more })
    }

    /// A record with its bytes; none where there is none under this key.
    ///
    /// # Errors
    /// A call that failed, or an object that is no record.
    pub async fn read(&self, key: &str) -> Result<Option<Quarantined>, StoreError> {
        let Some(body) = self.objects.read(key).await? else { return Ok(None) };
        // The parser's own words can quote the record, so they are left out.
        serde_json::from_slice(&body).map(Some).map_err(|_| StoreError::unreadable(WHAT, &"the object has another form"))
    }

    /// Removes a record for good.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn remove(&self, key: &str) -> Result<(), Passing> {
        self.objects.remove(key).await
    }
}
