//! The wiring of the function that takes feedback.

use aws::{AddressKey, Archive, Clock, Ledger, RawQueue, Secret, Statistics, Stream, Suppressions, TriggerBook, Triggers};
use feedback::Feedback;
use lambda::{Configuration, serve_queue_and_logs};
use lambda_runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_log();
    let mut env = Configuration::new();
    let sdk = aws::connect().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let (clock, secret, suppressions) = (Clock::system(), env.text("ADDRESS_KEY_SECRET"), env.text("SUPPRESSIONS_TABLE"));
    let ledger = Ledger::new(dynamodb.clone(), env.text("DELIVERIES_TABLE"), env.number("LEDGER_RETENTION_DAYS"));
    let statistics = Statistics::new(dynamodb.clone(), env.text("STATISTICS_TABLE"), env.number("STATISTICS_RETENTION_DAYS"));
    let archive = Archive::new(dynamodb.clone(), env.text("EVENTS_TABLE"), env.number("ARCHIVE_RETENTION_DAYS"));
    let stream = Stream::new(aws_sdk_kinesis::Client::new(&sdk), env.text("STREAM_NAME"));
    let book = TriggerBook::new(Triggers::new(dynamodb.clone(), env.text("TRIGGERS_TABLE")), clock.clone());
    let queue = RawQueue::new(aws_sdk_sqs::Client::new(&sdk), env.text("FEEDBACK_QUEUE_URL"));
    env.check()?;
    let key = AddressKey::new(Secret::read(&aws_sdk_secretsmanager::Client::new(&sdk), &secret).await?);
    let suppressions = Suppressions::new(dynamodb, suppressions, key);
    let feedback = &Feedback { ledger, suppressions, statistics, archive, stream, book, queue, clock };
    let attempt = async |body: &str, _: &str, _| feedback.is_done_with(body).await;
    serve_queue_and_logs(attempt, async |lines| feedback.pass_on(lines).await.map(drop)).await
}
