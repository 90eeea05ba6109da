//! The circuit breaker: whether a provider is called now, by what its last answers said of it.
//!
//! Closed, calls pass. After some failures in a row it opens, and nobody calls for a pause; then one call passes as a
//! probe, and its answer closes the breaker or opens it for longer. It only knows the time that it is told.

use std::collections::BTreeSet;

use decision::DeliveryId;
use event::Time;

use crate::wait::{LONGEST_WAIT_MILLIS, SOONEST_RETRY_MILLIS, as_asked, doubled, shortened};
use crate::{Jitter, Message};

/// So many failures in a row open it.
const FAILURES_TO_OPEN: usize = 5;

/// The pause after the first opening in a row; it doubles with each.
const FIRST_PAUSE_MILLIS: i64 = 1_000;

/// The longest pause, and the one for an account that sends nothing until somebody acts.
const LONGEST_PAUSE_MILLIS: i64 = 300_000;

/// The longest that a message waits which met an open breaker. In five minutes each is back, and the metric has a word of it.
const LONGEST_HELD_MILLIS: i64 = 300_000;

/// What an answer says about the provider, whatever it says about the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It works: it took the message, or refused this one.
    Works,
    /// It failed, and perhaps only on this message: it counts once for each delivery.
    Doubtful,
    /// It failed, and would have on any message.
    Fails,
    /// It asks to be left alone for so long.
    Asks { millis: i64 },
    /// It takes nothing from this account until somebody acts.
    Stopped,
}

/// What an answer changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Opened {
        pause_millis: i64,
    },
    /// A probe failed.
    StaysOpen {
        pause_millis: i64,
    },
    Closed,
}

/// Whether a call may be made now.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may, and its answer is to be told.
    Call(Permit),
    Wait(Held),
}

/// One call that may be made. Its end is told by [`Breaker::answered`], or by [`Breaker::returned`] if it was not made.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    /// Of the breaker's states, the one that gave it: what is said of an earlier one is no news.
    era: u64,
}

/// How long an open breaker stays so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    left_millis: i64,
    pause_millis: i64,
}

impl Held {
    /// How long a message waits that met the open breaker. All come back spread over a pause, and none waits longer than five
    /// minutes, for which some come back too early and wait once more.
    #[must_use]
    pub fn spread_millis(self, jitter: Jitter) -> i64 {
        let latest = self.left_millis.saturating_add(self.pause_millis).min(LONGEST_HELD_MILLIS);
        jitter.within(self.left_millis.min(latest / 2), latest).max(SOONEST_RETRY_MILLIS)
    }

    /// How long a message waits that the provider itself sent away: no shorter than it asked for.
    #[must_use]
    pub fn asked_millis(self, jitter: Jitter) -> i64 {
        let latest = self.left_millis.saturating_add(self.pause_millis).min(LONGEST_WAIT_MILLIS);
        jitter.within(self.left_millis, latest).max(SOONEST_RETRY_MILLIS)
    }
}

/// The breaker of one provider, or of one part of it that fails by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaker {
    era: u64,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Closed {
        failures: usize,
        doubted: BTreeSet<DeliveryId>,
    },
    Open(Pause),
    /// One call is under way that says whether the provider works again.
    Probing(Pause),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pause {
    from: Time,
    millis: i64,
    /// The openings in a row before this one.
    before: u32,
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0, doubted: BTreeSet::new() }
    }
}

impl Breaker {
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self.state {
            State::Closed { .. } => false,
            State::Open(_) | State::Probing(_) => true,
        }
    }

    /// Asks whether a call may be made. When the pause is over, the first who asks is the probe.
    pub fn admit(&mut self, now: Time) -> Admission {
        if let State::Open(pause) = &mut self.state {
            // The clock went back: the pause begins anew, so that it is never longer than it was to be.
            pause.from = pause.from.min(now);
        }
        match self.state {
            State::Closed { .. } => Admission::Call(Permit { era: self.era }),
            State::Open(pause) if pause.left(now) <= 0 => {
                self.pass_to(State::Probing(pause));
                Admission::Call(Permit { era: self.era })
            }
            State::Open(_) | State::Probing(_) => Admission::Wait(self.held(now).unwrap_or(Held { left_millis: 0, pause_millis: 0 })),
        }
    }

    /// Takes in what an answer says about the provider.
    ///
    /// The answer to a call that began before the breaker last opened or closed changes nothing.
    pub fn answered(&mut self, permit: Permit, sign: Sign, message: &Message, now: Time) -> Option<Change> {
        if permit.era != self.era {
            return None;
        }
        match &mut self.state {
            State::Closed { failures, doubted } => {
                *failures += match sign {
                    Sign::Works => {
                        (*failures, *doubted) = (0, BTreeSet::new());
                        return None;
                    }
                    Sign::Doubtful => usize::from(doubted.insert(message.delivery)),
                    Sign::Fails => 1,
                    Sign::Asks { .. } | Sign::Stopped => FAILURES_TO_OPEN,
                };
                (*failures >= FAILURES_TO_OPEN).then(|| Change::Opened { pause_millis: self.open(sign, 0, message, now) })
            }
            State::Probing(pause) => {
                let before = pause.before.saturating_add(1);
                if sign == Sign::Works {
                    self.pass_to(State::default());
                    return Some(Change::Closed);
                }
                Some(Change::StaysOpen { pause_millis: self.open(sign, before, message, now) })
            }
            // No permit is of this state.
            State::Open(_) => None,
        }
    }

    /// Takes a permit back whose call was not made. If it was the probe's, the next who asks is the probe.
    pub fn returned(&mut self, permit: Permit) {
        if let State::Probing(pause) = self.state
            && permit.era == self.era
        {
            self.pass_to(State::Open(pause));
        }
    }

    /// How long it stays open; none where it is closed.
    #[must_use]
    pub fn held(&self, now: Time) -> Option<Held> {
        match self.state {
            State::Closed { .. } => None,
            State::Open(pause) => Some(Held { left_millis: pause.left(now).clamp(0, pause.millis), pause_millis: pause.millis }),
            State::Probing(pause) => Some(Held { left_millis: 0, pause_millis: pause.millis }),
        }
    }

    fn open(&mut self, sign: Sign, before: u32, message: &Message, now: Time) -> i64 {
        let growing = doubled(FIRST_PAUSE_MILLIS, before, LONGEST_PAUSE_MILLIS);
        let (longest, asked) = match sign {
            Sign::Works | Sign::Doubtful | Sign::Fails => (growing, 0),
            Sign::Asks { millis } => (growing, as_asked(millis)),
            Sign::Stopped => (LONGEST_PAUSE_MILLIS, 0),
        };
        let millis = shortened(longest, Jitter::of(message)).max(asked);
        self.pass_to(State::Open(Pause { from: now, millis, before }));
        millis
    }

    fn pass_to(&mut self, state: State) {
        self.era = self.era.wrapping_add(1);
        self.state = state;
    }
}

impl Pause {
    fn left(self, now: Time) -> i64 {
        self.from.plus(self.millis).since(now)
    }
}
