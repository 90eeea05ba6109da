//! What is wrong with a pattern, and where.

use std::fmt;

/// One thing that is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Keys and positions in arrays (`"0"`, `"1"`, …) from the root of the pattern to the place; empty for the
    /// pattern itself.
    pub path: Vec<String>,
    /// What is wrong and what to do about it, in lower case and without a full stop.
    pub message: String,
}

impl fmt::Display for Problem {
    /// `cart.total[0]: …`; the pattern itself shows as `(pattern)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            formatter.write_str("(pattern)")?;
        }
        for (depth, step) in self.path.iter().enumerate() {
            let is_position = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
            if is_position && depth > 0 {
                write!(formatter, "[{step}]")?;
            } else if depth > 0 {
                write!(formatter, ".{step}")?;
            } else {
                formatter.write_str(step)?;
            }
        }
        write!(formatter, ": {}", self.message)
    }
}

/// More than these nobody reads at once, and each holds its path.
const MOST: usize = 100;

/// Collects problems while a pattern is walked.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    path: Vec<String>,
    found: Vec<Problem>,
}

impl Problems {
    /// Notes a problem at the current place, as long as there are few.
    pub(crate) fn note(&mut self, message: impl Into<String>) {
        if self.found.len() < MOST {
            self.found.push(Problem { path: self.path.clone(), message: message.into() });
        } else if self.found.len() == MOST {
            self.found.push(Problem { path: Vec::new(), message: "has more problems than these: correct them first".to_owned() });
        }
    }

    /// Runs `walk` one step further down.
    pub(crate) fn within<T>(&mut self, step: impl ToString, walk: impl FnOnce(&mut Problems) -> T) -> T {
        self.path.push(step.to_string());
        let result = walk(self);
        self.path.pop();
        result
    }

    /// How deep the current place is.
    pub(crate) fn depth(&self) -> usize {
        self.path.len()
    }

    /// The problems in the order in which they were met.
    pub(crate) fn into_found(self) -> Vec<Problem> {
        self.found
    }
}
