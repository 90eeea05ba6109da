//! What a provider is given with a message and gives back with everything that it says of it afterwards.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use decision::DeliveryId;
use event::CustomerId;
use trigger::TriggerName;

use crate::Message;

const DELIVERY: &str = "delivery";
const TRIGGER: &str = "trigger";
const CUSTOMER: &str = "customer";
const CUSTOMER_REST: &str = "customer-rest";

/// SES takes values of so many letters, digits, `-` and `_`.
const LONGEST_VALUE: usize = 256;

/// The names by which a message leads back to its delivery: the ledger's key, and the trigger for the statistics.
///
/// The customer's id may be any text of 256 bytes, of which a tag could have neither the characters nor, once they are
/// written otherwise, the length. So it stands in base64url, and what does not fit into one tag stands in a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tags {
    pub delivery: DeliveryId,
    pub trigger: TriggerName,
    pub customer: CustomerId,
}

impl Tags {
    #[must_use]
    pub fn of(message: &Message) -> Self {
        Self { delivery: message.delivery, trigger: message.trigger.clone(), customer: message.customer.clone() }
    }

    /// Names and values, in the alphabet that every provider takes.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let customer = URL_SAFE_NO_PAD.encode(self.customer.as_str());
        // All of base64url is ASCII, so any place is between two characters.
        let (first, rest) = customer.split_at(customer.len().min(LONGEST_VALUE));
        let mut pairs =
            vec![(DELIVERY, self.delivery.to_string()), (TRIGGER, self.trigger.as_str().to_owned()), (CUSTOMER, first.to_owned())];
        if !rest.is_empty() {
            pairs.push((CUSTOMER_REST, rest.to_owned()));
        }
        pairs
    }

    /// The tags that `value` gives by their names; none where they are not those of a delivery of this system.
    pub fn read<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Option<Self> {
        let customer = format!("{}{}", value(CUSTOMER)?, value(CUSTOMER_REST).unwrap_or_default());
        let customer = String::from_utf8(URL_SAFE_NO_PAD.decode(customer).ok()?).ok()?;
        Some(Self {
            delivery: value(DELIVERY)?.parse().ok()?,
            trigger: TriggerName::parse(value(TRIGGER)?).ok()?,
            customer: CustomerId::parse(&customer).ok()?,
        })
    }
}
