//! One customer's records of a batch, strictly one after another.

use aws::{Archived, Loaded, StoreError};
use customer::{Customer, Evolved, Input, Seen, decide, evolve};
use decision::{Decided, Recorded, Verdict};
use event::{NoEvent, Time};
use lambda::StreamRecord;
use trigger::TriggerSet;

use crate::batch::{Placed, guarded};
use crate::router::{Router, Tally};

/// A lane that could not be finished.
pub(crate) struct Stopped {
    /// The record that failed, by its place in the batch.
    pub(crate) place: usize,
    /// The customer's next record behind it, if there is one.
    pub(crate) next: Option<usize>,
    pub(crate) error: LaneError,
}

impl Stopped {
    /// A lane that stopped at its `position`th record.
    pub(crate) fn at(inputs: &[Placed<Input>], position: usize, error: LaneError) -> Option<Self> {
        let place = |position: usize| inputs.get(position).map(|(place, _)| *place);
        Some(Self { place: place(position)?, next: place(position + 1), error })
    }
}

/// Why a lane stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaneError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Without the triggers nothing can be decided, whatever the record.
    #[error(transparent)]
    Triggers(StoreError),
    #[error("too little time is left in this invocation")]
    OutOfTime,
}

impl LaneError {
    /// Whether the failure lies in this record or its customer: then no other fails by it, and no waiting helps.
    pub(crate) fn is_about_the_record(&self) -> bool {
        match self {
            Self::Store(error) => error.is_about_the_data(),
            Self::Triggers(_) | Self::OutOfTime => false,
        }
    }
}

impl From<aws::Passing> for LaneError {
    fn from(error: aws::Passing) -> Self {
        Self::Store(error.into())
    }
}

impl Router {
    /// Takes a customer's records as far as it gets; what was done before a failure is committed.
    pub(crate) async fn lane(
        &self,
        records: &[StreamRecord],
        inputs: Vec<Placed<Input>>,
        loaded: Loaded,
        stop_at: Time,
    ) -> (Tally, Option<Stopped>) {
        let mut tally = Tally::default();
        let mut state = loaded.customer.clone();
        let mut changed = false;
        let mut stopped = None;
        for (position, (place, input)) in inputs.iter().enumerate() {
            let step = if self.clock.now() > stop_at {
                Err(LaneError::OutOfTime)
            } else {
                self.step(records, *place, input, &state, &mut tally).await
            };
            match step {
                Ok(Evolved::Changed(next)) => {
                    state = next;
                    changed = true;
                }
                Ok(Evolved::Unchanged) => (),
                Err(error) => {
                    stopped = Stopped::at(&inputs, position, error);
                    break;
                }
            }
        }
        if changed
            && let Some((_, input)) = inputs.first()
            && let Err(error) = self.customers.commit(input.customer(), &loaded, &state).await
        {
            // Nothing of the lane is committed: all of it comes again, and meets its own records in the archive.
            return (tally, Stopped::at(&inputs, 0, error.into()));
        }
        (tally, stopped)
    }

    /// decide → archive → take what is recorded → evolve → effects.
    async fn step(
        &self,
        records: &[StreamRecord],
        place: usize,
        input: &Input,
        state: &Customer,
        tally: &mut Tally,
    ) -> Result<Evolved, LaneError> {
        let seen = state.seen(input.shard(), input.sequence(), input.arrival());
        match seen {
            Seen::Committed => {
                tally.seen_before += 1;
                return Ok(Evolved::Unchanged);
            }
            Seen::StreamReplaced => {
                tally.stream_replaced += 1;
                tracing::error!(customer.id = %input.customer(), "the stream's sequence numbers went back: it was replaced");
            }
            Seen::New | Seen::Passed => (),
        }
        let triggers = self.book.in_force(input.arrival()).await.map_err(LaneError::Triggers)?;
        let decided = match guarded(|| decide(state, input, &triggers)).and_then(|decided| decided) {
            Ok(decided) => decided,
            Err(refusal) => return self.put_aside(records, place, &refusal, tally).await.map(|()| Evolved::Unchanged),
        };
        let OnRecord { decided, first } = self.archived(records, place, input, decided, tally).await?;
        if seen == Seen::Passed && !first {
            tally.seen_before += 1;
            self.enqueue(input, &decided).await?;
            return Ok(Evolved::Unchanged);
        }
        let evolved = match guarded(|| evolve(state, input, &decided)) {
            Ok(evolved) => evolved,
            Err(refusal) => return self.put_aside(records, place, &refusal, tally).await.map(|()| Evolved::Unchanged),
        };
        self.enqueue(input, &decided).await?;
        count(input, &decided, tally);
        Ok(evolved)
    }

    /// What stands in the archive: ours, or what was recorded first.
    async fn archived(
        &self,
        records: &[StreamRecord],
        place: usize,
        input: &Input,
        decided: Decided,
        tally: &mut Tally,
    ) -> Result<OnRecord, LaneError> {
        let data = records.get(place).map(|record| record.data.clone()).unwrap_or_default();
        let recorded = Recorded::new(data, input.arrival(), input.shard().clone(), input.sequence().clone(), decided);
        let event = input.event();
        match self.archive.put(input.customer().as_str(), &input.position(), event.kind().as_str(), &recorded).await? {
            Archived::First => {
                tally.archived += 1;
                Ok(OnRecord { decided: recorded.decided, first: true })
            }
            Archived::Before(before) => Ok(OnRecord { decided: before.decided, first: false }),
        }
    }

    pub(crate) async fn put_aside(
        &self,
        records: &[StreamRecord],
        place: usize,
        refusal: &NoEvent,
        tally: &mut Tally,
    ) -> Result<(), LaneError> {
        if let Some(record) = records.get(place) {
            self.quarantine(record, refusal).await?;
            tally.quarantined += 1;
        }
        Ok(())
    }
}

/// What the archive says was decided.
struct OnRecord {
    decided: Decided,
    /// Whether it was decided just now.
    first: bool,
}

/// Whether anything about the event needs the customer's state.
pub(crate) fn needs_state(input: &Input, triggers: &TriggerSet) -> bool {
    let kind = input.event().kind();
    input.changes_state() || !triggers.for_type(kind).is_empty() || triggers.history_depth(kind).is_some()
}

fn count(input: &Input, decided: &Decided, tally: &mut Tally) {
    tally.repeats += usize::from(decided.repeat);
    for decision in &decided.decisions {
        match &decision.verdict {
            Verdict::Deliver(_) => tally.deliveries += 1,
            Verdict::Refuse(reason) => {
                tally.refused += 1;
                tracing::info!(
                    customer.id = %input.customer(),
                    event.position = input.position().as_str(),
                    trigger.id = %decision.trigger,
                    trigger.version = decision.version.get(),
                    decision.reason = reason.code(),
                    "refused"
                );
            }
        }
    }
}
