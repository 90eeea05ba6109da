//! The archive brought into a customer's history: an event of this system's own, since the router alone writes states.
//!
//! It says how many events the state had counted when the archive was read. If the state has counted another since, the
//! event changes nothing, and is put again: so none is lost and none counted twice.

use event::{Event, EventType, NoEvent, QuarantineReason, Time};
use serde::{Deserialize, Serialize};
use trigger::MOST_COUNTED;

use crate::Customer;
use crate::history::{HistoryMark, bound};

/// The type of the event.
pub const BACKFILLED: &str = "history.backfilled";

/// The whole past of one event type, from the archive. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backfill {
    /// The event type whose past it is.
    pub event: String,
    /// What the state had counted when the archive was read.
    pub counted: u64,
    /// What the archive has.
    pub count: u64,
    pub first: u32,
    /// The last ones, oldest first.
    pub last: Vec<u32>,
}

impl Backfill {
    /// What brings a customer the past of one type, from the times of all its events in the archive; none where the state
    /// has all of it, and for whom was erased.
    #[must_use]
    pub fn of_archive(customer: &Customer, kind: &EventType, times: &[Time]) -> Option<Self> {
        let (counted, complete) = customer.counted(kind.as_str());
        if times.is_empty() || customer.is_erased() || (complete && counted == times.len() as u64) {
            return None;
        }
        let mut mark = HistoryMark::default();
        times.iter().for_each(|time| mark.add(*time, MOST_COUNTED));
        Some(Self { event: kind.as_str().to_owned(), counted, count: mark.count, first: mark.first, last: mark.last })
    }

    /// The past that an event of this system brings, if it is one of these.
    ///
    /// # Errors
    /// Data of another shape.
    pub(crate) fn of(event: &Event) -> Result<Option<Self>, NoEvent> {
        if event.kind().as_str() != BACKFILLED {
            return Ok(None);
        }
        let refused = |problem: &str| NoEvent::new(QuarantineReason::InvalidProfile, problem);
        let backfill: Self =
            serde_json::from_str(event.data_text()).map_err(|_| refused("data is no history; let triggers backfill write it"))?;
        let sorted = backfill.last.is_sorted() && backfill.last.first().is_none_or(|last| backfill.first <= *last);
        let counts = backfill.last.len() as u64 <= backfill.count && backfill.last.len() <= MOST_COUNTED as usize + 1;
        if sorted && counts && EventType::parse(&backfill.event).is_ok() {
            Ok(Some(backfill))
        } else {
            Err(refused("data is no history; let triggers backfill write it"))
        }
    }

    /// The history of the type, where nothing was counted in the meantime.
    pub(crate) fn apply(&self, customer: &Customer) -> Option<Customer> {
        let mark = customer.history.get(&self.event).cloned().unwrap_or_default();
        if mark.count != self.counted || customer.is_erased() {
            return None;
        }
        let next = HistoryMark { first: self.first, count: self.count, last: self.last.clone(), since: 0, unknown: mark.unknown };
        let mut customer = customer.clone();
        customer.history.insert(self.event.clone(), next);
        bound(&mut customer.history, &self.event);
        Some(customer)
    }
}

impl Customer {
    /// How many events of a type the state has counted, and whether all of the archive is among them.
    #[must_use]
    pub fn counted(&self, kind: &str) -> (u64, bool) {
        self.history.get(kind).map_or((0, false), |mark| (mark.count, mark.since == 0))
    }
}
