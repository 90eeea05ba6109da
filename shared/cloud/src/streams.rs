//! Kinesis: streams of shards, which can be split and merged.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answer::Refusal;
use crate::services::Cloud;
use crate::shape::{integer, list, text};

const LARGEST_BATCH: usize = 500;
const LARGEST_RECORD: usize = 1 << 20;
const LARGEST_PAGE: usize = 10_000;

/// A record of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// 56 digits, the larger the later within a shard; the last sixteen of them within the stream.
    pub sequence: String,
    pub partition_key: String,
    pub data: Vec<u8>,
    /// In milliseconds.
    pub arrival: i64,
}

/// A shard as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardView {
    pub id: String,
    /// The shards that it came from, which are read before it.
    pub parents: Vec<String>,
    /// Whether it takes no more records.
    pub closed: bool,
    pub records: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Streams(BTreeMap<String, Stream>);

#[derive(Debug)]
struct Stream {
    shards: Vec<Shard>,
    /// How many streams of the same name there were before.
    earlier: u64,
    /// The number of the last record.
    sequence: u64,
}

#[derive(Debug)]
struct Shard {
    id: String,
    parents: Vec<String>,
    /// The hashes of its partition keys.
    from: u64,
    to: u64,
    closed: bool,
    records: Vec<Record>,
}

impl Stream {
    fn new(shards: usize, earlier: u64) -> Self {
        let mut stream = Self { shards: Vec::new(), earlier, sequence: 0 };
        let count = u64::try_from(shards.max(1)).unwrap_or(1);
        let width = u64::MAX / count;
        for number in 0..count {
            let to = if number + 1 == count { u64::MAX } else { width * (number + 1) - 1 };
            stream.open(Vec::new(), width * number, to);
        }
        stream
    }

    fn open(&mut self, parents: Vec<String>, from: u64, to: u64) {
        let id = format!("shardId-{:012}", self.shards.len());
        self.shards.push(Shard { id, parents, from, to, closed: false, records: Vec::new() });
    }

    fn put(&mut self, partition_key: &str, data: Vec<u8>, now: i64) -> Result<Value, Refusal> {
        if partition_key.is_empty() || partition_key.chars().count() > 256 || data.len() + partition_key.len() > LARGEST_RECORD {
            return Err(Refusal::sender("ValidationException", "the key or the record is too long"));
        }
        let hash = hash(partition_key);
        let shard = self.shards.iter_mut().find(|shard| !shard.closed && (shard.from..=shard.to).contains(&hash));
        let shard = shard.ok_or_else(|| Refusal::service(500, "InternalFailure"))?;
        self.sequence += 1;
        // Numbers are compared within a shard only. So those of a younger shard are below those of an older one, and those of a
        // stream that replaces another below all of the other's; the last sixteen digits count the stream's records.
        let number = shard.id.get(8..).and_then(|number| number.parse::<u64>().ok()).unwrap_or_default();
        let above = 999_999_u64.saturating_sub(self.earlier * 1_000).saturating_sub(number);
        let sequence = format!("4959033827149025660855969253836157{above:06}{:016}", self.sequence);
        shard.records.push(Record { sequence: sequence.clone(), partition_key: partition_key.to_owned(), data, arrival: now });
        Ok(json!({ "SequenceNumber": sequence, "ShardId": shard.id }))
    }

    fn entry(&mut self, entry: &Value, now: i64) -> Result<Value, Refusal> {
        let data = STANDARD.decode(text(entry, "Data")?).map_err(|_| Refusal::sender("SerializationException", "the data is no base64"))?;
        self.put(text(entry, "PartitionKey")?, data, now)
    }
}

/// Where in the range of all keys a key lies. The distribution is what counts, not the hash.
fn hash(partition_key: &str) -> u64 {
    let digest = Sha256::digest(partition_key.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl Streams {
    pub(crate) fn call(&mut self, operation: &str, input: &Value, now: i64) -> Result<Value, Refusal> {
        match operation {
            "CreateStream" => {
                let shards = integer(input, "ShardCount").and_then(|count| usize::try_from(count).ok()).unwrap_or(4);
                self.0.insert(text(input, "StreamName")?.to_owned(), Stream::new(shards, 0));
                return Ok(json!({}));
            }
            "GetRecords" => return self.page(input, now),
            _ => (),
        }
        let name = text(input, "StreamName")?;
        let stream = self.0.get_mut(name).ok_or_else(absent)?;
        match operation {
            "PutRecord" => stream.entry(input, now),
            "PutRecords" => {
                let entries = list(input, "Records");
                if entries.is_empty() || entries.len() > LARGEST_BATCH {
                    return Err(Refusal::sender("ValidationException", "a batch has between one record and 500"));
                }
                let records = entries.iter().map(|entry| stream.entry(entry, now)).collect::<Result<Vec<_>, _>>()?;
                Ok(json!({ "FailedRecordCount": 0, "Records": records }))
            }
            "DescribeStreamSummary" => {
                Ok(json!({ "StreamDescriptionSummary": { "StreamName": name, "StreamARN": name, "StreamStatus": "ACTIVE",
                "RetentionPeriodHours": 168, "StreamCreationTimestamp": 0, "EnhancedMonitoring": [], "OpenShardCount": stream.shards.len() } }))
            }
            "ListShards" => {
                let shards: Vec<_> = stream.shards.iter().map(described).collect();
                Ok(json!({ "Shards": shards }))
            }
            "GetShardIterator" => {
                let shard = text(input, "ShardId")?;
                let shard = stream.shards.iter().find(|known| known.id == shard).ok_or_else(absent)?;
                let at = match text(input, "ShardIteratorType")? {
                    "TRIM_HORIZON" => 0,
                    "LATEST" => shard.records.len(),
                    kind @ ("AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER") => {
                        let sequence = text(input, "StartingSequenceNumber")?;
                        shard.records.partition_point(|record| record.sequence.as_str() < sequence) + usize::from(kind.starts_with("AFTER"))
                    }
                    other => return Err(Refusal::unknown(&format!("the iterator {other}"))),
                };
                Ok(json!({ "ShardIterator": format!("{name}/{}/{at}", shard.id) }))
            }
            other => Err(Refusal::unknown(&format!("the operation {other} of Kinesis"))),
        }
    }

    fn page(&self, input: &Value, now: i64) -> Result<Value, Refusal> {
        let mut parts = text(input, "ShardIterator")?.split('/');
        let (name, shard, at) =
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().and_then(|at| at.parse::<usize>().ok()));
        let shard = self.0.get(name).and_then(|stream| stream.shards.iter().find(|known| known.id == shard)).ok_or_else(absent)?;
        let at = at.ok_or_else(|| Refusal::sender("InvalidArgumentException", "no iterator"))?;
        let most = integer(input, "Limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(LARGEST_PAGE);
        let records: Vec<_> = shard.records.iter().skip(at).take(most).collect();
        let next = at + records.len();
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^53")]
        let shown = |record: &&Record| {
            json!({ "SequenceNumber": record.sequence, "PartitionKey": record.partition_key, "Data": STANDARD.encode(&record.data),
                "ApproximateArrivalTimestamp": record.arrival as f64 / 1_000.0 })
        };
        let mut answer = json!({ "Records": records.iter().map(shown).collect::<Vec<_>>(),
            "MillisBehindLatest": shard.records.get(next).map_or(0, |record| now - record.arrival) });
        if let (false, Some(fields)) = (shard.closed && next >= shard.records.len(), answer.as_object_mut()) {
            fields.insert("NextShardIterator".to_owned(), json!(format!("{name}/{}/{next}", shard.id)));
        }
        Ok(answer)
    }
}

fn absent() -> Refusal {
    Refusal::sender("ResourceNotFoundException", "there is no such stream or shard")
}

fn described(shard: &Shard) -> Value {
    let mut described = json!({ "ShardId": shard.id,
        "HashKeyRange": { "StartingHashKey": shard.from.to_string(), "EndingHashKey": shard.to.to_string() },
        "SequenceNumberRange": { "StartingSequenceNumber": shard.records.first().map_or("0", |record| record.sequence.as_str()) } });
    if let Some(fields) = described.as_object_mut() {
        for (name, parent) in ["ParentShardId", "AdjacentParentShardId"].into_iter().zip(&shard.parents) {
            fields.insert(name.to_owned(), json!(parent));
        }
    }
    described
}

impl Cloud {
    /// Makes a stream, in the place of one of the same name: its sequence numbers begin anew.
    pub fn create_stream(&self, name: &str, shards: usize) {
        let mut services = self.services();
        let earlier = services.streams.0.get(name).map_or(0, |stream| stream.earlier + 1);
        services.streams.0.insert(name.to_owned(), Stream::new(shards, earlier));
    }

    /// Puts a record, as a producer does.
    ///
    /// # Errors
    /// A stream that is not there, or a record that it does not take.
    pub fn put_record(&self, stream: &str, partition_key: &str, data: Vec<u8>) -> Result<(), Refusal> {
        let now = self.now();
        self.services().streams.0.get_mut(stream).ok_or_else(absent)?.put(partition_key, data, now).map(drop)
    }

    /// Splits an open shard, chosen by number, in two.
    pub fn split_shard(&self, stream: &str, choice: usize) {
        self.reshard(stream, |stream| {
            let open: Vec<_> =
                stream.shards.iter().enumerate().filter(|(_, shard)| !shard.closed && shard.to > shard.from).map(|(at, _)| at).collect();
            let at = *open.get(choice % open.len().max(1))?;
            let shard = stream.shards.get_mut(at)?;
            shard.closed = true;
            let (id, from, to) = (shard.id.clone(), shard.from, shard.to);
            let middle = from + (to - from) / 2;
            stream.open(vec![id.clone()], from, middle);
            stream.open(vec![id], middle + 1, to);
            Some(())
        });
    }

    /// Merges two open shards that lie side by side, chosen by number.
    pub fn merge_shards(&self, stream: &str, choice: usize) {
        self.reshard(stream, |stream| {
            let mut open: Vec<_> =
                stream.shards.iter().enumerate().filter(|(_, shard)| !shard.closed).map(|(at, shard)| (shard.from, at)).collect();
            open.sort_unstable();
            let pairs: Vec<_> = open.windows(2).filter_map(|pair| Some((pair.first()?.1, pair.last()?.1))).collect();
            let (left, right) = *pairs.get(choice % pairs.len().max(1))?;
            let mut parents = Vec::new();
            let (from, to) = (stream.shards.get(left)?.from, stream.shards.get(right)?.to);
            for at in [left, right] {
                let shard = stream.shards.get_mut(at)?;
                shard.closed = true;
                parents.push(shard.id.clone());
            }
            stream.open(parents, from, to);
            Some(())
        });
    }

    fn reshard(&self, stream: &str, change: impl FnOnce(&mut Stream) -> Option<()>) {
        let _nothing_to_split_or_merge = self.services().streams.0.get_mut(stream).and_then(change);
    }

    /// The shards of a stream.
    #[must_use]
    pub fn shards(&self, stream: &str) -> Vec<ShardView> {
        let services = self.services();
        let shards = services.streams.0.get(stream).map(|stream| stream.shards.as_slice()).unwrap_or_default();
        let view = |shard: &Shard| ShardView {
            id: shard.id.clone(),
            parents: shard.parents.clone(),
            closed: shard.closed,
            records: shard.records.len(),
        };
        shards.iter().map(view).collect()
    }

    /// Records of a shard, from a number on.
    #[must_use]
    pub fn records(&self, stream: &str, shard: &str, from: usize, most: usize) -> Vec<Record> {
        let services = self.services();
        let shard = services.streams.0.get(stream).and_then(|stream| stream.shards.iter().find(|known| known.id == shard));
        shard.map(|shard| shard.records.iter().skip(from).take(most).cloned().collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(cloud: &Cloud) -> usize {
        cloud.shards("s").iter().filter(|shard| !shard.closed).count()
    }

    #[test]
    fn a_key_stays_in_one_open_shard_over_splits_and_merges() {
        let cloud = Cloud::new(|| 7);
        cloud.create_stream("s", 2);
        let put = || (0..50).for_each(|key| cloud.put_record("s", &format!("c-{key}"), vec![1]).unwrap());
        put();
        cloud.split_shard("s", 1);
        assert_eq!(open(&cloud), 3);
        put();
        cloud.merge_shards("s", 0);
        cloud.merge_shards("s", 0);
        assert_eq!(open(&cloud), 1);
        put();
        let shards = cloud.shards("s");
        assert_eq!(shards.iter().map(|shard| shard.records).sum::<usize>(), 150);
        assert_eq!(shards.last().map(|shard| (shard.records, shard.parents.len())), Some((50, 2)));
        assert_eq!(shards.iter().filter(|shard| shard.records == 0).count(), 1, "the shard that was merged away at once: {shards:?}");
        for shard in &shards {
            let records = cloud.records("s", &shard.id, 0, 1_000);
            assert!(records.windows(2).all(|pair| pair[0].sequence < pair[1].sequence));
        }
    }
}
