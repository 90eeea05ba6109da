//! What follows a failure: whether it ends the delivery, makes it wait, or uses up one of its receives.
//!
//! Whatever is not the message's fault makes it wait. What may be its fault uses up a receive, so that a message on which
//! something fails each time ends among the dead letters. `docs/operations.md` has the table.

use decision::Outcome;
use delivery::{Held, Jitter, Message, WaitCause, as_asked, back_off};
use event::Time;
use trigger::SendPolicy;

use crate::provider::SendError;
use crate::sender::Failure;

/// A message is sent again to its queue, and no receive is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    pub cause: WaitCause,
    /// Cut to what is left of the delivery's time when it is put back.
    pub millis: i64,
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Ends(Outcome),
    Waits(Wait),
    /// It stays on the queue: a receive is used up, and the fifth makes it a dead letter.
    StaysOnQueue,
}

/// What follows a send that failed. `held` says whether the breaker is open now, `lease_millis` how long the claim stands.
#[must_use]
pub fn after_send(error: &SendError, policy: SendPolicy, held: Option<Held>, message: &Message, lease_millis: i64) -> Next {
    let waits = |cause, millis| Next::Waits(Wait { cause, millis });
    match error {
        SendError::Rejected { cause } => Next::Ends(Outcome::Failed { cause: cause.clone() }),
        SendError::Throttled { retry_after_millis, .. } => {
            let millis = held.map_or_else(|| longer(message), |held| held.asked_millis(Jitter::of(message)));
            waits(WaitCause::Throttled, millis.max(retry_after_millis.map_or(0, as_asked)))
        }
        SendError::Stopped { .. } | SendError::Unavailable { .. } => {
            held.map_or_else(|| waits(WaitCause::Unavailable, longer(message)), |held| Next::Waits(while_open(held, message)))
        }
        SendError::NotSent { .. } => held.map_or(Next::StaysOnQueue, |held| Next::Waits(while_open(held, message))),
        SendError::Ambiguous { .. } => match policy {
            SendPolicy::AtMostOnce => Next::Ends(Outcome::Unknown),
            // The claim stands until its lease is over; then the next attempt takes it.
            SendPolicy::AtLeastOnce => waits(WaitCause::Unknown, lease_millis),
        },
    }
}

/// What follows an attempt that failed on something else than the provider.
///
/// A table or the stream in trouble makes the delivery wait, but only until its own end: nobody could settle it then, and as
/// a dead letter it is settled when it is redriven. What cannot be read cannot be read the next time either.
#[must_use]
pub fn after_failure(failure: &Failure, message: &Message, now: Time) -> Next {
    match failure {
        Failure::Store(error) if !error.is_about_the_data() && now <= message.not_after => {
            Next::Waits(Wait { cause: WaitCause::StoreDown, millis: longer(message) })
        }
        Failure::Store(_) | Failure::Message(_) | Failure::Queue(_) | Failure::NotSent { .. } => Next::StaysOnQueue,
    }
}

/// A breaker is open, and the provider is not called.
#[must_use]
pub fn while_open(held: Held, message: &Message) -> Wait {
    Wait { cause: WaitCause::BreakerOpen, millis: held.spread_millis(Jitter::of(message)) }
}

/// Another attempt holds the delivery, until then.
#[must_use]
pub fn while_claimed(until: Time, now: Time) -> Wait {
    Wait { cause: WaitCause::ClaimedByAnother, millis: until.since(now).max(0).saturating_add(1_000) }
}

/// The invocation ends before a call could.
#[must_use]
pub fn out_of_time(message: &Message) -> Wait {
    Wait { cause: WaitCause::OutOfTime, millis: back_off(message.waits, Jitter::of(message)) }
}

/// A back-off that begins at two seconds.
fn longer(message: &Message) -> i64 {
    back_off(message.waits.saturating_add(1), Jitter::of(message))
}
