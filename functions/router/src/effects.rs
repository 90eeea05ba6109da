//! What follows from a decision: deliveries on their queues, records put aside or put again.

use aws::{Put, Quarantined, StoreError};
use customer::Input;
use decision::{Decided, Decision, Deliver};
use delivery::Message;
use event::{Event, MOST_HOPS, NoEvent, QuarantineReason, readdressed};
use lambda::StreamRecord;
use trigger::Channel;

use crate::lane::LaneError;
use crate::router::{Router, Tally};

impl Router {
    /// Enqueues the deliveries of an input, each on its channel's queue.
    pub(crate) async fn enqueue(&self, input: &Input, decided: &Decided) -> Result<(), LaneError> {
        let messages: Vec<_> = decided.deliveries().map(|(decision, deliver)| message(input, decision, deliver)).collect();
        for channel in Channel::ALL {
            let of_channel: Vec<_> = messages.iter().filter(|message| message.channel == *channel).cloned().collect();
            if of_channel.is_empty() {
                continue;
            }
            let queue = self.queues.of(*channel).ok_or_else(|| StoreError::Unreadable {
                what: "a recorded decision",
                problem: format!("it asks for {channel}, which has no queue in this version"),
            })?;
            queue.send(&of_channel).await?;
        }
        Ok(())
    }

    /// Puts an event under its subject's key, where its own customer's writer takes it.
    pub(crate) async fn readdress(&self, record: &StreamRecord, event: &Event, tally: &mut Tally) -> Result<(), LaneError> {
        if event.hops() >= MOST_HOPS {
            let refusal = NoEvent::new(QuarantineReason::TooManyHops, "the event was put under another key again and again");
            tally.quarantined += 1;
            return self.quarantine(record, &refusal).await;
        }
        match readdressed(&record.data, record.arrival) {
            Ok(data) => {
                self.stream.put(Put { partition_key: event.subject().as_str().to_owned(), data }).await?;
                tally.readdressed += 1;
                tracing::info!(
                    event.shard = record.shard.as_str(),
                    event.sequence = record.sequence.as_str(),
                    "put under its subject as partition key"
                );
                Ok(())
            }
            Err(refusal) => {
                tally.quarantined += 1;
                self.quarantine(record, &refusal).await
            }
        }
    }

    pub(crate) async fn quarantine(&self, record: &StreamRecord, refusal: &NoEvent) -> Result<(), LaneError> {
        let object = Quarantined::new(refusal, &record.shard, &record.sequence, &record.partition_key, record.arrival, &record.data);
        self.quarantine.put(&object).await?;
        tracing::warn!(
            event.shard = record.shard.as_str(),
            event.sequence = record.sequence.as_str(),
            quarantine.reason = refusal.reason.code(),
            quarantine.problems = refusal.problems.join("; "),
            "quarantined"
        );
        Ok(())
    }
}

fn message(input: &Input, decision: &Decision, deliver: &Deliver) -> Message {
    Message {
        delivery: deliver.id,
        customer: input.customer().clone(),
        position: input.position(),
        shard: input.shard().clone(),
        sequence: input.sequence().clone(),
        trigger: decision.trigger.clone(),
        version: decision.version,
        run: decision.run,
        step: decision.step.clone().unwrap_or_default(),
        channel: deliver.channel,
        not_before: deliver.not_before,
        not_after: deliver.not_after,
        waits: 0,
    }
}
