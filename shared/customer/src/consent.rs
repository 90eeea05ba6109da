//! Consent: the newest word, by the time of the event, for each purpose and channel.
//!
//! Guarantee: the order in which the words arrive does not matter.

use std::collections::BTreeMap;

use event::Time;
use trigger::{Channel, Purpose};

use crate::Customer;
use crate::state::{ConsentMark, MOST_CONSENTS};

/// In a mark, every purpose, also one that is heard of later. No purpose can have this name.
const EVERY_PURPOSE: &str = "*";

/// A consent given or taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConsentChange {
    /// Every purpose, where a withdrawal names none.
    pub(crate) purpose: Option<Purpose>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) granted: bool,
}

impl Customer {
    /// When the customer consented to messages of this purpose on this channel, unless they took it back later.
    #[must_use]
    pub fn consent(&self, purpose: &Purpose, channel: Channel) -> Option<Time> {
        let mark = self.consents.iter().find(|mark| mark.is_about(purpose.as_str(), channel.as_str()))?;
        self.stands(mark).then(|| Time::from_millis(mark.at))
    }

    /// When the customer last consented to anything on this channel that is not taken back.
    #[must_use]
    pub fn newest_consent(&self, channel: Channel) -> Option<Time> {
        let standing = self.consents.iter().filter(|mark| mark.channel == channel.as_str() && self.stands(mark));
        standing.map(|mark| Time::from_millis(mark.at)).max()
    }

    /// The channels that are consented to, by purpose.
    pub(crate) fn consented(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut purposes = BTreeMap::<&str, Vec<&str>>::new();
        for mark in self.consents.iter().filter(|mark| self.stands(mark)) {
            purposes.entry(&mark.purpose).or_default().push(&mark.channel);
        }
        purposes
    }

    /// Whether a mark is a consent that no withdrawal of every purpose has taken back.
    fn stands(&self, mark: &ConsentMark) -> bool {
        let withdrawn = self.consents.iter().find(|other| other.is_about(EVERY_PURPOSE, &mark.channel));
        mark.granted && withdrawn.is_none_or(|withdrawn| withdrawn.at < mark.at)
    }

    /// The newer word wins, and of two words of one time the withdrawal.
    pub(crate) fn apply_consent(&mut self, change: &ConsentChange, at: Time) {
        for channel in &change.channels {
            let mark = ConsentMark {
                purpose: change.purpose.as_ref().map_or(EVERY_PURPOSE, Purpose::as_str).to_owned(),
                channel: channel.as_str().to_owned(),
                granted: change.granted,
                at: at.millis(),
                ..ConsentMark::default()
            };
            let is_full = self.consents.len() >= MOST_CONSENTS;
            match self.consents.iter_mut().find(|known| known.is_about(&mark.purpose, &mark.channel)) {
                // Where no consent finds a place any more, there is none that this could take back.
                None if is_full && !mark.granted && mark.purpose != EVERY_PURPOSE => (),
                None => self.consents.push(mark),
                Some(known) if mark.at > known.at || (mark.at == known.at && !mark.granted) => *known = mark,
                Some(_) => (),
            }
        }
        self.consents.sort_by(|a, b| (&a.purpose, &a.channel).cmp(&(&b.purpose, &b.channel)));
    }
}

impl ConsentMark {
    fn is_about(&self, purpose: &str, channel: &str) -> bool {
        self.purpose == purpose && self.channel == channel
    }
}
