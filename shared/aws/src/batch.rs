//! Reading many items in one call. What a service leaves unprocessed is asked for again.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use crate::Passing;
use crate::attributes::Item;
use crate::connect::pause;

/// Items by their table.
pub(crate) type ByTable = HashMap<String, Vec<Item>>;

/// `BatchGetItem` takes no more keys.
const LARGEST_BATCH: usize = 100;

/// The items of these keys of one table, however many there are.
///
/// # Errors
/// As [`get_all`].
pub(crate) async fn get_each(client: &Client, what: &'static str, table: &str, keys: &[Item], rounds: u32) -> Result<Vec<Item>, Passing> {
    let mut items = Vec::new();
    for chunk in keys.chunks(LARGEST_BATCH) {
        let found = get_all(client, what, ByTable::from([(table.to_owned(), chunk.to_vec())]), rounds).await?;
        items.extend(found.into_values().flatten());
    }
    Ok(items)
}

/// The items of these keys, at most 100, read strongly consistent; asked for in so many rounds.
///
/// # Errors
/// A read that failed, or a table that is throttled through all rounds.
pub(crate) async fn get_all(client: &Client, what: &'static str, keys: ByTable, rounds: u32) -> Result<ByTable, Passing> {
    let request = |(table, keys): (String, Vec<Item>)| {
        let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
        request.map(|request| (table, request)).map_err(|error| Passing::because(what, error.to_string()))
    };
    let mut waiting = keys.into_iter().map(request).collect::<Result<HashMap<_, _>, _>>()?;
    let mut found = ByTable::new();
    for round in 0..rounds {
        if round > 0 {
            pause(client.config().sleep_impl(), Duration::from_millis(25 << round)).await;
        }
        let answer = client.batch_get_item().set_request_items(Some(waiting)).send().await;
        let answer = answer.map_err(|error| Passing::new(what, &error))?;
        for (table, items) in answer.responses.unwrap_or_default() {
            found.entry(table).or_default().extend(items);
        }
        waiting = answer.unprocessed_keys.unwrap_or_default();
        if waiting.is_empty() {
            return Ok(found);
        }
    }
    Err(Passing::because(what, "some keys were never processed: the table is throttled"))
}
