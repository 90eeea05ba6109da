//! What of the stream a customer's state remembers.

use customer::{Customer, Input, Seen, decide};
use event::{CustomerId, Event, SequenceNumber, ShardId, Time};
use serde_json::json;
use trigger::TriggerSet;

use crate::support::{Fact, step};

const MINUTE: i64 = 60 * 1000;
const DAY: i64 = 24 * 60 * MINUTE;
const START: i64 = 1_772_359_200_000;

fn at(millis: i64) -> Time {
    Time::from_millis(START + millis)
}

fn place(shard: u32, sequence: u64) -> (ShardId, SequenceNumber) {
    (ShardId::new(format!("shardId-{shard:012}")), SequenceNumber::new(&sequence.to_string()))
}

/// The customer after a record that changes something.
fn after(customer: &Customer, shard: u32, sequence: u64, millis: i64) -> Customer {
    let (shard, sequence) = place(shard, sequence);
    let event = json!({
        "specversion": "1.0", "id": format!("{}-{sequence}-{millis}", shard.as_str()), "source": "/shop", "type": "customer.updated",
        "time": at(millis).to_string(), "subject": "c-1", "data": {"traits": {"last": format!("{}-{sequence}-{millis}", shard.as_str())}},
    });
    let event = Event::parse(event.to_string().as_bytes()).unwrap();
    let input = Input::new(CustomerId::parse("c-1").unwrap(), event, at(millis), shard, sequence).unwrap();
    step(customer, &input, &TriggerSet::default()).unwrap().1
}

fn seen(customer: &Customer, shard: u32, sequence: u64, millis: i64) -> Seen {
    let (shard, sequence) = place(shard, sequence);
    let seen = customer.seen(&shard, &sequence, at(millis));
    let committed = customer.is_committed(&shard, &sequence, at(millis));
    assert_eq!(committed, seen == Seen::Committed, "a delivery and a record are judged by the same mark");
    seen
}

#[test]
fn a_record_is_seen_up_to_the_last_of_its_own_shard() {
    let customer = after(&after(&Customer::default(), 1, 100, 0), 2, 7, 1);
    for (shard, sequence, expected) in [
        (1, 1, Seen::Committed),
        (1, 99, Seen::Committed),
        (1, 100, Seen::Committed),
        (1, 101, Seen::Passed),
        (1, 1_000, Seen::Passed),
        (2, 7, Seen::Committed),
        (2, 8, Seen::New),
        (2, 99, Seen::New),
        (3, 1, Seen::New),
    ] {
        assert_eq!(seen(&customer, shard, sequence, 0), expected, "{shard} {sequence}");
    }
    assert_eq!(seen(&Customer::default(), 1, 1, 0), Seen::New);
}

#[test]
fn what_is_older_than_a_younger_shard_s_last_record_had_its_turn() {
    let customer = after(&after(&Customer::default(), 4, 100, 0), 7, 5, MINUTE);
    for (shard, sequence, millis, expected) in [
        (4, 101, 30, Seen::Passed),
        // The clocks of two shards differ by less than a second.
        (4, 101, MINUTE + 1_000, Seen::Passed),
        (4, 101, MINUTE + 1_001, Seen::New),
        (6, 1, MINUTE, Seen::Passed),
        // A stream that is new counts from 0 again, and arrives later.
        (0, 1, 2 * MINUTE, Seen::New),
        (7, 6, MINUTE - 5, Seen::New),
        (8, 1, MINUTE - 5, Seen::New),
    ] {
        assert_eq!(seen(&customer, shard, sequence, millis), expected, "{shard} {sequence} {millis}");
    }
}

#[test]
fn a_sequence_that_stands_still_for_more_than_ten_minutes_is_another_stream_s() {
    let customer = after(&Customer::default(), 1, 100, 0);
    assert_eq!(seen(&customer, 1, 50, 10 * MINUTE), Seen::Committed);
    assert_eq!(seen(&customer, 1, 50, 10 * MINUTE + 1), Seen::StreamReplaced);
    assert_eq!(seen(&customer, 1, 100, 10 * MINUTE + 1), Seen::StreamReplaced);
    assert_eq!(seen(&customer, 1, 101, 10 * MINUTE + 1), Seen::New);
    assert_eq!(seen(&customer, 1, 50, -DAY), Seen::Committed);

    let replaced = after(&customer, 1, 50, 10 * MINUTE + 1);
    assert_eq!(seen(&replaced, 1, 50, 10 * MINUTE + 1), Seen::Committed);
    assert_eq!(seen(&replaced, 1, 51, 10 * MINUTE + 2), Seen::New);
}

#[test]
fn a_shard_is_forgotten_after_eight_days_without_a_record() {
    let customer = after(&Customer::default(), 1, 100, 0);
    assert_eq!(seen(&after(&customer, 2, 1, 8 * DAY), 1, 100, 0), Seen::Committed);
    assert_eq!(seen(&after(&customer, 2, 1, 8 * DAY + 1), 1, 100, 0), Seen::Passed);
    assert_eq!(seen(&after(&customer, 1, 101, 9 * DAY), 1, 100, 9 * DAY), Seen::Committed);
}

#[test]
fn at_most_sixteen_shards_are_remembered_the_newest_ones() {
    let customer = (0..20).fold(Customer::default(), |customer, shard| after(&customer, shard, 1, i64::from(shard)));
    for shard in 0..20 {
        assert_eq!(seen(&customer, shard, 1, i64::from(shard)) == Seen::Committed, shard >= 4, "{shard}");
    }
}

#[test]
fn the_last_record_is_remembered_even_where_its_arrival_is_the_oldest() {
    let customer = (0..16).fold(Customer::default(), |customer, shard| after(&customer, shard, 1, i64::from(shard)));
    let customer = after(&customer, 16, 1, -5);
    assert_eq!(seen(&customer, 16, 1, -5), Seen::Committed);
    assert_eq!(seen(&customer, 0, 1, 0), Seen::Passed);
    assert_eq!(seen(&customer, 1, 1, 1), Seen::Committed);
}

#[test]
fn the_shard_whose_arrival_is_the_oldest_is_forgotten_first() {
    let customer = (0..16).fold(Customer::default(), |customer, shard| after(&customer, shard, 1, 100 - i64::from(shard)));
    let customer = after(&customer, 16, 1, 200);
    assert_eq!(seen(&customer, 0, 1, 100), Seen::Committed);
    assert_eq!(seen(&customer, 15, 1, 85), Seen::Passed);
}

#[test]
fn a_producer_s_repeat_is_known_among_the_last_thirty_two_changes() {
    let fact = |number: usize| Fact { id: Some(format!("u-{number}")), ..Fact::of("customer.updated", json!({"traits": {"n": number}})) };
    let mut customer = Customer::default();
    for number in 0..33 {
        customer = step(&customer, &fact(number).input(number).unwrap(), &TriggerSet::default()).unwrap().1;
        // What changes nothing takes no place.
        customer = step(&customer, &Fact::of("order.completed", json!({})).input(1_000).unwrap(), &TriggerSet::default()).unwrap().1;
    }
    for number in 0..33 {
        let repeat = decide(&customer, &fact(number).input(100).unwrap(), &TriggerSet::default()).unwrap().repeat;
        assert_eq!(repeat, number > 0, "{number}");
    }
}

#[test]
fn an_erasure_forgets_the_person_and_not_the_stream() {
    let order = Fact { id: Some("o-1".to_owned()), ..Fact::of("order.completed", json!({"customer": {"locale": "de"}})) };
    let customer = step(&Customer::default(), &order.input(0).unwrap(), &TriggerSet::default()).unwrap().1;
    let customer = after(&customer, 1, 100, 0);
    let erasure = Fact { arrival: Some(at(1).to_string()), ..Fact::of("customer.erased", json!({})) };
    let customer = step(&customer, &erasure.input(4).unwrap(), &TriggerSet::default()).unwrap().1;
    assert!(customer.is_erased());
    assert_eq!(seen(&customer, 1, 100, 0), Seen::Committed);
    assert_eq!(seen(&customer, 0, 5, 1), Seen::Committed);
    assert!(decide(&customer, &order.input(6).unwrap(), &TriggerSet::default()).is_ok_and(|decided| decided.repeat));
}
