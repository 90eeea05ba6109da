//! The environment of a function, read once at its start.

use std::str::FromStr;

use thiserror::Error;

/// Reads variables and keeps every problem, so that one deployment shows them all.
#[derive(Debug, Default)]
pub struct Configuration {
    problems: Vec<String>,
}

/// The environment lacks something.
#[derive(Debug, Error)]
#[error("the function's environment is incomplete: {}", .0.join("; "))]
pub struct ConfigurationError(Vec<String>);

impl Configuration {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A variable that must be there.
    pub fn text(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problems.push(format!("{name} is not set"));
            String::new()
        })
    }

    /// A variable that may be absent or empty.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// A number that must be there.
    pub fn number<T: FromStr + Default>(&mut self, name: &str) -> T {
        let text = self.text(name);
        if text.is_empty() {
            return T::default();
        }
        text.parse().unwrap_or_else(|_| {
            self.problems.push(format!("{name} is no number in its range"));
            T::default()
        })
    }

    /// # Errors
    /// Every variable that was missing or malformed.
    pub fn check(self) -> Result<(), ConfigurationError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ConfigurationError(self.problems)) }
    }
}
