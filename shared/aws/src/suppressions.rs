//! The table Suppressions: who gets nothing, by customer and by the keyed hash of an address.

use delivery::{Suppression, SuppressionKind};
use event::{CustomerId, Time};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use trigger::{Channel, Purpose};

use crate::attributes::Item;
use crate::{Passing, Secret};

/// The key under which addresses are hashed, so that the table has none and still outlives an erasure.
#[derive(Debug, Clone)]
pub struct AddressKey(Secret);

impl AddressKey {
    #[must_use]
    pub fn new(secret: Secret) -> Self {
        Self(secret)
    }

    /// The key of an address's item. Case does not count, as no mail system of today has it count.
    ///
    /// # Errors
    /// A secret that is no key.
    pub(crate) fn subject_of(&self, address: &str) -> Result<String, Passing> {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.expose().as_bytes());
        let mut mac = mac.map_err(|_| Passing::because("hashing an address", "the secret is no key"))?;
        mac.update(address.to_lowercase().as_bytes());
        let digest = mac.finalize().into_bytes();
        Ok(digest.iter().fold("address#".to_owned(), |text, byte| format!("{text}{byte:02x}")))
    }
}

pub(crate) fn subject_of(customer: &CustomerId) -> String {
    format!("customer#{customer}")
}

/// The suppressions in an item: attributes named `kind#channel#purpose`, `*` for every purpose, with their time.
///
/// A name that this version does not know counts for every purpose of its channel: deny wins.
pub(crate) fn read_suppressions(item: &Item) -> Vec<Suppression> {
    item.iter().filter_map(|(name, value)| suppression(name, value.as_n().ok()?)).collect()
}

fn suppression(name: &str, at: &str) -> Option<Suppression> {
    let mut parts = name.splitn(3, '#');
    let (kind, channel, purpose) = (parts.next()?, parts.next()?, parts.next()?);
    let kind = match kind {
        "withdrawal" => SuppressionKind::Withdrawal,
        "complaint" => SuppressionKind::Complaint,
        "erasure" => SuppressionKind::Erasure,
        _ => SuppressionKind::Bounce,
    };
    let purpose = if purpose == "*" { None } else { Purpose::parse(purpose).ok() };
    Some(Suppression { kind, channel: Channel::parse(channel).ok()?, purpose, at: Time::from_millis(at.parse().ok()?) })
}
