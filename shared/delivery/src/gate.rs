//! The gate before a send: whether a delivery may go out now.
//!
//! It is asked at each attempt, after a redrive too, with what is known then. Deny wins unless a consent is newer.

use customer::Customer;
use decision::Reason;
use event::Time;
use trigger::{Action, Channel, Class, Mode, Purpose};

use crate::{Jitter, Message, Recipients, WaitCause, back_off, bounded_wait};

/// Why somebody gets nothing, from outside the stream of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    pub kind: SuppressionKind,
    pub channel: Channel,
    /// None for every purpose.
    pub purpose: Option<Purpose>,
    pub at: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressionKind {
    /// The customer unsubscribed.
    Withdrawal,
    /// The address does not exist.
    Bounce,
    /// The customer called a message spam.
    Complaint,
    /// The customer was erased, and what was withdrawn stays withdrawn.
    Erasure,
}

/// What is known when a delivery is about to go out.
#[derive(Debug, Clone)]
pub struct Circumstances<'a> {
    pub message: &'a Message,
    pub action: &'a Action,
    /// None where nothing was ever committed for the customer.
    pub customer: Option<&'a Customer>,
    /// Of the customer and of the address.
    pub suppressions: &'a [Suppression],
    /// None where the trigger was taken out since.
    pub mode: Option<Mode>,
    /// The stack's switch for all marketing at once.
    pub marketing_stopped: bool,
    pub recipients: &'a Recipients,
    pub now: Time,
}

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    Open,
    /// Not yet: to be looked at again after so many milliseconds.
    Wait {
        millis: i64,
        cause: WaitCause,
    },
    Refuse(Reason),
}

/// Whether a delivery may go out. Lateness first, then what makes it wait, then what forbids it.
#[must_use]
pub fn gate(circumstances: &Circumstances<'_>) -> Gate {
    let Circumstances { message, action, customer, suppressions, mode, marketing_stopped, recipients, now } = *circumstances;
    if now > message.not_after {
        return Gate::Refuse(Reason::Expired);
    }
    let Some(customer) = customer.filter(|customer| is_committed(customer, message)) else {
        return wait(circumstances, back_off(message.waits, Jitter::of(message)), WaitCause::NotCommitted);
    };
    if now < message.not_before {
        return wait(circumstances, message.not_before.since(now), WaitCause::NotBefore);
    }
    if customer.is_erased() {
        return Gate::Refuse(Reason::Erased);
    }
    if mode.is_none_or(|mode| mode == Mode::Paused) || (marketing_stopped && action.class() == Class::Marketing) {
        return wait(circumstances, 60_000, WaitCause::Paused);
    }
    let Some(address) = customer.address(message.channel) else { return Gate::Refuse(Reason::NoAddress) };
    if !recipients.may_reach(message.channel, &address) {
        return Gate::Refuse(Reason::Sandbox);
    }
    let consent = action.purpose().and_then(|purpose| customer.consent(purpose, message.channel));
    if action.class() == Class::Marketing && consent.is_none() {
        return Gate::Refuse(Reason::NoConsent);
    }
    // A transactional message has no purpose: there, any newer consent on the channel says that the address is good again.
    let consent = consent.or_else(|| customer.newest_consent(message.channel));
    let denied = suppressions.iter().any(|suppression| applies(suppression, action) && consent.is_none_or(|at| at <= suppression.at));
    if denied { Gate::Refuse(Reason::Suppressed) } else { Gate::Open }
}

/// Whether the state has the delivery's cause. A message whose position names no time is judged as its own shard's newest.
fn is_committed(customer: &Customer, message: &Message) -> bool {
    let arrival = message.position.arrival().unwrap_or_default();
    customer.is_committed(&message.shard, &message.sequence, arrival)
}

fn wait(circumstances: &Circumstances<'_>, millis: i64, cause: WaitCause) -> Gate {
    Gate::Wait { millis: bounded_wait(circumstances.message, circumstances.now, millis), cause }
}

fn applies(suppression: &Suppression, action: &Action) -> bool {
    if suppression.channel != action.channel() {
        return false;
    }
    match suppression.kind {
        SuppressionKind::Bounce | SuppressionKind::Complaint => true,
        SuppressionKind::Withdrawal | SuppressionKind::Erasure => {
            action.class() == Class::Marketing && suppression.purpose.as_ref().is_none_or(|purpose| Some(purpose) == action.purpose())
        }
    }
}
