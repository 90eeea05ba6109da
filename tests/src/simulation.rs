//! A run of the whole system in virtual time, under faults that a seed decides.
//!
//! The real router and the real senders, with the real clients of the SDK, talk to an AWS inside the process through lines
//! that lose, delay and repeat; processes die and freeze in between. When all is quiet again, what is stored, sent and put
//! aside is compared with a model that takes the same events one after another.
//!
//! Guarantee: a run is a function of its seed, and of nothing else.

mod check;
mod executor;
mod faults;
mod functions;
mod history;
mod line;
mod model;
mod operator;
mod plan;
mod process;
mod providers;
mod queues;
mod reported;
mod reports;
mod run;
mod shards;
mod triggers;
mod world;

pub use history::Tally;
pub use run::{Report, run_many, run_with_history, threads};
