//! The reader of a stream: its shards, parents before children, each read in order into its lanes.
//!
//! Guarantee: a record is read once as long as the driver runs, and goes into the lane of its partition key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::get_records::GetRecordsOutput;
use aws_sdk_kinesis::types::ShardIteratorType;
use aws_smithy_types::DateTime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::activity::Activity;
use super::invoke::{Function, in_full};
use super::lane::Lane;
use super::mapping::{Mapping, Start, StreamSettings};
use super::pace::Pace;
use super::shards::{Shard, startable};
use super::{name_of, stopped};
use event_source::Record;
use event_source::{Reading, Sequence, lane_of};

/// Records of one read. What a lane holds back is bounded by its channel, not by this.
const PER_READ: i32 = 1_000;

#[derive(Debug)]
pub(super) struct Stream {
    mapping: Arc<Mapping>,
    settings: StreamSettings,
    function: Function,
    as_function: SdkConfig,
    client: Client,
    pace: Pace,
    activity: Arc<Activity>,
    known: BTreeMap<String, Sequence>,
    readings: Mutex<BTreeMap<String, Arc<Mutex<Reading>>>>,
}

impl Stream {
    pub(super) fn new(
        mapping: Arc<Mapping>,
        settings: StreamSettings,
        function: Function,
        as_function: SdkConfig,
        pace: Pace,
        activity: Arc<Activity>,
        known: BTreeMap<String, Sequence>,
    ) -> Self {
        let client = Client::new(&as_function);
        Self { mapping, settings, function, as_function, client, pace, activity, known, readings: Mutex::default() }
    }

    /// The shards as they are now.
    pub(super) async fn list(&self) -> Result<Vec<Shard>> {
        let mut shards = Vec::new();
        let mut token = None;
        loop {
            let request = self.client.list_shards();
            let request = match token {
                None => request.stream_arn(&self.mapping.source_arn),
                Some(token) => request.next_token(token),
            };
            let page = request
                .send()
                .await
                .map_err(|error| anyhow::anyhow!("cannot list the shards of {}: {}", self.mapping.source_arn, in_full(&error)))?;
            shards.extend(page.shards().iter().map(|shard| Shard {
                id: shard.shard_id().to_owned(),
                parents: [shard.parent_shard_id(), shard.adjacent_parent_shard_id()].into_iter().flatten().map(str::to_owned).collect(),
            }));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(shards);
            }
        }
    }

    /// Makes whoever waits for idleness wait for the shards that will be read first.
    pub(super) fn announce(&self, shards: &[Shard]) {
        for shard in startable(shards, &BTreeSet::new(), &BTreeSet::new()) {
            self.activity.shard_known(&self.label(&shard.id));
        }
    }

    fn label(&self, shard: &str) -> String {
        format!("{} {shard}", self.mapping.name)
    }

    pub(super) fn checkpoints(&self) -> Vec<((String, String), Sequence)> {
        let readings = self.readings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut checkpoints = self.known.clone();
        for (shard, reading) in readings.iter() {
            if let Some(sequence) = reading.lock().unwrap_or_else(PoisonError::into_inner).checkpoint() {
                checkpoints.insert(shard.clone(), sequence.clone());
            }
        }
        checkpoints.into_iter().map(|(shard, sequence)| ((self.mapping.id.clone(), shard), sequence)).collect()
    }

    /// Reads until the driver stops.
    pub(super) async fn run(self: Arc<Self>, mut listed: Vec<Shard>, mut stop: watch::Receiver<bool>) {
        let (mut begun, mut ended) = (BTreeSet::new(), BTreeSet::new());
        let mut leaving: Vec<String> = Vec::new();
        let mut up_to_date = true;
        let mut reading = JoinSet::new();
        // Shards that were there at first begin at the mapping's starting position; their children at their own first
        // record, or what came between the split and its discovery would be missed.
        let at_first: BTreeSet<String> = listed.iter().map(|shard| shard.id.clone()).collect();
        loop {
            let startable: Vec<String> = startable(&listed, &begun, &ended).iter().map(|shard| shard.id.clone()).collect();
            for shard in startable {
                let start =
                    if at_first.contains(&shard) && !came_after(&listed, &shard, &ended) { self.settings.start } else { Start::Oldest };
                self.activity.shard_known(&self.label(&shard));
                reading.spawn(self.clone().read_shard(shard.clone(), start, stop.clone()));
                begun.insert(shard);
            }
            // Only now, with its children known: between the two the stream would look as if nothing were left in it.
            if up_to_date {
                for shard in leaving.drain(..) {
                    self.activity.shard_ended(&self.label(&shard));
                }
            }
            let next = self.next(&mut reading, &mut stop).await;
            match next {
                Next::Stop => break,
                Next::Ended(shard) => {
                    ended.insert(shard.clone());
                    leaving.push(shard);
                }
                Next::Look => (),
            }
            match self.list().await {
                Ok(shards) => {
                    listed = shards;
                    up_to_date = true;
                }
                Err(error) => {
                    up_to_date = false;
                    self.activity.trouble(&self.mapping.name, format!("{error:#}"));
                }
            }
        }
        while reading.join_next().await.is_some() {} // Each of them has been told as well.
    }

    async fn next(&self, reading: &mut JoinSet<String>, stop: &mut watch::Receiver<bool>) -> Next {
        tokio::select! {
            () = stopped(stop) => Next::Stop,
            Some(Ok(shard)) = reading.join_next() => Next::Ended(shard),
            () = tokio::time::sleep(self.pace.reshard) => Next::Look,
        }
    }

    /// Reads a shard to its end, or until the driver stops, and gives back its name.
    async fn read_shard(self: Arc<Self>, shard: String, start: Start, mut stop: watch::Receiver<bool>) -> String {
        let checkpoint = self.known.get(&shard).cloned();
        let reading = Arc::new(Mutex::new(Reading::after(checkpoint.clone())));
        self.readings.lock().unwrap_or_else(PoisonError::into_inner).insert(shard.clone(), reading.clone());
        let mut working = JoinSet::new();
        let lanes: Vec<mpsc::Sender<Arc<Record>>> = (0..self.settings.lanes)
            .map(|_| {
                let (sender, receiver) = mpsc::channel(self.mapping.batch_size.max(100));
                working.spawn(self.lane(&shard, &reading, &stop).run(receiver));
                sender
            })
            .collect();

        let mut position = Position { iterator: None, last: checkpoint, start };
        let mut nudges = self.activity.nudges();
        let mut failures = 0;
        loop {
            let began = Instant::now();
            let wait = match self.read(&shard, &mut position).await {
                Ok(Some(page)) => {
                    failures = 0;
                    let records = page.records().len();
                    if records == 0 && page.millis_behind_latest().unwrap_or_default() == 0 {
                        self.activity.shard_at_tip(&self.label(&shard), began);
                    }
                    let handed_on = tokio::select! {
                        () = stopped(&mut stop) => false,
                        () = self.hand_on(&page, &reading, &lanes) => true,
                    };
                    if !handed_on {
                        break;
                    }
                    if page.next_shard_iterator().is_none() {
                        break; // The shard was closed and is read to its end.
                    }
                    if records > 0 || self.activity.nudged_lately() { self.pace.poll_after_a_put } else { self.pace.poll }
                }
                Ok(None) => break,
                Err(error) => {
                    failures += 1;
                    self.activity.trouble(&self.label(&shard), format!("{error:#}"));
                    self.pace.back_off(failures)
                }
            };
            if failures == 0 {
                self.activity.well(&self.label(&shard));
            }
            tokio::select! {
                () = stopped(&mut stop) => break,
                () = tokio::time::sleep(wait) => (),
                _ = nudges.changed() => tokio::time::sleep(self.pace.poll_after_a_put.min(Duration::from_millis(5))).await,
            }
        }
        drop(lanes); // They finish what they have, and end.
        while working.join_next().await.is_some() {}
        shard
    }

    fn lane(&self, shard: &str, reading: &Arc<Mutex<Reading>>, stop: &watch::Receiver<bool>) -> Lane {
        Lane {
            mapping: self.mapping.clone(),
            settings: self.settings.clone(),
            shard: shard.to_owned(),
            function: self.function.clone(),
            as_function: self.as_function.clone(),
            pace: self.pace.clone(),
            activity: self.activity.clone(),
            reading: reading.clone(),
            stop: stop.clone(),
        }
    }

    /// One read. Nothing comes back for a shard that is gone.
    async fn read(&self, shard: &str, position: &mut Position) -> Result<Option<GetRecordsOutput>> {
        let iterator = match position.iterator.clone() {
            Some(iterator) => iterator,
            None => match self.iterator(shard, position).await? {
                Some(iterator) => iterator,
                None => return Ok(None),
            },
        };
        match self.client.get_records().stream_arn(&self.mapping.source_arn).shard_iterator(&iterator).limit(PER_READ).send().await {
            Ok(page) => {
                position.iterator = page.next_shard_iterator().map(str::to_owned);
                if let Some(record) = page.records().last() {
                    position.last = Some(Sequence::from(record.sequence_number().to_owned()));
                }
                Ok(Some(page))
            }
            Err(error) => {
                position.iterator = None; // An iterator lives five minutes; the position outlives it.
                if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) {
                    return Ok(None);
                }
                if error.as_service_error().is_some_and(|error| error.is_expired_iterator_exception()) {
                    return Box::pin(self.read(shard, position)).await;
                }
                Err(anyhow::anyhow!("cannot read: {}", in_full(&error)))
            }
        }
    }

    async fn iterator(&self, shard: &str, position: &Position) -> Result<Option<String>> {
        let request = self.client.get_shard_iterator().stream_arn(&self.mapping.source_arn).shard_id(shard);
        let request = match (&position.last, position.start) {
            (Some(last), _) => request.shard_iterator_type(ShardIteratorType::AfterSequenceNumber).starting_sequence_number(last.as_str()),
            (None, Start::Oldest) => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
            (None, Start::Latest) => request.shard_iterator_type(ShardIteratorType::Latest),
            (None, Start::At(time)) => request.shard_iterator_type(ShardIteratorType::AtTimestamp).timestamp(DateTime::from_secs_f64(time)),
        };
        match request.send().await {
            Ok(output) => Ok(Some(output.shard_iterator().context("Kinesis gives no iterator")?.to_owned())),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_not_found_exception()) => Ok(None),
            Err(error) => Err(anyhow::anyhow!("cannot begin to read {}: {}", name_of(&self.mapping.source_arn), in_full(&error))),
        }
    }

    async fn hand_on(&self, page: &GetRecordsOutput, reading: &Mutex<Reading>, lanes: &[mpsc::Sender<Arc<Record>>]) {
        let records: Vec<Arc<Record>> = page
            .records()
            .iter()
            .map(|record| {
                Arc::new(Record {
                    sequence: Sequence::from(record.sequence_number().to_owned()),
                    partition_key: record.partition_key().unwrap_or_default().to_owned(),
                    data: record.data().as_ref().to_vec(),
                    arrived: record.approximate_arrival_timestamp().and_then(|time| time.to_millis().ok()).unwrap_or_default(),
                })
            })
            .collect();
        if records.is_empty() {
            return;
        }
        self.activity.taken(records.len());
        self.activity.count(&self.mapping, |counts| counts.read += records.len() as u64);
        {
            let mut reading = reading.lock().unwrap_or_else(PoisonError::into_inner);
            for record in &records {
                reading.read(record.sequence.clone());
            }
        }
        for record in records {
            if let Some(lane) = lanes.get(lane_of(&record.partition_key, lanes.len())) {
                let _lane_has_ended = lane.send(record).await; // Only when the driver stops.
            }
        }
    }
}

/// Why the reader of a stream looks at its shards again.
enum Next {
    Stop,
    Ended(String),
    Look,
}

/// Whether a shard came from one that was read before it.
fn came_after(listed: &[Shard], shard: &str, ended: &BTreeSet<String>) -> bool {
    listed.iter().filter(|one| one.id == shard).flat_map(|one| &one.parents).any(|parent| ended.contains(parent))
}

/// Where a shard is read next.
struct Position {
    iterator: Option<String>,
    last: Option<Sequence>,
    start: Start,
}
