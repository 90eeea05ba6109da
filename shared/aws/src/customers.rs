//! The table Customers: the state of each, behind a version.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use customer::Customer;
use event::CustomerId;

use crate::attributes::{Item, binary, get_binary, get_number, get_text, number, text};
use crate::batch::get_each;
use crate::{Passing, StoreError};

const WHAT: &str = "the customer's state";

/// Unprocessed keys are asked for again so often.
const ROUNDS: u32 = 6;

/// A state as it was read, to be written on the condition that it is still so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loaded {
    pub customer: Customer,
    version: u64,
}

/// The states of customers. The router is their only writer.
#[derive(Debug, Clone)]
pub struct Customers {
    client: Client,
    table: String,
}

impl Customers {
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The newest states. A customer who has none is new.
    ///
    /// # Errors
    /// A read that failed, or a state that this version cannot read.
    pub async fn load(&self, ids: &[CustomerId]) -> Result<BTreeMap<CustomerId, Result<Loaded, StoreError>>, Passing> {
        let keys: Vec<_> = ids.iter().map(|id| Item::from([("customer".to_owned(), text(id.as_str()))])).collect();
        let mut loaded: BTreeMap<_, _> = ids.iter().map(|id| (id.clone(), Ok(Loaded::default()))).collect();
        for item in get_each(&self.client, WHAT, &self.table, &keys, ROUNDS).await? {
            if let Some(id) = get_text(&item, "customer").and_then(|id| CustomerId::parse(id).ok()) {
                loaded.insert(id, read(&item));
            }
        }
        Ok(loaded)
    }

    /// Writes a state on the condition that it is as it was loaded: the commit of everything that led to it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another writer came first, [`StoreError::Passing`] otherwise.
    pub async fn commit(&self, id: &CustomerId, loaded: &Loaded, next: &Customer) -> Result<(), StoreError> {
        let mut put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("customer", text(id.as_str()))
            .item("state", binary(next.seal()))
            .item("version", number(loaded.version + 1));
        put = if loaded.version == 0 {
            put.condition_expression("attribute_not_exists(customer)")
        } else {
            put.condition_expression("version = :version").expression_attribute_values(":version", number(loaded.version))
        };
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Err(StoreError::Conflict { what: WHAT })
            }
            Err(error) => Err(StoreError::passing(WHAT, &error)),
        }
    }
}

fn read(item: &Item) -> Result<Loaded, StoreError> {
    let version = get_number(item, "version").ok_or_else(|| StoreError::unreadable(WHAT, &"its version is missing"))?;
    Ok(Loaded { customer: read_state(item)?, version })
}

/// The state in an item of the table.
///
/// # Errors
/// An item that this version cannot read.
pub fn read_state(item: &Item) -> Result<Customer, StoreError> {
    let blob = get_binary(item, "state").ok_or_else(|| StoreError::unreadable(WHAT, &"its attribute is missing"))?;
    Customer::open(blob).map_err(|error| StoreError::unreadable(WHAT, &error))
}
