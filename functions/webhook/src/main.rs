//! The wiring of the webhook sender.

use aws::{CachedSecret, Clock, DeliveryReads, Ledger, Queue, Stream, TriggerBook, Triggers};
use delivery::Recipients;
use https::{Caller, Client};
use lambda::{Configuration, serve_queue};
use lambda_runtime::Error;
use sender::{Breakers, Sender};
use webhook::Endpoints;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_log();
    let mut env = Configuration::new();
    let sdk = aws::connect().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let clock = Clock::system();
    let secret = CachedSecret::new(aws_sdk_secretsmanager::Client::new(&sdk), env.text("WEBHOOK_SECRET"), clock.clone());
    let (customers, events, suppressions) = (env.text("CUSTOMERS_TABLE"), env.text("EVENTS_TABLE"), env.text("SUPPRESSIONS_TABLE"));
    let sender = &Sender {
        provider: Endpoints { caller: Caller::new(Client::new()?, secret), clock: clock.clone() },
        reads: DeliveryReads::new(dynamodb.clone(), customers, events, suppressions, None),
        ledger: Ledger::new(dynamodb.clone(), env.text("DELIVERIES_TABLE"), env.number("LEDGER_RETENTION_DAYS")),
        queue: Queue::new(aws_sdk_sqs::Client::new(&sdk), env.text("WEBHOOK_QUEUE_URL")),
        stream: Stream::new(aws_sdk_kinesis::Client::new(&sdk), env.text("STREAM_NAME")),
        book: TriggerBook::new(Triggers::new(dynamodb, env.text("TRIGGERS_TABLE")), clock.clone()),
        clock,
        unsubscribe_url: None,
        recipients: Recipients::Everybody,
        breakers: Breakers::default(),
    };
    env.check()?;
    serve_queue(async |body, attempt, deadline| sender.is_done_with(body, attempt, deadline).await).await
}
