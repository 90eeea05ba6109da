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
    /// Of which channels the metric is to be told something, and how many deliveries wait that it was not told of yet.
    untold: BTreeMap<Channel, u64>,
    under_way: u32,
}

impl Breakers {
    /// Breakers whose metric goes there. By default it goes to standard output.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self { metrics, state: Mutex::default() }
    }

    /// Whether any breaker of the channel is open.
    #[must_use]
    pub fn is_open(&self, channel: Channel) -> bool {
        self.lock().breakers.iter().any(|((of, _), breaker)| *of == channel && breaker.is_open())
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
        *self.lock().untold.entry(channel).or_default() += 1;
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
            let untold = std::mem::take(&mut state.untold);
            // What opened and closed again has an entry, and is told as well.
            let mut lines: BTreeMap<_, _> = untold.into_iter().map(|(channel, waiting)| (channel, (0, waiting))).collect();
            for ((channel, _), _) in state.breakers.iter().filter(|(_, breaker)| breaker.is_open()) {
                lines.entry(*channel).or_insert((0, 0)).0 = 1;
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
        state.untold.entry(self.key.0).or_default();
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use trigger::EndpointName;

    use super::*;

    const TEXT: &str = concat!(
        r#"{"format":1,"delivery":"50b73ebcbb711ef86ab856bbde2833bb","customer":"c-1","#,
        r#""position":"001772359200000#00000000000000000000000000000000000000000000000000004967","#,
        r#""shard":"shardId-000000000001","sequence":"4967","trigger":"welcome","version":3,"run":"5283f484829c1f39d2a87b7d789e870d","#,
        r#""step":"0","channel":"webhook","not_before":1772359200000,"not_after":1772402400000}"#
    );

    fn endpoint(name: &str) -> Scope {
        Scope::Endpoint(EndpointName::parse(name).unwrap())
    }

    fn stopped() -> Result<Accepted, SendError> {
        Err(SendError::Stopped { cause: "paused".to_owned() })
    }

    fn now() -> Time {
        Time::from_millis(1_772_359_200_000)
    }

    #[test]
    fn an_endpoint_that_is_down_stops_no_other_and_no_other_channel() {
        let (breakers, message) = (Breakers::default(), Message::parse(TEXT).unwrap());
        let call = breakers.admit(Channel::Webhook, endpoint("shipping"), now());
        call.unwrap_or_else(|_| unreachable!("it is closed")).ended(&stopped(), &message, now());
        let is_held = |channel, scope| breakers.admit(channel, scope, now()).is_err();
        assert!(is_held(Channel::Webhook, endpoint("shipping")));
        assert!(!is_held(Channel::Webhook, endpoint("payment")));
        assert!(!is_held(Channel::Webhook, Scope::Channel) && !is_held(Channel::Crm, Scope::Channel));
        assert_eq!([Channel::Webhook, Channel::Crm].map(|channel| breakers.is_open(channel)), [true, false]);
    }

    #[test]
    fn a_probe_that_panics_leaves_its_place_to_the_next() {
        let (breakers, message) = (Breakers::default(), Message::parse(TEXT).unwrap());
        let admit = |now| breakers.admit(Channel::Webhook, Scope::Channel, now).ok();
        admit(now()).unwrap().ended(&stopped(), &message, now());
        let later = now().plus(300_000);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _probe = admit(later).unwrap();
            assert!(admit(later).is_none(), "one at a time");
            panic!("a bug of the provider");
        }));
        assert!(panicked.is_err());
        let next = admit(later).unwrap();
        next.ended(&Ok(Accepted { provider_id: "1".to_owned() }), &message, later);
        assert!(!breakers.is_open(Channel::Webhook));
    }

    #[test]
    fn the_metric_has_a_line_when_the_last_message_is_done_with_and_none_while_all_is_well() {
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let breakers = {
            let lines = Arc::clone(&lines);
            Breakers::new(Metrics::new(move |line| lines.lock().unwrap().push(line.to_owned())))
        };
        let (clock, message) = (Clock::new(now), Message::parse(TEXT).unwrap());
        drop(breakers.message(&clock));
        assert!(lines.lock().unwrap().is_empty());
        let (first, last) = (breakers.message(&clock), breakers.message(&clock));
        for name in ["shipping", "payment"] {
            let call = breakers.admit(Channel::Webhook, endpoint(name), now()).ok();
            call.unwrap().ended(&stopped(), &message, now());
        }
        breakers.waits(Channel::Webhook);
        drop(first);
        assert!(lines.lock().unwrap().is_empty());
        drop(last);
        let lines = lines.lock().unwrap();
        assert!(lines.len() == 1 && lines[0].ends_with(r#""channel":"webhook","BreakerOpen":1,"DeliveriesWaiting":1}"#), "{lines:?}");
    }
}
