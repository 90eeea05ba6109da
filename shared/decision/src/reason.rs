//! Why something was not done: a closed list of codes.

use std::fmt;

use thiserror::Error;

/// A code that is none of ours.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("no reason has the code {0:?}; deploy the newer program first")]
pub struct UnknownReason(pub String);

macro_rules! reasons {
    ($($(#[$meta:meta])* $name:ident = $code:literal,)+) => {
        /// Why a trigger or a delivery was refused. `docs/triggers.md` explains each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[$meta])* $name,)+
        }

        impl Reason {
            /// Every reason, in the order in which the documentation has them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code in records, logs and metrics.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// # Errors
            /// A code that this version does not have.
            pub fn parse(code: &str) -> Result<Self, UnknownReason> {
                match code {
                    $($code => Ok(Self::$name),)+
                    _ => Err(UnknownReason(code.to_owned())),
                }
            }
        }
    };
}

reasons! {
    /// The customer does not fit `when.customer`.
    NoMatch = "no_match",
    /// The trigger is paused.
    Paused = "paused",
    /// The event is older than the trigger's `max_age`.
    TooOld = "too_old",
    /// The customer is outside the share of the trigger's rollout.
    Rollout = "rollout",
    /// The customer was erased.
    Erased = "erased",
    /// A marketing message, and no consent for its purpose and channel.
    NoConsent = "no_consent",
    /// The profile has no address for the channel.
    NoAddress = "no_address",
    /// The trigger is in shadow: it decides and sends nothing.
    Shadow = "shadow",
    /// Withdrawn, bounced or complained about, by the newest that is known.
    Suppressed = "suppressed",
    /// The stack may not reach this recipient: it is no production.
    Sandbox = "sandbox",
    /// It could not be sent before its `valid_for` ended.
    Expired = "expired",
    /// The template could not be rendered with this event and profile.
    TemplateError = "template_error",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_as_it_is_written() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.code()), Ok(*reason));
        }
        assert!(Reason::parse("because").is_err());
    }
}
