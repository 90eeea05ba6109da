//! What Lambda's event source mappings do with batches and with the answers to them, as AWS documents it, in pure functions:
//! time is an argument, and nothing is called.
//!
//! Two drivers act by it: the one of the local stack, against services behind the network, and the one of the fault
//! simulation, in virtual time.

mod answer;
mod batch;
mod checkpoint;
mod lanes;
mod payload;
mod step;

pub use answer::{Returned, StreamAnswer, of_queue, of_stream};
pub use batch::{AROUND, Batch, LARGEST_PAYLOAD, Limits, Record, Take, take};
pub use checkpoint::{Checkpoints, Reading, Sequence};
pub use lanes::lane_of;
pub use payload::{Origin, stream_payload};
pub use step::{Condition, Policy, Step, after, expired};
