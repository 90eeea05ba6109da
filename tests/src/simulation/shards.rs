//! The event source of the router: the stream's shards, parents before children, each in lanes by partition key.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use cloud::REGION;
use event_source::{Batch, Origin, Policy, Record, Returned, Sequence, Step, StreamAnswer, after, lane_of, of_stream, stream_payload};

use super::executor::either;
use super::functions::Function;
use super::world::{STREAM, World};

/// As the template has it: bisect, and as many retries as it takes.
const POLICY: Policy = Policy { bisect: true, retries: None, record_age: None };

/// The lanes of shards that are read to their end: what the children of a shard wait for.
type Ended = Rc<RefCell<BTreeSet<(String, usize)>>>;

/// Reads the stream for as long as the mapping is there; a new one begins at the oldest record.
pub async fn drive(world: Rc<World>, router: Rc<Function>) {
    loop {
        let mapping = world.mapping.count();
        let finished = Ended::default();
        let mut begun = BTreeSet::new();
        while world.mapping.count() == mapping {
            let seen = (world.progress.count(), world.network.arrivals.count());
            for shard in world.cloud().shards(STREAM) {
                let lanes = world.plan.lanes;
                let ended = |shard: &String| (0..lanes).all(|lane| finished.borrow().contains(&(shard.clone(), lane)));
                if !begun.contains(&shard.id) && shard.parents.iter().all(ended) {
                    begun.insert(shard.id.clone());
                    for lane in 0..lanes {
                        let reader = Lane {
                            world: Rc::clone(&world),
                            router: Rc::clone(&router),
                            finished: Rc::clone(&finished),
                            mapping,
                            shard: shard.id.clone(),
                            lane,
                        };
                        world.spawner.spawn(reader.run());
                    }
                }
            }
            either(world.progress.after(seen.0), world.network.arrivals.after(seen.1)).await;
        }
    }
}

struct Lane {
    world: Rc<World>,
    router: Rc<Function>,
    finished: Ended,
    mapping: u64,
    shard: String,
    lane: usize,
}

impl Lane {
    fn is_over(&self) -> bool {
        self.world.mapping.count() != self.mapping
    }

    async fn run(self) {
        let mut next = 0;
        while !self.is_over() {
            let seen = self.world.network.arrivals.count();
            let (records, read) = self.pending(next);
            if records.is_empty() {
                let closed =
                    self.world.cloud().shards(STREAM).iter().any(|shard| shard.id == self.shard && shard.closed && shard.records == read);
                if closed {
                    self.finished.borrow_mut().insert((self.shard.clone(), self.lane));
                    self.world.progress.raise();
                    return;
                }
                next = read;
                either(self.world.network.arrivals.after(seen), self.world.mapping.after(self.mapping)).await;
                continue;
            }
            let last = records.last().map_or(next, |(at, _)| at + 1);
            self.world.busy_lanes.set(self.world.busy_lanes.get() + 1);
            self.work_through(Batch::new(records.into_iter().map(|(_, record)| Arc::new(record)).collect())).await;
            self.world.busy_lanes.set(self.world.busy_lanes.get() - 1);
            next = last;
            self.world.progress.raise();
        }
    }

    /// The next records of this lane with their places, and how far the shard was read.
    fn pending(&self, from: usize) -> (Vec<(usize, Record)>, usize) {
        let mut found = Vec::new();
        let mut at = from;
        for record in self.world.cloud().records(STREAM, &self.shard, from, 10_000) {
            if found.len() == self.world.plan.stream_batch {
                break;
            }
            if lane_of(&record.partition_key, self.world.plan.lanes) == self.lane {
                let sequence = Sequence::from(record.sequence);
                found.push((at, Record { sequence, partition_key: record.partition_key, data: record.data, arrived: record.arrival }));
            }
            at += 1;
        }
        (found, at)
    }

    /// Invokes until every record of the batch is done.
    async fn work_through(&self, batch: Batch) {
        let mut todo = vec![batch];
        let mut failures = 0;
        while let Some(batch) = todo.pop() {
            if self.is_over() {
                return;
            }
            let origin = Origin { stream_arn: "arn:stream", shard: &self.shard, role_arn: "arn:role", region: REGION };
            let payload = stream_payload(origin, batch.records.iter().map(|record| (record.as_ref(), record.arrived)));
            let mut answer = self.router.invoke(payload).await;
            if answer.is_some() && self.world.strikes(self.world.plan.repeats) {
                // The mapping lost the answer: to it the invocation failed.
                self.world.history.fault("batch delivered again", || self.shard.clone());
                answer = None;
            }
            let payload = answer.map(|answer| answer.to_string());
            let returned = Returned { payload: payload.as_deref().unwrap_or_default().as_bytes(), function_error: payload.is_none() };
            let sequences: Vec<_> = batch.records.iter().map(|record| record.sequence.as_str()).collect();
            let answer = of_stream(returned, true, &sequences);
            let failed = answer != StreamAnswer::Done;
            match after(batch, answer, POLICY) {
                Step::Finished | Step::Discard { .. } => failures = 0,
                Step::Again { done, batches } => {
                    todo.extend(batches.into_iter().rev());
                    failures = if done > 0 { 1 } else { failures + 1 };
                }
            }
            if failed {
                self.world.clockwork.sleep(1_000_i64 << failures.min(5)).await;
            }
        }
    }
}
