//! The table Suppressions: who gets nothing, by customer and by the keyed hash of an address.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use delivery::{Suppression, SuppressionKind};
use event::{CustomerId, Time};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use trigger::{Channel, Purpose};

use crate::attributes::{Item, number, text};
use crate::{Passing, Secret, StoreError};

const WHAT: &str = "writing a suppression";

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

/// The table, for who writes into it. It only grows: a suppression of a later time takes the place of an earlier one, never
/// the other way round, so that neither order nor repetition matters.
#[derive(Debug, Clone)]
pub struct Suppressions {
    client: Client,
    table: String,
    key: AddressKey,
}

impl Suppressions {
    #[must_use]
    pub fn new(client: Client, table: String, key: AddressKey) -> Self {
        Self { client, table, key }
    }

    /// Suppresses a customer, and each of these addresses for whoever has it.
    ///
    /// # Errors
    /// A call that failed. What was written before stays, and is written again without harm.
    pub async fn put(&self, customer: &CustomerId, addresses: &[String], suppression: &Suppression) -> Result<(), StoreError> {
        self.raise(subject_of(customer), suppression).await?;
        for address in addresses {
            self.raise(self.key.subject_of(address)?, suppression).await?;
        }
        Ok(())
    }

    /// DynamoDB has no largest of two numbers: the condition is that, and a refusal says that nothing is left to do.
    async fn raise(&self, subject: String, suppression: &Suppression) -> Result<(), StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("subject", text(subject))
            .update_expression("SET #mark = :at")
            .condition_expression("attribute_not_exists(#mark) OR #mark < :at")
            .expression_attribute_names("#mark", name_of(suppression))
            .expression_attribute_values(":at", number(suppression.at.millis()));
        match update.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => Ok(()),
            Err(error) => Err(StoreError::passing(WHAT, &error)),
        }
    }
}

/// The name of a suppression's attribute: `kind#channel#purpose`.
fn name_of(suppression: &Suppression) -> String {
    let kind = match suppression.kind {
        SuppressionKind::Withdrawal => "withdrawal",
        SuppressionKind::Bounce => "bounce",
        SuppressionKind::Complaint => "complaint",
        SuppressionKind::Erasure => "erasure",
    };
    format!("{kind}#{}#{}", suppression.channel, suppression.purpose.as_ref().map_or("*", Purpose::as_str))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suppression_is_read_as_it_is_named() {
        let kinds = [SuppressionKind::Withdrawal, SuppressionKind::Bounce, SuppressionKind::Complaint, SuppressionKind::Erasure];
        for kind in kinds {
            for purpose in [None, Purpose::parse("news_weekly").ok()] {
                let written = Suppression { kind, channel: Channel::Sms, purpose, at: Time::from_millis(7) };
                assert_eq!(suppression(&name_of(&written), "7"), Some(written));
            }
        }
    }
}
