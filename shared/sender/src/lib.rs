//! The shell that all senders share: read → gate → render → claim → send → settle.
//!
//! Guarantees: a provider is called only under a claim; what is settled is never sent again; an attempt whose end nobody
//! knows is sent again only where the trigger's policy says so; waiting uses up no receive of the queue; a provider in
//! trouble is left alone, and what goes to it waits.

mod after;
mod attempt;
mod breakers;
mod call;
mod follow;
mod provider;
mod report;
mod sender;
mod settle;

pub use after::{Next, Wait, after_failure, after_send, out_of_time, while_claimed, while_open};
pub use breakers::Breakers;
pub use call::{calls_once, meaning};
pub use provider::{Accepted, Dispatch, Provider, Scope, SendError};
pub use sender::{Failure, Handled, Sender};
