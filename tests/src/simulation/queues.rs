//! The event sources of senders and feedback: queues that deliver at least once, in any order.

use std::rc::Rc;

use cloud::Received;
use event_source::{Returned, of_queue};
use serde_json::{Value, json};

use super::executor::either;
use super::functions::Function;
use super::world::{World, queue_url};

/// Polls a queue for ever, one batch at a time.
pub async fn drive(world: Rc<World>, queue: &'static str, function: Rc<Function>) {
    let url = queue_url(queue);
    loop {
        let seen = world.network.arrivals.count();
        let most = world.dice.borrow_mut().usize(1..=world.plan.queue_batch);
        let received = world.cloud().receive(&url, most, &mut |count| world.dice.borrow_mut().usize(..count));
        if received.is_empty() {
            let arrived = world.network.arrivals.after(seen);
            match world.cloud().next_visible_at(&url) {
                Some(at) => either(arrived, world.clockwork.sleep_until(at.max(world.clockwork.now() + 1))).await,
                None => arrived.await,
            }
            continue;
        }
        let answer = function.invoke(event_of(&received)).await;
        let payload = answer.as_ref().map(ToString::to_string);
        let returned = Returned { payload: payload.as_deref().unwrap_or_default().as_bytes(), function_error: payload.is_none() };
        let ids: Vec<_> = received.iter().map(|message| message.id.as_str()).collect();
        let done = of_queue(returned, true, &ids);
        // When all is well an attempt ends or waits. Only then can nothing that waits become a dead letter.
        if answer.is_some() && done.len() < received.len() && world.is_fair() {
            world.wrong(format!("a message of {queue} was not done although nothing is wrong"));
        }
        for message in done.into_iter().filter_map(|at| received.get(at)) {
            // Each copy that waits may be copied again, so they are counted.
            if world.copies_left.get() > 0 && world.strikes(world.plan.repeats) {
                world.copies_left.set(world.copies_left.get() - 1);
                world.history.fault("message delivered again", || message.id.clone());
                world.cloud().deliver_again(&url, &message.receipt);
            } else {
                world.cloud().delete(&url, &message.receipt);
            }
        }
        world.progress.raise();
    }
}

fn event_of(received: &[Received]) -> Value {
    let message = |message: &Received| {
        json!({
            "messageId": message.id,
            "receiptHandle": message.receipt,
            "body": message.body,
            "attributes": { "ApproximateReceiveCount": message.receives.to_string(), "SentTimestamp": message.sent_at.to_string() },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:queue",
            "awsRegion": cloud::REGION,
        })
    };
    json!({ "Records": received.iter().map(message).collect::<Vec<_>>() })
}
