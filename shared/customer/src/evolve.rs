//! What a customer is after an input.

use decision::Decided;

use crate::{Customer, Input, history};

/// A state after an input, and whether it must be written.
#[expect(clippy::large_enum_variant, reason = "it is taken apart at once, and never kept")]
#[derive(Debug, Clone, PartialEq)]
pub enum Evolved {
    /// Nothing changed and nothing was enqueued: the state is not written.
    Unchanged,
    Changed(Customer),
}

/// Folds an input and what was decided about it into the state. The decisions are those on record, whoever made them.
#[must_use]
pub fn evolve(customer: &Customer, input: &Input, decided: &Decided) -> Evolved {
    if decided.repeat {
        return Evolved::Unchanged;
    }
    // What does not fit its bounds was refused by `decide`, and is not half applied here.
    let applied = input.change().and_then(|change| change.apply(customer, input.event_time()).ok());
    let applied = applied.or_else(|| input.backfill().and_then(|backfill| backfill.apply(customer)));
    let changed = applied.filter(|next| next != customer);
    // Of whom was erased nothing is remembered.
    let remember = decided.remember.filter(|_| !customer.is_erased());
    if changed.is_none() && remember.is_none() && decided.deliveries().next().is_none() {
        return Evolved::Unchanged;
    }
    let mut next = changed.unwrap_or_else(|| customer.clone());
    next.clock = decided.now.max(customer.clock()).millis();
    next.generation = decided.generation;
    if let Some(remember) = remember {
        history::remember(&mut next.history, input.event().kind(), input.event_time(), input.arrival(), remember.depth);
    }
    next.remember(input);
    Evolved::Changed(next)
}
