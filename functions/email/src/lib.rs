//! Sends email deliveries through SES.

mod answer;
mod ses;

pub use ses::{Mail, Ses};
