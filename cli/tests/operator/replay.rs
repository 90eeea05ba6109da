//! `triggers replay`: a batch that was given up goes through once the router can, each customer's records in their order.

use std::time::Duration;

use aws_sdk_kinesis::types::ShardIteratorType;
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::Event;
use serde_json::{Value, json};

use crate::{World, order};

impl World {
    async fn given_up(&self, name: &str, object: &Value) {
        let put = aws::object_store(self.stack.sdk_config()).put_object().bucket(self.output("OnFailureBucket"));
        let key = format!("aws/lambda/9c1f/shardId-000000000000/2026/03/01/2026-03-01T10.00.00-{name}");
        put.key(key).body(ByteStream::from(object.to_string().into_bytes())).send().await.expect("an object can be put");
    }

    /// How many records of this key were ever put onto the stream.
    async fn on_stream(&self, key: &str) -> usize {
        let client = aws_sdk_kinesis::Client::new(self.stack.sdk_config());
        let name = self.output("StreamName");
        let shards = client.list_shards().stream_name(name).send().await.expect("shards can be listed").shards.unwrap_or_default();
        let mut count = 0;
        for shard in shards {
            let start = client.get_shard_iterator().stream_name(name).shard_id(shard.shard_id);
            let mut next = start.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.expect("an iterator").shard_iterator;
            while let Some(iterator) = next {
                let page = client.get_records().shard_iterator(iterator).send().await.expect("records can be read");
                next = page.next_shard_iterator.filter(|_| !page.records.is_empty());
                count += page.records.iter().filter(|record| record.partition_key.as_deref() == Some(key)).count();
            }
        }
        count
    }

    async fn objects(&self) -> Vec<String> {
        let list = aws::object_store(self.stack.sdk_config()).list_objects_v2().bucket(self.output("OnFailureBucket"));
        let objects = list.send().await.expect("a bucket can be listed").contents.unwrap_or_default();
        objects.into_iter().filter_map(|object| Some(object.key?.rsplit('-').next()?.to_owned())).collect()
    }
}

/// A batch as Lambda leaves it, of these records, which arrived an hour ago.
fn batch(sequence: u32, records: &[(&str, &[u8])]) -> Value {
    let arrival = aws::Clock::system().now().plus(-3_600_000).millis();
    let records = records.iter().zip(sequence..).map(|((key, data), sequence)| {
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0", "partitionKey": key, "sequenceNumber": sequence.to_string(), "data": STANDARD.encode(data),
                "approximateArrivalTimestamp": f64::from(u32::try_from(arrival / 1_000).unwrap()) + f64::from(sequence) / 1_000.0,
            },
            "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": format!("shardId-000000000000:{sequence}"),
            "eventName": "aws:kinesis:record", "invokeIdentityArn": "arn:r", "awsRegion": "eu-central-1", "eventSourceARN": "arn:s",
        })
    });
    let payload = json!({ "Records": records.collect::<Vec<_>>() }).to_string();
    let mut object = without_payload();
    object["payload"] = json!(payload);
    object
}

fn without_payload() -> Value {
    json!({
        "requestContext": { "requestId": "r", "functionArn": "arn:f", "condition": "RecordAgeExceeded", "approximateInvokeCount": 9 },
        "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
        "version": "1.0", "timestamp": "2026-03-01T10:00:00.000Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000000", "startSequenceNumber": "11", "endSequenceNumber": "12",
            "approximateArrivalOfFirstRecord": "2026-03-01T09:00:00.000Z", "approximateArrivalOfLastRecord": "2026-03-01T09:00:00.000Z",
            "batchSize": 2, "streamArn": "arn:s",
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_failed_are_replayed() {
    let world = World::start().await;
    let nothing = world.triggers("replay --failed --yes");
    assert_eq!((nothing.code, nothing.out.as_str()), (Some(3), "there is no batch to replay\n"), "{}", nothing.note);
    assert_eq!(world.triggers("replay").code, Some(2));

    let [first, second, third] = ["1", "2", "3"].map(|id| order(id, "c-1").into_bytes());
    let misplaced = order("4", "c-2").into_bytes();
    // By their names the second batch comes first; by their records it does not.
    world.given_up("b", &batch(10, &[("c-1", &first), ("wrong", &misplaced), ("c-1", &second)])).await;
    world.given_up("a", &batch(20, &[("c-1", &third), ("k", b"no json")])).await;
    world.given_up("metadata", &without_payload()).await;
    world.given_up("aggregated", &batch(30, &[("k", b"\xF3\x89\x9A\xC2several")])).await;

    let dry = world.triggers("replay --failed");
    insta::assert_snapshot!("what would be replayed", format!("{}{}", dry.note, dry.out));
    assert_eq!(dry.code, Some(1), "some can never be replayed");
    world.settle().await;
    assert!(world.archive().await.is_empty() && world.objects().await.len() == 4, "a dry run changes nothing");

    let said = world.triggers("replay --failed --since 1h --yes");
    assert!(said.out.ends_with("5 records put onto the stream, 2 batches done with\n"), "{}{}", said.out, said.note);
    assert_eq!(world.objects().await, ["aggregated", "metadata"]);
    world.settle().await;
    let archive = world.archive().await;
    let ids: Vec<_> = archive["c-1"].iter().map(|record| Event::parse(&record.input).unwrap().id().to_string()).collect();
    assert_eq!(ids, ["1", "2", "3"], "in the order in which they arrived");
    for record in archive.values().flatten() {
        let original = Event::parse(&record.input).unwrap().original_arrival().expect("it has its first arrival");
        assert!(record.arrival.since(original) >= 3_590_000, "{original}");
    }
    let mut mails = world.mails().await;
    mails.sort();
    assert_eq!(mails, ["c-1@example.com", "c-1@example.com", "c-1@example.com", "c-2@example.com"]);

    // Once more, as after an interruption: every event is a repeat, and nothing is sent.
    world.given_up("again", &batch(10, &[("c-1", &first), ("c-1", &second)])).await;
    let again = world.triggers("replay --failed --yes");
    assert!(again.out.ends_with("2 records put onto the stream, 1 batch done with\n"), "{}{}", again.out, again.note);
    world.settle().await;
    assert_eq!(world.mails().await.len(), 4);
    let repeats = world.archive().await["c-1"].iter().filter(|record| record.decided.repeat).count();
    assert_eq!(repeats, 2);

    let forced = world.triggers("replay --failed --force --yes");
    assert!(forced.out.contains("no events: 1; the router will quarantine these"), "{}{}", forced.out, forced.note);
    assert_eq!(world.objects().await, ["metadata"]);
    interrupted(&world).await;
    world.stack.stop();
}

/// An object is there until all of its records are on the stream.
async fn interrupted(world: &World) {
    let orders: Vec<_> = (10..50).map(|id| order(&id.to_string(), "c-9").into_bytes()).collect();
    let records: Vec<_> = orders.iter().map(|order| ("c-9", order.as_slice())).collect();
    world.given_up("long", &batch(100, &records)).await;
    let child = world.begin("replay --failed --rate 1/s --yes");
    while world.on_stream("c-9").await == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let asked = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(asked.success());
    let said = crate::said(child.wait_with_output().expect("the command ends"));
    assert_eq!(said.code, Some(130), "{}{}", said.out, said.note);
    assert!(said.note.contains("1 batch left; replaying all of a batch again is harmless"), "{}", said.note);
    assert_eq!(world.objects().await, ["long", "metadata"]);
    let rest = world.triggers("replay --failed --rate 1000/s --yes");
    assert!(rest.out.ends_with("40 records put onto the stream, 1 batch done with\n"), "{}{}", rest.out, rest.note);
    world.settle().await;
    assert_eq!(world.mails().await.iter().filter(|mail| *mail == "c-9@example.com").count(), 40, "each once");
}
