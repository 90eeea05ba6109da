//! Conditions on a customer's past.

use std::collections::BTreeMap;

use customer::{Backfill, Customer};
use event::{EventType, Time};
use proptest::prelude::*;
use serde_json::{Value, json};
use trigger::{MOST_COUNTED, TriggerSet};

use crate::support::{Fact, Use, set, step};

const DAY: i64 = 24 * 60 * 60 * 1000;

fn triggers(history: &Value) -> TriggerSet {
    let definition = json!({ "on": "order.completed", "max_age": "30d", "when": { "history": history }, "then": [{ "webhook": { "endpoint": "here" } }] });
    set(1, &BTreeMap::from([("past".to_owned(), definition)]), &[Use::Live("past".to_owned())])
}

/// An order so many days after the beginning of 2026; `late` days later it arrives.
fn order(day: i64, late: i64) -> Fact {
    let at = |day: i64| event::Time::from_millis(1_767_225_600_000).plus(day * DAY).to_string();
    Fact { time: Some(at(day)), arrival: Some(at(day + late)), ..Fact::of("order.completed", json!({})) }
}

/// Whether the trigger fires at the last of these orders.
fn fires(history: &Value, days: &[i64]) -> bool {
    let triggers = triggers(history);
    let mut customer = Customer::default();
    let mut fired = false;
    for (place, day) in days.iter().enumerate() {
        let (decided, next) = step(&customer, &order(*day, 0).input(place).unwrap(), &triggers).unwrap();
        fired = decided.deliveries().next().is_some();
        customer = next;
    }
    fired
}

#[test]
fn counts_and_spans_are_judged_at_the_event() {
    for (history, days, expected) in [
        // The present event counts.
        (json!([{ "event": "order.completed", "within": "30d", "at_least": 3 }]), vec![0, 10], false),
        (json!([{ "event": "order.completed", "within": "30d", "at_least": 3 }]), vec![0, 10, 30], true),
        (json!([{ "event": "order.completed", "within": "30d", "at_least": 3 }]), vec![0, 10, 31], false),
        (json!([{ "event": "order.completed", "within": "30d", "at_least": 3, "at_most": 3 }]), vec![0, 1, 2, 3], false),
        (json!([{ "event": "order.completed", "within": "30d", "at_most": 2 }]), vec![0, 40, 41], true),
        (json!([{ "event": "order.completed", "at_most": 1 }]), vec![0], true),
        (json!([{ "event": "order.completed", "at_most": 1 }]), vec![0, 400], false),
        (json!([{ "event": "order.completed", "at_least": 10 }]), (0..10).collect(), true),
        (json!([{ "event": "order.completed", "at_least": 10 }]), (0..9).collect(), false),
        // Another type that never happened.
        (json!([{ "event": "order.refunded", "at_most": 0 }]), vec![0], true),
        (json!([{ "event": "order.refunded", "at_least": 1 }]), vec![0], false),
        // The first may be the present one, the last is the one before it.
        (json!([{ "event": "order.completed", "since_first": { "at_most": "7d" } }]), vec![0], true),
        (json!([{ "event": "order.completed", "since_first": { "at_most": "7d" } }]), vec![0, 8], false),
        (json!([{ "event": "order.completed", "since_last": { "at_least": "60d" } }]), vec![0], false),
        (json!([{ "event": "order.completed", "since_last": { "at_least": "60d" } }]), vec![0, 60], true),
        (json!([{ "event": "order.completed", "since_last": { "at_least": "60d" } }]), vec![0, 59], false),
        (json!([{ "event": "order.completed", "since_last": { "at_least": "60d", "at_most": "90d" } }]), vec![0, 100], false),
        // All of them must hold.
        (json!([{ "event": "order.completed", "at_least": 2 }, { "event": "order.refunded", "at_most": 0 }]), vec![0, 1], true),
        (json!([{ "event": "order.completed", "at_least": 2 }, { "event": "order.refunded", "at_least": 1 }]), vec![0, 1], false),
    ] {
        assert_eq!(fires(&history, &days), expected, "{history} {days:?}");
    }
}

#[test]
fn a_producer_s_repeat_counts_once() {
    let triggers = triggers(&json!([{ "event": "order.completed", "at_least": 2 }]));
    let first = Fact { id: Some("same".to_owned()), ..order(0, 0) };
    let customer = step(&Customer::default(), &first.input(0).unwrap(), &triggers).unwrap().1;
    let (decided, customer) = step(&customer, &first.input(1).unwrap(), &triggers).unwrap();
    assert!(decided.repeat && decided.remember.is_none());
    let (decided, _) = step(&customer, &order(1, 0).input(2).unwrap(), &triggers).unwrap();
    assert_eq!(decided.deliveries().count(), 1);
}

#[test]
fn the_archive_is_brought_in_once_and_not_over_newer_events() {
    let triggers = triggers(&json!([{ "event": "order.completed", "at_least": 4 }]));
    let seconds = |day: i64| 1_767_225_600 + day * 86_400;
    let backfill = |counted: u64| {
        let data = json!({ "event": "order.completed", "counted": counted, "count": 3, "first": seconds(0), "last": [seconds(0), seconds(1), seconds(40)] });
        Fact { id: Some(format!("b{counted}")), time: order(40, 0).time, ..Fact::of("history.backfilled", data) }
    };
    // One order was counted since the trigger asked for them; the archive has two more.
    let customer = step(&Customer::default(), &order(40, 0).input(0).unwrap(), &triggers).unwrap().1;
    assert_eq!(customer.counted("order.completed"), (1, false));
    let stale = step(&customer, &backfill(0).input(1).unwrap(), &triggers).unwrap().1;
    assert_eq!(stale, customer);
    let full = step(&customer, &backfill(1).input(2).unwrap(), &triggers).unwrap().1;
    assert_eq!(full.counted("order.completed"), (3, true));
    let (kind, times) = (EventType::parse("order.completed").unwrap(), [Time::from_millis(0); 4]);
    assert_eq!(Backfill::of_archive(&full, &kind, &times[1..]), None, "the state has all of it");
    assert!(Backfill::of_archive(&full, &kind, &times).is_some());
    let again = step(&full, &Fact { id: Some("other".to_owned()), ..backfill(1) }.input(3).unwrap(), &triggers).unwrap().1;
    assert_eq!(again, full);
    let (decided, _) = step(&full, &order(41, 0).input(4).unwrap(), &triggers).unwrap();
    assert_eq!(decided.deliveries().count(), 1);
}

#[test]
fn the_archive_s_past_is_its_count_its_first_time_and_its_newest() {
    let kind = EventType::parse("order.completed").unwrap();
    let times: Vec<_> = (0..400).rev().map(|second| Time::from_millis(second * 1_000 + 999)).collect();
    let past = Backfill::of_archive(&Customer::default(), &kind, &times).unwrap();
    let newest: Vec<u32> = (399 - MOST_COUNTED..400).collect();
    assert_eq!(past, Backfill { event: "order.completed".to_owned(), counted: 0, count: 400, first: 0, last: newest });
    assert_eq!(Backfill::of_archive(&Customer::default(), &kind, &[]), None);
    let erasure = Fact::of("customer.erased", json!({})).input(0).unwrap();
    let erased = step(&Customer::default(), &erasure, &TriggerSet::default()).unwrap().1;
    assert_eq!(Backfill::of_archive(&erased, &kind, &times), None);
}

#[test]
fn a_history_that_is_none_is_quarantined() {
    for data in [
        json!({}),
        json!({ "event": "a.b", "counted": 0, "count": 1, "first": 5, "last": [9, 3] }),
        json!({ "event": "a.b", "counted": 0, "count": 1, "first": 5, "last": [5, 6] }),
    ] {
        assert!(Fact::of("history.backfilled", data.clone()).input(0).is_err(), "{data}");
    }
}

#[test]
fn backfills_of_many_types_stay_within_the_state_s_bounds() {
    let types = 300;
    let mut customer = Customer::default();
    for place in 0..types {
        let last: Vec<u32> = (0..101).map(|second| 1_000_000 * u32::try_from(place).unwrap() + second).collect();
        let data = json!({"event": format!("type-{place}"), "counted": 0, "count": u64::MAX, "first": 0, "last": last});
        let input = Fact::of("history.backfilled", data).input(place).unwrap();
        customer = step(&customer, &input, &TriggerSet::default()).unwrap().1;
    }
    assert!(customer.seal().len() < 32 * 1024, "{} bytes", customer.seal().len());
    let counted = |place: usize| customer.counted(&format!("type-{place}"));
    assert_eq!((counted(0), counted(types - 1)), ((0, false), (u64::MAX, true)), "the type whose last event is the oldest is forgotten");
}

proptest! {
    #[test]
    fn a_window_is_judged_as_if_all_were_remembered(
        orders in prop::collection::vec((0_i64..200, 0_i64..20), 1..40), within in 1_i64..120, at_least in 0_u32..12, at_most in 0_u32..12,
    ) {
        prop_assume!(at_least <= at_most);
        let history = json!([{ "event": "order.completed", "within": format!("{within}d"), "at_least": at_least, "at_most": at_most }]);
        let triggers = triggers(&history);
        let mut orders = orders;
        orders.sort_by_key(|(day, late)| day + late);
        let mut customer = Customer::default();
        let mut seen = Vec::new();
        for (place, (day, late)) in orders.iter().enumerate() {
            seen.push(*day);
            let now = orders[..=place].iter().map(|(day, late)| day + late).max().unwrap();
            let (decided, next) = step(&customer, &order(*day, *late).input(place).unwrap(), &triggers).unwrap();
            let count = seen.iter().filter(|day| now - **day <= within).count() as u32;
            prop_assert_eq!(decided.deliveries().next().is_some(), (at_least..=at_most).contains(&count), "{:?}", seen);
            customer = next;
        }
    }
}
