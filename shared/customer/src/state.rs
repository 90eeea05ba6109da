//! What is known about a customer.

use std::collections::BTreeMap;
use std::fmt;

use blob::{OpenError, Record, record};
use event::Time;
use serde_json::{Map, Value};
use trigger::Channel;

use crate::history::History;

const FORMAT: u16 = 1;

/// A state, unpacked; by its bounds it stays far below.
const LARGEST: usize = 1 << 20;

/// Characters of a trait's name and value together, over all traits.
pub(crate) const MOST_TRAIT_BYTES: usize = 16 * 1024;

/// Purposes times channels with a consent or a withdrawal on record.
pub(crate) const MOST_CONSENTS: usize = 256;

// Field numbers are for ever. Kept free: 14 live runs, 15 caps, 16 snapshots.
record! {
    /// A customer's state: one binary attribute, about a kilobyte.
    masked pub struct Customer {
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
        13 => pub(crate) history: History,
    }
}

record! {
    /// The newest word of a customer on one purpose and channel; `*` stands for every purpose, and is only ever withdrawn.
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
            !part.is_empty()
                && !part.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '@' | ',' | ';' | '<' | '>' | '"' | '(' | ')'))
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

/// What is personal is not shown, so that no log line can have it.
impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("email", &self.email.as_ref().map(|_| "…"))
            .field("phone", &self.phone.as_ref().map(|_| "…"))
            .field("traits", &self.traits.keys())
            .field("consents", &self.consents)
            .field("shards", &self.shards)
            .field("recent", &self.recent)
            .field("clock", &self.clock)
            .field("erased_at", &self.erased_at)
            .field("generation", &self.generation)
            .field("history", &self.history)
            .finish_non_exhaustive()
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

    /// The phone number, in the form of E.164.
    #[must_use]
    pub fn phone(&self) -> Option<&str> {
        self.phone.as_deref()
    }

    /// The address on a channel: what suppressions and the sandbox go by. Systems of the company itself have none, and
    /// need none.
    #[must_use]
    pub fn address(&self, channel: Channel) -> Option<String> {
        match channel {
            Channel::Email => self.email().map(|email| email.expose().to_owned()),
            Channel::Sms => self.phone.clone(),
            Channel::Crm | Channel::Webhook => Some(String::new()),
            Channel::Push => None,
        }
    }

    /// Whether there is an address for the channel.
    #[must_use]
    pub fn has_address(&self, channel: Channel) -> bool {
        self.address(channel).is_some()
    }

    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.erased_at.is_some()
    }

    /// The traits, as values.
    #[must_use]
    pub fn traits(&self) -> Map<String, Value> {
        let value = |text: &String| event::json_value(text.as_bytes()).unwrap_or(Value::Null);
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

#[cfg(test)]
mod tests {
    use blob::Fields;
    use decision::Decided;
    use event::{CustomerId, Event, SequenceNumber, ShardId};

    use super::*;
    use crate::{Evolved, Input, evolve};

    /// Every field with a value.
    fn known() -> Customer {
        let text = |text: &str| Some(text.to_owned());
        let consent = |purpose: &str, channel: &str, granted, at| ConsentMark {
            purpose: purpose.to_owned(),
            channel: channel.to_owned(),
            granted,
            at,
            ..ConsentMark::default()
        };
        let shard = ShardMark { shard: "shardId-000000000001".to_owned(), sequence: "4967".to_owned(), arrival: 3, ..ShardMark::default() };
        Customer {
            email: text("ana@example.com"),
            phone: text("+491511234567"),
            locale: text("de-DE"),
            time_zone: text("Europe/Berlin"),
            traits: BTreeMap::from([("country".to_owned(), "\"DE\"".to_owned()), ("orders".to_owned(), "3".to_owned())]),
            consents: vec![consent("*", "sms", false, 1), consent("marketing", "email", true, 2)],
            shards: vec![shard],
            recent: vec![1, u64::MAX],
            clock: 1_772_359_200_000,
            erased_at: Some(0),
            merged_into: text("c-2"),
            generation: 4,
            ..Customer::default()
        }
    }

    #[test]
    fn the_first_format_is_read_for_ever() {
        assert_eq!(Customer::open(include_bytes!("../tests/data/customer-format-1.bin")), Ok(known()));
    }

    #[test]
    fn the_first_format_is_written_as_it_was() {
        // Unpacked, since another version of the compressor may pack it otherwise.
        let golden = blob::open(include_bytes!("../tests/data/customer-format-1.bin"), FORMAT, LARGEST);
        assert_eq!(blob::open(&known().seal(), FORMAT, LARGEST), golden);
    }

    #[test]
    fn nobody_takes_no_more_than_the_header() {
        assert_eq!(Customer::default().to_fields().to_bytes(), [0xa0]);
    }

    #[test]
    fn nothing_personal_is_shown() {
        let shown = format!("{:?}", known());
        assert!(shown.contains("marketing") && shown.contains("4967"), "{shown}");
        for personal in ["ana", "4915", "de-DE", "Berlin", "DE"] {
            assert!(!shown.contains(personal), "{shown}");
        }
    }

    #[test]
    fn what_a_newer_version_added_outlives_a_change_by_this_one() {
        let newer = |mut fields: Fields| {
            fields.put(99, &"later".to_owned());
            fields
        };
        let mut customer = known();
        customer.erased_at = None;
        customer.consents = vec![ConsentMark::from_fields(newer(customer.consents[1].to_fields())).unwrap()];
        let customer = Customer::from_fields(newer(customer.to_fields())).unwrap();

        let event = br#"{"specversion":"1.0","id":"e1","source":"/shop","type":"customer.updated","time":"2026-03-01T10:00:00Z","subject":"c-1","data":{"locale":"fr"}}"#;
        let (arrival, shard) = (Time::from_millis(1_772_359_200_000), ShardId::new("shardId-000000000001"));
        let event = Event::parse(event).unwrap();
        let input = Input::new(CustomerId::parse("c-1").unwrap(), event, arrival, shard, SequenceNumber::new("4968")).unwrap();
        let decided = Decided { now: arrival, generation: 5, repeat: false, decisions: Vec::new(), remember: None };
        let Evolved::Changed(next) = evolve(&customer, &input, &decided) else { panic!("the locale changed") };
        let next = Customer::open(&next.seal()).unwrap();
        assert_eq!((next.locale.as_deref(), next.generation), (Some("fr"), 5));
        assert_eq!(next.unknown, customer.unknown);
        assert_eq!(next.consents[0].unknown, customer.consents[0].unknown);
        assert!(!next.unknown.is_empty() && !next.consents[0].unknown.is_empty());
    }

    #[test]
    fn what_another_version_cannot_have_written_is_refused() {
        for (format, fields, problem) in [
            (2, Fields::default(), "the blob has format 2, this program reads up to 1; deploy the newer program first"),
            (1, number_as_email(), "field 1 of the blob is malformed"),
        ] {
            let error = Customer::open(&blob::seal(format, &fields.to_bytes())).unwrap_err().to_string();
            assert!(error.starts_with(problem), "{error}");
        }
    }

    fn number_as_email() -> Fields {
        let mut fields = Fields::default();
        fields.put(1, &7_u64);
        fields
    }

    #[test]
    fn an_address_is_one_and_is_shown_to_nobody() {
        for good in ["ana@example.com", "a+b'c@x", "ü@münchen.example"] {
            let address = EmailAddress::parse(good).unwrap();
            assert_eq!((address.expose(), format!("{address:?}").as_str()), (good, "EmailAddress(…)"));
        }
        let long = format!("{}@example.com", "a".repeat(243));
        for bad in ["", "@", "a@", "@b", "a@b@c", "a b@c", "a@b,c@d", "<a@b>", "a@b;c", "a@b\n", "\"a\"@b", "a(x)@b", &long] {
            assert_eq!(EmailAddress::parse(bad), None, "{bad:?}");
        }
        assert!(EmailAddress::parse(&long[1..]).is_some());
    }
}
