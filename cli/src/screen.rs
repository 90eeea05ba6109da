//! What a person sees: standard output for answers, standard error for progress and errors.

use std::io::{ErrorKind, Write, stderr, stdout};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The exit code of a command that found nothing of what it was asked for.
pub const NOTHING_MATCHED: u8 = 3;

/// Writes a line of the answer. A reader that went away, such as `head`, ends the program quietly.
pub fn line(text: &str) {
    if let Err(error) = writeln!(stdout(), "{text}")
        && error.kind() == ErrorKind::BrokenPipe
    {
        std::process::exit(0);
    }
}

/// Writes an answer that is to be exactly these bytes.
///
/// # Errors
/// Standard output is closed or full.
pub fn bytes(bytes: &[u8]) -> std::io::Result<()> {
    stdout().write_all(bytes)?;
    stdout().flush()
}

/// Writes a line beside the answer.
pub fn note(text: &str) {
    // Nobody can be told that standard error is closed.
    let _ = writeln!(stderr(), "{text}");
}

/// Says that a limit was reached.
pub fn looked_at_the_first(number: usize) {
    note(&format!("looked at {number}, there are more; --limit looks at more"));
}

/// An error with its causes, one a line.
pub fn error(error: &anyhow::Error) {
    note(&format!("error: {error}"));
    for cause in error.chain().skip(1) {
        note(&format!("  because: {cause}"));
    }
}

/// A line that shows that work goes on; on a terminal it moves, elsewhere each step is a line.
pub struct Activity {
    bar: ProgressBar,
    said: Mutex<Instant>,
}

/// Where nothing moves, a detail is a line of its own this often.
const SAID_AGAIN_AFTER: Duration = Duration::from_secs(10);

impl Activity {
    pub fn start() -> Self {
        let bar = ProgressBar::new_spinner();
        // A template of fixed text always parses.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, said: Mutex::new(Instant::now()) }
    }

    pub fn step(&self, text: &str) {
        if self.bar.is_hidden() && !text.is_empty() {
            note(text);
            *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        self.bar.set_message(text.to_owned());
    }

    /// As [`Activity::step`], for what passes too quickly to be a line of its own.
    pub fn detail(&self, text: &str) {
        let silent = self.said.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > SAID_AGAIN_AFTER;
        if silent {
            self.step(text);
        }
        self.bar.set_message(text.to_owned());
    }

    pub fn done(&self) {
        self.bar.finish_and_clear();
    }
}

/// `1 trigger`, `2 triggers`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
