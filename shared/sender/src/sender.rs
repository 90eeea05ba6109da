//! One message of the queue, from its text to its end.

use std::sync::Arc;

use aws::{Clock, DeliveryReads, Known, Ledger, Passing, Queue, StoreError, Stream, TriggerBook};
use decision::{Outcome, Reason};
use delivery::{Circumstances, Context, Gate, Message, MessageError, Recipients, Template, WaitCause, bounded_wait, gate};
use event::{Event, Time};
use thiserror::Error;
use trigger::Action;

use crate::after::{Next, Wait, after_failure};
use crate::breakers::Breakers;
use crate::provider::{Dispatch, Provider};

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
    /// Whether the provider is called at all while it is in trouble.
    pub breakers: Breakers,
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
    /// The message could not be put back to wait.
    #[error(transparent)]
    Queue(Passing),
}

impl From<Passing> for Failure {
    fn from(error: Passing) -> Self {
        Self::Store(error.into())
    }
}

/// What a delivery needs that does not change between attempts.
pub(crate) struct Plan {
    pub(crate) action: Action,
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
        let _until_the_batch_is_done = self.breakers.message(&self.clock);
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
        let failure = match self.handle_message(&message, owner, deadline).await {
            Ok(handled) => return Ok(handled),
            Err(failure) => failure,
        };
        match after_failure(&failure, &message, self.clock.now()) {
            Next::Waits(wait) => {
                tracing::warn!(delivery.id = %message.delivery, trigger.id = %message.trigger, error = %failure, "a store is in trouble");
                self.wait(&message, wait).await
            }
            Next::Ends(_) | Next::StaysOnQueue => Err(failure),
        }
    }

    async fn handle_message(&self, message: &Message, owner: &str, deadline: Time) -> Result<Handled, Failure> {
        self.book.refresh().await?;
        let known = self.reads.read(message).await?;
        let Some(plan) = self.plan(message).await? else {
            return self.end_unclaimed(message, &known, Outcome::Failed { cause: "trigger_missing".to_owned() }).await;
        };
        match self.stage(message, &plan, &known).await? {
            Stage::Ready(content) => self.attempt(message, &plan, &known, content, owner, deadline).await,
            Stage::Waits { millis, cause } => self.wait(message, Wait { cause, millis }).await,
            Stage::Ends(outcome) => self.end_unclaimed(message, &known, outcome).await,
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

    /// Puts a message back, for no longer than until right after its end, so that it is then settled.
    pub(crate) async fn wait(&self, message: &Message, Wait { cause, millis }: Wait) -> Result<Handled, Failure> {
        self.queue.send_later(message, bounded_wait(message, self.clock.now(), millis)).await.map_err(Failure::Queue)?;
        if cause == WaitCause::BreakerOpen {
            self.breakers.waits(message.channel);
        }
        Ok(Handled::Waits(cause))
    }
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
    fn a_customer_s_id_cannot_break_out_of_the_link() {
        assert_eq!(percent_encoded("a b&c=ü/../x-1"), "a%20b%26c%3D%C3%BC%2F..%2Fx-1");
    }
}
