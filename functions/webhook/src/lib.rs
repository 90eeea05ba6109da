//! Calls the endpoints of webhooks: inventory, payment, shipping, analytics, whatever the company has.

mod endpoints;
mod signature;

pub use endpoints::{Call, Endpoints};
