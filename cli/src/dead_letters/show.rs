//! `triggers dead-letters show`: everything that is known of one dead letter, without anything of the person.

use anyhow::Result;
use aws::{Clock, DeliveryReads, LedgerEntry, TriggerBook, Triggers};
use aws_config::SdkConfig;
use delivery::{Circumstances, Message, Recipients, gate};
use event::Time;

use super::foresee::{Ahead, foresee, named};
use super::letter::Letter;
use crate::columns::age;
use crate::target::Outputs;

/// What a redrive is foreseen by: the reads of a sender.
pub struct Foresight {
    book: TriggerBook,
    reads: DeliveryReads,
    clock: Clock,
}

impl Foresight {
    /// # Errors
    /// The stack has not all of the tables.
    pub fn new(sdk: &SdkConfig, outputs: &Outputs, clock: Clock) -> Result<Self> {
        let client = aws_sdk_dynamodb::Client::new(sdk);
        let [triggers, customers, events, suppressions] =
            ["TriggersTable", "CustomersTable", "EventsTable", "SuppressionsTable"].map(|name| outputs.get(name));
        Ok(Self {
            book: TriggerBook::new(Triggers::new(client.clone(), triggers?), clock.clone()),
            // Without the key of the addresses' hashes: an operator has no need to know it.
            reads: DeliveryReads::new(client, customers?, events?, suppressions?, None),
            clock,
        })
    }

    /// # Errors
    /// A store that cannot be read.
    async fn ahead(&self, message: &Message) -> Result<Ahead> {
        self.book.refresh().await?;
        let known = self.reads.read(message).await?;
        let version = self.book.version(&message.trigger, message.version).await?;
        let Some(action) = version.as_ref().and_then(|published| Some(published.trigger.step_at(&message.step)?.action())) else {
            return Ok(Ahead::TriggerMissing);
        };
        let standing = self.book.standing(&message.trigger).await?;
        let gate = gate(&Circumstances {
            message,
            action,
            customer: known.customer.as_ref(),
            suppressions: &known.suppressions,
            mode: standing.mode,
            marketing_stopped: standing.marketing_stopped,
            recipients: &Recipients::Everybody,
            now: self.clock.now(),
        });
        Ok(Ahead::Gate { gate, send: action.send(), event_is_archived: known.cause.is_some() })
    }

    /// The lines about one letter.
    pub async fn tell(&self, letter: &Letter, message: &Message) -> Vec<String> {
        let now = self.clock.now();
        let entry = letter.record.as_ref().map(|record| &record.entry);
        let redriven = match self.ahead(message).await {
            Ok(ahead) => foresee(&ahead, entry, now),
            Err(error) => format!("it cannot be foreseen: {error}"),
        };
        lines(letter, message, &redriven, now)
    }
}

fn lines(letter: &Letter, message: &Message, redriven: &str, now: Time) -> Vec<String> {
    let ahead = |time: Time| if time > now { format!("in {}", age(time.since(now))) } else { format!("{} ago", age(now.since(time))) };
    let at = |time: Time| format!("{time}, {}", ahead(time));
    let fields = [
        ("delivery", message.delivery.to_string()),
        ("channel", letter.channel.clone()),
        ("customer", message.customer.to_string()),
        ("trigger", format!("{}, version {}, step {}", message.trigger, message.version, message.step)),
        ("run", message.run.to_string()),
        ("event", message.position.as_str().to_owned()),
        ("shard", message.shard.as_str().to_owned()),
        ("not_before", at(message.not_before)),
        ("not_after", at(message.not_after)),
        ("waits", message.waits.to_string()),
        ("sent", format!("{}; received {} times, looks included", at(letter.sent), letter.receives)),
        ("cause", letter.cause.clone()),
        ("ledger", ledger(letter, at)),
        ("redriven", redriven.to_owned()),
    ];
    fields.into_iter().map(|(name, value)| format!("{name:<11} {value}")).collect()
}

fn ledger(letter: &Letter, at: impl Fn(Time) -> String) -> String {
    let Some(record) = &letter.record else { return "no entry that can be read".to_owned() };
    let standing = match &record.entry {
        LedgerEntry::Claimed { until, .. } => format!("claimed until {}", at(*until)),
        LedgerEntry::Released(_) => "released: the provider did not take it".to_owned(),
        LedgerEntry::Settled(outcome) => named(outcome),
    };
    let settled = record.settled_at.map(|time| format!(", {}", at(time))).unwrap_or_default();
    let last = record.claimed_at.map(|time| format!(", the last {}", at(time))).unwrap_or_default();
    format!("{standing}{settled}; attempts: {}{last}", record.attempts)
}

#[cfg(test)]
mod tests {
    use super::super::letter::Known;
    use super::super::samples::{NOW, message, raw, record};
    use super::*;

    #[test]
    fn everything_that_is_known_stands_on_its_line() {
        let known = Known::Record(record(LedgerEntry::Released(aws::Earlier::NotTaken), Some("http_503")));
        let letter = Letter::new("email", &raw(&message().to_text(), 90 * 60_000), known, NOW);
        insta::assert_snapshot!(lines(&letter, &message(), "it is tried again", NOW).join("\n"), @r"
        delivery    50b73ebcbb711ef86ab856bbde2833bb
        channel     email
        customer    c-1
        trigger     welcome, version 3, step 0
        run         5283f484829c1f39d2a87b7d789e870d
        event       001772359200000#00000000000000000000000000000000000000000000000000004967
        shard       shardId-000000000001
        not_before  2026-03-01T10:00:00.000Z, 11h ago
        not_after   2026-03-01T22:00:00.000Z, in 40m
        waits       0
        sent        2026-03-01T19:50:00.000Z, 1h ago; received 6 times, looks included
        cause       http_503
        ledger      released: the provider did not take it; attempts: 5, the last 2026-03-01T21:19:00.000Z, 1m ago
        redriven    it is tried again
        ");
        let letter = Letter::new("email", &raw(&message().to_text(), 90 * 60_000), Known::Nothing, NOW);
        assert_eq!(lines(&letter, &message(), "", NOW)[12], "ledger      no entry that can be read");
    }
}
