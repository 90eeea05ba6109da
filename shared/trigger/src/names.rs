//! The names of triggers, templates, steps and purposes, and the version of a trigger.

use std::fmt;

use crate::problem::quoted;

/// A text that is no name of its kind; says what one looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is no {kind}; write a lower-case letter, then lower-case letters, digits or {others}, 64 at most", quoted(text))]
pub struct NameError {
    kind: &'static str,
    others: &'static str,
    text: String,
}

fn check(kind: &'static str, text: &str, underscore: bool) -> Result<String, NameError> {
    let mut chars = text.chars();
    let good = chars.next().is_some_and(|first| first.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || (underscore && c == '_'))
        && text.len() <= 64;
    if good {
        return Ok(text.to_owned());
    }
    Err(NameError { kind, others: if underscore { "- and _" } else { "-" }, text: text.to_owned() })
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, underscore: $underscore:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Reads a name; the error says what one looks like.
            ///
            /// # Errors
            /// The text is no such name.
            pub fn parse(text: &str) -> Result<$name, NameError> {
                check($kind, text, $underscore).map($name)
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of a trigger, which is also the name of its file.
    TriggerName, "trigger name", underscore: false
);
name!(
    /// The name of a template, which is also the name of its folder.
    TemplateName, "template name", underscore: false
);
name!(
    /// The name of a step; it keeps a delivery's identity when steps move.
    StepId, "step id", underscore: false
);
name!(
    /// What a customer consents to, as in `marketing`.
    Purpose, "purpose", underscore: true
);

name!(
    /// An endpoint that the stack's operator has set up, as in `inventory`.
    EndpointName, "endpoint name", underscore: true
);

/// Whom a text message is from: 1 to 11 letters and digits, at least one letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderId(String);

/// A text that is no sender id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no sender id; write 1 to 11 letters and digits, at least one of them a letter")]
pub struct SenderIdError;

impl SenderId {
    /// Reads a sender id.
    ///
    /// # Errors
    /// The text is none.
    pub fn parse(text: &str) -> Result<SenderId, SenderIdError> {
        let good = (1..=11).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && text.bytes().any(|byte| byte.is_ascii_alphabetic());
        if good { Ok(SenderId(text.to_owned())) } else { Err(SenderIdError) }
    }

    /// The sender id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Purpose {
    /// The purpose of a marketing message that names none.
    pub fn marketing() -> Purpose {
        Purpose("marketing".to_owned())
    }
}

/// The version of a trigger: 1 for the first, one more for each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u32);

/// A text or number that is no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no version; write a whole number from 1 to 4294967295")]
pub struct VersionError;

impl Version {
    /// The version that a new trigger gets.
    pub const FIRST: Version = Version(1);

    /// The version of this number.
    ///
    /// # Errors
    /// The number is 0.
    pub fn new(number: u32) -> Result<Version, VersionError> {
        if number == 0 {
            return Err(VersionError);
        }
        Ok(Version(number))
    }

    /// Reads a version from decimal digits.
    ///
    /// # Errors
    /// The text is no whole number of at least 1, or is written in an unusual way (`+1`, `01`).
    pub fn parse(text: &str) -> Result<Version, VersionError> {
        let version = Version::new(text.parse().map_err(|_| VersionError)?)?;
        if version.to_string() == text { Ok(version) } else { Err(VersionError) }
    }

    /// The number, at least 1.
    pub fn get(self) -> u32 {
        self.0
    }

    /// The version after this one; none after the last that there can be.
    pub fn next(self) -> Option<Version> {
        self.0.checked_add(1).map(Version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_letters_digits_and_hyphens() {
        for good in ["a", "welcome", "order-confirmation", "a2", &"a".repeat(64)] {
            assert_eq!(TriggerName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "2a", "-a", "Welcome", "a_b", "a b", "ä", &"a".repeat(65)] {
            assert!(TriggerName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_bad_name_is_told_what_a_name_looks_like() {
        insta::assert_snapshot!(
            TemplateName::parse("Welcome Mail").unwrap_err(),
            @r#""Welcome Mail" is no template name; write a lower-case letter, then lower-case letters, digits or -, 64 at most"#
        );
    }

    #[test]
    fn a_purpose_may_have_an_underscore() {
        assert_eq!(Purpose::parse("product_news").unwrap().as_str(), "product_news");
        assert!(Purpose::parse("Product News").is_err());
    }

    #[test]
    fn versions_begin_at_one() {
        assert_eq!(Version::parse("1"), Ok(Version::FIRST));
        assert_eq!(Version::FIRST.next().unwrap().to_string(), "2");
        for bad in ["0", "", "-1", "+1", "01", "1.0", "4294967296"] {
            assert_eq!(Version::parse(bad), Err(VersionError), "{bad:?}");
        }
    }
}
