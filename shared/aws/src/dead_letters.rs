//! A queue of dead letters, as an operator goes through it.
//!
//! A queue has no way to look at a message without receiving it. So who looks hides what was received, and gives it back;
//! what was not given back comes again by itself when its time is over. Nothing is deleted that was not asked for.

use std::collections::HashMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message as Received, MessageAttributeValue,
    MessageSystemAttributeName as Name, QueueAttributeName,
};
use event::Time;

use crate::Passing;
use crate::queue::LARGEST_BATCH;

/// A receive that waits asks every server of the queue, so an empty answer means an empty queue.
const WAIT_SECONDS: i32 = 1;

/// A queue of dead letters.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    client: Client,
    url: String,
}

/// A message among the dead letters, hidden from others until it is given back or its time is over.
#[derive(Debug, Clone, Default)]
pub struct DeadLetter {
    /// The queue's id of the message; not that of a delivery.
    pub id: String,
    pub body: String,
    /// When it was first put onto the queue that it died on.
    pub sent: Time,
    /// How often it was received, by functions and by those who looked.
    pub receives: u32,
    /// The group by which a queue is fair.
    pub group: Option<String>,
    pub(crate) attributes: HashMap<String, MessageAttributeValue>,
    handle: String,
}

/// How many messages a queue has, as far as it knows: the numbers lag behind by up to a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Those that can be received.
    pub visible: usize,
    /// Those that somebody has received and neither deleted nor given back.
    pub hidden: usize,
}

impl DeadLetters {
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// How many there are.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn depth(&self) -> Result<Depth, Passing> {
        let [visible, hidden] =
            [QueueAttributeName::ApproximateNumberOfMessages, QueueAttributeName::ApproximateNumberOfMessagesNotVisible];
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let answer = request.attribute_names(visible.clone()).attribute_names(hidden.clone()).send().await;
        let attributes = answer.map_err(|error| Passing::new("counting dead letters", &error))?.attributes.unwrap_or_default();
        let number = |name| attributes.get(&name).and_then(|number| number.parse().ok()).unwrap_or_default();
        Ok(Depth { visible: number(visible), hidden: number(hidden) })
    }

    /// Receives up to `most` messages, ten at the most, and hides them for so many seconds; none where there is none to
    /// be received now.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn receive(&self, most: usize, hidden_seconds: i32) -> Result<Vec<DeadLetter>, Passing> {
        let request = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(most.clamp(1, LARGEST_BATCH)).unwrap_or(1))
            .visibility_timeout(hidden_seconds)
            .wait_time_seconds(WAIT_SECONDS)
            .message_attribute_names("All")
            .message_system_attribute_names(Name::SentTimestamp)
            .message_system_attribute_names(Name::ApproximateReceiveCount)
            .message_system_attribute_names(Name::MessageGroupId);
        let answer = request.send().await.map_err(|error| Passing::new("receiving dead letters", &error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(dead_letter).collect())
    }

    /// Lets others receive these again, at once. Those that could not be given back are counted; they come again by
    /// themselves.
    ///
    /// # Errors
    /// A call that failed.
    pub async fn give_back<'l>(&self, letters: impl IntoIterator<Item = &'l DeadLetter>) -> Result<usize, Passing> {
        let what = "giving dead letters back";
        let mut kept = 0;
        for chunk in letters.into_iter().collect::<Vec<_>>().chunks(LARGEST_BATCH) {
            let entry = |(number, letter): (usize, &&DeadLetter)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(number.to_string()).receipt_handle(&letter.handle);
                entry.visibility_timeout(0).build()
            };
            let entries = chunk.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>();
            let entries = entries.map_err(|error| Passing::because(what, error.to_string()))?;
            let answer = self.client.change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
            kept += answer.map_err(|error| Passing::new(what, &error))?.failed.len();
        }
        Ok(kept)
    }

    /// Deletes these, ten at the most, and gives how many the queue kept all the same.
    ///
    /// # Errors
    /// A call that failed: nobody knows which of them are deleted.
    pub async fn delete<'l>(&self, letters: impl IntoIterator<Item = &'l DeadLetter>) -> Result<usize, Passing> {
        let what = "deleting dead letters";
        let entry = |(number, letter): (usize, &DeadLetter)| {
            DeleteMessageBatchRequestEntry::builder().id(number.to_string()).receipt_handle(&letter.handle).build()
        };
        let entries = letters.into_iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>();
        let entries = entries.map_err(|error| Passing::because(what, error.to_string()))?;
        if entries.is_empty() {
            return Ok(0);
        }
        let answer = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries)).send().await;
        Ok(answer.map_err(|error| Passing::new(what, &error))?.failed.len())
    }
}

fn dead_letter(received: Received) -> DeadLetter {
    let attributes = received.attributes.unwrap_or_default();
    let number = |name| attributes.get(&name).and_then(|number: &String| number.parse::<i64>().ok());
    DeadLetter {
        id: received.message_id.unwrap_or_default(),
        body: received.body.unwrap_or_default(),
        sent: Time::from_millis(number(Name::SentTimestamp).unwrap_or_default()),
        receives: number(Name::ApproximateReceiveCount).and_then(|count| u32::try_from(count).ok()).unwrap_or_default(),
        group: attributes.get(&Name::MessageGroupId).cloned(),
        attributes: received.message_attributes.unwrap_or_default(),
        handle: received.receipt_handle.unwrap_or_default(),
    }
}
