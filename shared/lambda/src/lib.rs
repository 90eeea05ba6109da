//! What every function wears: its configuration, its log, its metrics, and the batches it is handed.
//!
//! Guarantees: a malformed record never fails its neighbours; a panic in the handling of one record fails that record;
//! an answer names what failed in the form that the event source mapping reads.

mod configuration;
mod deadline;
mod log_batch;
mod metric;
mod queue_batch;
mod stream_batch;
mod telemetry;

pub use configuration::{Configuration, ConfigurationError};
pub use deadline::deadline;
pub use log_batch::{LogsError, lines_of};
pub use metric::Metrics;
pub use queue_batch::{attempt_each, serve_queue, serve_queue_and_logs};
pub use stream_batch::{BatchError, StreamRecord, failed_from, records_of};
pub use telemetry::start_log;
