#![doc = include_str!("../README.md")]

mod driver;
mod emails;
mod interface;
mod outputs;
mod progress;
mod receiver;
mod stack;
mod texts;

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
pub use interface::EmulatedFunction;
pub use outputs::Outputs;
pub use progress::Progress;
pub use receiver::{Behaviour, Received, Receiver};
pub use stack::{LocalStack, Options};
pub use texts::CapturedSms;

/// The region of the local AWS.
pub const REGION: &str = "eu-central-1";
