//! The table Events: every input as received, with its decisions, once for each record of the stream.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use decision::Recorded;
use event::{Position, Time};

use crate::StoreError;
use crate::attributes::{Item, binary, expiry, get_binary, number, text};

const WHAT: &str = "the archive's record";

/// What the archive says of a record that was put into it.
#[derive(Debug, Clone, PartialEq)]
pub enum Archived {
    /// It was not there; what was decided stands.
    First,
    /// It was there: what was decided then stands, whatever was decided now.
    Before(Box<Recorded>),
}

/// The archive of events.
#[derive(Debug, Clone)]
pub struct Archive {
    client: Client,
    table: String,
    retention_days: u32,
}

impl Archive {
    #[must_use]
    pub fn new(client: Client, table: String, retention_days: u32) -> Self {
        Self { client, table, retention_days }
    }

    /// Puts a record in its place, which is derived from the record, so that a redelivery meets itself there.
    ///
    /// # Errors
    /// A put that failed, or an earlier record that this version cannot read.
    pub async fn put(&self, subject: &str, position: &Position, kind: &str, recorded: &Recorded) -> Result<Archived, StoreError> {
        let mut put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("customer", text(subject))
            .item("position", text(position.as_str()))
            .item("type", text(kind))
            .item("record", binary(recorded.seal()))
            .item("generation", number(recorded.decided.generation))
            .item("expires_at", expiry(recorded.arrival.max(Time::from_millis(0)), self.retention_days));
        let codes = recorded.codes();
        if !codes.is_empty() {
            put = put.item("decisions", AttributeValue::L(codes.into_iter().map(text).collect()));
        }
        let put = put
            .condition_expression("attribute_not_exists(customer)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match put.send().await {
            Ok(_) => return Ok(Archived::First),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                let item = refused.item().ok_or_else(|| StoreError::unreadable(WHAT, &"the refused put brought no item back"))?;
                Ok(Archived::Before(Box::new(read_record(item)?)))
            }
            _ => Err(StoreError::passing(WHAT, &error)),
        }
    }

    /// The record in a place; none where nothing is, or is any more.
    ///
    /// # Errors
    /// A read that failed, or a record that this version cannot read.
    pub async fn get(&self, subject: &str, position: &Position) -> Result<Option<Recorded>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).key("customer", text(subject)).key("position", text(position.as_str()));
        let item = get.send().await.map_err(|error| StoreError::passing(WHAT, &error))?.item;
        item.map(|item| read_record(&item)).transpose()
    }
}

/// The record in an item of the table.
///
/// # Errors
/// An item that this version cannot read.
pub fn read_record(item: &Item) -> Result<Recorded, StoreError> {
    let blob = get_binary(item, "record").ok_or_else(|| StoreError::unreadable(WHAT, &"its attribute is missing"))?;
    Recorded::open(blob).map_err(|error| StoreError::unreadable(WHAT, &error))
}
