//! The closed lists that a definition or a manifest chooses from.

use std::fmt;

use crate::problem::unknown;

/// A text that is none of the words to choose from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ChoiceError {
    message: String,
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident, $kind:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$variant),+];
            const WORDS: &[&str] = &[$($word),+];

            /// Reads one of the words; the error names them all.
            ///
            /// # Errors
            /// The text is none of them.
            pub fn parse(text: &str) -> Result<$name, ChoiceError> {
                match text {
                    $($word => Ok($name::$variant),)+
                    other => Err(ChoiceError { message: unknown($kind, other, $name::WORDS) }),
                }
            }

            /// The word that stands for it in files and records.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

choice!(
    /// The way by which something reaches a customer or another system.
    Channel, "channel" {
        /// Mail.
        Email = "email",
        /// Text messages.
        Sms = "sms",
        /// A customer-relations system.
        Crm = "crm",
        /// Any HTTP endpoint.
        Webhook = "webhook",
        /// Notifications of an app.
        Push = "push",
    }
);

choice!(
    /// What a message is in law: this decides whether it needs consent.
    Class, "class" {
        /// Advertising: needs the customer's consent for its purpose and channel.
        Marketing = "marketing",
        /// Part of a service that was asked for: needs no consent, but respects bounces and complaints.
        Transactional = "transactional",
    }
);

choice!(
    /// What happens when nobody knows whether the provider took a message.
    SendPolicy, "send policy" {
        /// It is not sent again: it may be lost, and never comes twice.
        AtMostOnce = "at_most_once",
        /// It is sent again: it may come twice, and is not lost.
        AtLeastOnce = "at_least_once",
    }
);

choice!(
    /// Whether a trigger sends.
    Mode, "mode" {
        /// It decides and sends: the default.
        Live = "live",
        /// It decides and records, and sends nothing.
        Shadow = "shadow",
        /// It is stopped.
        Paused = "paused",
    }
);

impl Class {
    /// The send policy of a message that states none.
    pub fn default_send(self) -> SendPolicy {
        match self {
            Class::Marketing => SendPolicy::AtMostOnce,
            Class::Transactional => SendPolicy::AtLeastOnce,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_read_again() {
        for channel in Channel::ALL {
            assert_eq!(Channel::parse(channel.as_str()), Ok(*channel));
        }
        for mode in Mode::ALL {
            assert_eq!(Mode::parse(&mode.to_string()), Ok(*mode));
        }
    }

    #[test]
    fn a_near_miss_is_told_the_word() {
        insta::assert_snapshot!(
            SendPolicy::parse("at-most-once").unwrap_err(),
            @r#"unknown send policy "at-most-once"; did you mean at_most_once? known: at_most_once, at_least_once"#
        );
        insta::assert_snapshot!(
            Mode::parse("off").unwrap_err(),
            @r#"unknown mode "off"; known: live, shadow, paused"#
        );
    }
}
