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
    log_panics();
}

fn log_panics() {
    std::panic::set_hook(Box::new(|panic| tracing::error!(panic.place = place(panic), "a bug: the code panicked")));
}

/// Where it panicked. The words of a panic can quote what was worked on.
fn place(panic: &PanicHookInfo<'_>) -> String {
    panic.location().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use super::*;

    static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    struct Lines;

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            LINES.lock().expect("nothing panics here").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_logged_with_its_place_and_without_its_words() {
        log_panics();
        let log = tracing_subscriber::fmt().json().flatten_event(true).with_writer(|| Lines).finish();
        let panicked = tracing::subscriber::with_default(log, || std::panic::catch_unwind(|| panic!("ana@example.com")));
        let line = String::from_utf8(LINES.lock().unwrap().clone()).unwrap();
        assert!(panicked.is_err() && line.contains("telemetry.rs:") && line.contains("a bug: the code panicked"), "{line}");
        assert!(!line.contains("ana@example.com"), "{line}");
    }
}
