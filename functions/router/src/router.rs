//! A batch of the stream, from its records to the one answer.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use aws::{Archive, Clock, Customers, Loaded, Quarantine, Queues, Stream, TriggerBook};
use customer::Input;
use decision::{Decided, Recorded};
use event::{CustomerId, Event, NoEvent, Position, QuarantineReason, Time};
use futures::StreamExt;
use futures::stream;
use lambda::StreamRecord;

use crate::batch::{Lanes, Placed, Sorted};
use crate::lane::{LaneError, Stopped, needs_state};

/// Customers that are worked on at once.
const LANES_AT_ONCE: usize = 16;

/// The longest that one call to a store takes; no step begins later than this before the end.
const LONGEST_CALL_MILLIS: i64 = 12_000;

/// A record that alone kept failing for so long is put aside, so that one customer never blocks a shard.
const STUCK_AFTER_MILLIS: i64 = 15 * 60 * 1000;

/// The router's stores, queues and triggers.
pub struct Router {
    pub customers: Customers,
    pub archive: Archive,
    pub queues: Queues,
    pub stream: Stream,
    pub quarantine: Quarantine,
    pub book: TriggerBook,
    pub clock: Clock,
}

/// What was done with a batch, for its line in the log.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) archived: usize,
    pub(crate) seen_before: usize,
    pub(crate) repeats: usize,
    pub(crate) deliveries: usize,
    pub(crate) refused: usize,
    pub(crate) quarantined: usize,
    pub(crate) readdressed: usize,
    /// Events about something else than a customer: archived, and decided by nobody.
    pub(crate) entities: usize,
    pub(crate) stream_replaced: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.archived += other.archived;
        self.seen_before += other.seen_before;
        self.repeats += other.repeats;
        self.deliveries += other.deliveries;
        self.refused += other.refused;
        self.quarantined += other.quarantined;
        self.readdressed += other.readdressed;
        self.entities += other.entities;
        self.stream_replaced += other.stream_replaced;
    }
}

impl Router {
    /// Handles a batch and gives the first record that failed: the mapping goes on with it. `deadline` is when the
    /// invocation must be over.
    pub async fn handle<'a>(&self, records: &'a [StreamRecord], deadline: Time) -> Option<&'a StreamRecord> {
        let stop_at = deadline.plus(-LONGEST_CALL_MILLIS);
        if let Err(error) = self.book.refresh().await {
            tracing::error!(error = %error, "the triggers cannot be read; nothing is decided without them");
            return records.first();
        }
        let lanes = Lanes::of(records);
        let mut tally = Tally::default();
        let mut stopped = self.others(records, lanes.others, &mut tally, stop_at).await;
        let mut loaded = self.load(&lanes.customers).await;
        let lanes = lanes.customers.into_iter().map(|(id, inputs)| (inputs, loaded.remove(&id).unwrap_or_else(|| Ok(Loaded::default()))));
        let mut done = stream::iter(lanes.collect::<Vec<_>>())
            .map(async |(inputs, loaded)| match loaded {
                Ok(loaded) => self.lane(records, inputs, loaded, stop_at).await,
                Err(error) => (Tally::default(), Stopped::at(&inputs, 0, error)),
            })
            .buffer_unordered(LANES_AT_ONCE);
        let mut finished_lanes = 0;
        while let Some((lane, stop)) = done.next().await {
            tally += lane;
            finished_lanes += usize::from(stop.is_none());
            stopped.extend(stop);
        }
        let first_failure = self.first_failure(records, stopped, finished_lanes > 0, &mut tally).await;
        self.log(records, &tally, first_failure);
        first_failure
    }

    /// Everything that is no customer's event, in its order.
    async fn others(&self, records: &[StreamRecord], others: Vec<(usize, Sorted)>, tally: &mut Tally, stop_at: Time) -> Vec<Stopped> {
        let mut stopped = Vec::new();
        for (place, sorted) in others {
            let Some(record) = records.get(place) else { continue };
            let result = match sorted {
                _ if self.clock.now() > stop_at => Err(LaneError::OutOfTime),
                Sorted::Refused(refusal) => self.put_aside(records, place, &refusal, tally).await,
                Sorted::Misplaced(event) => self.readdress(record, &event, tally).await,
                Sorted::Entity(event) => self.archive_entity(record, &event, tally).await,
                Sorted::Input(_) => Ok(()),
            };
            if let Err(error) = result {
                stopped.push(Stopped { place, next: None, error });
            }
        }
        stopped
    }

    async fn archive_entity(&self, record: &StreamRecord, event: &Event, tally: &mut Tally) -> Result<(), LaneError> {
        let decided = Decided { now: record.arrival, generation: 0, repeat: false, decisions: Vec::new(), remember: None };
        let recorded = Recorded::new(record.data.clone(), record.arrival, record.shard.clone(), record.sequence.clone(), decided);
        let position = Position::new(record.arrival, &record.sequence);
        self.archive.put(event.subject().as_str(), &position, event.kind().as_str(), &recorded).await?;
        tally.archived += 1;
        tally.entities += 1;
        Ok(())
    }

    /// The states that are needed; a customer of whose events nothing depends on a state is not read.
    async fn load(&self, customers: &BTreeMap<CustomerId, Vec<Placed<Input>>>) -> BTreeMap<CustomerId, Result<Loaded, LaneError>> {
        let mut needed = Vec::new();
        for (id, inputs) in customers {
            for (_, input) in inputs {
                let triggers = self.book.in_force(input.arrival()).await;
                // Where the triggers cannot be read, the lane will say so itself.
                if triggers.map_or(true, |triggers| needs_state(input, &triggers)) {
                    needed.push(id.clone());
                    break;
                }
            }
        }
        match self.customers.load(&needed).await {
            Ok(loaded) => loaded.into_iter().map(|(id, loaded)| (id, loaded.map_err(LaneError::from))).collect(),
            Err(error) => needed.into_iter().map(|id| (id, Err(error.clone().into()))).collect(),
        }
    }

    /// The first failure in batch order, once the record that is stuck was put aside.
    async fn first_failure<'a>(
        &self,
        records: &'a [StreamRecord],
        stopped: Vec<Stopped>,
        others_worked: bool,
        tally: &mut Tally,
    ) -> Option<&'a StreamRecord> {
        for stop in &stopped {
            tracing::error!(event.sequence = records.get(stop.place).map(|record| record.sequence.as_str()), error = %stop.error, "a record failed and comes again");
        }
        // A record that fails for want of a service is told from one that fails by itself: others worked, or its error says so.
        if let [stop] = stopped.as_slice()
            && (others_worked || stop.error.is_about_the_record())
            && let Some(record) = records.get(stop.place)
            && self.clock.now().since(record.arrival) > STUCK_AFTER_MILLIS
            && !matches!(stop.error, LaneError::OutOfTime | LaneError::Triggers(_))
        {
            let refusal = NoEvent::new(QuarantineReason::Stuck, format!("the record alone kept failing: {}", stop.error));
            if self.put_aside(records, stop.place, &refusal, tally).await.is_ok() {
                return stop.next.and_then(|next| records.get(next));
            }
        }
        stopped.iter().map(|stop| stop.place).min().and_then(|place| records.get(place))
    }

    fn log(&self, records: &[StreamRecord], tally: &Tally, first_failure: Option<&StreamRecord>) {
        let oldest = records.iter().map(|record| record.arrival).min();
        tracing::info!(
            records = records.len(),
            archived = tally.archived,
            seen_before = tally.seen_before,
            repeats = tally.repeats,
            deliveries = tally.deliveries,
            refused = tally.refused,
            quarantined = tally.quarantined,
            readdressed = tally.readdressed,
            entities = tally.entities,
            stream_replaced = tally.stream_replaced,
            failed_from = first_failure.map(|record| record.sequence.as_str()),
            oldest_ms = oldest.map(|oldest| self.clock.now().since(oldest)),
            "batch"
        );
    }
}
