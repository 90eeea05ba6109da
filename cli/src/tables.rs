//! The tables of a stack, read from beginning to end.

use anyhow::{Context, Result};
use aws::Item;
use aws_sdk_dynamodb::Client;

/// Hands every item of a table over, page by page.
///
/// # Errors
/// A table that cannot be read, or a page that was refused.
pub async fn scan(client: &Client, table: &str, mut page: impl FnMut(Vec<Item>) -> Result<()>) -> Result<()> {
    let mut start = None;
    loop {
        let answer = client.scan().table_name(table).consistent_read(true).set_exclusive_start_key(start).send().await;
        let answer = answer.with_context(|| format!("cannot read the table {table}"))?;
        page(answer.items.unwrap_or_default())?;
        start = answer.last_evaluated_key.filter(|key| !key.is_empty());
        if start.is_none() {
            return Ok(());
        }
    }
}

/// An attribute that is a text; empty where there is none.
pub fn text(item: &Item, name: &str) -> String {
    aws::get_text(item, name).unwrap_or_default().to_owned()
}
