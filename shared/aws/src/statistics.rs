//! The table Statistics: how much happened to each trigger's messages, by the hour.
//!
//! Approximate: a process that dies between a fact and its count leaves it uncounted. The ledger is the truth.

use aws_sdk_dynamodb::Client;
use event::Time;

use crate::Passing;
use crate::attributes::{expiry, number, text};

const WHAT: &str = "counting in the statistics";

/// `2026-03-01T10` of `2026-03-01T10:00:00.000Z`.
const HOUR: usize = 13;

/// Counters of triggers.
#[derive(Debug, Clone)]
pub struct Statistics {
    client: Client,
    table: String,
    retention_days: u32,
}

impl Statistics {
    /// What stands for messages that are no trigger's. No trigger can have this name.
    pub const NOBODY: &str = "-";

    #[must_use]
    pub fn new(client: Client, table: String, retention_days: u32) -> Self {
        Self { client, table, retention_days }
    }

    /// Counts one more in the hour of this time, in UTC.
    ///
    /// # Errors
    /// A call that failed: whether it was counted is unknown.
    pub async fn count(&self, trigger: &str, counter: &str, at: Time) -> Result<(), Passing> {
        let time = at.to_string();
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("trigger", text(trigger))
            .key("hour", text(time.get(..HOUR).unwrap_or(&time)))
            .update_expression("ADD #counter :one SET expires_at = :expires")
            .expression_attribute_names("#counter", counter)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":expires", expiry(at, self.retention_days));
        update.send().await.map(drop).map_err(|error| Passing::new(WHAT, &error))
    }
}
