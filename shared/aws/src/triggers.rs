//! The table Triggers: immutable definitions, templates and bundles, and the one item that says which of them hold.
//!
//! Writing goes from the leaves to the head: nothing is named by the head before it is there.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use blob::{ContentHash, Record, record};
use delivery::Sources;
use trigger::{Bundle, Head, Published, TriggerName, Version};

use crate::attributes::{Item, binary, get_binary, get_number, number, text};
use crate::{Passing, StoreError};

// `$` cannot stand in a trigger's name, so these keys never meet one.
const HEAD: &str = "$head";
const BUNDLE: &str = "$bundle#";
const TEMPLATE: &str = "$template#";

const TEMPLATE_FORMAT: u16 = 1;
const LARGEST_TEMPLATE: usize = 1 << 20;

record! {
    /// The parts of a template, as its immutable item holds them.
    pub struct StoredTemplate {
        1 => pub subject: Option<String>,
        2 => pub text: Option<String>,
        3 => pub html: Option<String>,
        4 => pub sms: Option<String>,
    }
}

impl StoredTemplate {
    /// The texts, to be parsed.
    #[must_use]
    pub fn sources(&self) -> Sources<'_> {
        Sources { subject: self.subject.as_deref(), text: self.text.as_deref(), html: self.html.as_deref(), sms: self.sms.as_deref() }
    }

    /// What names the template: its content.
    #[must_use]
    pub fn hash(&self) -> ContentHash {
        ContentHash::of(&[&self.to_fields().to_bytes()])
    }
}

/// The table of triggers.
#[derive(Debug, Clone)]
pub struct Triggers {
    client: Client,
    table: String,
}

impl Triggers {
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The newest head; an empty one where nothing was ever applied.
    ///
    /// # Errors
    /// A read that failed, or a head that this version cannot read.
    pub async fn head(&self) -> Result<Head, StoreError> {
        let what = "the head of the triggers";
        match self.get(what, HEAD, 0).await? {
            None => Ok(Head::default()),
            Some(item) => Head::open(blob_of(&item, what)?).map_err(|error| StoreError::unreadable(what, &error)),
        }
    }

    /// # Errors
    /// A read that failed, a bundle that is not there, or that this version cannot read.
    pub async fn bundle(&self, hash: ContentHash) -> Result<Bundle, StoreError> {
        let what = "a bundle of triggers";
        let mut blob = Vec::new();
        let mut chunks = 1;
        let mut next = 0;
        while next < chunks {
            let item = self.get(what, &format!("{BUNDLE}{hash}"), next).await?;
            let item = item.ok_or_else(|| StoreError::unreadable(what, &format!("chunk {next} is missing")))?;
            chunks = get_number(&item, "chunks").unwrap_or(chunks);
            blob.extend_from_slice(blob_of(&item, what)?);
            next += 1;
        }
        Bundle::open(&blob).map_err(|error| StoreError::unreadable(what, &error))
    }

    /// One version of a trigger, none where it was never published.
    ///
    /// # Errors
    /// A read that failed, or a definition that this version cannot read.
    pub async fn version(&self, name: &TriggerName, version: Version) -> Result<Option<Published>, StoreError> {
        let what = "a trigger's definition";
        match self.get(what, name.as_str(), version.get()).await? {
            None => Ok(None),
            Some(item) => Published::open(blob_of(&item, what)?).map(Some).map_err(|error| StoreError::unreadable(what, &error)),
        }
    }

    /// The newest version of a trigger that was ever published, also of one that is in no generation now.
    ///
    /// # Errors
    /// As [`Triggers::version`].
    pub async fn newest(&self, name: &TriggerName) -> Result<Option<Published>, StoreError> {
        let what = "a trigger's newest definition";
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#trigger = :name")
            .expression_attribute_names("#trigger", "trigger")
            .expression_attribute_values(":name", text(name.as_str()))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(1);
        let items = query.send().await.map_err(|error| StoreError::passing(what, &error))?.items.unwrap_or_default();
        let published =
            items.first().map(|item| Published::open(blob_of(item, what)?).map_err(|error| StoreError::unreadable(what, &error)));
        published.transpose()
    }

    /// # Errors
    /// A read that failed, a template that is not there, or that this version cannot read.
    pub async fn template(&self, hash: ContentHash) -> Result<StoredTemplate, StoreError> {
        let what = "a template";
        let item = self.get(what, &format!("{TEMPLATE}{hash}"), 0).await?;
        let item = item.ok_or_else(|| StoreError::unreadable(what, &"it is missing"))?;
        StoredTemplate::open(blob_of(&item, what)?, TEMPLATE_FORMAT, LARGEST_TEMPLATE).map_err(|error| StoreError::unreadable(what, &error))
    }

    /// # Errors
    /// A write that failed.
    pub async fn put_template(&self, template: &StoredTemplate) -> Result<(), Passing> {
        self.put("writing a template", &format!("{TEMPLATE}{}", template.hash()), 0, template.seal(TEMPLATE_FORMAT), BTreeMap::new()).await
    }

    /// Writes a version that was never written. Whoever else wrote it first keeps it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another version of this number is there.
    pub async fn publish(&self, published: &Published) -> Result<(), StoreError> {
        let what = "a trigger's version";
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("trigger", text(published.trigger.name().as_str()))
            .item("version", number(published.version.get()))
            .item("content", binary(published.seal()))
            .condition_expression("attribute_not_exists(#trigger)")
            .expression_attribute_names("#trigger", "trigger");
        match put.send().await {
            Ok(_) => Ok(()),
            // Compared unpacked: another version of the compressor writes other bytes for the same content.
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                let there = self.version(published.trigger.name(), published.version).await?;
                if there.as_ref() == Some(published) { Ok(()) } else { Err(StoreError::Conflict { what }) }
            }
            Err(error) => Err(StoreError::passing(what, &error)),
        }
    }

    /// Writes a bundle, its first chunk last, and gives the hash that names it.
    ///
    /// # Errors
    /// A write that failed.
    pub async fn put_bundle(&self, bundle: &Bundle) -> Result<ContentHash, Passing> {
        let (hash, chunks) = bundle.seal();
        let count = chunks.len();
        for (position, chunk) in chunks.into_iter().enumerate().rev() {
            let position = u32::try_from(position).unwrap_or(u32::MAX);
            let count = BTreeMap::from([("chunks", count)]);
            self.put("writing a bundle", &format!("{BUNDLE}{hash}"), position, chunk, count).await?;
        }
        Ok(hash)
    }

    /// Makes `next` the head, on the condition that `before` still is: what it names must be there already.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where somebody else applied in the meantime.
    pub async fn flip(&self, before: &Head, next: &Head) -> Result<(), StoreError> {
        let what = "the head of the triggers";
        let mut put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("trigger", text(HEAD))
            .item("version", number(0))
            .item("content", binary(next.seal()))
            .item("generation", number(next.number()));
        put = if before.number() == 0 {
            put.condition_expression("attribute_not_exists(#trigger)").expression_attribute_names("#trigger", "trigger")
        } else {
            put.condition_expression("generation = :generation").expression_attribute_values(":generation", number(before.number()))
        };
        let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match put.send().await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                // The answer to our own successful call was lost, and the call was made again.
                let ours = refused.item().and_then(|item| get_binary(item, "content")) == Some(next.seal().as_slice());
                if ours { Ok(()) } else { Err(StoreError::Conflict { what }) }
            }
            _ => Err(StoreError::passing(what, &error)),
        }
    }

    async fn get(&self, what: &'static str, name: &str, version: u32) -> Result<Option<Item>, Passing> {
        let get = self.client.get_item().table_name(&self.table).key("trigger", text(name)).key("version", number(version));
        Ok(get.consistent_read(true).send().await.map_err(|error| Passing::new(what, &error))?.item)
    }

    async fn put(
        &self,
        what: &'static str,
        name: &str,
        version: u32,
        content: Vec<u8>,
        more: BTreeMap<&str, usize>,
    ) -> Result<(), Passing> {
        let mut put = self.client.put_item().table_name(&self.table).item("trigger", text(name)).item("version", number(version));
        for (name, value) in more {
            put = put.item(name, number(value));
        }
        put.item("content", binary(content)).send().await.map(drop).map_err(|error| Passing::new(what, &error))
    }
}

fn blob_of<'a>(item: &'a Item, what: &'static str) -> Result<&'a [u8], StoreError> {
    get_binary(item, "content").ok_or_else(|| StoreError::unreadable(what, &"its attribute is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_template_never_changes() {
        let mail = StoredTemplate { subject: Some("Hi".to_owned()), text: Some("Hello".to_owned()), ..StoredTemplate::default() };
        let sms = StoredTemplate { sms: Some("Hello".to_owned()), ..StoredTemplate::default() };
        assert_eq!(
            [mail.hash(), sms.hash()].map(|hash| hash.to_string()),
            ["d37637828a9980dda30df8e2d01e9b1d", "dca66fadb7ab67311dac55755a4e81d7"]
        );
    }
}
