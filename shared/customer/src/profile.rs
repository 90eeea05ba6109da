//! The change of the profile that an event carries.
//!
//! `customer.updated` carries it in its data, any other event may carry it under `data.customer`; the events of consent
//! carry consent besides. Once a customer was erased, nothing of it is kept any more.

use std::fmt;

use event::{Event, NoEvent, QuarantineReason, Time};
use serde_json::{Map, Value};
use trigger::{Channel, Purpose};

use crate::Customer;
use crate::consent::ConsentChange;
use crate::state::{EmailAddress, MOST_CONSENTS, MOST_TRAIT_BYTES};

const LONGEST_TEXT: usize = 64;
const LONGEST_TRAIT_NAME: usize = 128;

/// The channels that a withdrawal of everything is about.
const MESSAGING: [Channel; 3] = [Channel::Email, Channel::Sms, Channel::Push];

/// A field that is set, removed by `null`, or left alone.
type Change<T> = Option<Option<T>>;

/// What an event changes in a profile, checked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    email: Change<String>,
    phone: Change<String>,
    locale: Change<String>,
    time_zone: Change<String>,
    traits: Vec<(String, Option<String>)>,
    consents: Vec<ConsentChange>,
    erased: bool,
}

/// What is personal is not shown, so that no log line can have it.
impl fmt::Debug for ProfileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileChange").field("consents", &self.consents).field("erased", &self.erased).finish_non_exhaustive()
    }
}

impl ProfileChange {
    /// The change that `event` carries, if any.
    ///
    /// # Errors
    /// [`QuarantineReason::InvalidProfile`] with every problem, so that nothing is half applied.
    pub fn of(event: &Event) -> Result<Option<Self>, NoEvent> {
        let mut reader = Reader::default();
        let mut change = match event.kind().as_str() {
            "customer.erased" => Self { erased: true, ..Self::default() },
            "customer.updated" => reader.profile("data", event.data()),
            _ => match event.data().get("customer").and_then(Value::as_object) {
                Some(fields) => reader.profile("data.customer", fields),
                None => Self::default(),
            },
        };
        match event.kind().as_str() {
            "consent.granted" => change.consents.push(reader.consent(event.data(), true)),
            "consent.withdrawn" => change.consents.push(reader.consent(event.data(), false)),
            _ => (),
        }
        if reader.problems.is_empty() {
            Ok((change != Self::default()).then_some(change))
        } else {
            Err(NoEvent { reason: QuarantineReason::InvalidProfile, problems: reader.problems })
        }
    }

    /// The customer after the change; `at` judges which consent is newer.
    ///
    /// # Errors
    /// [`QuarantineReason::StateBounds`] where the profile would grow beyond its bounds.
    pub(crate) fn apply(&self, customer: &Customer, at: Time) -> Result<Customer, NoEvent> {
        if customer.is_erased() {
            // What was under way when the customer was erased does not bring anything back.
            return Ok(customer.clone());
        }
        if self.erased {
            return Ok(customer.erased(at));
        }
        let mut next = customer.clone();
        for (field, change) in [
            (&mut next.email, &self.email),
            (&mut next.phone, &self.phone),
            (&mut next.locale, &self.locale),
            (&mut next.time_zone, &self.time_zone),
        ] {
            if let Some(value) = change {
                field.clone_from(value);
            }
        }
        for (name, value) in &self.traits {
            match value {
                Some(text) => next.traits.insert(name.clone(), text.clone()),
                None => next.traits.remove(name),
            };
        }
        for consent in &self.consents {
            next.apply_consent(consent, at);
        }
        let trait_bytes: usize = next.traits.iter().map(|(name, text)| name.len() + text.len()).sum();
        if trait_bytes > MOST_TRAIT_BYTES {
            let problem = format!("the traits would take {trait_bytes} bytes, at most {MOST_TRAIT_BYTES} are kept; delete some with null");
            return Err(NoEvent::new(QuarantineReason::StateBounds, problem));
        }
        // A withdrawal of what was consented to always finds its place.
        if next.consents.len() > MOST_CONSENTS && self.consents.iter().any(|consent| consent.granted) {
            let problem = format!("more than {MOST_CONSENTS} pairs of purpose and channel have a consent on record");
            return Err(NoEvent::new(QuarantineReason::StateBounds, problem));
        }
        Ok(next)
    }
}

impl Customer {
    /// Everything personal is gone; what was seen of the stream stays, so that nothing is done again.
    fn erased(&self, at: Time) -> Self {
        Self {
            shards: self.shards.clone(),
            recent: self.recent.clone(),
            clock: self.clock,
            generation: self.generation,
            merged_into: self.merged_into.clone(),
            erased_at: Some(at.millis()),
            ..Self::default()
        }
    }
}

#[derive(Default)]
struct Reader {
    problems: Vec<String>,
}

impl Reader {
    /// Keeps a problem once, however many values have it: so there are no more than fields.
    fn problem(&mut self, problem: String) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn profile(&mut self, path: &str, fields: &Map<String, Value>) -> ProfileChange {
        ProfileChange {
            email: self.text(path, fields, "email", "an email address", |text| EmailAddress::parse(text).is_some()),
            phone: self.text(path, fields, "phone", "a phone number as +491511234567", is_phone),
            locale: self.text(path, fields, "locale", "a language tag as de-DE", is_plain),
            time_zone: self.text(path, fields, "time_zone", "a zone as Europe/Berlin", is_plain),
            traits: self.traits(path, fields),
            consents: self.consents(path, fields),
            erased: false,
        }
    }

    fn text(&mut self, path: &str, fields: &Map<String, Value>, name: &str, what: &str, good: fn(&str) -> bool) -> Change<String> {
        let value = fields.get(name)?;
        if value.is_null() {
            return Some(None);
        }
        let text = value.as_str().filter(|text| good(text));
        if text.is_none() {
            self.problem(format!("{path}.{name} must be {what}, or null to remove it"));
        }
        text.map(|text| Some(text.to_owned()))
    }

    fn traits(&mut self, path: &str, fields: &Map<String, Value>) -> Vec<(String, Option<String>)> {
        match fields.get("traits") {
            None => Vec::new(),
            Some(Value::Object(traits)) => {
                if traits.keys().any(|name| name.is_empty() || name.len() > LONGEST_TRAIT_NAME) {
                    self.problem(format!("{path}.traits has a name that is empty or longer than {LONGEST_TRAIT_NAME} bytes"));
                }
                traits.iter().map(|(name, value)| (name.clone(), (!value.is_null()).then(|| value.to_string()))).collect()
            }
            Some(_) => {
                self.problem(format!("{path}.traits must be an object"));
                Vec::new()
            }
        }
    }

    /// `consent: { marketing: [email, sms] }`: granted for the channels that are listed, the others left alone.
    fn consents(&mut self, path: &str, fields: &Map<String, Value>) -> Vec<ConsentChange> {
        let purposes = match fields.get("consent") {
            None => return Vec::new(),
            Some(Value::Object(purposes)) => purposes,
            Some(_) => {
                self.problem(format!("{path}.consent must be an object of purposes, each with a list of channels"));
                return Vec::new();
            }
        };
        let mut changes = Vec::new();
        for (purpose, channels) in purposes {
            let channels = self.channels(&format!("{path}.consent"), channels);
            if let Some(purpose) = self.purpose(&format!("{path}.consent"), purpose)
                && !channels.is_empty()
            {
                changes.push(ConsentChange { purpose: Some(purpose), channels, granted: true });
            }
        }
        changes
    }

    /// The data of `consent.granted` and `consent.withdrawn`. A withdrawal that names no purpose or no channel is about all.
    fn consent(&mut self, fields: &Map<String, Value>, granted: bool) -> ConsentChange {
        let stated = |name| fields.get(name).filter(|value| !value.is_null());
        let purpose = match (stated("purpose"), stated("purpose").and_then(Value::as_str)) {
            (None, _) if !granted => None,
            (_, Some(text)) => self.purpose("data.purpose", text),
            (_, None) => {
                self.problem("data.purpose must be the name of a purpose, such as marketing".to_owned());
                None
            }
        };
        let channels = match stated("channels") {
            None if !granted => MESSAGING.to_vec(),
            // An empty list would withdraw nothing, and nobody would hear of it.
            None => self.no_channels(),
            Some(channels) if channels.as_array().is_some_and(Vec::is_empty) => self.no_channels(),
            Some(channels) => self.channels("data.channels", channels),
        };
        ConsentChange { purpose, channels, granted }
    }

    fn no_channels(&mut self) -> Vec<Channel> {
        self.problem("data.channels must name at least one channel, as in [email, sms]".to_owned());
        Vec::new()
    }

    fn purpose(&mut self, path: &str, text: &str) -> Option<Purpose> {
        Purpose::parse(text)
            .map_err(|_| self.problem(format!("{path} has a purpose that is no name of lower-case letters, digits, - and _")))
            .ok()
    }

    fn channels(&mut self, path: &str, value: &Value) -> Vec<Channel> {
        let channels =
            value.as_array().and_then(|list| list.iter().map(|item| Channel::parse(item.as_str()?).ok()).collect::<Option<Vec<_>>>());
        channels.unwrap_or_else(|| {
            self.problem(format!(
                "{path} must list channels out of {}",
                Channel::ALL.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(", ")
            ));
            Vec::new()
        })
    }
}

/// E.164: `+`, no leading zero, 7 to 15 digits.
fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST_TEXT
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'+'))
}
