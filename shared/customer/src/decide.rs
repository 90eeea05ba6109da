//! What an input leads to.

use decision::{Decided, Decision, Deliver, DeliveryId, EventKey, Reason, Remember, RunId, Verdict};
use event::{CustomerId, NoEvent, Time};
use pattern::Json;
use trigger::{Action, BundleEntry, Class, Mode, Rollout, Step, TriggerName, TriggerSet};

use crate::document::document;
use crate::history::Past;
use crate::{Customer, Input};

/// Decides what the triggers do about an input. Nothing happens by it.
///
/// Conditions see the profile as the event itself leaves it, so that a sign-up can be answered at the address it brings.
///
/// # Errors
/// [`event::QuarantineReason::StateBounds`] where the customer's state would grow beyond its bounds.
pub fn decide(customer: &Customer, input: &Input, triggers: &TriggerSet) -> Result<Decided, NoEvent> {
    let now = input.arrival().max(customer.clock());
    let event = input.event();
    let depth = triggers.history_depth(event.kind());
    let decided = |repeat: bool, decisions| {
        let remember = depth.filter(|_| !repeat).map(|depth| Remember { depth });
        Decided { now, generation: triggers.generation(), repeat, decisions, remember }
    };
    if customer.has_recent(EventKey::new(event.source(), event.id())) {
        return Ok(decided(true, Vec::new()));
    }
    let changed;
    let customer = match input.change() {
        Some(change) => {
            changed = change.apply(customer, input.event_time())?;
            &changed
        }
        None => customer,
    };
    let candidates = triggers.for_type(event.kind());
    if candidates.is_empty() {
        return Ok(decided(false, Vec::new()));
    }
    let view = View {
        customer,
        input,
        now,
        // The envelope was parsed, so its data is JSON; the empty document stands for what cannot happen.
        data: Json::parse(event.data_text()).unwrap_or(Json::Object(Vec::new())),
        profile: document(customer),
        past: Past { history: &customer.history, present: (event.kind(), input.event_time()), now },
    };
    let decisions = candidates.iter().flat_map(|entry| view.judge(entry)).collect();
    Ok(decided(false, decisions))
}

/// What all triggers see of one input.
struct View<'a> {
    customer: &'a Customer,
    input: &'a Input,
    now: Time,
    data: Json,
    profile: Json,
    past: Past<'a>,
}

impl View<'_> {
    /// Nothing where the event does not fit; else a refusal of the whole, or a decision for each step.
    fn judge(&self, entry: &BundleEntry) -> Vec<Decision> {
        if entry.trigger.when_event().is_some_and(|pattern| !pattern.matches(&self.data)) {
            return Vec::new();
        }
        let event = self.input.event();
        let run = RunId::new(entry.trigger.name(), event.source(), event.id());
        let decision = |step, verdict| Decision { trigger: entry.trigger.name().clone(), version: entry.version, run, step, verdict };
        if let Some(reason) = self.refusal(entry) {
            return vec![decision(None, Verdict::Refuse(reason))];
        }
        let steps = entry.trigger.steps().iter().enumerate();
        steps.map(|(position, step)| decision(Some(step.place(position)), self.step(entry, run, position, step))).collect()
    }

    /// Why the trigger as a whole does nothing.
    fn refusal(&self, entry: &BundleEntry) -> Option<Reason> {
        let trigger = &entry.trigger;
        if self.customer.is_erased() {
            return Some(Reason::Erased);
        }
        let fits = trigger.when_customer().is_none_or(|pattern| pattern.matches(&self.profile));
        if !fits || !trigger.when_history().iter().all(|fact| self.past.holds(fact)) {
            return Some(Reason::NoMatch);
        }
        if entry.exposure.mode == Mode::Paused {
            return Some(Reason::Paused);
        }
        if self.now.since(self.input.event_time()) > trigger.max_age().as_millis() {
            return Some(Reason::TooOld);
        }
        if !is_within(entry.exposure.rollout, trigger.name(), self.input.customer()) {
            return Some(Reason::Rollout);
        }
        None
    }

    fn step(&self, entry: &BundleEntry, run: RunId, position: usize, step: &Step) -> Verdict {
        let action = step.action();
        if let Some(reason) = self.obstacle(action) {
            return Verdict::Refuse(reason);
        }
        let not_after = self.input.original_arrival().plus(action.valid_for().as_millis());
        if not_after < self.now {
            return Verdict::Refuse(Reason::Expired);
        }
        if entry.exposure.mode == Mode::Shadow {
            return Verdict::Refuse(Reason::Shadow);
        }
        let channel = action.channel();
        let id = DeliveryId::new(self.input.customer(), entry.trigger.name(), run, &step.place(position), channel);
        Verdict::Deliver(Deliver { id, channel, not_before: Time::default(), not_after })
    }

    /// Why nothing may be sent to this customer. Consent outranks the rest.
    fn obstacle(&self, action: &Action) -> Option<Reason> {
        let channel = action.channel();
        let consented = match (action.class(), action.purpose()) {
            (Class::Transactional, _) => true,
            (Class::Marketing, Some(purpose)) => self.customer.consent(purpose, channel).is_some(),
            (Class::Marketing, None) => false,
        };
        if !consented {
            return Some(Reason::NoConsent);
        }
        (!self.customer.has_address(channel)).then_some(Reason::NoAddress)
    }
}

/// A customer stays inside a share that grows: the place in it is a stable hash.
fn is_within(rollout: Rollout, trigger: &TriggerName, customer: &CustomerId) -> bool {
    let digest = blob::hash(&[b"rollout", trigger.as_str().as_bytes(), customer.as_str().as_bytes()]);
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    number % 10_000 < u64::from(rollout.basis_points())
}
