//! The breakers of one process, and what the metric says of them.
//!
//! Each process has its own and learns by itself: where many run, each makes its own first failures and its own probes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws::Clock;
use delivery::{Admission, Breaker, Change, Held, Message, Permit};
use event::Time;
use lambda::Metrics;
use trigger::Channel;

use crate::provider::{Accepted, Scope, SendError};

/// A breaker for each channel, or for each endpoint of one.
#[derive(Debug, Default)]
pub struct Breakers {
    metrics: Metrics,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    breakers: BTreeMap<(Channel, Scope), Breaker>,
    /// What the metric was not told yet.
    untold: BTreeMap<Channel, Untold>,
    under_way: u32,
}

#[derive(Debug, Default)]
struct Untold {
    waiting: u64,
    changed: bool,
}

impl Breakers {
    /// Breakers whose metric goes there. By default it goes to standard output.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self { metrics, state: Mutex::default() }
    }

    /// Whether the provider may be called now.
    pub(crate) fn admit(&self, channel: Channel, scope: Scope, now: Time) -> Result<Call<'_>, Held> {
        let key = (channel, scope);
        match self.lock().breakers.entry(key.clone()).or_default().admit(now) {
            Admission::Call(permit) => Ok(Call { breakers: self, key, permit: Some(permit) }),
            Admission::Wait(held) => Err(held),
        }
    }

    /// How long the breaker stays open; none where it is closed.
    pub(crate) fn held(&self, channel: Channel, scope: &Scope, now: Time) -> Option<Held> {
        self.lock().breakers.get(&(channel, scope.clone()))?.held(now)
    }

    /// A delivery waits for a breaker.
    pub(crate) fn waits(&self, channel: Channel) {
        self.lock().untold.entry(channel).or_default().waiting += 1;
    }

    /// The metric is written when the last message of a batch is done with: a line for each channel of which there is
    /// something to say.
    pub(crate) fn message<'a>(&'a self, clock: &'a Clock) -> UnderWay<'a> {
        self.lock().under_way += 1;
        UnderWay { breakers: self, clock }
    }

    fn tell(&self, now: Time) {
        let lines = {
            let mut state = self.lock();
            let mut lines = BTreeMap::<Channel, (u64, u64)>::new();
            for ((channel, _), _) in state.breakers.iter().filter(|(_, breaker)| breaker.is_open()) {
                lines.entry(*channel).or_default().0 = 1;
            }
            for (channel, untold) in
                std::mem::take(&mut state.untold).into_iter().filter(|(_, untold)| untold.changed || untold.waiting > 0)
            {
                lines.entry(channel).or_default().1 = untold.waiting;
            }
            lines
        };
        for (channel, (open, waiting)) in lines {
            self.metrics.put(now, channel.as_str(), &[("BreakerOpen", open), ("DeliveriesWaiting", waiting)]);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds it can leave it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that may be made. If it is dropped without an answer, it was not made.
pub(crate) struct Call<'a> {
    breakers: &'a Breakers,
    key: (Channel, Scope),
    permit: Option<Permit>,
}

impl Call<'_> {
    /// Tells the breaker how the call ended, and the log what that changed.
    pub(crate) fn ended(mut self, sent: &Result<Accepted, SendError>, message: &Message, now: Time) {
        let Some(permit) = self.permit.take() else { return };
        let sign = sent.as_ref().map_or_else(SendError::sign, |_| delivery::Sign::Works);
        let mut state = self.breakers.lock();
        let change = state.breakers.entry(self.key.clone()).or_default().answered(permit, sign, message, now);
        let Some(change) = change else { return };
        state.untold.entry(self.key.0).or_default().changed = true;
        drop(state);
        let (channel, scope) = (self.key.0.as_str(), self.key.1.name());
        let cause = sent.as_ref().err().map(SendError::cause);
        match change {
            Change::Opened { pause_millis } => {
                tracing::warn!(
                    channel,
                    breaker.scope = scope,
                    breaker.pause_ms = pause_millis,
                    cause,
                    "the provider is in trouble; deliveries wait"
                );
            }
            Change::StaysOpen { pause_millis } => {
                tracing::warn!(channel, breaker.scope = scope, breaker.pause_ms = pause_millis, cause, "the provider is still in trouble");
            }
            Change::Closed => tracing::info!(channel, breaker.scope = scope, "the provider works again; deliveries go out"),
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take()
            && let Some(breaker) = self.breakers.lock().breakers.get_mut(&self.key)
        {
            breaker.returned(permit);
        }
    }
}

/// A message that is being handled.
pub(crate) struct UnderWay<'a> {
    breakers: &'a Breakers,
    clock: &'a Clock,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let left = {
            let mut state = self.breakers.lock();
            state.under_way = state.under_way.saturating_sub(1);
            state.under_way
        };
        if left == 0 {
            self.breakers.tell(self.clock.now());
        }
    }
}
