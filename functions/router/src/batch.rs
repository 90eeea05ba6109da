//! A batch, sorted into the lanes of its customers.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use customer::Input;
use event::{CustomerId, Event, NoEvent, QuarantineReason, Subject};
use lambda::StreamRecord;

/// What a record is, before anything was read or written.
pub(crate) enum Sorted {
    /// A customer's event.
    Input(Box<Input>),
    /// An event about something else than a customer: archived, decided by nobody.
    Entity(Event),
    /// An event under another key than its subject: to be put again.
    Misplaced(Event),
    /// No event: to be quarantined.
    Refused(NoEvent),
}

/// Sorts one record.
pub(crate) fn sort(record: &StreamRecord) -> Sorted {
    let event = match Event::parse(&record.data) {
        Ok(event) => event,
        Err(refusal) => return Sorted::Refused(refusal),
    };
    if event.subject().as_str() != record.partition_key {
        return Sorted::Misplaced(event);
    }
    let customer = match event.subject() {
        Subject::Entity { .. } => return Sorted::Entity(event),
        Subject::Customer(customer) => customer.clone(),
    };
    match Input::new(customer, event, record.arrival, record.shard.clone(), record.sequence.clone()) {
        Ok(input) => Sorted::Input(Box::new(input)),
        Err(refusal) => Sorted::Refused(refusal),
    }
}

/// A record's place in the batch, and the record.
pub(crate) type Placed<T> = (usize, T);

/// The records of a batch, each customer's together and in their order.
#[derive(Default)]
pub(crate) struct Lanes {
    pub(crate) customers: BTreeMap<CustomerId, Vec<Placed<Input>>>,
    pub(crate) others: Vec<Placed<Sorted>>,
}

impl Lanes {
    pub(crate) fn of(records: &[StreamRecord]) -> Self {
        let mut lanes = Self::default();
        for (place, record) in records.iter().enumerate() {
            match guarded(|| sort(record)).unwrap_or_else(Sorted::Refused) {
                Sorted::Input(input) => lanes.customers.entry(input.customer().clone()).or_default().push((place, *input)),
                other => lanes.others.push((place, other)),
            }
        }
        lanes
    }
}

/// A panic in a pure function is a bug that one record has found: the record is put aside, the batch goes on.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, NoEvent> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| NoEvent::new(QuarantineReason::Panic, "the record made the router panic; please report it as a bug"))
}
