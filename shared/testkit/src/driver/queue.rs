//! The poller of a queue.
//!
//! Guarantee: a message is deleted only after the function was done with it. Every other one comes back when its
//! visibility timeout ends, and its queue's own redrive policy moves it to the dead letters.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::activity::Activity;
use super::invoke::{Function, in_full};
use super::mapping::{Mapping, QueueSettings};
use super::pace::Pace;
use super::{event, name_of, stopped};
use event_source::{AROUND, LARGEST_PAYLOAD};

/// What one call receives or deletes at most.
const PER_CALL: usize = 10;
/// Concurrent invocations of a mapping that sets no `MaximumConcurrency`. AWS begins with as many, and adds to them.
const AT_FIRST: usize = 5;
/// How long one receive waits. AWS waits 20 s; a stop waits for it to end, lest messages be received by nobody.
const LONG_POLL: i32 = 1;

#[derive(Debug, Clone)]
pub(super) struct Queue {
    mapping: Arc<Mapping>,
    function: Function,
    client: Client,
    root: Client,
    url: String,
    concurrency: usize,
    pace: Pace,
    activity: Arc<Activity>,
}

impl Queue {
    pub(super) async fn new(
        mapping: Arc<Mapping>,
        settings: QueueSettings,
        function: Function,
        sdk: &SdkConfig,
        as_function: SdkConfig,
        pace: Pace,
        activity: Arc<Activity>,
    ) -> Result<Self> {
        let root = Client::new(sdk);
        let name = name_of(&mapping.source_arn);
        let url = root.get_queue_url().queue_name(name).send().await.with_context(|| format!("cannot find the queue {name}"))?;
        let url = url.queue_url().with_context(|| format!("the queue {name} has no URL"))?.to_owned();
        let concurrency = settings.concurrency.unwrap_or(AT_FIRST).min(pace.concurrency).max(1);
        Ok(Self { mapping, function, client: Client::new(&as_function), root, url, concurrency, pace, activity })
    }

    pub(super) fn name(&self) -> &str {
        name_of(&self.mapping.source_arn)
    }

    /// All messages in the queue: visible, invisible and delayed.
    pub(super) async fn depth(&self) -> Result<u64> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let output = self.root.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(names.to_vec())).send().await;
        let output = output.with_context(|| format!("cannot read the depth of {}", self.name()))?;
        let attributes = output.attributes().with_context(|| format!("the queue {} has no attributes", self.name()))?;
        names.iter().map(|name| attributes.get(name).map_or(Ok(0), |count| count.parse().context("a depth is no number"))).sum()
    }

    /// Polls until the driver stops.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let permits = Arc::new(Semaphore::new(self.concurrency));
        let mut working = JoinSet::new();
        let mut left_over = Vec::new(); // Received, but too much for the batch before.
        let mut failures = 0;
        while !*stop.borrow() {
            // A permit first: a message that waits here for its invocation uses up its visibility.
            let Ok(permit) = permits.clone().acquire_owned().await else { break };
            match self.receive(left_over).await {
                Ok((batch, rest)) => {
                    failures = 0;
                    self.activity.well(self.name());
                    left_over = rest;
                    if !batch.is_empty() {
                        let queue = self.clone();
                        working.spawn(async move {
                            queue.work_on(batch).await;
                            drop(permit);
                        });
                    }
                }
                Err(error) => {
                    left_over = Vec::new();
                    failures += 1;
                    self.activity.trouble(self.name(), format!("{error:#}"));
                    tokio::select! {
                        () = stopped(&mut stop) => (),
                        () = tokio::time::sleep(self.pace.back_off(failures)) => (),
                    }
                }
            }
            while working.try_join_next().is_some() {}
        }
        while working.join_next().await.is_some() {}
    }

    /// A batch, and what was received beyond what its payload holds.
    async fn receive(&self, left_over: Vec<Message>) -> Result<(Vec<Message>, Vec<Message>)> {
        let mut messages = left_over;
        let mut began = Instant::now();
        loop {
            let wanted = self.mapping.batch_size.saturating_sub(messages.len()).min(PER_CALL);
            let waited = began.elapsed();
            let over = !messages.is_empty() && waited >= self.mapping.window;
            if wanted == 0 || over || fitting(&messages) < messages.len() {
                break;
            }
            let wait = if messages.is_empty() { LONG_POLL } else { 0 };
            let received = self
                .client
                .receive_message()
                .queue_url(&self.url)
                .max_number_of_messages(i32::try_from(wanted).unwrap_or(1))
                .wait_time_seconds(wait)
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .message_attribute_names("All")
                .send()
                .await;
            let received = match received {
                Ok(output) => output.messages.unwrap_or_default(),
                Err(error) if messages.is_empty() => bail!("cannot receive: {}", in_full(&error)),
                Err(_) => break, // With what is there; the next receive reports it if it lasts.
            };
            self.count_received(received.len());
            match (messages.is_empty(), received.is_empty()) {
                (true, true) => break,
                (true, false) => began = Instant::now(), // The window opens with the first message.
                (false, true) => tokio::time::sleep(Duration::from_millis(50)).await,
                (false, false) => (),
            }
            messages.extend(received);
        }
        let rest = messages.split_off(fitting(&messages));
        Ok((messages, rest))
    }

    fn count_received(&self, received: usize) {
        if received > 0 {
            self.activity.taken(received);
            self.activity.count(&self.mapping, |counts| counts.read += received as u64);
        }
    }

    async fn work_on(&self, messages: Vec<Message>) {
        match self.function.invoke(&event::of_queue(&self.mapping.source_arn, &messages)).await {
            Ok(invocation) => {
                self.activity.well(&self.mapping.name);
                let ids: Vec<&str> = messages.iter().map(|message| message.message_id().unwrap_or_default()).collect();
                let done = event_source::of_queue(invocation.returned(), self.mapping.reports_failures, &ids);
                let done: Vec<&Message> = done.into_iter().filter_map(|at| messages.get(at)).collect();
                let failed = messages.len() - done.len();
                self.activity.invoked(&self.mapping, &invocation, failed);
                let deleting = format!("{} after {}", self.name(), name_of(&self.mapping.function_arn));
                match self.delete(&done).await {
                    Ok(()) => self.activity.well(&deleting),
                    Err(error) => {
                        self.activity.trouble(&deleting, format!("{error:#}"));
                    }
                }
            }
            // Nothing is known, so nothing is deleted.
            Err(error) => {
                self.activity.trouble(&self.mapping.name, format!("cannot invoke: {error:#}"));
            }
        }
        self.activity.settled(messages.len());
    }

    async fn delete(&self, messages: &[&Message]) -> Result<()> {
        for chunk in messages.chunks(PER_CALL) {
            let entries: Result<Vec<DeleteMessageBatchRequestEntry>, _> = chunk
                .iter()
                .enumerate()
                .map(|(at, message)| {
                    DeleteMessageBatchRequestEntry::builder()
                        .id(at.to_string())
                        .receipt_handle(message.receipt_handle().unwrap_or_default())
                        .build()
                })
                .collect();
            let request = self.client.delete_message_batch().queue_url(&self.url).set_entries(Some(entries?));
            let output = request.send().await.map_err(|error| anyhow::anyhow!("cannot delete: {}", in_full(&error)))?;
            if let Some(failed) = output.failed().first() {
                bail!("cannot delete a message: {}", failed.message().unwrap_or(failed.code()));
            }
        }
        Ok(())
    }
}

/// How many of the first messages fit into one invocation; at least one, if there is one.
fn fitting(messages: &[Message]) -> usize {
    let mut bytes = 0;
    let count = messages
        .iter()
        .take_while(|message| {
            // Quotes, backslashes and line ends take two bytes in JSON; a body of JSON is full of them.
            let body = message.body().unwrap_or_default();
            bytes += body.len() + body.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).count() + AROUND;
            bytes <= LARGEST_PAYLOAD
        })
        .count();
    count.max(messages.len().min(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_holds_what_the_payload_holds_and_at_least_one() {
        let message = |length: usize, of: &str| Message::builder().body(of.repeat(length)).build();
        assert_eq!(fitting(&[]), 0);
        assert_eq!(fitting(&[message(10, "a"), message(10, "a")]), 2);
        assert_eq!(fitting(&vec![message(1024 * 1024, "a"); 10]), 5);
        assert_eq!(fitting(&vec![message(1024 * 1024, "\""); 10]), 2);
        assert_eq!(fitting(&[message(7 * 1024 * 1024, "a")]), 1);
    }
}
