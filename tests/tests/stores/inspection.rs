//! What an operator reads: dead letters, many entries of the ledger, the objects of a bucket.

use aws::{DeadLetters, Depth, Earlier, Ledger, LedgerEntry, LedgerReads, Objects, Quarantine, Quarantined, StoreError, object_store};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::MessageAttributeValue;
use decision::Outcome;
use event::{NoEvent, QuarantineReason, SequenceNumber, ShardId, Time};
use trigger::SendPolicy::AtMostOnce;

use crate::deployed::run_deployed;
use crate::local::{Place, now, output, queue, run, unique};
use crate::message;

#[test]
fn a_dead_letter_is_hidden_until_it_is_given_back_and_redriven_as_it_is() {
    run_deployed(async |stack, _| {
        let client = aws_sdk_sqs::Client::new(stack.sdk_config());
        let ((_, dead), (target, url)) = (queue(stack).await, queue(stack).await);
        let letters = DeadLetters::new(client.clone(), dead.clone());
        let attribute = MessageAttributeValue::builder().data_type("String").string_value("v").build().unwrap();
        let send = client.send_message().queue_url(&dead).message_body("body").message_group_id("group");
        send.message_attributes("name", attribute).send().await.unwrap();
        let before = now();
        let held = letters.receive(10, 60).await.unwrap();
        assert_eq!((held.len(), held[0].body.as_str(), held[0].receives), (1, "body", 1));
        assert!(before.since(held[0].sent).abs() < 60_000 && held[0].group.as_deref() == Some("group"), "{held:?}");
        assert_eq!(letters.depth().await.unwrap(), Depth { visible: 0, hidden: 1 });
        assert!(letters.receive(10, 60).await.unwrap().is_empty());
        assert_eq!(letters.give_back(&held).await.unwrap(), 0);
        assert_eq!(letters.depth().await.unwrap(), Depth { visible: 1, hidden: 0 });

        let held = letters.receive(10, 60).await.unwrap();
        assert_eq!(target.redrive(&[(&held[0], "other body".to_owned())]).await.unwrap(), [None]);
        assert_eq!(letters.delete(&held).await.unwrap(), 0);
        assert_eq!(letters.depth().await.unwrap(), Depth::default());
        let redriven = client.receive_message().queue_url(&url).message_attribute_names("All").send().await.unwrap().messages.unwrap();
        assert_eq!(redriven[0].body.as_deref(), Some("other body"));
        assert_eq!(redriven[0].message_attributes.as_ref().unwrap()["name"].string_value.as_deref(), Some("v"));
    });
}

#[test]
fn many_entries_of_the_ledger_are_read_at_once() {
    run(async |stack| {
        let client = aws_sdk_dynamodb::Client::new(stack.sdk_config());
        let table = output(stack, "DeliveriesTable");
        let (ledger, reads) = (Ledger::new(client.clone(), table.clone(), 90), LedgerReads::new(client.clone(), table.clone()));
        let messages: Vec<_> = (0..120).map(|_| message()).collect();
        let begun = now();
        for message in &messages[1..] {
            ledger.claim(message, "a", AtMostOnce, begun, 30_000).await.unwrap();
        }
        ledger.release(&messages[1], "a", "http_503", Earlier::NotTaken).await.unwrap();
        ledger.settle(&messages[2], "a", &Outcome::Expired, begun.plus(5)).await.unwrap();
        let broken = client.update_item().table_name(&table);
        let broken = broken.key("customer", text(messages[3].customer.as_str())).key("delivery", text(&messages[3].delivery.to_string()));
        let broken = broken.update_expression("SET #s = :s").expression_attribute_names("#s", "status");
        broken.expression_attribute_values(":s", text("of a newer program")).send().await.unwrap();

        // Twice each, as two messages of one delivery ask for it.
        let asked = messages.iter().chain(&messages).map(|message| (&message.customer, message.delivery));
        let found = reads.read(asked).await.unwrap();
        assert_eq!(found.len(), 119);
        assert!(!found.contains_key(&messages[0].delivery));
        let released = found[&messages[1].delivery].as_ref().unwrap();
        assert_eq!(
            (&released.entry, released.cause.as_deref(), released.attempts),
            (&LedgerEntry::Released(Earlier::NotTaken), Some("http_503"), 1)
        );
        assert_eq!((released.claimed_at, released.settled_at), (Some(begun), None));
        let settled = found[&messages[2].delivery].as_ref().unwrap();
        assert_eq!((&settled.entry, settled.settled_at), (&LedgerEntry::Settled(Outcome::Expired), Some(begun.plus(5))));
        assert!(matches!(&found[&messages[3].delivery], Err(StoreError::Unreadable { .. })));
        assert!(reads.read([]).await.unwrap().is_empty());
    });
}

fn text(text: &str) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned())
}

async fn bucket(stack: &Place) -> (aws_sdk_s3::Client, String) {
    let (client, name) = (object_store(stack.sdk_config()), unique("bucket"));
    let place = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(testkit::REGION.into()).build();
    client.create_bucket().bucket(&name).create_bucket_configuration(place).send().await.expect("a bucket is made");
    (client, name)
}

#[test]
fn the_objects_of_a_bucket_are_listed_over_all_pages() {
    run_deployed(async |stack, _| {
        let (client, name) = bucket(stack).await;
        for number in 0..1_005 {
            let put = client.put_object().bucket(&name).key(format!("a/{number:04}")).body(ByteStream::from_static(b"12345"));
            put.send().await.unwrap();
        }
        client.put_object().bucket(&name).key("b/0").body(ByteStream::from_static(b"")).send().await.unwrap();
        let objects = Objects::new(client, name);
        let all = objects.list("a/", 2_000, |_| true).await.unwrap();
        assert_eq!((all.objects.len(), all.more), (1_005, false));
        assert_eq!((all.objects[1_004].key.as_str(), all.objects[1_004].size), ("a/1004", 5));
        assert!(now().since(all.objects[0].put_at).abs() < 600_000);
        let some = objects.list("", 1_003, |object| object.key != "a/0000").await.unwrap();
        assert_eq!((some.objects.len(), some.more, some.objects[0].key.as_str()), (1_003, true, "a/0001"));
        assert!(!objects.list("a/", 1_005, |_| true).await.unwrap().more, "as many as there are");

        assert_eq!(objects.read("a/0000").await.unwrap().as_deref(), Some(&b"12345"[..]));
        objects.remove("a/0000").await.unwrap();
        objects.remove("a/0000").await.unwrap();
        assert_eq!((objects.read("a/0000").await.unwrap(), objects.metadata("a/0000").await.unwrap()), (None, None));
    });
}

#[test]
fn the_quarantine_is_listed_by_arrival_and_each_record_read_whole() {
    run_deployed(async |stack, _| {
        let (client, name) = bucket(stack).await;
        let quarantine = Quarantine::new(client.clone(), name.clone());
        let record = |sequence: &str, arrival: i64| {
            let refusal = NoEvent::new(QuarantineReason::NotJson, "the record is no JSON");
            Quarantined::new(&refusal, &ShardId::new("s"), &SequenceNumber::new(sequence), "k", Time::from_millis(arrival), b"\xff12")
        };
        quarantine.put(&record("1", 2_000)).await.unwrap();
        quarantine.put(&record("2", 1_000)).await.unwrap();
        // Of an older program, or of somebody else.
        client.put_object().bucket(&name).key("s/3").body(ByteStream::from_static(b"{}")).send().await.unwrap();
        let listing = quarantine.list(10, None).await.unwrap();
        let shown: Vec<_> = listing.records.iter().map(|record| (record.key.as_str(), record.reason.as_deref(), record.size)).collect();
        assert_eq!(shown, [("s/2", Some("not_json"), 3), ("s/1", Some("not_json"), 3), ("s/3", None, 2)]);
        assert_eq!(listing.records[0].arrival, Time::from_millis(1_000));
        assert!(quarantine.list(2, None).await.unwrap().more);
        assert!(quarantine.list(2, Some(now().plus(60_000))).await.unwrap().records.is_empty());

        let kept = quarantine.read("s/1").await.unwrap().unwrap();
        assert_eq!((kept.bytes().unwrap(), kept.arrived().unwrap()), (b"\xff12".to_vec(), Time::from_millis(2_000)));
        assert!(matches!(quarantine.read("s/3").await, Err(StoreError::Unreadable { .. })));
        quarantine.remove("s/1").await.unwrap();
        assert_eq!(quarantine.read("s/1").await.unwrap(), None);
        let forged = Quarantined { data: "%".to_owned(), arrival: "yesterday".to_owned(), ..kept };
        assert!(forged.bytes().is_err() && forged.arrived().is_err());
    });
}
