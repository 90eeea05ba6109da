#![doc = include_str!("../README.md")]

mod driver;
mod emails;
mod outputs;
mod progress;
mod stack;

mod bootstraps;
mod deploy;
mod digest;
mod loopback;
mod mappings;
mod ministack;
mod python;
mod template;
mod workspace;

pub use bootstraps::Binary;
pub use driver::{Arrivals, Checkpoints, Counts, Driver, Pace, Sequence};
pub use emails::CapturedEmail;
pub use outputs::Outputs;
pub use progress::Progress;
pub use stack::{LocalStack, Options};

/// The region of the local AWS.
pub const REGION: &str = "eu-central-1";
