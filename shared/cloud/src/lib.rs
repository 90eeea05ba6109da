//! An AWS inside this process: the operations of DynamoDB, SQS, Kinesis, S3, SES, SNS and Secrets Manager that the project
//! uses, as AWS documents them. The real clients of the SDK talk to it through [`Cloud::sdk_config`].
//!
//! Guarantees: it has no clock but the one it is given and no randomness, so that the same calls have the same answers; an
//! operation, an expression or a parameter that it does not know is refused by name, never answered with a guess. What it
//! does is held against another AWS by running the tests of the adapters on both.
//!
//! It applies a call in one step, and is therefore never half done. Faults are put before and behind it, by whoever hands
//! its [`Call`]s over: that is what [`decode`] and [`encode`] are for.

mod answer;
mod call;
mod client;
mod expression;
mod items;
mod objects;
mod parser;
mod providers;
mod queues;
mod secrets;
mod services;
mod shape;
mod streams;
mod tables;

pub use answer::{Refusal, encode};
pub use call::{Call, Service, decode};
pub use client::sdk_config_through;
pub use objects::Object;
pub use queues::{Received, Redrive};
pub use services::{Cloud, REGION};
pub use streams::{Record, ShardView};
