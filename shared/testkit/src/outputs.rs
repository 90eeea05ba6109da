//! What the deployed stack calls its parts.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// The outputs of the deployed stack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs(BTreeMap<String, String>);

impl Outputs {
    /// The value of an output.
    ///
    /// # Errors
    /// The template has no output of that name; the error lists those that it has.
    pub fn get(&self, name: &str) -> Result<&str> {
        self.0.get(name).map(String::as_str).with_context(|| {
            let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
            format!("the template has no output `{name}`, only {}", names.join(", "))
        })
    }

    /// All outputs, by name.
    #[must_use]
    pub fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl FromIterator<(String, String)> for Outputs {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(outputs: I) -> Self {
        Self(outputs.into_iter().collect())
    }
}
