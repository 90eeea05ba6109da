//! What a sender reads before it sends: customer, suppressions and the event, in one call.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use customer::Customer;
use decision::Recorded;
use delivery::{Message, Suppression};
use trigger::Channel;

use crate::archive::read_record;
use crate::attributes::{Item, get_number, text};
use crate::customers::read_state;
use crate::suppressions::{read_suppressions, subject_of};
use crate::{AddressKey, Passing, StoreError};

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
        let mut found = self.get(keys).await?;
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

    async fn get(&self, keys: HashMap<String, Vec<Item>>) -> Result<HashMap<String, Vec<Item>>, Passing> {
        let request = |(table, keys): (String, Vec<Item>)| {
            let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            request.map(|request| (table, request)).map_err(|error| Passing::because(WHAT, error.to_string()))
        };
        let mut waiting = keys.into_iter().map(request).collect::<Result<HashMap<_, _>, _>>()?;
        let mut found = HashMap::<String, Vec<Item>>::new();
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(25 << round)).await;
            }
            let answer = self.client.batch_get_item().set_request_items(Some(waiting)).send().await;
            let answer = answer.map_err(|error| Passing::new(WHAT, &error))?;
            for (table, items) in answer.responses.unwrap_or_default() {
                found.entry(table).or_default().extend(items);
            }
            waiting = answer.unprocessed_keys.unwrap_or_default();
            if waiting.is_empty() {
                return Ok(found);
            }
        }
        Err(Passing::because(WHAT, "some keys were never processed: a table is throttled"))
    }
}

fn key<const N: usize>(fields: [(&str, &str); N]) -> Item {
    fields.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
}
