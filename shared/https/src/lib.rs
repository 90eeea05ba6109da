//! Calls of the company's own systems: the CRM, and the endpoints of webhooks.
//!
//! Guarantees: no call is longer than [`Caller::LONGEST_CALL_MILLIS`], whatever the other side does; nothing is sent
//! unencrypted but to this machine itself; no redirect is followed; an error has a code and nothing that was sent,
//! received or secret.

mod address;
mod answer;
mod caller;
mod client;

pub use address::{Address, AddressError};
pub use answer::{Answer, accepted};
pub use caller::{Caller, Request, body};
pub use client::{Client, ClientError};
pub use hyper::body::Bytes;
