//! One file per AWS adapter: where data and effects meet the services.
//!
//! Guarantees: every call has a time limit; a partial failure inside a successful answer is read; an error says whether
//! trying again can help. No adapter builds its own client, and none reads a clock but the one it is given.

mod archive;
mod attributes;
mod batch;
mod book;
mod clock;
mod connect;
mod customers;
mod dead_letters;
mod error;
mod feedback;
mod ledger;
mod ledger_reads;
mod objects;
mod own_event;
mod quarantine;
mod queue;
mod raw_queue;
mod reads;
mod secret;
mod statistics;
mod stream;
mod suppressions;
mod triggers;

pub use archive::{Archive, Archived, read_record};
pub use attributes::{Item, get_number, get_text};
pub use book::{Standing, TriggerBook};
pub use clock::Clock;
pub use connect::{bounded, connect};
pub use customers::{Customers, Loaded, read_state};
pub use dead_letters::{DeadLetter, DeadLetters, Depth};
pub use error::{Passing, StoreError, cause_of};
pub use feedback::LedgerRecord;
pub use ledger::{Claim, Earlier, Ledger, LedgerEntry};
pub use ledger_reads::{LedgerReads, LedgerSummary};
pub use objects::{Listed, Listing, Objects};
pub use own_event::{OwnEvent, hops_after};
pub use quarantine::{Quarantine, QuarantineListing, Quarantined, QuarantinedObject, object_store};
pub use queue::{Queue, Queues};
pub use raw_queue::RawQueue;
pub use reads::{DeliveryReads, Known};
pub use secret::{CachedSecret, Secret};
pub use statistics::Statistics;
pub use stream::{Put, Stream};
pub use suppressions::{AddressKey, Suppressions};
pub use triggers::{StoredTemplate, Triggers};
