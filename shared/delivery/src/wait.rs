//! Why a delivery waits, and for how long.

use blob::hash;
use decision::DeliveryId;
use event::Time;

use crate::Message;

/// The longest that a message waits before it is looked at again; a queue cannot delay longer.
pub(crate) const LONGEST_WAIT_MILLIS: i64 = 900_000;

/// The longest that the first back-off can be.
const FIRST_BACK_OFF_MILLIS: i64 = 1_000;

/// Nobody comes back to a provider sooner.
pub(crate) const SOONEST_RETRY_MILLIS: i64 = 1_000;

/// Why a delivery waits. Waiting is no failure and uses up no attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitCause {
    NotCommitted,
    NotBefore,
    Paused,
    ClaimedByAnother,
    /// The provider asked to come back later.
    Throttled,
    /// The provider could not be reached, or lets nobody in.
    Unavailable,
    /// The provider is in trouble, and is not called for a while.
    BreakerOpen,
    /// Nobody knows whether the provider took it, and it is to be sent again.
    Unknown,
    /// A table or the stream is in trouble.
    StoreDown,
    /// The invocation ends before a call could.
    OutOfTime,
}

impl WaitCause {
    /// The code in logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotCommitted => "not_committed",
            Self::NotBefore => "not_before",
            Self::Paused => "paused",
            Self::ClaimedByAnother => "claimed_by_another",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::BreakerOpen => "breaker_open",
            Self::Unknown => "unknown",
            Self::StoreDown => "store_down",
            Self::OutOfTime => "out_of_time",
        }
    }
}

/// A number that keeps the waits of many deliveries apart. It is named by the delivery and by how often it waited, so
/// that the same attempt always gets the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jitter(u64);

impl Jitter {
    #[must_use]
    pub fn new(delivery: DeliveryId, waits: u32) -> Self {
        let digest = hash(&[&delivery.bytes(), &waits.to_be_bytes()]);
        Self(digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    #[must_use]
    pub fn of(message: &Message) -> Self {
        Self::new(message.delivery, message.waits)
    }

    /// A number from `low` to `high`, both included; `low` where nothing lies between them. Over all deliveries each is
    /// as likely as any other.
    #[must_use]
    pub fn within(self, low: i64, high: i64) -> i64 {
        let numbers = u128::try_from(i128::from(high) - i128::from(low) + 1).unwrap_or(1).max(1);
        let above = (u128::from(self.0) * numbers) >> 64;
        // Neither fails: it lies between two numbers of 64 bits.
        i64::try_from(i128::from(low).saturating_add(i128::try_from(above).unwrap_or(0))).unwrap_or(low)
    }
}

/// 1, 2, 4 … seconds, up to 15 minutes, and from half of it on: how long to wait after so many waits.
#[must_use]
pub fn back_off(waits: u32, jitter: Jitter) -> i64 {
    shortened(doubled(FIRST_BACK_OFF_MILLIS, waits, LONGEST_WAIT_MILLIS), jitter)
}

/// How long a provider is left alone that asks for so many milliseconds: as it says, between a second and 15 minutes.
#[must_use]
pub fn as_asked(millis: i64) -> i64 {
    millis.clamp(SOONEST_RETRY_MILLIS, LONGEST_WAIT_MILLIS)
}

/// `first`, doubled so often, up to `longest`.
pub(crate) fn doubled(first: i64, times: u32, longest: i64) -> i64 {
    1_i64.checked_shl(times.min(32)).and_then(|factor| first.checked_mul(factor)).map_or(longest, |millis| millis.min(longest))
}

/// A length of time that is shortened by up to a half.
pub(crate) fn shortened(millis: i64, jitter: Jitter) -> i64 {
    jitter.within(millis / 2, millis)
}

/// A wait of so many milliseconds, as the queue can have it: a quarter of an hour at most, and no longer than until right
/// after the delivery's own end, so that it is looked at once more and settled. Beyond its end nothing hurries it.
#[must_use]
pub fn bounded_wait(message: &Message, now: Time, millis: i64) -> i64 {
    let left = message.not_after.since(now).saturating_add(1_000);
    let millis = if now > message.not_after { millis } else { millis.min(left) };
    millis.clamp(0, LONGEST_WAIT_MILLIS)
}
