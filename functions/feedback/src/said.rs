//! What an event of a provider says, whichever provider it is.

use std::fmt;

use decision::FeedbackKind;
use delivery::{Suppression, SuppressionKind, Tags};
use event::Time;
use serde_json::{Map, Value};
use trigger::{Channel, Purpose};

/// One event of a provider.
#[derive(Clone, PartialEq)]
pub struct Said {
    pub about: About,
    pub channel: Channel,
    pub kind: FeedbackKind,
    /// When it happened, by the provider's clock.
    pub at: Time,
    /// The provider's id of the message.
    pub provider_id: String,
    /// Whom the message went to, where that matters.
    pub addresses: Vec<String>,
    /// Why nothing is sent to the customer and the addresses any more, whatever the purpose.
    pub suppresses: Vec<SuppressionKind>,
    /// The purposes that the customer consents to no more; none for every one.
    pub withdrawn: Vec<Option<Purpose>>,
    /// Why the provider did not send what it had taken.
    pub cause: Option<&'static str>,
    /// The address that a click went to.
    pub link: Option<String>,
    /// What triggers can ask for: nothing that says who somebody is.
    pub details: Map<String, Value>,
}

/// How a message leads back to its delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// It carried the tags of a delivery.
    Delivery(Tags),
    /// It carries nothing; the ledger may know the provider's id.
    TextMessage,
    /// It is no message of this system.
    Nobody,
}

/// Addresses and links are personal and not shown, so that no log line can have them.
impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { about, channel, kind, at, .. } = self;
        write!(f, "Said({channel} {} at {at} about {about:?})", kind.code())
    }
}

impl Said {
    pub(crate) fn new(about: About, channel: Channel, kind: FeedbackKind, at: Time, provider_id: &str) -> Self {
        Self {
            about,
            channel,
            kind,
            at,
            provider_id: provider_id.to_owned(),
            addresses: Vec::new(),
            suppresses: Vec::new(),
            withdrawn: Vec::new(),
            cause: None,
            link: None,
            details: Map::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn with_word(self, name: &str, word: Option<&str>) -> Self {
        match word {
            Some(word) => self.with(name, word),
            None => self,
        }
    }

    /// What is to be suppressed. A time that lies ahead of `now` would outweigh consents that are yet to be given.
    pub(crate) fn suppressions(&self, now: Time) -> Vec<Suppression> {
        let (channel, at) = (self.channel, self.at.min(now));
        let everything = self.suppresses.iter().map(|kind| Suppression { kind: *kind, channel, purpose: None, at });
        let withdrawn = self.withdrawn.iter().map(|purpose| (SuppressionKind::Withdrawal, purpose.clone()));
        everything.chain(withdrawn.map(|(kind, purpose)| Suppression { kind, channel, purpose, at })).collect()
    }
}
