//! What a mapping has done.

/// Numbers of one event source mapping since the driver's start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records read from the stream, or messages received from the queue; a message that came back counts again.
    pub read: u64,
    /// Invocations of the function.
    pub invocations: u64,
    /// Invocations that ended in a function error.
    pub function_errors: u64,
    /// Records and messages that an answer gave back: those that a function reported, and all of a failed batch.
    pub failed_items: u64,
    /// Batches that ran out of retries or time.
    pub discarded_batches: u64,
    /// Of those, batches that the on-failure destination has.
    pub on_failure_batches: u64,
}
