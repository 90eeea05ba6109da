//! The wiring of the sender of text messages.

use aws::{AddressKey, Clock, DeliveryReads, Ledger, Queue, Secret, Stream, TriggerBook, Triggers};
use delivery::Recipients;
use lambda::{Configuration, serve_queue};
use lambda_runtime::Error;
use sender::{Breakers, Sender};
use sms::Sns;
use trigger::SenderId;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_log();
    let mut env = Configuration::new();
    let sdk = aws::connect().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let (customers, events, suppressions) = (env.text("CUSTOMERS_TABLE"), env.text("EVENTS_TABLE"), env.text("SUPPRESSIONS_TABLE"));
    let (clock, secret) = (Clock::system(), env.text("ADDRESS_KEY_SECRET"));
    let ledger = Ledger::new(dynamodb.clone(), env.text("DELIVERIES_TABLE"), env.number("LEDGER_RETENTION_DAYS"));
    let queue = Queue::new(aws_sdk_sqs::Client::new(&sdk), env.text("SMS_QUEUE_URL"));
    let stream = Stream::new(aws_sdk_kinesis::Client::new(&sdk), env.text("STREAM_NAME"));
    let book = TriggerBook::new(Triggers::new(dynamodb.clone(), env.text("TRIGGERS_TABLE")), clock.clone());
    let sender_id = env.optional("SMS_SENDER_ID").map(|id| SenderId::parse(&id)).transpose()?;
    let provider = Sns { client: Sns::client(&sdk), sender_id, max_price_usd: env.optional("SMS_MAX_PRICE_USD") };
    let unsubscribe_url = env.optional("UNSUBSCRIBE_URL");
    let recipients = Recipients::parse(&env.optional("ALLOWED_RECIPIENTS").unwrap_or_default());
    env.check()?;
    let key = AddressKey::new(Secret::read(&aws_sdk_secretsmanager::Client::new(&sdk), &secret).await?);
    let reads = DeliveryReads::new(dynamodb, customers, events, suppressions, Some(key));
    let sender =
        &Sender { provider, reads, ledger, queue, stream, book, clock, unsubscribe_url, recipients, breakers: Breakers::default() };
    serve_queue(async |body, attempt, deadline| sender.is_done_with(body, attempt, deadline).await).await
}
