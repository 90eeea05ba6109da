//! What happened in a run: lines for whoever reads one, and counts for whoever runs many.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use event::Time;

use super::executor::Clockwork;

/// How often each fault struck.
pub type Tally = BTreeMap<&'static str, u64>;

/// The history of one run.
#[derive(Debug, Clone)]
pub struct History {
    clockwork: Arc<Clockwork>,
    lines: Option<Arc<Mutex<Vec<String>>>>,
    faults: Arc<Mutex<Tally>>,
}

impl History {
    pub fn new(clockwork: Arc<Clockwork>, kept: bool) -> Self {
        Self { clockwork, lines: kept.then(Arc::default), faults: Arc::default() }
    }

    /// A line, put together only if somebody will read it.
    pub fn say(&self, line: impl FnOnce() -> String) {
        if let Some(lines) = &self.lines {
            let time = Time::from_millis(self.clockwork.now());
            lines.lock().expect("no task panicked").push(format!("{time}  {}", line()));
        }
    }

    /// A fault that struck.
    pub fn fault(&self, kind: &'static str, what: impl FnOnce() -> String) {
        *self.faults.lock().expect("no task panicked").entry(kind).or_default() += 1;
        self.say(|| format!("FAULT {kind}: {}", what()));
    }

    pub fn tally(&self) -> Tally {
        self.faults.lock().expect("no task panicked").clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.as_ref().map(|lines| lines.lock().expect("no task panicked").clone()).unwrap_or_default()
    }
}
