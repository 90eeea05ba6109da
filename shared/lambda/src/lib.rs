//! What every function wears: its configuration, its log, its metrics, and the batches it is handed.
//!
//! Guarantees: a malformed record never fails its neighbours; a panic in the handling of one record fails that record;
//! an answer names what failed in the form that the event source mapping reads.

mod configuration;
mod deadline;
mod metric;
mod queue_batch;
mod stream_batch;
mod telemetry;

pub use configuration::{Configuration, ConfigurationError};
pub use deadline::deadline;
pub use metric::Metrics;
pub use queue_batch::serve_queue;
pub use stream_batch::{BatchError, StreamRecord, failed_from, records_of};
pub use telemetry::start_log;
