//! The wiring of the router.

use aws::{Archive, Clock, Customers, Quarantine, Queue, Queues, Stream, TriggerBook, Triggers};
use lambda::{Configuration, deadline, failed_from, records_of};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use router::Router;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::start_log();
    let mut env = Configuration::new();
    let sdk = aws::connect().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let clock = Clock::system();
    let router = &Router {
        customers: Customers::new(dynamodb.clone(), env.text("CUSTOMERS_TABLE")),
        archive: Archive::new(dynamodb.clone(), env.text("EVENTS_TABLE"), env.number("ARCHIVE_RETENTION_DAYS")),
        queues: Queues {
            email: Queue::new(sqs.clone(), env.text("EMAIL_QUEUE_URL")),
            sms: Queue::new(sqs.clone(), env.text("SMS_QUEUE_URL")),
            crm: Queue::new(sqs.clone(), env.text("CRM_QUEUE_URL")),
            webhook: Queue::new(sqs, env.text("WEBHOOK_QUEUE_URL")),
        },
        stream: Stream::new(aws_sdk_kinesis::Client::new(&sdk), env.text("STREAM_NAME")),
        quarantine: Quarantine::new(aws::object_store(&sdk), env.text("QUARANTINE_BUCKET")),
        book: TriggerBook::new(Triggers::new(dynamodb, env.text("TRIGGERS_TABLE")), clock.clone()),
        clock,
    };
    env.check()?;
    run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        let records = records_of(event.payload)?;
        let failed = router.handle(&records, deadline(&event.context)).await;
        Ok::<_, Error>(failed_from(failed))
    }))
    .await
}
