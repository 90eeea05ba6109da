//! The ledger as an operator reads it: many deliveries at once, and nothing is claimed by it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use decision::DeliveryId;
use event::{CustomerId, Time};

use crate::attributes::{Item, get_number, get_text, text};
use crate::batch::get_each;
use crate::ledger::read_entry;
use crate::{LedgerEntry, Passing, StoreError};

const WHAT: &str = "reading the ledger";

/// Unprocessed keys are asked for again so often.
const ROUNDS: u32 = 7;

/// What the ledger tells of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSummary {
    pub entry: LedgerEntry,
    /// How often it was claimed.
    pub attempts: u32,
    /// Why the last claim that was given back was given back.
    pub cause: Option<String>,
    /// When the last claim began.
    pub claimed_at: Option<Time>,
    /// When it ended.
    pub settled_at: Option<Time>,
}

/// The table Deliveries, to be read only.
#[derive(Debug, Clone)]
pub struct LedgerReads {
    client: Client,
    table: String,
}

impl LedgerReads {
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The records of these deliveries, of which the same may be asked for twice. A delivery that was never claimed has
    /// none; one that this version cannot read is an error of its own.
    ///
    /// # Errors
    /// A read that failed.
    pub async fn read(
        &self,
        deliveries: impl IntoIterator<Item = (&CustomerId, DeliveryId)>,
    ) -> Result<BTreeMap<DeliveryId, Result<LedgerSummary, StoreError>>, Passing> {
        let distinct: BTreeSet<_> = deliveries.into_iter().collect();
        let keys: Vec<Item> = distinct.into_iter().map(|(customer, delivery)| key(customer, delivery)).collect();
        let mut records = BTreeMap::new();
        for item in get_each(&self.client, WHAT, &self.table, &keys, ROUNDS).await? {
            if let Some(delivery) = get_text(&item, "delivery").and_then(|id| id.parse().ok()) {
                records.insert(delivery, record(&item));
            }
        }
        Ok(records)
    }
}

fn key(customer: &CustomerId, delivery: DeliveryId) -> Item {
    HashMap::from([("customer".to_owned(), text(customer.as_str())), ("delivery".to_owned(), text(delivery.to_string()))])
}

fn record(item: &Item) -> Result<LedgerSummary, StoreError> {
    let time = |name| get_number(item, name).map(Time::from_millis);
    Ok(LedgerSummary {
        entry: read_entry(item)?,
        attempts: get_number(item, "attempts").unwrap_or_default(),
        cause: get_text(item, "cause").filter(|cause| !cause.is_empty()).map(str::to_owned),
        claimed_at: time("claimed_at"),
        settled_at: time("settled_at"),
    })
}
