//! A customer's state, and the two functions that every part of the system shares: [`decide`] says what an input leads
//! to, [`evolve`] says what the customer is afterwards.
//!
//! Guarantees: both are functions of their arguments alone, with time among them; `evolve` knows no trigger; no input
//! panics; a state stays within 64 KiB.

#![warn(clippy::wildcard_enum_match_arm)]

mod backfill;
mod consent;
mod decide;
mod document;
mod evolve;
mod history;
mod input;
mod profile;
mod seen;
mod state;

pub use backfill::{BACKFILLED, Backfill};
pub use decide::decide;
pub use document::document;
pub use evolve::{Evolved, evolve};
pub use input::Input;
pub use profile::ProfileChange;
pub use seen::Seen;
pub use state::{Customer, EmailAddress};
