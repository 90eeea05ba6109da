//! A profile that changed while it was being sent is sent again, so that an older one never wins.

use aws::Known;
use delivery::Message;
use event::Time;

use crate::provider::{Accepted, Provider, SendError};
use crate::sender::{Failure, Plan, Sender, Stage};

/// So often in one attempt. Who changes faster waits a while.
const MOST_REPEATS: u32 = 3;

impl<P: Provider> Sender<P> {
    /// Reads the customer once more after a profile was taken, and sends what it is now, until nothing has changed.
    ///
    /// Where there is no time for that now, the delivery goes back to wait. Where it may not be sent any more, or cannot be
    /// built, the profile that was taken was the last.
    ///
    /// # Errors
    /// A read that failed: the claim stands until its lease is over, and the next attempt begins anew.
    pub(crate) async fn followed(
        &self,
        message: &Message,
        plan: &Plan,
        known: &Known,
        taken: Accepted,
        until: Time,
    ) -> Result<Result<Accepted, SendError>, Failure> {
        let (mut version, mut taken) = (known.version, taken);
        for repeats in 0.. {
            let known = self.reads.read(message).await?;
            if known.version == version {
                break;
            }
            let content = match self.stage(message, plan, &known).await? {
                Stage::Ready(content) if repeats < MOST_REPEATS && until.since(self.clock.now()) >= P::LONGEST_CALL_MILLIS => content,
                Stage::Ready(_) | Stage::Waits { .. } => {
                    return Ok(Err(later()));
                }
                Stage::Ends(_) => break,
            };
            let Ok(call) = self.breakers.admit(message.channel, self.provider.scope(&content), self.clock.now()) else {
                return Ok(Err(later()));
            };
            match self.call(call, content, message).await {
                Ok(accepted) => (version, taken) = (known.version, accepted),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(taken))
    }
}

/// What was taken is older than the profile. The delivery is not done with, and nothing of it is wrong.
fn later() -> SendError {
    SendError::Throttled { cause: "profile_changed".to_owned(), retry_after_millis: None }
}
