//! What a sender reads before it sends: customer, suppressions and the event, in one call.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use customer::Customer;
use decision::Recorded;
use delivery::{Message, Suppression};
use trigger::Channel;

use crate::archive::read_record;
use crate::attributes::{Item, get_number, text};
use crate::batch::get_all;
use crate::customers::read_state;
use crate::suppressions::{read_suppressions, subject_of};
use crate::{AddressKey, StoreError};

const WHAT: &str = "reading for a delivery";

/// Unprocessed keys are asked for again so often.
const ROUNDS: u32 = 5;

/// What is known about a delivery's customer and cause.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// None where nothing was ever committed.
    pub customer: Option<Customer>,
    /// The version of the customer's state.
    pub version: u64,
    pub suppressions: Vec<Suppression>,
    /// None where it expired, or where the cause is not archived yet.
    pub cause: Option<Recorded>,
}

/// The reads of a sender, over several tables.
#[derive(Debug, Clone)]
pub struct DeliveryReads {
    client: Client,
    customers: String,
    events: String,
    suppressions: String,
    key: Option<AddressKey>,
}

impl DeliveryReads {
    /// Without a key no suppressions of an address are read: that is for channels that reach no person.
    #[must_use]
    pub fn new(client: Client, customers: String, events: String, suppressions: String, key: Option<AddressKey>) -> Self {
        Self { client, customers, events, suppressions, key }
    }

    /// Everything about a message, read strongly consistent.
    ///
    /// # Errors
    /// A read that failed, or a stored item that this version cannot read.
    pub async fn read(&self, message: &Message) -> Result<Known, StoreError> {
        let customer = message.customer.as_str();
        let keys = HashMap::from([
            (self.customers.clone(), vec![key([("customer", customer)])]),
            (self.events.clone(), vec![key([("customer", customer), ("position", message.position.as_str())])]),
            (self.suppressions.clone(), vec![key([("subject", &subject_of(&message.customer))])]),
        ]);
        let mut found = get_all(&self.client, WHAT, keys, ROUNDS).await?;
        let mut first = |table: &str| found.remove(table).and_then(|items| items.into_iter().next());
        let customer = first(&self.customers);
        let mut known = Known {
            version: customer.as_ref().and_then(|item| get_number(item, "version")).unwrap_or_default(),
            customer: customer.map(|item| read_state(&item)).transpose()?,
            suppressions: first(&self.suppressions).map(|item| read_suppressions(&item)).unwrap_or_default(),
            cause: first(&self.events).map(|item| read_record(&item)).transpose()?,
        };
        known.suppressions.extend(self.of_address(known.customer.as_ref(), message.channel).await?);
        Ok(known)
    }

    /// An address is known only once the customer was read, so its suppressions take a second call.
    async fn of_address(&self, customer: Option<&Customer>, channel: Channel) -> Result<Vec<Suppression>, StoreError> {
        let Some(key) = &self.key else { return Ok(Vec::new()) };
        let Some(address) = customer.and_then(|customer| customer.address(channel)) else { return Ok(Vec::new()) };
        let subject = key.subject_of(&address)?;
        let get = self.client.get_item().table_name(&self.suppressions).key("subject", text(subject)).consistent_read(true);
        let item = get.send().await.map_err(|error| StoreError::passing(WHAT, &error))?.item;
        Ok(item.map(|item| read_suppressions(&item)).unwrap_or_default())
    }
}

fn key<const N: usize>(fields: [(&str, &str); N]) -> Item {
    fields.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
}
