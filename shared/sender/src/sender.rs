//! One message of the queue, from its text to its end.

use std::sync::Arc;

use aws::{Claim, Clock, DeliveryReads, Earlier, Known, Ledger, Passing, Queue, StoreError, Stream, TriggerBook};
use decision::{Outcome, Reason};
use delivery::{Circumstances, Context, Gate, Message, MessageError, Recipients, Template, WaitCause, back_off, gate};
use event::{Event, Time};
use thiserror::Error;
use trigger::{Action, SendPolicy};

use crate::provider::{Accepted, Dispatch, Provider, SendError};

/// A claim outlives the provider's call by this much, and stays below the queue's visibility timeout.
const LEASE_MARGIN_MILLIS: i64 = 20_000;

/// A provider's wish when to come back is followed between these.
const SOONEST_RETRY_MILLIS: i64 = 1_000;
const LATEST_RETRY_MILLIS: i64 = 900_000;

/// Turns deliveries into messages of one channel.
pub struct Sender<P> {
    pub provider: P,
    pub reads: DeliveryReads,
    pub ledger: Ledger,
    pub queue: Queue,
    pub stream: Stream,
    pub book: TriggerBook,
    pub clock: Clock,
    /// Where customers withdraw consent, with `{customer}` and `{delivery}` to be filled in.
    pub unsubscribe_url: Option<String>,
    /// Whom this stack may reach.
    pub recipients: Recipients,
}

/// What became of a message; it is done with and may be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handled {
    /// The delivery ended now.
    Ended(Outcome),
    /// It ended before, and this message was one too many.
    EndedBefore(Outcome),
    /// It was put back to wait.
    Waits(WaitCause),
}

/// A message that stays on the queue: an attempt that failed.
#[derive(Debug, Error)]
pub enum Failure {
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the provider did not take the message: {cause}")]
    NotSent { cause: String },
    #[error("too little time is left in this invocation")]
    OutOfTime,
}

impl From<Passing> for Failure {
    fn from(error: Passing) -> Self {
        Self::Store(error.into())
    }
}

/// What a delivery needs that does not change between attempts.
pub(crate) struct Plan {
    action: Action,
    template: Option<Arc<Template>>,
}

/// How far a delivery comes before its claim.
pub(crate) enum Stage<C> {
    Ready(C),
    Waits { millis: i64, cause: WaitCause },
    Ends(Outcome),
}

impl<P: Provider> Sender<P> {
    /// Handles one message, says in the log what became of it, and whether the queue may forget it.
    pub async fn is_done_with(&self, body: &str, owner: &str, deadline: Time) -> bool {
        let delivery = Message::parse(body).map(|message| (message.delivery, message.trigger));
        let (delivery, trigger) = delivery.map_or((None, None), |(delivery, trigger)| (Some(delivery), Some(trigger)));
        let delivery = delivery.as_ref().map(tracing::field::display);
        let trigger = trigger.as_ref().map(tracing::field::display);
        match self.handle(body, owner, deadline).await {
            Ok(Handled::Ended(Outcome::Refused(reason))) => {
                tracing::info!(
                    delivery.id = delivery,
                    trigger.id = trigger,
                    delivery.outcome = "refused",
                    delivery.reason = reason.code(),
                    "a delivery ended"
                );
                true
            }
            Ok(Handled::Ended(Outcome::Failed { cause })) => {
                tracing::error!(
                    delivery.id = delivery,
                    trigger.id = trigger,
                    delivery.outcome = "failed",
                    delivery.cause = cause,
                    "a delivery ended"
                );
                true
            }
            Ok(Handled::Ended(outcome)) => {
                tracing::info!(delivery.id = delivery, trigger.id = trigger, delivery.outcome = outcome.code(), "a delivery ended");
                true
            }
            Ok(Handled::EndedBefore(outcome)) => {
                tracing::info!(
                    delivery.id = delivery,
                    trigger.id = trigger,
                    delivery.outcome = outcome.code(),
                    "a delivery had ended before"
                );
                true
            }
            Ok(Handled::Waits(cause)) => {
                tracing::info!(delivery.id = delivery, trigger.id = trigger, wait.cause = cause.code(), "a delivery waits");
                true
            }
            Err(failure) => {
                tracing::error!(delivery.id = delivery, trigger.id = trigger, error = %failure, "an attempt failed and comes again");
                false
            }
        }
    }

    /// Handles one message. `owner` is another one for each attempt; `deadline` is when the invocation must be over.
    ///
    /// # Errors
    /// An attempt that failed: the message stays on the queue, and uses up one of its receives.
    pub async fn handle(&self, body: &str, owner: &str, deadline: Time) -> Result<Handled, Failure> {
        let message = Message::parse(body)?;
        self.book.refresh().await?;
        let known = self.reads.read(&message).await?;
        let Some(plan) = self.plan(&message).await? else {
            return self.end_unclaimed(&message, &known, Outcome::Failed { cause: "trigger_missing".to_owned() }).await;
        };
        match self.stage(&message, &plan, &known).await? {
            Stage::Ready(content) => self.attempt(&message, &plan, &known, content, owner, deadline).await,
            Stage::Waits { millis, cause } => self.wait(&message, millis, cause).await,
            Stage::Ends(outcome) => self.end_unclaimed(&message, &known, outcome).await,
        }
    }

    /// Asks the gate, and builds the message.
    pub(crate) async fn stage(&self, message: &Message, plan: &Plan, known: &Known) -> Result<Stage<P::Content>, StoreError> {
        let standing = self.book.standing(&message.trigger).await?;
        let circumstances = Circumstances {
            message,
            action: &plan.action,
            customer: known.customer.as_ref(),
            suppressions: &known.suppressions,
            mode: standing.mode,
            marketing_stopped: standing.marketing_stopped,
            recipients: &self.recipients,
            now: self.clock.now(),
        };
        Ok(match gate(&circumstances) {
            Gate::Wait { millis, cause } => Stage::Waits { millis, cause },
            Gate::Refuse(Reason::Expired) => Stage::Ends(Outcome::Expired),
            Gate::Refuse(reason) => Stage::Ends(Outcome::Refused(reason)),
            Gate::Open => self.build(message, plan, known).map_or_else(Stage::Ends, Stage::Ready),
        })
    }

    /// The step and its template in the version that decided; none where that version or step does not exist.
    async fn plan(&self, message: &Message) -> Result<Option<Plan>, StoreError> {
        let Some(published) = self.book.version(&message.trigger, message.version).await? else { return Ok(None) };
        let Some(step) = published.trigger.step_at(&message.step) else { return Ok(None) };
        let template = match step.action().template() {
            None => None,
            Some(name) => {
                let Some(hash) = published.templates.get(name) else { return Ok(None) };
                Some(self.book.template(*hash).await?)
            }
        };
        Ok(Some(Plan { action: step.action().clone(), template }))
    }

    fn build(&self, message: &Message, plan: &Plan, known: &Known) -> Result<P::Content, Outcome> {
        let failed = |cause: &str| Outcome::Failed { cause: cause.to_owned() };
        let recorded = known.cause.as_ref().ok_or_else(|| failed("event_missing"))?;
        let event = Event::parse(&recorded.input).map_err(|_| failed("event_unreadable"))?;
        let customer = known.customer.as_ref().ok_or_else(|| failed("customer_missing"))?;
        let context = Context {
            event: event.to_value(),
            customer: customer.to_value(&message.customer),
            trigger: message.trigger.as_str().to_owned(),
            delivery: message.delivery.to_string(),
            unsubscribe_url: self.unsubscribe_url.as_ref().map(|url| filled_in(url, message)),
        };
        self.provider.build(&Dispatch { message, action: &plan.action, customer, template: plan.template.as_deref(), context: &context })
    }

    async fn attempt(
        &self,
        message: &Message,
        plan: &Plan,
        known: &Known,
        content: P::Content,
        owner: &str,
        deadline: Time,
    ) -> Result<Handled, Failure> {
        let policy = plan.action.send();
        let now = self.clock.now();
        if deadline.since(now) < P::LONGEST_CALL_MILLIS {
            return Err(Failure::OutOfTime);
        }
        let lease = P::LONGEST_CALL_MILLIS + LEASE_MARGIN_MILLIS;
        let mut earlier = match self.ledger.claim(message, owner, policy, now, lease).await? {
            Claim::Granted(earlier) => earlier,
            other => return self.not_granted(message, known, other).await,
        };
        let mut sent = self.provider.send(content).await;
        if let Ok(taken) = &sent
            && self.provider.follows_profile(&plan.action)
        {
            earlier = Earlier::PerhapsTaken;
            sent = self.followed(message, plan, known, taken.clone(), deadline.min(now.plus(lease))).await?;
        }
        match sent {
            Ok(Accepted { provider_id }) => self.end(message, known, owner, Outcome::Sent { provider_id }).await,
            Err(SendError::Rejected { cause }) => self.end(message, known, owner, earlier.then(Outcome::Failed { cause })).await,
            Err(SendError::Throttled { cause, retry_after_millis }) => {
                self.ledger.release(message, owner, &cause, earlier).await?;
                self.wait(message, pause(retry_after_millis, message.waits), WaitCause::Throttled).await
            }
            Err(SendError::NotSent { cause }) => {
                self.ledger.release(message, owner, &cause, earlier).await?;
                Err(Failure::NotSent { cause })
            }
            Err(SendError::Ambiguous { cause }) => {
                tracing::warn!(delivery.id = %message.delivery, trigger.id = %message.trigger, cause, "nobody knows whether the provider took it");
                match policy {
                    SendPolicy::AtMostOnce => self.end(message, known, owner, Outcome::Unknown).await,
                    // The claim stands until its lease is over; then the next attempt takes it.
                    SendPolicy::AtLeastOnce => self.wait(message, lease, WaitCause::Unknown).await,
                }
            }
        }
    }

    /// Puts a message back, for no longer than until right after its end, so that it is then settled.
    pub(crate) async fn wait(&self, message: &Message, millis: i64, cause: WaitCause) -> Result<Handled, Failure> {
        let left = message.not_after.since(self.clock.now()).saturating_add(1_000);
        self.queue.send_later(message, millis.min(left).max(0)).await?;
        Ok(Handled::Waits(cause))
    }
}

/// How long a throttled delivery waits: as the provider says, within bounds, else longer with each wait.
fn pause(retry_after_millis: Option<i64>, waits: u32) -> i64 {
    let asked = retry_after_millis.map(|millis| millis.clamp(SOONEST_RETRY_MILLIS, LATEST_RETRY_MILLIS));
    asked.unwrap_or_else(|| back_off(waits.saturating_add(1)))
}

fn filled_in(url: &str, message: &Message) -> String {
    url.replace("{customer}", &percent_encoded(message.customer.as_str())).replace("{delivery}", &message.delivery.to_string())
}

/// Everything but letters, digits and `-._~` as `%XX`.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_delivery_waits_as_long_as_the_provider_says() {
        for (asked, waits, millis) in [
            (Some(-5_000), 0, 1_000),
            (Some(0), 9, 1_000),
            (Some(100_000), 0, 100_000),
            (Some(i64::MAX), 0, 900_000),
            (None, 0, 2_000),
            (None, u32::MAX, 900_000),
        ] {
            assert_eq!(pause(asked, waits), millis, "{asked:?} {waits}");
        }
    }

    #[test]
    fn a_customer_s_id_cannot_break_out_of_the_link() {
        assert_eq!(percent_encoded("a b&c=ü/../x-1"), "a%20b%26c%3D%C3%BC%2F..%2Fx-1");
    }
}
