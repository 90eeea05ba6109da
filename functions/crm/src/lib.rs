//! Writes deliveries into the customer-relations system.

mod hubspot;

pub use hubspot::{Entry, HubSpot, meaning};
