//! A queue of deliveries.

use std::collections::BTreeMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use delivery::Message;
use trigger::Channel;

use crate::{DeadLetter, Passing};

const WHAT: &str = "enqueueing deliveries";

/// A batch call of SQS takes no more entries, and a receive gives no more messages.
pub(crate) const LARGEST_BATCH: usize = 10;

/// A standard queue. Enqueueing twice is harmless: the ledger knows each delivery by its id.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Enqueues all of them, or says that not all were.
    ///
    /// # Errors
    /// A call that failed, or an entry that the queue did not take.
    pub async fn send(&self, messages: &[Message]) -> Result<(), Passing> {
        for chunk in messages.chunks(LARGEST_BATCH) {
            let mut batch = self.client.send_message_batch().queue_url(&self.url);
            for (number, message) in chunk.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(number.to_string())
                    .message_body(body(message))
                    // A trigger with many deliveries shall not delay the others.
                    .message_group_id(message.trigger.as_str())
                    .build()
                    .map_err(|error| Passing::because(WHAT, error.to_string()))?;
                batch = batch.entries(entry);
            }
            let answer = batch.send().await.map_err(|error| Passing::new(WHAT, &error))?;
            // A failed entry stands inside a successful answer.
            if !answer.failed.is_empty() {
                let codes: BTreeMap<_, usize> = answer.failed.iter().fold(BTreeMap::new(), |mut codes, failed| {
                    *codes.entry(failed.code.as_str()).or_default() += 1;
                    codes
                });
                return Err(Passing::because(WHAT, format!("entries not taken, by code: {codes:?}")));
            }
        }
        Ok(())
    }

    /// Enqueues dead letters again, ten at the most, each with the body beside it and with its own group and attributes.
    /// Gives for each, in their order, the code with which the queue refused it; none where it took it.
    ///
    /// # Errors
    /// A call that failed: nobody knows which of them were taken, and sending all of them again is harmless.
    pub async fn redrive(&self, letters: &[(&DeadLetter, String)]) -> Result<Vec<Option<String>>, Passing> {
        let what = "enqueueing dead letters";
        let mut batch = self.client.send_message_batch().queue_url(&self.url);
        for (number, (letter, body)) in letters.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .message_body(body)
                .set_message_group_id(letter.group.clone())
                .set_message_attributes(Some(letter.attributes.clone()).filter(|attributes| !attributes.is_empty()))
                .build()
                .map_err(|error| Passing::because(what, error.to_string()))?;
            batch = batch.entries(entry);
        }
        let answer = batch.send().await.map_err(|error| Passing::new(what, &error))?;
        // A failed entry stands inside a successful answer; one that stands nowhere was not taken either.
        let refusal = |number: usize| {
            let id = number.to_string();
            if answer.successful.iter().any(|taken| taken.id == id) {
                return None;
            }
            let failed = answer.failed.iter().find(|failed| failed.id == id);
            Some(failed.map_or_else(|| "no_answer".to_owned(), |failed| failed.code.clone()))
        };
        Ok((0..letters.len()).map(refusal).collect())
    }

    /// Puts a message back, to be received after a while. The caller then deletes the one it received.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn send_later(&self, message: &Message, delay_millis: i64) -> Result<(), Passing> {
        let seconds = i32::try_from(delay_millis.div_euclid(1_000) + i64::from(delay_millis % 1_000 != 0)).unwrap_or(900).clamp(0, 900);
        let send = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body(&message.waiting()))
            .message_group_id(message.trigger.as_str())
            .delay_seconds(seconds);
        send.send().await.map(drop).map_err(|error| Passing::new("putting a delivery back to wait", &error))
    }
}

/// The text of a message. A queue takes no character that XML does not have; in JSON each has another spelling.
fn body(message: &Message) -> String {
    message.to_text().replace('\u{FFFE}', "\\ufffe").replace('\u{FFFF}', "\\uffff")
}

/// The queues of all channels.
#[derive(Debug, Clone)]
pub struct Queues {
    pub email: Queue,
    pub sms: Queue,
    pub crm: Queue,
    pub webhook: Queue,
}

impl Queues {
    /// The queue of a channel; none where the channel has no sender in this version.
    #[must_use]
    pub fn of(&self, channel: Channel) -> Option<&Queue> {
        match channel {
            Channel::Email => Some(&self.email),
            Channel::Sms => Some(&self.sms),
            Channel::Crm => Some(&self.crm),
            Channel::Webhook => Some(&self.webhook),
            Channel::Push => None,
        }
    }
}
