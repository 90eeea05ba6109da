//! One attempt: the breaker is asked, the delivery is claimed, the provider is called.

use aws::{Claim, Earlier, Known};
use decision::Outcome;
use delivery::Message;
use event::Time;

use crate::after::{Next, after_send, out_of_time, while_open};
use crate::breakers::Call;
use crate::provider::{Accepted, Provider, SendError};
use crate::sender::{Failure, Handled, Plan, Sender};

/// A claim outlives the provider's call by this much, and stays below the queue's visibility timeout.
const LEASE_MARGIN_MILLIS: i64 = 20_000;

/// Who made an attempt, and what was known of those before.
struct Attempted<'a> {
    owner: &'a str,
    earlier: Earlier,
}

impl<P: Provider> Sender<P> {
    /// Makes an attempt, unless the breaker is open or too little time is left: then the delivery waits, unclaimed.
    pub(crate) async fn attempt(
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
            return self.wait(message, out_of_time(message)).await;
        }
        let scope = self.provider.scope(&content);
        let call = match self.breakers.admit(message.channel, scope.clone(), now) {
            Ok(call) => call,
            Err(held) => return self.wait(message, while_open(held, message)).await,
        };
        let lease = P::LONGEST_CALL_MILLIS + LEASE_MARGIN_MILLIS;
        let mut earlier = match self.ledger.claim(message, owner, policy, now, lease).await? {
            Claim::Granted(earlier) => earlier,
            other => return self.not_granted(message, known, other).await,
        };
        let mut sent = self.call(call, content, message).await;
        if let Ok(taken) = &sent
            && self.provider.follows_profile(&plan.action)
        {
            earlier = Earlier::PerhapsTaken;
            sent = self.followed(message, plan, known, taken.clone(), deadline.min(now.plus(lease))).await?;
        }
        let error = match sent {
            Ok(Accepted { provider_id }) => return self.end(message, known, owner, Outcome::Sent { provider_id }).await,
            Err(error) => error,
        };
        let held = self.breakers.held(message.channel, &scope, self.clock.now());
        let next = after_send(&error, policy, held, message, lease);
        self.failed(message, known, Attempted { owner, earlier }, &error, next).await
    }

    /// Calls the provider, and tells the breaker how that ended.
    pub(crate) async fn call(&self, call: Call<'_>, content: P::Content, message: &Message) -> Result<Accepted, SendError> {
        let sent = self.provider.send(content).await;
        call.ended(&sent, message, self.clock.now());
        sent
    }

    /// Does what follows a send that failed. A delivery that was certainly not sent is anybody's again.
    async fn failed(
        &self,
        message: &Message,
        known: &Known,
        Attempted { owner, earlier }: Attempted<'_>,
        error: &SendError,
        next: Next,
    ) -> Result<Handled, Failure> {
        match error {
            SendError::Throttled { cause, .. }
            | SendError::Stopped { cause }
            | SendError::Unavailable { cause }
            | SendError::NotSent { cause } => self.ledger.release(message, owner, cause, earlier).await?,
            SendError::Ambiguous { cause } => {
                tracing::warn!(delivery.id = %message.delivery, trigger.id = %message.trigger, cause, "nobody knows whether the provider took it");
            }
            SendError::Rejected { .. } => (),
        }
        match next {
            Next::Ends(outcome) => self.end(message, known, owner, earlier.then(outcome)).await,
            Next::Waits(wait) => self.wait(message, wait).await,
            Next::StaysOnQueue => Err(Failure::NotSent { cause: error.cause().to_owned() }),
        }
    }
}
