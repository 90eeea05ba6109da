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

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Ends(Outcome),
    /// It is sent again to its queue with this delay, and no receive is used up.
    Waits {
        cause: WaitCause,
        millis: i64,
    },
    /// It stays on the queue: a receive is used up, and the fifth makes it a dead letter.
    StaysOnQueue,
}

/// What follows a send that failed. `held` says whether the breaker is open now, `lease_millis` how long the claim stands.
#[must_use]
pub fn after_send(error: &SendError, policy: SendPolicy, held: Option<Held>, message: &Message, lease_millis: i64) -> Next {
    let jitter = Jitter::of(message);
    let backing_off = || back_off(message.waits.saturating_add(1), jitter);
    let open = held.map(|held| Next::Waits { cause: WaitCause::BreakerOpen, millis: held.spread_millis(jitter) });
    match error {
        SendError::Rejected { cause } => Next::Ends(Outcome::Failed { cause: cause.clone() }),
        SendError::Throttled { retry_after_millis, .. } => {
            let millis = held.map_or_else(backing_off, |held| held.asked_millis(jitter));
            Next::Waits { cause: WaitCause::Throttled, millis: millis.max(retry_after_millis.map_or(0, as_asked)) }
        }
        SendError::Stopped { .. } | SendError::Unavailable { .. } => {
            open.unwrap_or_else(|| Next::Waits { cause: WaitCause::Unavailable, millis: backing_off() })
        }
        SendError::NotSent { .. } => open.unwrap_or(Next::StaysOnQueue),
        SendError::Ambiguous { .. } => match policy {
            SendPolicy::AtMostOnce => Next::Ends(Outcome::Unknown),
            // The claim stands until its lease is over; then the next attempt takes it.
            SendPolicy::AtLeastOnce => Next::Waits { cause: WaitCause::Unknown, millis: lease_millis },
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
            let millis = back_off(message.waits.saturating_add(1), Jitter::of(message));
            Next::Waits { cause: WaitCause::StoreDown, millis }
        }
        Failure::Store(_) | Failure::Message(_) | Failure::Queue(_) | Failure::NotSent { .. } => Next::StaysOnQueue,
    }
}
