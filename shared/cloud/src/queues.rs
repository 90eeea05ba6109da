//! SQS: standard queues, with visibility, delay, and a redrive policy.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::answer::Refusal;
use crate::services::{Cloud, Services};
use crate::shape::{integer, list, optional_text, text};

const LARGEST_BATCH: usize = 10;
const LARGEST_BODY: usize = 1 << 20;
const LONGEST_DELAY_SECONDS: i64 = 900;

/// Where messages go that were received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The URL of the dead-letter queue.
    pub dead_letters: String,
    pub most_receives: u32,
}

/// A message as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub id: String,
    pub receipt: String,
    pub body: String,
    /// This time included.
    pub receives: u32,
    /// When it was first sent, in milliseconds.
    pub sent_at: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Queues(BTreeMap<String, Queue>);

/// Messages by the time at which they can be received, and their number.
#[derive(Debug)]
struct Queue {
    visibility_millis: i64,
    retention_millis: i64,
    redrive: Option<Redrive>,
    messages: BTreeMap<(i64, u64), Message>,
    places: HashMap<u64, i64>,
    sent: u64,
}

#[derive(Debug, Clone)]
struct Message {
    body: String,
    receives: u32,
    sent_at: i64,
}

impl Queue {
    fn new(visibility_seconds: i64) -> Self {
        Self {
            visibility_millis: visibility_seconds * 1_000,
            retention_millis: 4 * 24 * 60 * 60 * 1_000,
            redrive: None,
            messages: BTreeMap::new(),
            places: HashMap::new(),
            sent: 0,
        }
    }

    fn insert(&mut self, visible_at: i64, message: Message) -> u64 {
        self.sent += 1;
        self.places.insert(self.sent, visible_at);
        self.messages.insert((visible_at, self.sent), message);
        self.sent
    }

    fn move_to(&mut self, number: u64, visible_at: i64) -> bool {
        let Some(before) = self.places.get(&number).copied() else { return false };
        let Some(message) = self.messages.remove(&(before, number)) else { return false };
        self.messages.insert((visible_at, number), message);
        self.places.insert(number, visible_at);
        true
    }

    fn remove(&mut self, number: u64) -> Option<Message> {
        let visible_at = self.places.remove(&number)?;
        self.messages.remove(&(visible_at, number))
    }

    fn expire(&mut self, now: i64) {
        let old: Vec<_> =
            self.messages.iter().filter(|(_, message)| now - message.sent_at > self.retention_millis).map(|(place, _)| place.1).collect();
        for number in old {
            self.remove(number);
        }
    }

    fn send(&mut self, entry: &Value, now: i64) -> Result<Value, Refusal> {
        let body = text(entry, "MessageBody")?;
        if body.is_empty() || body.len() > LARGEST_BODY {
            return Err(Refusal::sender("InvalidParameterValue", "the body is empty or too large"));
        }
        let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}');
        if !body.chars().all(allowed) {
            return Err(Refusal::sender("InvalidMessageContents", "the body has a character that XML does not have"));
        }
        let delay = integer(entry, "DelaySeconds").unwrap_or(0);
        if !(0..=LONGEST_DELAY_SECONDS).contains(&delay) {
            return Err(Refusal::sender("InvalidParameterValue", "the delay is longer than 900 seconds"));
        }
        let number = self.insert(now + delay * 1_000, Message { body: body.to_owned(), receives: 0, sent_at: now });
        Ok(json!({ "MessageId": format!("message-{number}"), "MD5OfMessageBody": "0" }))
    }
}

/// The number in a receipt, as long as no later receive has made another one.
fn number_of(queue: &Queue, receipt: &str) -> Option<u64> {
    let (number, receives) = receipt.split_once('/')?;
    let number = number.parse().ok()?;
    let visible_at = *queue.places.get(&number)?;
    let message = queue.messages.get(&(visible_at, number))?;
    (message.receives.to_string() == receives).then_some(number)
}

impl Queues {
    pub(crate) fn call(&mut self, operation: &str, input: &Value, now: i64) -> Result<Value, Refusal> {
        if operation == "CreateQueue" {
            let url = format!("http://cloud/queue/{}", text(input, "QueueName")?);
            let seconds = input.pointer("/Attributes/VisibilityTimeout").and_then(Value::as_str).and_then(|seconds| seconds.parse().ok());
            self.0.entry(url.clone()).or_insert_with(|| Queue::new(seconds.unwrap_or(30)));
            return Ok(json!({ "QueueUrl": url }));
        }
        let url = text(input, "QueueUrl")?;
        if operation == "DeleteQueue" {
            return self.0.remove(url).map(|_| json!({})).ok_or_else(absent);
        }
        if operation == "ReceiveMessage" {
            let most = integer(input, "MaxNumberOfMessages").and_then(|most| usize::try_from(most).ok()).unwrap_or(1);
            let visibility = integer(input, "VisibilityTimeout").map(|seconds| seconds * 1_000);
            let received = self.receive(url, most.min(LARGEST_BATCH), visibility, now, &mut |_| 0).ok_or_else(absent)?;
            let messages: Vec<_> = received.iter().map(shown).collect();
            return Ok(json!({ "Messages": messages }));
        }
        let queue = self.0.get_mut(url).ok_or_else(absent)?;
        match operation {
            "SendMessage" => queue.send(input, now),
            "SendMessageBatch" => each(list(input, "Entries"), |entry| queue.send(entry, now)),
            "DeleteMessage" => {
                if let Some(number) = number_of(queue, text(input, "ReceiptHandle")?) {
                    queue.remove(number);
                }
                Ok(json!({}))
            }
            "DeleteMessageBatch" => each(list(input, "Entries"), |entry| {
                if let Some(number) = number_of(queue, text(entry, "ReceiptHandle")?) {
                    queue.remove(number);
                }
                Ok(json!({}))
            }),
            "ChangeMessageVisibility" => {
                let seconds = integer(input, "VisibilityTimeout").unwrap_or(0);
                let number = number_of(queue, text(input, "ReceiptHandle")?);
                let moved = number.is_some_and(|number| queue.move_to(number, now + seconds * 1_000));
                if moved { Ok(json!({})) } else { Err(Refusal::sender("ReceiptHandleIsInvalid", "the message is not in flight")) }
            }
            "GetQueueAttributes" => {
                let visible = queue.messages.range(..=(now, u64::MAX)).count();
                let delayed = queue.messages.iter().filter(|((at, _), message)| *at > now && message.receives == 0).count();
                let hidden = queue.messages.len() - visible - delayed;
                Ok(json!({ "Attributes": { "ApproximateNumberOfMessages": visible.to_string(),
                    "ApproximateNumberOfMessagesNotVisible": hidden.to_string(),
                    "ApproximateNumberOfMessagesDelayed": delayed.to_string() } }))
            }
            other => Err(Refusal::unknown(&format!("the operation {other} of SQS"))),
        }
    }

    /// Receives visible messages; `choose` picks one of so many each time. None where there is no such queue.
    fn receive(
        &mut self,
        url: &str,
        most: usize,
        visibility_millis: Option<i64>,
        now: i64,
        choose: &mut dyn FnMut(usize) -> usize,
    ) -> Option<Vec<Received>> {
        let queue = self.0.get_mut(url)?;
        queue.expire(now);
        let hidden_until = now + visibility_millis.unwrap_or(queue.visibility_millis);
        let mut dead = Vec::new();
        let mut received = Vec::new();
        while received.len() < most {
            // Among the first ones, as a queue without an order does.
            let visible: Vec<_> = queue.messages.range(..=(now, u64::MAX)).take(20).map(|(place, _)| place.1).collect();
            if visible.is_empty() {
                break;
            }
            let number = visible.get(choose(visible.len()).min(visible.len() - 1)).copied()?;
            let place = (queue.places.get(&number).copied()?, number);
            let message = queue.messages.get_mut(&place)?;
            if queue.redrive.as_ref().is_some_and(|redrive| message.receives >= redrive.most_receives) {
                dead.extend(queue.remove(number));
                continue;
            }
            message.receives += 1;
            received.push(Received {
                id: format!("message-{number}"),
                receipt: format!("{number}/{}", message.receives),
                body: message.body.clone(),
                receives: message.receives,
                sent_at: message.sent_at,
            });
            // What is hidden for no time at all is not received again in the same call.
            queue.move_to(number, hidden_until.max(now + 1));
        }
        if let Some(Redrive { dead_letters, .. }) = queue.redrive.clone()
            && let Some(queue) = self.0.get_mut(&dead_letters)
        {
            for message in dead {
                queue.insert(now, Message { receives: 0, ..message });
            }
        }
        Some(received)
    }
}

fn absent() -> Refusal {
    Refusal::sender("QueueDoesNotExist", "The specified queue does not exist.")
}

fn shown(message: &Received) -> Value {
    json!({
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "MD5OfBody": "0",
        "Attributes": { "ApproximateReceiveCount": message.receives.to_string(), "SentTimestamp": message.sent_at.to_string() },
    })
}

/// The answer to a batch: each entry succeeds or fails by itself.
fn each(entries: &[Value], mut one: impl FnMut(&Value) -> Result<Value, Refusal>) -> Result<Value, Refusal> {
    if entries.is_empty() || entries.len() > LARGEST_BATCH {
        return Err(Refusal::sender("TooManyEntriesInBatchRequest", "a batch has between one entry and ten"));
    }
    let mut ids: Vec<_> = entries.iter().filter_map(|entry| optional_text(entry, "Id")).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() < entries.len() {
        return Err(Refusal::sender("BatchEntryIdsNotDistinct", "the ids of a batch differ"));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = text(entry, "Id")?;
        match one(entry) {
            Ok(mut done) => {
                if let Some(fields) = done.as_object_mut() {
                    fields.insert("Id".to_owned(), json!(id));
                }
                successful.push(done);
            }
            Err(refusal) => failed.push(json!({ "Id": id, "Code": refusal.code, "Message": refusal.message, "SenderFault": true })),
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

impl Services {
    fn queue(&mut self, url: &str) -> Option<&mut Queue> {
        self.queues.0.get_mut(url)
    }
}

impl Cloud {
    /// Makes a queue, and gives its URL.
    pub fn create_queue(&self, name: &str, visibility_seconds: i64, retention_days: i64, redrive: Option<Redrive>) -> String {
        let url = format!("http://cloud/queue/{name}");
        let queue = Queue { redrive, retention_millis: retention_days * 24 * 60 * 60 * 1_000, ..Queue::new(visibility_seconds) };
        self.services().queues.0.insert(url.clone(), queue);
        url
    }

    /// Receives up to so many messages, as a poller does; `choose` picks one of so many each time.
    pub fn receive(&self, url: &str, most: usize, choose: &mut dyn FnMut(usize) -> usize) -> Vec<Received> {
        let now = self.now();
        self.services().queues.receive(url, most, None, now, choose).unwrap_or_default()
    }

    /// Deletes a message that was received, unless it was received again since.
    pub fn delete(&self, url: &str, receipt: &str) {
        if let Some(queue) = self.services().queue(url)
            && let Some(number) = number_of(queue, receipt)
        {
            queue.remove(number);
        }
    }

    /// Makes a message visible again at once: a queue of at least one delivery does so now and then.
    pub fn deliver_again(&self, url: &str, receipt: &str) {
        let now = self.now();
        if let Some(queue) = self.services().queue(url)
            && let Some(number) = number_of(queue, receipt)
        {
            queue.move_to(number, now);
        }
    }

    /// Everything in a queue, hidden and delayed messages included: bodies, in no order.
    #[must_use]
    pub fn bodies(&self, url: &str) -> Vec<String> {
        self.services().queue(url).map(|queue| queue.messages.values().map(|message| message.body.clone()).collect()).unwrap_or_default()
    }

    /// When the next message can be received, in milliseconds; none where the queue is empty.
    #[must_use]
    pub fn next_visible_at(&self, url: &str) -> Option<i64> {
        self.services().queue(url)?.messages.keys().next().map(|place| place.0)
    }

    /// Moves everything from a dead-letter queue back, as `StartMessageMoveTask` does, and says how many there were.
    pub fn move_messages(&self, from: &str, to: &str) -> usize {
        let now = self.now();
        let mut services = self.services();
        let moved: Vec<_> = services
            .queue(from)
            .map(|queue| {
                queue.places.clear();
                std::mem::take(&mut queue.messages).into_values().collect()
            })
            .unwrap_or_default();
        let count = moved.len();
        if let Some(queue) = services.queue(to) {
            for message in moved {
                queue.insert(now, Message { receives: 0, ..message });
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;
    use crate::{Call, Service};

    fn send(cloud: &Cloud, input: &Value) -> Result<Value, Refusal> {
        cloud.call(&Call { service: Service::Sqs, operation: "SendMessage".to_owned(), input: input.clone() })
    }

    fn first(cloud: &Cloud, url: &str) -> Option<Received> {
        cloud.receive(url, 10, &mut |_| 0).into_iter().next()
    }

    #[test]
    fn a_message_is_hidden_while_it_is_worked_on_and_dead_after_too_many_receives() {
        let now = Arc::new(AtomicI64::new(0));
        let cloud = {
            let now = Arc::clone(&now);
            Cloud::new(move || now.load(Ordering::Relaxed))
        };
        let dead = cloud.create_queue("dead", 30, 14, None);
        let url = cloud.create_queue("q", 30, 4, Some(Redrive { dead_letters: dead.clone(), most_receives: 2 }));
        send(&cloud, &json!({ "QueueUrl": url, "MessageBody": "a", "DelaySeconds": 5 })).unwrap();
        assert_eq!((first(&cloud, &url), cloud.next_visible_at(&url)), (None, Some(5_000)));
        for (at, receives) in [(5_000, 1), (35_000, 2)] {
            now.store(at, Ordering::Relaxed);
            let received = first(&cloud, &url).unwrap();
            assert_eq!((received.receives, received.sent_at), (receives, 0));
            assert_eq!(first(&cloud, &url), None);
        }
        now.store(65_000, Ordering::Relaxed);
        assert_eq!((first(&cloud, &url), cloud.bodies(&dead)), (None, vec!["a".to_owned()]));
        assert_eq!(cloud.move_messages(&dead, &url), 1);
        let received = first(&cloud, &url).unwrap();
        cloud.delete(&url, "1/7");
        cloud.deliver_again(&url, &received.receipt);
        let again = first(&cloud, &url).unwrap();
        cloud.delete(&url, &received.receipt);
        assert_eq!(cloud.bodies(&url).len(), 1, "an old receipt deletes nothing");
        cloud.delete(&url, &again.receipt);
        assert!(cloud.bodies(&url).is_empty());
    }

    #[test]
    fn what_a_queue_does_not_take_is_refused() {
        let cloud = Cloud::new(|| 0);
        let url = cloud.create_queue("q", 30, 4, None);
        for (body, delay) in [("a\u{FFFE}", 0), ("", 0), ("a", 901)] {
            assert!(send(&cloud, &json!({ "QueueUrl": url, "MessageBody": body, "DelaySeconds": delay })).is_err(), "{body:?}");
        }
        assert!(send(&cloud, &json!({ "QueueUrl": "elsewhere", "MessageBody": "a" })).is_err());
    }
}
