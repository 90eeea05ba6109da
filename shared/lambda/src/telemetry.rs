//! The log: one JSON object a line, with stable, dotted field names.

use std::panic::PanicHookInfo;

use tracing::level_filters::LevelFilter;

/// Starts the log at the level that the function's logging configuration sets. Below info there are only the lines of
/// the SDK, which show what is sent, so there is no such level.
pub fn start_log() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let level = level.min(LevelFilter::INFO);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level)
        .init();
    std::panic::set_hook(Box::new(|panic| tracing::error!(panic.place = place(panic), "a bug: the code panicked")));
}

/// Where it panicked. The words of a panic can quote what was worked on.
fn place(panic: &PanicHookInfo<'_>) -> String {
    panic.location().map(ToString::to_string).unwrap_or_default()
}
