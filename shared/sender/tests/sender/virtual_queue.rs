//! A queue in virtual time: what the sender puts back is read off its requests and received when its delay is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_sqs::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_sqs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sqs::error::BoxError;
use delivery::Message;
use event::Time;
use serde_json::Value;

/// What was put back: each message with its delay in seconds.
#[derive(Debug, Clone, Default)]
pub struct PutBack(Arc<Mutex<Vec<(Message, i64)>>>);

impl PutBack {
    pub fn take(&self) -> Vec<(Message, i64)> {
        std::mem::take(&mut *self.0.lock().expect("no test panicked"))
    }
}

impl Intercept for PutBack {
    fn name(&self) -> &'static str {
        "put back"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request: Value = serde_json::from_slice(context.request().body().bytes().unwrap_or_default())?;
        let text = request.get("MessageBody").and_then(Value::as_str).ok_or("no message is put back")?;
        let delay = request.get("DelaySeconds").and_then(Value::as_i64).ok_or("no delay")?;
        self.0.lock().expect("no test panicked").push((Message::parse(text)?, delay));
        Ok(())
    }
}

/// A message that can be received.
#[derive(Debug, Clone)]
pub struct Received {
    pub message: Message,
    /// How often before.
    pub receives: u32,
}

/// The queue of the template: 180 seconds of visibility, five receives, batches of ten.
#[derive(Debug, Default)]
pub struct VirtualQueue {
    waiting: BTreeMap<(Time, u32), Received>,
    count: u32,
    pub dead_letters: Vec<Message>,
}

impl VirtualQueue {
    pub fn put(&mut self, message: Message, receives: u32, at: Time) {
        self.count += 1;
        self.waiting.insert((at, self.count), Received { message, receives });
    }

    /// A message whose attempt failed.
    pub fn failed(&mut self, Received { message, receives }: Received, at: Time) {
        if receives + 1 < 5 { self.put(message, receives + 1, at.plus(180_000)) } else { self.dead_letters.push(message) }
    }

    /// When the next message can be received.
    pub fn next(&self) -> Option<Time> {
        self.waiting.keys().next().map(|(at, _)| *at)
    }

    pub fn receive(&mut self, now: Time) -> Vec<Received> {
        let due: Vec<_> = self.waiting.range(..=(now, u32::MAX)).take(10).map(|(key, _)| *key).collect();
        due.iter().filter_map(|key| self.waiting.remove(key)).collect()
    }
}
