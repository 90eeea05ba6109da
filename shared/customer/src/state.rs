//! What is known about a customer.

use std::collections::BTreeMap;
use std::fmt;

use blob::{OpenError, Record, record};
use event::Time;
use serde_json::{Map, Value};
use trigger::Channel;

const FORMAT: u16 = 1;

/// A state, unpacked; by its bounds it stays far below.
const LARGEST: usize = 1 << 20;

/// Characters of a trait's name and value together, over all traits.
pub(crate) const MOST_TRAIT_BYTES: usize = 16 * 1024;

/// Purposes times channels with a consent or a withdrawal on record.
pub(crate) const MOST_CONSENTS: usize = 256;

// Field numbers are for ever. Kept free: 13 history, 14 live runs, 15 caps, 16 snapshots.
record! {
    /// A customer's state: one binary attribute, about a kilobyte.
    pub struct Customer {
        1 => pub(crate) email: Option<String>,
        2 => pub(crate) phone: Option<String>,
        3 => pub(crate) locale: Option<String>,
        4 => pub(crate) time_zone: Option<String>,
        5 => pub(crate) traits: BTreeMap<String, String>,
        6 => pub(crate) consents: Vec<ConsentMark>,
        7 => pub(crate) shards: Vec<ShardMark>,
        8 => pub(crate) recent: Vec<u64>,
        9 => pub(crate) clock: i64,
        10 => pub(crate) erased_at: Option<i64>,
        11 => pub(crate) merged_into: Option<String>,
        12 => pub(crate) generation: u64,
    }
}

record! {
    /// The newest word of a customer on one purpose and channel.
    pub struct ConsentMark {
        1 => pub(crate) purpose: String,
        2 => pub(crate) channel: String,
        3 => pub(crate) granted: bool,
        4 => pub(crate) at: i64,
    }
}

record! {
    /// The last record of one shard that is part of the state.
    pub struct ShardMark {
        1 => pub(crate) shard: String,
        2 => pub(crate) sequence: String,
        3 => pub(crate) arrival: i64,
    }
}

/// An email address: opened on purpose only, so that no log line can have it.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// One `@` between characters that are neither blank nor control characters, 254 bytes at most.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.split_once('@')?;
        let good = |part: &str| {
            !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '@' | ',' | ';' | '<' | '>' | '"' | '(' | ')'))
        };
        (good(local) && good(domain) && text.len() <= 254).then(|| Self(text.to_owned()))
    }

    /// The address itself, for the provider and for the hash that suppressions know it by.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(…)")
    }
}

impl Customer {
    /// The stored form.
    #[must_use]
    pub fn seal(&self) -> Vec<u8> {
        Record::seal(self, FORMAT)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// A blob that this version cannot read.
    pub fn open(blob: &[u8]) -> Result<Self, OpenError> {
        Record::open(blob, FORMAT, LARGEST)
    }

    #[must_use]
    pub fn email(&self) -> Option<EmailAddress> {
        self.email.as_deref().and_then(EmailAddress::parse)
    }

    /// The time of the newest input that is part of the state.
    #[must_use]
    pub fn clock(&self) -> Time {
        Time::from_millis(self.clock)
    }

    /// Whether there is an address for the channel. Systems of the company itself need none.
    #[must_use]
    pub fn has_address(&self, channel: Channel) -> bool {
        match channel {
            Channel::Email => self.email.is_some(),
            Channel::Sms => self.phone.is_some(),
            Channel::Crm | Channel::Webhook => true,
            Channel::Push => false,
        }
    }

    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.erased_at.is_some()
    }

    /// The traits, as values.
    #[must_use]
    pub fn traits(&self) -> Map<String, Value> {
        let value = |text: &String| serde_json::from_str(text).unwrap_or(Value::Null);
        self.traits.iter().map(|(name, text)| (name.clone(), value(text))).collect()
    }

    /// The customer as templates see them, with the addresses.
    #[must_use]
    pub fn to_value(&self, id: &event::CustomerId) -> Value {
        serde_json::json!({
            "id": id.as_str(),
            "email": self.email,
            "phone": self.phone,
            "locale": self.locale,
            "time_zone": self.time_zone,
            "traits": self.traits(),
        })
    }
}
