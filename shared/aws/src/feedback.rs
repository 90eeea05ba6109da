//! What a provider says of a delivery afterwards, in the delivery's entry in the ledger.
//!
//! Guarantees: an entry is changed only as long as it stands as it was read, so that whoever decides by it decides by what
//! is there; none is made, since a delivery without an entry could never be claimed. Of each fact the earliest time is kept.

use std::collections::BTreeMap;

use decision::{DeliveryId, FeedbackKind, Outcome};
use event::{CustomerId, Position, Time};
use trigger::Channel;

use crate::attributes::{Item, get_number, get_text, number, text};
use crate::ledger::{TEXT_MESSAGE, WHAT, ending, read_entry, with_outcome};
use crate::{Ledger, LedgerEntry, StoreError};

/// The index of the entries of text messages, by the provider's id.
const BY_TEXT_MESSAGE: &str = "TextMessages";

/// A delivery's entry as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRecord {
    pub entry: LedgerEntry,
    pub trigger: String,
    pub version: Option<u32>,
    pub step: Option<String>,
    /// Where in the archive its cause stands.
    pub position: Option<Position>,
    /// What was said of it so far, and when that was first.
    pub facts: BTreeMap<FeedbackKind, Time>,
    channel: Option<Channel>,
    status: String,
}

impl LedgerRecord {
    /// How the delivery ended; none while it is under way.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.entry {
            LedgerEntry::Settled(outcome) => Some(outcome),
            LedgerEntry::Claimed { .. } | LedgerEntry::Released(_) => None,
        }
    }
}

impl Ledger {
    /// The newest entry of a delivery, read strongly consistent; none where there is none, or none any more.
    ///
    /// # Errors
    /// A read that failed, or an entry that this version cannot read.
    pub async fn read(&self, customer: &CustomerId, delivery: DeliveryId) -> Result<Option<LedgerRecord>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("customer", text(customer.as_str())).key("delivery", text(delivery.to_string()));
        let item = get.send().await.map_err(|error| StoreError::passing(WHAT, &error))?.item;
        item.map(|item| read(&item)).transpose()
    }

    /// Adds an outcome, a fact or both to an entry that still stands as it was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it does not, [`StoreError::Passing`] otherwise.
    pub async fn amend(
        &self,
        customer: &CustomerId,
        delivery: DeliveryId,
        seen: &LedgerRecord,
        outcome: Option<&Outcome>,
        fact: Option<(FeedbackKind, Time)>,
        now: Time,
    ) -> Result<(), StoreError> {
        let mut sets = Vec::new();
        let mut conditions = vec!["#status = :seen".to_owned()];
        let mut update = self.update_entry(customer, delivery).expression_attribute_values(":seen", text(&seen.status));
        if let Some(outcome) = outcome {
            sets.push(ending(seen.channel, outcome));
            update = with_outcome(update, outcome, now).expression_attribute_names("#owner", "owner");
        }
        if let Some((kind, at)) = fact {
            sets.push("#fact = :at".to_owned());
            conditions.push("(attribute_not_exists(#fact) OR #fact > :at)".to_owned());
            update = update.expression_attribute_names("#fact", name_of(kind)).expression_attribute_values(":at", number(at.millis()));
        }
        if sets.is_empty() {
            return Ok(());
        }
        let ended = if outcome.is_some() { " REMOVE #owner, lease_until" } else { "" };
        let update = update.update_expression(format!("SET {}{ended}", sets.join(", "))).condition_expression(conditions.join(" AND "));
        match self.run(update).await? {
            None => Ok(()),
            Some(_) => Err(StoreError::Conflict { what: WHAT }),
        }
    }

    /// The delivery of a text message that the provider took under this id. The index lags behind the ledger, as a rule by
    /// less than a second.
    ///
    /// # Errors
    /// A read that failed.
    pub async fn of_text_message(&self, provider_id: &str) -> Result<Option<(CustomerId, DeliveryId)>, StoreError> {
        let query = self.client.query().table_name(&self.table).index_name(BY_TEXT_MESSAGE).limit(1);
        let query = query.key_condition_expression("#id = :id").expression_attribute_names("#id", TEXT_MESSAGE);
        let query = query.expression_attribute_values(":id", text(provider_id));
        let items = query.send().await.map_err(|error| StoreError::passing(WHAT, &error))?.items.unwrap_or_default();
        let Some(item) = items.first() else { return Ok(None) };
        let customer = get_text(item, "customer").and_then(|id| CustomerId::parse(id).ok());
        let delivery = get_text(item, "delivery").and_then(|id| id.parse().ok());
        customer.zip(delivery).map(Some).ok_or_else(|| StoreError::unreadable(WHAT, &"no valid key"))
    }
}

/// `delivered_at` and the like, in milliseconds since 1970.
fn name_of(kind: FeedbackKind) -> String {
    format!("{}_at", kind.code())
}

fn read(item: &Item) -> Result<LedgerRecord, StoreError> {
    let fact = |kind: &FeedbackKind| Some((*kind, Time::from_millis(get_number(item, &name_of(*kind))?)));
    Ok(LedgerRecord {
        entry: read_entry(item)?,
        trigger: get_text(item, "trigger").unwrap_or_default().to_owned(),
        version: get_number(item, "version"),
        step: get_text(item, "step").map(str::to_owned),
        position: get_text(item, "position").map(|position| Position::stored(position.to_owned())),
        facts: FeedbackKind::ALL.iter().filter_map(fact).collect(),
        channel: get_text(item, "channel").and_then(|channel| Channel::parse(channel).ok()),
        status: get_text(item, "status").unwrap_or_default().to_owned(),
    })
}
