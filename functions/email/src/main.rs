//! The wiring of the email sender.

use aws::{AddressKey, Clock, DeliveryReads, Ledger, Queue, Secret, Stream, TriggerBook, Triggers};
use delivery::Recipients;
use email::Ses;
use lambda::{Configuration, serve_queue};
use lambda_runtime::Error;
use sender::{Breakers, Sender};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_log();
    let mut env = Configuration::new();
    let sdk = aws::connect().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let (customers, events, suppressions) = (env.text("CUSTOMERS_TABLE"), env.text("EVENTS_TABLE"), env.text("SUPPRESSIONS_TABLE"));
    let (clock, secret) = (Clock::system(), env.text("ADDRESS_KEY_SECRET"));
    let ledger = Ledger::new(dynamodb.clone(), env.text("DELIVERIES_TABLE"), env.number("LEDGER_RETENTION_DAYS"));
    let queue = Queue::new(aws_sdk_sqs::Client::new(&sdk), env.text("EMAIL_QUEUE_URL"));
    let stream = Stream::new(aws_sdk_kinesis::Client::new(&sdk), env.text("STREAM_NAME"));
    let book = TriggerBook::new(Triggers::new(dynamodb.clone(), env.text("TRIGGERS_TABLE")), clock.clone());
    let provider = Ses {
        client: Ses::client(&sdk),
        from: env.text("EMAIL_FROM"),
        reply_to: env.optional("EMAIL_REPLY_TO"),
        configuration_set: env.text("EMAIL_CONFIGURATION_SET"),
    };
    let unsubscribe_url = env.optional("UNSUBSCRIBE_URL");
    let recipients = Recipients::parse(&env.optional("ALLOWED_RECIPIENTS").unwrap_or_default());
    env.check()?;
    let key = AddressKey::new(Secret::read(&aws_sdk_secretsmanager::Client::new(&sdk), &secret).await?);
    let reads = DeliveryReads::new(dynamodb, customers, events, suppressions, Some(key));
    let sender =
        &Sender { provider, reads, ledger, queue, stream, book, clock, unsubscribe_url, recipients, breakers: Breakers::default() };
    serve_queue(async |body, attempt, deadline| sender.is_done_with(body, attempt, deadline).await).await
}
