//! The driver against the local AWS, with a function that fails as it is told.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_kinesis::primitives::Blob;
use serde_json::{Value, json};
use testkit::{Binary, Checkpoints, Driver, LocalStack, Options, Pace};

const QUIET: Duration = Duration::from_millis(300);
const LIMIT: Duration = Duration::from_secs(60);

fn pace() -> Pace {
    Pace { first_back_off: Duration::from_millis(20), longest_back_off: Duration::from_millis(200), ..Pace::default() }
}

async fn stack() -> Result<LocalStack> {
    let faulty = Binary::Example { package: "testkit".to_owned(), name: "faulty".to_owned() };
    let options = Options {
        template: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/template.yaml"),
        binaries: BTreeMap::from([("faulty".to_owned(), faulty)]),
        ..Options::default()
    };
    LocalStack::start(options, &mut |step| eprintln!("{step}")).await
}

async fn put(stack: &LocalStack, stream: &str, key: &str, orders: &[Value]) -> Result<()> {
    let client = aws_sdk_kinesis::Client::new(stack.sdk_config());
    for order in orders {
        let data = Blob::new(order.to_string());
        client.put_record().stream_name(stack.outputs().get(stream)?).partition_key(key).data(data).send().await.context("put")?;
    }
    Ok(())
}

/// How often the function met each id.
async fn attempts(stack: &LocalStack) -> Result<BTreeMap<String, u64>> {
    let client = aws_sdk_dynamodb::Client::new(stack.sdk_config());
    let items = client.scan().table_name(stack.outputs().get("AttemptsTable")?).send().await.context("scan")?;
    let text = |value: &AttributeValue| value.as_s().or_else(|_| value.as_n()).cloned().unwrap_or_default();
    Ok(items.items().iter().map(|item| (text(&item["id"]), text(&item["attempts"]).parse().unwrap_or_default())).collect())
}

fn expected(attempts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    attempts.iter().map(|(id, times)| ((*id).to_owned(), *times)).collect()
}

/// One stack serves all the cases, one after another: a stack is what takes the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_keeps_aws_semantics() -> Result<()> {
    let mut stack = stack().await?;
    a_reported_record_is_retried_with_all_that_follows_it(&stack).await.context("reported")?;
    stack.reset().await?;
    a_poison_record_is_isolated_and_kept_whole(&stack).await.context("thrown")?;
    stack.reset().await?;
    a_failed_message_comes_back_and_ends_among_the_dead_letters(&stack).await.context("queue")?;
    stack.reset().await?;
    a_restart_goes_on_at_the_checkpoint(&stack).await.context("restart")?;
    stack.stop();
    Ok(())
}

async fn a_reported_record_is_retried_with_all_that_follows_it(stack: &LocalStack) -> Result<()> {
    put(stack, "ReportedStream", "k", &[json!({"id": "a"}), json!({"id": "b", "fail": "report", "times": 2}), json!({"id": "c"})]).await?;
    let driver = Driver::start_with(stack, pace(), Checkpoints::default()).await?;
    driver.wait_until_idle(QUIET, LIMIT).await?;
    // `c` was never reached while `b` failed, and is not lost; `a` is behind the checkpoint.
    assert_eq!(attempts(stack).await?, expected(&[("a", 1), ("b", 3), ("c", 1)]));

    let others: Vec<Value> = (0..40).map(|at| json!({ "id": format!("n{at}") })).collect();
    for (at, order) in others.iter().enumerate() {
        put(stack, "ReportedStream", &format!("key-{at}"), std::slice::from_ref(order)).await?;
    }
    driver.nudge();
    driver.wait_until_idle(QUIET, LIMIT).await?;
    assert_eq!(attempts(stack).await?.values().sum::<u64>(), 45, "every record of every lane of both shards, once");
    let counts = driver.counts().remove("FaultyReported").context("counts")?;
    assert_eq!((counts.read, counts.failed_items, counts.discarded_batches), (43, 4, 0));
    driver.stop().await;
    Ok(())
}

async fn a_poison_record_is_isolated_and_kept_whole(stack: &LocalStack) -> Result<()> {
    let poison = json!({"id": "poison", "fail": "throw", "times": 1_000, "note": "kept whole"});
    let orders = [json!({"id": "a"}), json!({"id": "b"}), poison.clone(), json!({"id": "c"}), json!({"id": "d"})];
    put(stack, "ThrownStream", "k", &orders).await?;
    let driver = Driver::start_with(stack, pace(), Checkpoints::default()).await?;
    driver.wait_until_idle(QUIET, LIMIT).await?;
    let attempts = attempts(stack).await?;
    assert_eq!(attempts.keys().map(String::as_str).collect::<Vec<&str>>(), ["a", "b", "c", "d", "poison"]);

    let s3 = aws_sdk_s3::Client::new(stack.sdk_config());
    let bucket = stack.outputs().get("OnFailureBucket")?;
    let objects = s3.list_objects_v2().bucket(bucket).send().await.context("list")?;
    let keys: Vec<&str> = objects.contents().iter().filter_map(|object| object.key()).collect();
    let [key] = keys.as_slice() else { bail!("one batch was given up, not {keys:?}") };
    assert!(key.starts_with("aws/lambda/"), "{key}");
    let body = s3.get_object().bucket(bucket).key(*key).send().await.context("get")?.body.collect().await?.into_bytes();
    let body: Value = serde_json::from_slice(&body)?;
    assert_eq!(body.pointer("/requestContext/condition"), Some(&json!("RetryAttemptsExhausted")));
    assert_eq!(body.pointer("/responseContext/functionError"), Some(&json!("Unhandled")));
    assert_eq!(body.pointer("/KinesisBatchInfo/batchSize"), Some(&json!(1)));
    let event: Value = serde_json::from_str(body.get("payload").and_then(Value::as_str).context("a bucket has the payload")?)?;
    let data = event.pointer("/Records/0/kinesis/data").and_then(Value::as_str).context("data")?;
    let data = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data)?;
    assert_eq!(serde_json::from_slice::<Value>(&data)?, poison);

    let counts = driver.counts().remove("FaultyThrown").context("counts")?;
    assert_eq!((counts.read, counts.discarded_batches, counts.on_failure_batches), (5, 1, 1));
    let errors = driver.function_errors();
    assert!(
        errors.iter().any(|error| error.starts_with("FaultyThrown: Unhandled:") && error.contains("told to throw at poison")),
        "{errors:?}"
    );
    driver.stop().await;
    Ok(())
}

async fn a_failed_message_comes_back_and_ends_among_the_dead_letters(stack: &LocalStack) -> Result<()> {
    let sqs = aws_sdk_sqs::Client::new(stack.sdk_config());
    let orders = [
        json!({"id": "late"}),
        json!({"id": "once", "fail": "report", "times": 1}),
        json!({"id": "never", "fail": "report", "times": 1_000}),
    ];
    for (at, order) in orders.iter().enumerate() {
        // The first one is delayed: a queue with nothing but that in it is not idle.
        let delay = if at == 0 { 4 } else { 0 };
        sqs.send_message()
            .queue_url(stack.outputs().get("QueueUrl")?)
            .message_body(order.to_string())
            .delay_seconds(delay)
            .send()
            .await
            .context("send")?;
    }
    let driver = Driver::start_with(stack, pace(), Checkpoints::default()).await?;
    driver.wait_until_idle(QUIET, LIMIT).await?;
    assert_eq!(driver.trouble(), None);
    assert_eq!(attempts(stack).await?, expected(&[("late", 1), ("never", 2), ("once", 2)]));
    let dead = sqs
        .receive_message()
        .queue_url(stack.outputs().get("DeadLettersUrl")?)
        .max_number_of_messages(10)
        .send()
        .await
        .context("receive")?;
    let bodies: Vec<&str> = dead.messages().iter().filter_map(|message| message.body()).collect();
    assert!(matches!(bodies.as_slice(), [body] if body.contains("never")), "{bodies:?}");
    driver.stop().await;
    Ok(())
}

async fn a_restart_goes_on_at_the_checkpoint(stack: &LocalStack) -> Result<()> {
    put(stack, "ReportedStream", "k", &[json!({"id": "before"})]).await?;
    let driver = Driver::start_with(stack, pace(), Checkpoints::default()).await?;
    driver.wait_until_idle(QUIET, LIMIT).await?;
    let checkpoints = driver.stop().await;
    put(stack, "ReportedStream", "k", &[json!({"id": "after"})]).await?;
    let driver = Driver::start_with(stack, pace(), checkpoints).await?;
    driver.wait_until_idle(QUIET, LIMIT).await?;
    assert_eq!(attempts(stack).await?, expected(&[("after", 1), ("before", 1)]));
    driver.stop().await;
    Ok(())
}
