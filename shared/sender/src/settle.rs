//! The end of a delivery: into the ledger first, then onto the stream where it changes the customer's state.

use aws::{Claim, Known, StoreError};
use decision::Outcome;
use delivery::Message;

use crate::Provider;
use crate::after::while_claimed;
use crate::report::report;
use crate::sender::{Failure, Handled, Sender};

impl<P: Provider> Sender<P> {
    /// Settles a delivery that this attempt has claimed.
    pub(crate) async fn end(&self, message: &Message, known: &Known, owner: &str, outcome: Outcome) -> Result<Handled, Failure> {
        match self.ledger.settle(message, owner, &outcome, self.clock.now()).await {
            Ok(()) => self.tell(message, known, &outcome).await.map(|()| Handled::Ended(outcome)),
            Err(StoreError::Conflict { .. }) => {
                // The lease ended before the provider's answer came, and another attempt has the delivery now.
                tracing::warn!(delivery.id = %message.delivery, delivery.outcome = outcome.code(), "an outcome came after its lease");
                Ok(Handled::EndedBefore(outcome))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Settles a delivery whose provider is not called.
    pub(crate) async fn end_unclaimed(&self, message: &Message, known: &Known, outcome: Outcome) -> Result<Handled, Failure> {
        match self.ledger.settle_unclaimed(message, &outcome, self.clock.now()).await? {
            Claim::Granted(_) => self.tell(message, known, &outcome).await.map(|()| Handled::Ended(outcome)),
            other => self.not_granted(message, known, other).await,
        }
    }

    /// What follows when the ledger did not give the delivery away.
    pub(crate) async fn not_granted(&self, message: &Message, known: &Known, claim: Claim) -> Result<Handled, Failure> {
        match claim {
            Claim::Settled(outcome) => {
                // The stream may not have been told: the process may have ended right after it settled.
                self.tell(message, known, &outcome).await?;
                Ok(Handled::EndedBefore(outcome))
            }
            Claim::Granted(_) | Claim::HeldByAnother { .. } => {
                let until = if let Claim::HeldByAnother { until } = claim { until } else { self.clock.now() };
                self.wait(message, while_claimed(until, self.clock.now())).await
            }
            Claim::Abandoned => {
                self.ledger.settle_abandoned(message, self.clock.now()).await?;
                self.tell(message, known, &Outcome::Unknown).await?;
                Ok(Handled::Ended(Outcome::Unknown))
            }
        }
    }

    async fn tell(&self, message: &Message, known: &Known, outcome: &Outcome) -> Result<(), Failure> {
        if outcome.is_reported() {
            self.stream.put(report(message, outcome, known.cause.as_ref(), self.clock.now())).await?;
        }
        Ok(())
    }
}
