//! What a customer is after an input.

use decision::Decided;

use crate::{Customer, Input};

/// A state after an input, and whether it must be written.
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
    // Beyond its bounds it was never decided; so here it always fits.
    let applied = input.change().and_then(|change| change.apply(customer, input.event_time()).ok());
    let changed = applied.filter(|next| next != customer);
    if changed.is_none() && decided.deliveries().next().is_none() {
        return Evolved::Unchanged;
    }
    let mut next = changed.unwrap_or_else(|| customer.clone());
    next.clock = decided.now.max(customer.clock()).millis();
    next.generation = decided.generation;
    next.remember(input);
    Evolved::Changed(next)
}
