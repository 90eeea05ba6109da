//! Consent: the newest word, by the time of the event, for each purpose and channel.

use event::Time;
use trigger::{Channel, Purpose};

use crate::state::ConsentMark;
use crate::Customer;

/// A consent given or taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConsentChange {
    /// All purposes that are on record, where a withdrawal names none.
    pub(crate) purpose: Option<Purpose>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) granted: bool,
}

impl Customer {
    /// When the customer consented to messages of this purpose on this channel, unless they took it back later.
    #[must_use]
    pub fn consent(&self, purpose: &Purpose, channel: Channel) -> Option<Time> {
        let mark = self.consents.iter().find(|mark| mark.purpose == purpose.as_str() && mark.channel == channel.as_str())?;
        mark.granted.then(|| Time::from_millis(mark.at))
    }

    /// The channels that are consented to, by purpose.
    pub(crate) fn consented(&self) -> std::collections::BTreeMap<&str, Vec<&str>> {
        let mut purposes = std::collections::BTreeMap::<&str, Vec<&str>>::new();
        for mark in self.consents.iter().filter(|mark| mark.granted) {
            purposes.entry(&mark.purpose).or_default().push(&mark.channel);
        }
        purposes
    }

    pub(crate) fn apply_consent(&mut self, change: &ConsentChange, at: Time) {
        let purposes = match &change.purpose {
            Some(purpose) => vec![purpose.as_str().to_owned()],
            None => self.purposes(),
        };
        for purpose in purposes {
            for channel in &change.channels {
                self.mark_consent(&purpose, *channel, change.granted, at);
            }
        }
    }

    fn purposes(&self) -> Vec<String> {
        let mut purposes: Vec<_> = self.consents.iter().map(|mark| mark.purpose.clone()).collect();
        purposes.sort();
        purposes.dedup();
        purposes
    }

    /// The newer word wins, and of two words of one time the withdrawal.
    fn mark_consent(&mut self, purpose: &str, channel: Channel, granted: bool, at: Time) {
        let mark = ConsentMark {
            purpose: purpose.to_owned(),
            channel: channel.as_str().to_owned(),
            granted,
            at: at.millis(),
            ..ConsentMark::default()
        };
        match self.consents.iter_mut().find(|known| known.purpose == mark.purpose && known.channel == mark.channel) {
            None => self.consents.push(mark),
            Some(known) if mark.at > known.at || (mark.at == known.at && !granted) => *known = mark,
            Some(_) => (),
        }
    }
}
