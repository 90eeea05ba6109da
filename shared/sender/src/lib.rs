//! The shell that all senders share: read → gate → render → claim → send → settle.
//!
//! Guarantees: a provider is called only under a claim; what is settled is never sent again; an attempt whose end nobody
//! knows is sent again only where the trigger's policy says so; waiting uses up no receive of the queue.

mod call;
mod follow;
mod provider;
mod report;
mod sender;
mod settle;

pub use call::{calls_once, meaning};
pub use provider::{Accepted, Dispatch, Provider, SendError};
pub use sender::{Failure, Handled, Sender};
