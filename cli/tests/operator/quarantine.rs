//! `triggers quarantine`: a record is mended or released, and leaves the quarantine only when the stream has it.

use event::Event;
use serde_json::Value;

use crate::{World, order};

/// The keys that a list names, by their reasons.
fn keys(world: &World, filter: &str) -> Vec<(String, String)> {
    let lines = world.triggers(&format!("quarantine list --json {filter}")).out;
    let text = |line: &Value, name: &str| line[name].as_str().expect("a list has texts").to_owned();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    lines.map(|line| (text(&line, "reason"), text(&line, "key"))).collect()
}

fn one(world: &World, reason: &str) -> String {
    let keys = keys(world, &format!("--reason {reason}"));
    let [(_, key)] = &keys[..] else { panic!("one record of {reason}, not {keys:?}") };
    key.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn quarantined_records_are_looked_at_and_released() {
    let world = World::start().await;
    let nothing = world.triggers("quarantine release --reason stuck --yes");
    assert_eq!((nothing.code, nothing.out.as_str()), (Some(3), "there is nothing to release\n"), "{}", nothing.note);
    let broken = order("2", "c-2").replace("order.completed", "");
    world.write("records.jsonl", &format!("{}\n{broken}\nno json\n", order("1", "ana@example.com")));
    assert_eq!(world.triggers("put records.jsonl --unchecked").code, Some(0));
    world.settle().await;

    let list = world.triggers("quarantine list");
    assert!(list.out.ends_with("3 records: 1 invalid_field, 1 invalid_subject, 1 not_json\n"), "{}{}", list.out, list.note);
    assert!(!list.out.contains("ana@"), "{}", list.out);
    assert!(list.out.lines().all(|line| line.chars().count() <= 80), "{}", list.out);
    assert_eq!(keys(&world, "--since 1h").len(), 3);
    assert_eq!(keys(&world, "--reason stuck").len(), 0);
    let few = world.triggers("quarantine list --limit 2");
    assert!(few.note.contains("looked at 2, there are more"), "{}", few.note);
    let unknown = world.triggers("quarantine list --reason stuk");
    assert!(unknown.code == Some(2) && unknown.note.contains("there is no such reason; there are: too_large,"), "{}", unknown.note);

    shown(&world);
    refused(&world);
    mended(&world).await;
    released(&world).await;
    world.stack.stop();
}

fn shown(world: &World) {
    let key = one(world, "invalid_subject");
    let shown = world.triggers(&format!("quarantine show {key}"));
    assert!(shown.out.contains("problem   subject is shaped like an email address"), "{}", shown.out);
    assert!(shown.out.contains("released  refused, for it would be quarantined again as invalid_subject"), "{}", shown.out);
    assert!(!shown.out.contains("ana@") && !shown.note.contains("ana@"), "{}{}", shown.out, shown.note);
    let data = world.triggers(&format!("quarantine show {key} --data"));
    assert_eq!(Event::parse(data.out.as_bytes()).unwrap_err().reason.code(), "invalid_subject", "standard output is the record alone");
    assert!(data.note.contains("partition key, perhaps personal: ana@example.com"), "{}", data.note);
    let nobody = world.triggers("quarantine show shardId-000000000000/1");
    assert!(nobody.code == Some(3) && nobody.note.contains("is not in the quarantine"), "{}", nobody.note);
}

/// Nothing is put that would be quarantined again, unless it is wanted.
fn refused(world: &World) {
    let key = one(world, "not_json");
    let refused = world.triggers(&format!("quarantine release {key} --yes"));
    assert!(
        refused.code == Some(1) && refused.note.contains("it would be quarantined again: not_json: the record is no JSON"),
        "{}",
        refused.note
    );
    world.write("still.json", &order("1", "+4915112345678"));
    let key = one(world, "invalid_subject");
    let still = world.triggers(&format!("quarantine release {key} --file still.json --yes"));
    assert!(still.code == Some(1) && still.note.contains("subject is shaped like a phone number"), "{}", still.note);
    for (line, code) in [
        ("release", 2),
        ("release --reason stuck --file still.json", 2),
        ("release a b --file still.json", 1),
        ("release a --file nowhere.json", 1),
        ("release shardId-000000000000/1 --yes", 3),
    ] {
        let said = world.triggers(&format!("quarantine {line}"));
        assert_eq!(said.code, Some(code), "{line}: {}{}", said.out, said.note);
    }
    assert_eq!(keys(world, "").len(), 3, "all of them are still there");
}

async fn mended(world: &World) {
    let key = one(world, "invalid_subject");
    // As a person writes it, over several lines.
    world.write("mended.json", &order("1", "c-1").replace(',', ",\n  "));
    let dry = world.triggers(&format!("quarantine release {key} --file mended.json"));
    assert!(dry.code == Some(0) && dry.out.contains("1 record would be released; nothing was changed"), "{}{}", dry.out, dry.note);
    world.settle().await;
    assert!(world.archive().await.is_empty());
    let said = world.triggers(&format!("quarantine release {key} --file mended.json --yes"));
    assert_eq!((said.code, said.out.as_str()), (Some(0), "1 record released\n"), "{}", said.note);
    world.settle().await;
    assert_eq!(world.mails().await, ["c-1@example.com"]);
    let archive = world.archive().await;
    let event = Event::parse(&archive["c-1"][0].input).unwrap();
    let original = event.original_arrival().expect("it has its first arrival");
    assert!(original < archive["c-1"][0].arrival, "the first arrival is that of the quarantined record");
    // Once more is harmless: it is no longer there.
    assert_eq!(world.triggers(&format!("quarantine release {key} --file mended.json --yes")).code, Some(3));
}

/// What parses is released as it is: the router was mended and not the record.
async fn released(world: &World) {
    let arrival = aws::Clock::system().now().plus(-3_600_000);
    let stuck = |id: &str, sequence: &str| {
        aws::Quarantined::new(
            &event::NoEvent::new(event::QuarantineReason::Stuck, "the record alone kept failing"),
            &event::ShardId::new("shardId-000000000000"),
            &event::SequenceNumber::new(sequence),
            "c-3",
            arrival,
            order(id, "c-3").as_bytes(),
        )
    };
    let quarantine = aws::Quarantine::new(aws::object_store(world.stack.sdk_config()), world.output("QuarantineBucket").to_owned());
    for (id, sequence) in [("3", "10"), ("4", "9")] {
        quarantine.put(&stuck(id, sequence)).await.expect("a record can be quarantined");
    }
    let dry = world.triggers("quarantine release --reason stuck");
    assert!(dry.out.contains("2 records would be released"), "{}{}", dry.out, dry.note);
    let said = world.triggers("quarantine release --reason stuck --yes");
    assert_eq!((said.code, said.out.as_str()), (Some(0), "2 records released\n"), "{}", said.note);
    assert!(keys(world, "--reason stuck").is_empty());
    let key = one(world, "not_json");
    let forced = world.triggers(&format!("quarantine release {key} --force --yes"));
    assert_eq!(forced.out, "1 record released\n", "{}", forced.note);
    world.settle().await;
    assert_ne!(one(world, "not_json"), key, "it was quarantined again, as another record");
    let orders: Vec<_> = world.archive().await["c-3"].iter().map(|record| Event::parse(&record.input).unwrap().id().to_string()).collect();
    assert_eq!(orders, ["4", "3"], "in the order of their sequence numbers");
}
