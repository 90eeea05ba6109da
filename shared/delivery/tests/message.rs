//! What stands on a queue, written and read.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

use decision::{DeliveryId, RunId};
use delivery::{Message, MessageError};
use event::{CustomerId, Position, SequenceNumber, ShardId, Time};
use proptest::prelude::*;
use serde_json::{Value, json};
use trigger::{Channel, TriggerName, Version};

/// A text of the first format. What is on a queue when a newer program is deployed looks so.
const GOLDEN: &str = concat!(
    r#"{"format":1,"delivery":"50b73ebcbb711ef86ab856bbde2833bb","customer":"c-1","#,
    r#""position":"001772359200000#00000000000000000000000000000000000000000000000000004967","#,
    r#""shard":"shardId-000000000001","sequence":"4967","trigger":"welcome","version":3,"run":"5283f484829c1f39d2a87b7d789e870d","#,
    r#""step":"0","channel":"email","not_before":1772359200000,"not_after":1772402400000}"#
);

fn known() -> Message {
    let sequence = SequenceNumber::new("4967");
    Message {
        delivery: "50b73ebcbb711ef86ab856bbde2833bb".parse().unwrap(),
        customer: CustomerId::parse("c-1").unwrap(),
        position: Position::new(Time::from_millis(1_772_359_200_000), &sequence),
        shard: ShardId::new("shardId-000000000001"),
        sequence,
        trigger: TriggerName::parse("welcome").unwrap(),
        version: Version::new(3).unwrap(),
        run: "5283f484829c1f39d2a87b7d789e870d".parse().unwrap(),
        step: "0".to_owned(),
        channel: Channel::Email,
        not_before: Time::from_millis(1_772_359_200_000),
        not_after: Time::from_millis(1_772_402_400_000),
        waits: 0,
    }
}

#[test]
fn the_first_format_never_changes() {
    assert_eq!(known().to_text(), GOLDEN);
    assert_eq!(Message::parse(GOLDEN).unwrap(), known());
    let waiting = known().waiting().waiting();
    assert_eq!(waiting.to_text(), GOLDEN.replace("}", ",\"waits\":2}"));
    assert_eq!(Message { waits: 0, ..waiting }, known());
    assert_eq!(Message { waits: u32::MAX, ..known() }.waiting().waits, u32::MAX);
}

#[test]
fn a_redriven_message_has_never_waited_and_is_else_what_it_was() {
    let waited = known().waiting().waiting().to_text();
    assert_eq!(Message::parse(&Message::redriven(&waited)).unwrap(), known());
    // Of a newer program, with a character that a queue takes only in this spelling.
    let newer = GOLDEN.replace("}", r#","waits":7,"colour":"\ufffe 1.50"}"#);
    let redriven = Message::redriven(&newer);
    assert!(redriven.contains(r#""colour":"\ufffe 1.50""#) && !redriven.contains("waits"), "{redriven}");
    for text in ["", "no json", "[1]", r#"{"waits""#, GOLDEN] {
        assert_eq!(Message::redriven(text), text);
    }
}

#[test]
fn a_message_names_the_field_that_it_cannot_be_read_for() {
    let with = |name: &str, value: Value| {
        let mut wire: Value = serde_json::from_str(GOLDEN).unwrap();
        wire[name] = value;
        Message::parse(&wire.to_string()).unwrap_err().to_string()
    };
    for (name, value, problem) in [
        ("format", json!(2), "the message has format 2, this program reads 1; deploy the newer program first"),
        ("format", json!("1"), "the message is no JSON of a delivery"),
        ("delivery", json!("50B73EBCBB711EF86AB856BBDE2833BB"), "the message has no valid delivery"),
        ("customer", json!("ana@example.com"), "the message has no valid customer"),
        ("customer", json!("product:4711"), "the message has no valid customer"),
        ("trigger", json!("$head"), "the message has no valid trigger"),
        ("version", json!(0), "the message has no valid version"),
        ("version", json!(-1), "the message is no JSON of a delivery"),
        ("run", json!(""), "the message has no valid run"),
        ("channel", json!("pigeon"), "the message has no valid channel"),
        ("not_after", json!("2026-03-01T10:00:00Z"), "the message is no JSON of a delivery"),
        ("not_after", json!(1e30), "the message is no JSON of a delivery"),
        ("waits", json!(4_294_967_296_u64), "the message is no JSON of a delivery"),
    ] {
        assert_eq!(with(name, value.clone()), problem, "{name} {value}");
    }
    for name in serde_json::from_str::<serde_json::Map<_, _>>(GOLDEN).unwrap().keys() {
        let mut wire: Value = serde_json::from_str(GOLDEN).unwrap();
        wire.as_object_mut().unwrap().remove(name);
        assert!(matches!(Message::parse(&wire.to_string()), Err(MessageError::NotADelivery)), "without {name}");
    }
}

#[test]
fn a_message_has_ids_and_times_and_nothing_of_a_person() {
    let wire: Value = serde_json::from_str(GOLDEN).unwrap();
    let names: Vec<_> = wire.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "format",
            "delivery",
            "customer",
            "position",
            "shard",
            "sequence",
            "trigger",
            "version",
            "run",
            "step",
            "channel",
            "not_before",
            "not_after"
        ]
    );
}

fn message() -> impl Strategy<Value = Message> {
    let names =
        ("c-[a-zü\"\\\\ ]{0,20}", "shardId-[0-9]{12}", "[1-9][0-9]{0,55}", "[a-z][a-z0-9-]{0,63}", "[0-9]{1,2}|[a-z][a-z0-9_-]{0,63}");
    let numbers = (1..u32::MAX, any::<u32>(), any::<i64>(), any::<i64>(), any::<i64>());
    (names, numbers, any::<([u8; 16], [u8; 16])>(), prop::sample::select(Channel::ALL.to_vec())).prop_map(
        |((customer, shard, sequence, trigger, step), (version, waits, arrival, not_before, not_after), (delivery, run), channel)| {
            let sequence = SequenceNumber::new(&sequence);
            Message {
                delivery: DeliveryId::from_bytes(&delivery).unwrap(),
                customer: CustomerId::parse(&customer).unwrap(),
                position: Position::new(Time::from_millis(arrival), &sequence),
                shard: ShardId::new(shard),
                sequence,
                trigger: TriggerName::parse(&trigger).unwrap(),
                version: Version::new(version).unwrap(),
                run: RunId::from_bytes(&run).unwrap(),
                step,
                channel,
                not_before: Time::from_millis(not_before),
                not_after: Time::from_millis(not_after),
                waits,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read(message in message()) {
        let text = message.to_text();
        prop_assert_eq!(Message::parse(&text).unwrap(), message);
    }

    #[test]
    fn no_text_panics(text: String, name in prop::sample::select(vec!["format", "customer", "sequence", "trigger", "version", "run", "waits"]), number: i64) {
        let _ = Message::parse(&text);
        let mut wire: Value = serde_json::from_str(GOLDEN).unwrap();
        wire[name] = json!(text);
        let _ = Message::parse(&wire.to_string());
        wire[name] = json!(number);
        let _ = Message::parse(&wire.to_string());
    }

    #[test]
    fn a_text_that_was_cut_off_is_no_message(end in 0..GOLDEN.len()) {
        prop_assert!(Message::parse(&GOLDEN[..end]).is_err());
    }
}
