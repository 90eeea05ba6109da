//! The log: one JSON object a line, with stable, dotted field names.

use tracing::level_filters::LevelFilter;

/// Starts the log at the level that the function's logging configuration sets.
pub fn start_log() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level)
        .init();
}
