//! The table Deliveries: the ledger, in which each delivery is claimed before a provider is called and settled after.
//!
//! A claim means that the provider's call begins now. Whoever finds a claim whose lease is over does not know whether
//! the provider accepted: what to do then is the trigger's policy, not the ledger's.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use decision::{Outcome, Reason};
use delivery::Message;
use event::Time;
use trigger::SendPolicy;

use crate::StoreError;
use crate::attributes::{Item, expiry, get_number, get_text, number, text};

const WHAT: &str = "the delivery's entry in the ledger";

const CLAIMED: &str = "claimed";
const RELEASED: &str = "released";

/// What an attempt to claim a delivery, or to settle it unclaimed, meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The delivery is the caller's until the lease ends.
    Granted,
    /// It ended before; the outcome is to be repeated, not the send.
    Settled(Outcome),
    /// Another attempt is under way.
    HeldByAnother { until: Time },
    /// An attempt began and nobody knows its end: its lease is over and the policy forbids another.
    Abandoned,
}

/// What the ledger says of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerEntry {
    Claimed { owner: String, until: Time },
    Released,
    Settled(Outcome),
}

/// The ledger of deliveries.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
    retention_days: u32,
}

impl Ledger {
    #[must_use]
    pub fn new(client: Client, table: String, retention_days: u32) -> Self {
        Self { client, table, retention_days }
    }

    /// Claims a delivery for `owner`, who is another one at each attempt.
    ///
    /// # Errors
    /// A call that failed, or an entry that this version cannot read.
    pub async fn claim(
        &self,
        message: &Message,
        owner: &str,
        policy: SendPolicy,
        now: Time,
        lease_millis: i64,
    ) -> Result<Claim, StoreError> {
        let free = "attribute_not_exists(delivery) OR #status = :released";
        let condition = match policy {
            SendPolicy::AtMostOnce => free.to_owned(),
            SendPolicy::AtLeastOnce => format!("{free} OR (#status = :claimed AND lease_until < :now)"),
        };
        let mut update = self
            .update(message)
            .update_expression(
                "SET #status = :claimed, #owner = :owner, lease_until = :lease, claimed_at = :now, expires_at = :expires, \
                 #trigger = :trigger, #version = :version, run = :run, step = :step, channel = :channel, #position = :position \
                 ADD attempts :one",
            )
            .condition_expression(condition)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":claimed", text(CLAIMED))
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":lease", number(now.plus(lease_millis).millis()))
            .expression_attribute_values(":one", number(1));
        update = self.described(update, message, now);
        match self.run(update).await? {
            None => Ok(Claim::Granted),
            // The answer to our own successful call was lost, and the call was made again.
            Some(LedgerEntry::Claimed { owner: holder, .. }) if holder == owner => Ok(Claim::Granted),
            Some(entry) => Ok(met(entry, policy, now)),
        }
    }

    /// Settles a delivery that the caller holds.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the claim was lost, [`StoreError::Passing`] otherwise.
    pub async fn settle(&self, message: &Message, owner: &str, outcome: &Outcome, now: Time) -> Result<(), StoreError> {
        let update = ended(self.update(message), outcome, now)
            .condition_expression("#status = :claimed AND #owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":claimed", text(CLAIMED))
            .expression_attribute_values(":owner", text(owner));
        match self.run(update).await? {
            None => Ok(()),
            Some(LedgerEntry::Settled(settled)) if settled == *outcome => Ok(()),
            Some(_) => Err(StoreError::Conflict { what: WHAT }),
        }
    }

    /// Settles a delivery whose provider is not called: refused, expired, failed before the send.
    ///
    /// No attempt follows, so a claim whose lease is over is [`Claim::Abandoned`] whatever the policy.
    ///
    /// # Errors
    /// As [`Ledger::claim`].
    pub async fn settle_unclaimed(&self, message: &Message, outcome: &Outcome, now: Time) -> Result<Claim, StoreError> {
        let update = self
            .update(message)
            .update_expression(format!(
                "{ENDED}, expires_at = :expires, #trigger = :trigger, #version = :version, run = :run, step = :step, \
                 channel = :channel, #position = :position"
            ))
            .condition_expression("attribute_not_exists(delivery) OR #status = :released");
        let update = self.described(with_outcome(update, outcome, now), message, now);
        match self.run(update).await? {
            None => Ok(Claim::Granted),
            Some(entry) => Ok(met(entry, SendPolicy::AtMostOnce, now)),
        }
    }

    /// Settles as unknown a delivery whose lease ended without an end.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it was settled or claimed in the meantime.
    pub async fn settle_abandoned(&self, message: &Message, now: Time) -> Result<(), StoreError> {
        let update = ended(self.update(message), &Outcome::Unknown, now)
            .condition_expression("#status = :claimed AND lease_until < :now")
            .expression_attribute_values(":claimed", text(CLAIMED));
        match self.run(update).await? {
            None | Some(LedgerEntry::Settled(Outcome::Unknown)) => Ok(()),
            Some(_) => Err(StoreError::Conflict { what: WHAT }),
        }
    }

    /// Gives a claim back: the provider certainly did not accept.
    ///
    /// # Errors
    /// As [`Ledger::settle`].
    pub async fn release(&self, message: &Message, owner: &str, cause: &str) -> Result<(), StoreError> {
        let update = self
            .update(message)
            .update_expression("SET #status = :released, cause = :cause REMOVE #owner, lease_until")
            .condition_expression("#status = :claimed AND #owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":claimed", text(CLAIMED))
            .expression_attribute_values(":released", text(RELEASED))
            .expression_attribute_values(":cause", text(cause))
            .expression_attribute_values(":owner", text(owner));
        match self.run(update).await? {
            None | Some(LedgerEntry::Released) => Ok(()),
            Some(_) => Err(StoreError::Conflict { what: WHAT }),
        }
    }

    fn update(&self, message: &Message) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("customer", text(message.customer.as_str()))
            .key("delivery", text(message.delivery.to_string()))
            .expression_attribute_names("#status", "status")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// What the delivery is, so that the ledger can be read by itself.
    fn described(&self, update: UpdateItemFluentBuilder, message: &Message, now: Time) -> UpdateItemFluentBuilder {
        update
            .expression_attribute_names("#trigger", "trigger")
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#position", "position")
            .expression_attribute_values(":released", text(RELEASED))
            .expression_attribute_values(":now", number(now.millis()))
            .expression_attribute_values(":expires", expiry(now, self.retention_days))
            .expression_attribute_values(":trigger", text(message.trigger.as_str()))
            .expression_attribute_values(":version", number(message.version.get()))
            .expression_attribute_values(":run", text(message.run.to_string()))
            .expression_attribute_values(":step", text(message.step.as_str()))
            .expression_attribute_values(":channel", text(message.channel.as_str()))
            .expression_attribute_values(":position", text(message.position.as_str()))
    }

    /// The entry that stood in the way, or none where the update was made.
    async fn run(&self, update: UpdateItemFluentBuilder) -> Result<Option<LedgerEntry>, StoreError> {
        let error = match update.send().await {
            Ok(_) => return Ok(None),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                let item = refused.item().ok_or_else(|| StoreError::unreadable(WHAT, &"the refused update brought no item back"))?;
                read_entry(item).map(Some)
            }
            _ => Err(StoreError::passing(WHAT, &error)),
        }
    }
}

const ENDED: &str = "SET #status = :status, settled_at = :now, reason = :reason, provider_id = :provider";

fn ended(update: UpdateItemFluentBuilder, outcome: &Outcome, now: Time) -> UpdateItemFluentBuilder {
    with_outcome(update.update_expression(format!("{ENDED} REMOVE #owner, lease_until")), outcome, now)
        .expression_attribute_names("#owner", "owner")
        .expression_attribute_values(":now", number(now.millis()))
}

fn with_outcome(update: UpdateItemFluentBuilder, outcome: &Outcome, now: Time) -> UpdateItemFluentBuilder {
    let (reason, provider) = match outcome {
        Outcome::Sent { provider_id } => ("", provider_id.as_str()),
        Outcome::Refused(reason) => (reason.code(), ""),
        Outcome::Failed { cause } => (cause.as_str(), ""),
        Outcome::Expired | Outcome::Unknown => ("", ""),
    };
    update
        .expression_attribute_values(":now", number(now.millis()))
        .expression_attribute_values(":status", text(outcome.code()))
        .expression_attribute_values(":reason", text(reason))
        .expression_attribute_values(":provider", text(provider))
}

fn met(entry: LedgerEntry, policy: SendPolicy, now: Time) -> Claim {
    match entry {
        LedgerEntry::Settled(outcome) => Claim::Settled(outcome),
        LedgerEntry::Claimed { until, .. } if until < now && policy == SendPolicy::AtMostOnce => Claim::Abandoned,
        LedgerEntry::Claimed { until, .. } => Claim::HeldByAnother { until },
        // It was released between the update and the answer.
        LedgerEntry::Released => Claim::HeldByAnother { until: now },
    }
}

pub(crate) fn read_entry(item: &Item) -> Result<LedgerEntry, StoreError> {
    let missing = |field: &str| StoreError::unreadable(WHAT, &format!("no valid {field}"));
    let reason = || get_text(item, "reason").unwrap_or_default();
    let outcome = match get_text(item, "status").ok_or_else(|| missing("status"))? {
        CLAIMED => {
            let owner = get_text(item, "owner").ok_or_else(|| missing("owner"))?.to_owned();
            let until = get_number(item, "lease_until").map(Time::from_millis).ok_or_else(|| missing("lease"))?;
            return Ok(LedgerEntry::Claimed { owner, until });
        }
        RELEASED => return Ok(LedgerEntry::Released),
        "sent" => Outcome::Sent { provider_id: get_text(item, "provider_id").unwrap_or_default().to_owned() },
        "refused" => Outcome::Refused(Reason::parse(reason()).map_err(|_| missing("reason"))?),
        "failed" => Outcome::Failed { cause: reason().to_owned() },
        "expired" => Outcome::Expired,
        "unknown" => Outcome::Unknown,
        _ => return Err(missing("status")),
    };
    Ok(LedgerEntry::Settled(outcome))
}
