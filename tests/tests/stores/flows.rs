//! Queue, stream and quarantine: what is put arrives whole.

use aws::{Put, Quarantine, Quarantined, object_store};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use delivery::Message;
use event::{CustomerId, NoEvent, QuarantineReason, SequenceNumber, ShardId, Time};

use crate::local::{on_stream, output, queue, received, run, stream, unique};
use crate::message;

#[test]
fn every_message_of_a_large_batch_is_enqueued() {
    run(async |stack| {
        let (queue, url) = queue(stack).await;
        let messages: Vec<_> = (0..25).map(|_| message()).collect();
        queue.send(&messages).await.unwrap();
        let mut found: Vec<_> = received(stack, &url).await.iter().map(|body| Message::parse(body).unwrap()).collect();
        found.sort_by_key(|message| message.delivery);
        let mut messages = messages;
        messages.sort_by_key(|message| message.delivery);
        assert_eq!(found, messages);
    });
}

#[test]
fn a_message_that_is_put_back_counts_its_waits_and_is_delayed() {
    run(async |stack| {
        let (queue, url) = queue(stack).await;
        queue.send_later(&message(), -5).await.unwrap();
        let bodies = received(stack, &url).await;
        let once = Message::parse(&bodies[0]).unwrap();
        assert_eq!((bodies.len(), once.waits), (1, 1));

        queue.send_later(&once, 1).await.unwrap();
        assert!(received(stack, &url).await.is_empty(), "a part of a second is a whole one");
        tokio::time::sleep(std::time::Duration::from_millis(1_300)).await;
        let bodies = received(stack, &url).await;
        assert_eq!(Message::parse(&bodies[0]).unwrap(), Message { waits: 2, ..once.clone() });
        queue.send_later(&once, i64::MAX).await.unwrap();
    });
}

#[test]
fn a_customer_s_id_may_have_characters_that_a_queue_does_not_take() {
    run(async |stack| {
        let (queue, url) = queue(stack).await;
        let odd = Message { customer: CustomerId::parse("c\u{FFFE}\u{FFFF}ü").unwrap(), ..message() };
        queue.send(std::slice::from_ref(&odd)).await.unwrap();
        let bodies = received(stack, &url).await;
        assert!(!bodies[0].contains(['\u{FFFE}', '\u{FFFF}']), "{}", bodies[0]);
        assert_eq!(Message::parse(&bodies[0]).unwrap(), odd);
    });
}

#[test]
fn a_queue_that_is_not_there_is_an_error() {
    run(async |stack| {
        let (queue, url) = queue(stack).await;
        aws_sdk_sqs::Client::new(stack.sdk_config()).delete_queue().queue_url(&url).send().await.unwrap();
        let error = queue.send(&[message()]).await.unwrap_err().to_string();
        assert!(error.starts_with("enqueueing deliveries failed: ") && error.len() < 160 && error.contains("request"), "{error}");
    });
}

#[test]
fn all_records_are_put_onto_the_stream() {
    run(async |stack| {
        let (stream, name) = stream(stack).await;
        let puts: Vec<_> = (0..501).map(|number| Put { partition_key: format!("c-{number}"), data: vec![b'x'; number] }).collect();
        stream.put_all(puts.clone()).await.unwrap();
        stream.put(Put { partition_key: "c-501".to_owned(), data: vec![b'x'; 501] }).await.unwrap();
        let mut found = on_stream(stack, &name).await;
        found.sort_by_key(|(_, data)| data.len());
        assert_eq!(found.len(), 502);
        for (number, (key, data)) in found.iter().enumerate() {
            assert_eq!((key.as_str(), data.len()), (format!("c-{number}").as_str(), number));
        }
    });
}

#[test]
fn a_quarantined_record_is_kept_whole_with_its_reason() {
    run(async |stack| {
        let bucket = output(stack, "QuarantineBucket");
        let store = object_store(stack.sdk_config());
        let quarantine = Quarantine::new(store.clone(), bucket.clone());
        let (shard, sequence) = (ShardId::new(unique("shardId")), SequenceNumber::new("0042"));
        let refusal =
            NoEvent { reason: QuarantineReason::MissingField, problems: vec!["id is missing".to_owned(), "type is null".to_owned()] };
        let bytes = [0, 255, b'{', b'\n'];
        let record = Quarantined::new(&refusal, &shard, &sequence, "c-1", Time::from_millis(1_772_359_200_123), &bytes);
        quarantine.put(&record).await.unwrap();
        quarantine.put(&record).await.unwrap();
        let object = store.get_object().bucket(bucket).key(format!("{}/42", shard.as_str())).send().await.unwrap();
        assert_eq!(object.metadata().unwrap()["reason"], "missing_field");
        let kept: Quarantined = serde_json::from_slice(&object.body.collect().await.unwrap().into_bytes()).unwrap();
        assert_eq!((kept.reason.as_str(), kept.problems.len(), kept.partition_key.as_str()), ("missing_field", 2, "c-1"));
        assert_eq!((kept.arrival.as_str(), kept.sequence.as_str()), ("2026-03-01T10:00:00.123Z", "42"));
        assert_eq!(STANDARD.decode(&kept.data).unwrap(), bytes);
    });
}
