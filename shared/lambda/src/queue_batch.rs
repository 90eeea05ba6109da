//! A batch of a queue.

use std::panic::AssertUnwindSafe;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use event::Time;
use futures::FutureExt;
use futures::future::join_all;
use lambda_runtime::{Context, Error, LambdaEvent, run, service_fn};
use serde_json::Value;

use crate::{deadline, lines_of};

/// Takes the batches of a queue for as long as the function lives.
///
/// Each message's body is handed over with the name of the attempt, which is another one each time, and the time at which
/// it must be over. A message that is not done with, `false`, goes back to its queue.
///
/// # Errors
/// The runtime's own, by which the function ends.
pub async fn serve_queue(attempt: impl AsyncFn(&str, &str, Time) -> bool) -> Result<(), Error> {
    let attempt = &attempt;
    run(service_fn(async |event: LambdaEvent<SqsEvent>| Ok::<_, Error>(answer(attempt, &event.payload, &event.context).await))).await
}

/// Takes the batches of a queue as [`serve_queue`] does, and beside them what a subscription of CloudWatch Logs sends: its
/// lines are handed over together. If that fails, the invocation does, and Lambda makes it again.
///
/// # Errors
/// As [`serve_queue`].
pub async fn serve_queue_and_logs<E: Into<Error>>(
    attempt: impl AsyncFn(&str, &str, Time) -> bool,
    lines: impl AsyncFn(Vec<String>) -> Result<(), E>,
) -> Result<(), Error> {
    let (attempt, lines) = (&attempt, &lines);
    run(service_fn(async |event: LambdaEvent<Value>| {
        if let Some(found) = lines_of(&event.payload)? {
            lines(found).await.map_err(Into::into)?;
            return Ok(Value::Null);
        }
        let batch: SqsEvent = serde_json::from_value(event.payload)?;
        Ok::<_, Error>(serde_json::to_value(answer(attempt, &batch, &event.context).await)?)
    }))
    .await
}

async fn answer(attempt: &impl AsyncFn(&str, &str, Time) -> bool, batch: &SqsEvent, context: &Context) -> SqsBatchResponse {
    attempt_each(batch, &context.request_id, deadline(context), attempt).await
}

/// One invocation: an attempt for each message of the batch, all at once, under the name of the invocation and its place.
pub async fn attempt_each(
    batch: &SqsEvent,
    request: &str,
    deadline: Time,
    attempt: &impl AsyncFn(&str, &str, Time) -> bool,
) -> SqsBatchResponse {
    let one = async |position: usize, body: String| attempt(&body, &format!("{request}/{position}"), deadline).await;
    each_message(batch, |position, message| one(position, message.body.clone().unwrap_or_default())).await
}

/// Handles each message on its own, all at once; a message that fails or panics goes back to its queue, the others not.
async fn each_message<F, R>(batch: &SqsEvent, handle: F) -> SqsBatchResponse
where
    F: Fn(usize, &SqsMessage) -> R,
    R: Future<Output = bool>,
{
    let attempts = batch.records.iter().enumerate().map(|(position, message)| {
        let attempt = AssertUnwindSafe(handle(position, message)).catch_unwind();
        attempt.map(move |done| (message, done.unwrap_or(false)))
    });
    let mut response = SqsBatchResponse::default();
    for (message, done) in join_all(attempts).await {
        if !done {
            // Without its id the whole batch comes back, which is harmless: what is settled is not sent again.
            response.add_failure(message.message_id.clone().unwrap_or_default());
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_fails_its_own_message() {
        let mut batch = SqsEvent::default();
        for id in ["a", "b", "c"] {
            let mut message = SqsMessage::default();
            message.message_id = Some(id.to_owned());
            batch.records.push(message);
        }
        let response = each_message(&batch, |position, _| async move {
            assert_ne!(position, 1, "a bug");
            position != 2
        });
        let response = futures::executor::block_on(response);
        let failed: Vec<_> = response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        assert_eq!(failed, ["b", "c"]);
    }
}
