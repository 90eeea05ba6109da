//! What holds for any events in any order.

use std::collections::BTreeMap;

use customer::{Customer, Input, Seen, decide, evolve};
use decision::Recorded;
use proptest::prelude::*;
use serde_json::{Value, json};
use trigger::TriggerSet;

use crate::support::{DEFAULT_TIME, Fact, Use, after, profile, set, time};

const MINUTE: i64 = 60_000;

fn email() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), "[a-z]{1,8}@example\\.com".prop_map(Value::from)]
}

fn text(longest: usize) -> impl Strategy<Value = Value> {
    prop::collection::vec(any::<char>(), 0..longest).prop_map(|text| json!(String::from_iter(text)))
}

/// Traits of a few names, so that they meet; some of them large.
fn traits() -> impl Strategy<Value = Value> {
    let value = prop_oneof![5 => Just(Value::Null), 5 => any::<i64>().prop_map(Value::from), 5 => text(20), 1 => text(3_000)];
    prop::collection::btree_map("[a-f]{1,2}", value, 0..6).prop_map(|traits| json!(traits))
}

fn channels() -> impl Strategy<Value = Value> {
    prop::sample::subsequence(vec!["email", "sms", "crm", "webhook", "push"], 1..=3).prop_map(|channels| json!(channels))
}

fn purpose() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just("marketing".to_owned()), 1 => "[a-z][a-z0-9_-]{0,63}"]
}

fn change() -> impl Strategy<Value = Value> {
    let consent = prop::collection::btree_map(purpose(), channels(), 0..4);
    (prop::option::of(email()), traits(), consent).prop_map(|(email, traits, consent)| {
        let mut change = json!({"traits": traits, "consent": consent});
        if let Some(email) = email {
            change["email"] = email;
        }
        change
    })
}

fn consent_event() -> impl Strategy<Value = Fact> {
    prop_oneof![
        (purpose(), channels())
            .prop_map(|(purpose, channels)| Fact::of("consent.granted", json!({"purpose": purpose, "channels": channels}))),
        (prop::option::of(purpose()), prop::option::of(channels()))
            .prop_map(|(purpose, channels)| Fact::of("consent.withdrawn", json!({"purpose": purpose, "channels": channels}))),
    ]
}

fn fact() -> impl Strategy<Value = Fact> {
    let kind = prop::sample::select(vec!["customer.signed_up", "order.completed", "cart.updated"]);
    let fact = prop_oneof![
        4 => change().prop_map(|change| Fact::of("customer.updated", change)),
        2 => consent_event(),
        3 => (kind.clone(), change(), 0..200_u32).prop_map(|(kind, change, total)| Fact::of(kind, json!({"total": total, "customer": change}))),
        3 => (kind, 0..200_u32).prop_map(|(kind, total)| Fact::of(kind, json!({"total": total}))),
    ];
    // Few ids, so that producers repeat themselves; times on both sides of the arrival.
    (fact, prop::option::of(0..12_u8), -3 * 24 * 60..20_i64).prop_map(|(fact, id, minutes)| Fact {
        id: id.map(|id| format!("shared-{id}")),
        time: Some(time(DEFAULT_TIME).plus(minutes * MINUTE).to_string()),
        ..fact
    })
}

/// The records of one shard, in their order, an erasure among them at times.
fn records() -> impl Strategy<Value = Vec<Input>> {
    (prop::collection::vec(fact(), 1..24), prop::option::weighted(0.2, 0..24_usize)).prop_map(|(mut facts, erasure)| {
        if let Some(place) = erasure {
            let erased = Fact { time: Some(DEFAULT_TIME.to_owned()), ..Fact::of("customer.erased", Value::Null) };
            facts.insert(place.min(facts.len()), erased);
        }
        let arrival = |place: usize| time(DEFAULT_TIME).plus(i64::try_from(place).unwrap() * MINUTE).to_string();
        let input = |(place, fact): (usize, Fact)| Fact { arrival: Some(arrival(place)), ..fact }.input(place).unwrap();
        facts.into_iter().enumerate().map(input).collect()
    })
}

fn triggers(generation: u64) -> TriggerSet {
    let step = |class: &str| json!([{"email": {"template": "t", "class": class, "valid_for": "6h"}}]);
    let definitions = BTreeMap::from([
        ("confirm".to_owned(), json!({"on": ["order.completed", "customer.signed_up"], "then": step("transactional")})),
        (
            "offer".to_owned(),
            json!({"on": "order.completed", "when": {"event": {"total": [{"numeric": [">", 50]}]}}, "then": step("marketing")}),
        ),
        ("hello".to_owned(), json!({"on": "cart.updated", "when": {"customer": {"has": {"email": [true]}}}, "then": step("marketing")})),
    ]);
    let uses = ["confirm", "offer", "hello"].map(|name| Use::Live(name.to_owned()));
    set(generation, &definitions, &uses)
}

/// What the writer of a customer's state does with a batch: skip, decide, take over, or put aside.
fn fold(mut customer: Customer, batch: &[Input], triggers: &TriggerSet) -> Customer {
    for input in batch {
        if customer.seen(input.shard(), input.sequence(), input.arrival()) == Seen::Committed {
            continue;
        }
        if let Ok(decided) = decide(&customer, input, triggers) {
            customer = after(&customer, input, &decided);
        }
    }
    customer
}

fn stored(customer: &Customer) -> Customer {
    Customer::open(&customer.seal()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn batches_may_be_cut_anywhere_and_come_again(records in records(), cuts in prop::collection::vec((0..25_usize, 0..25_usize), 0..6)) {
        let triggers = triggers(1);
        let whole = fold(Customer::default(), &records, &triggers);
        let mut customer = Customer::default();
        let mut done = 0;
        for (again, further) in cuts {
            let end = (done + further).min(records.len());
            customer = stored(&fold(customer, &records[done.saturating_sub(again)..end], &triggers));
            done = end;
        }
        customer = stored(&fold(customer, &records[done..], &triggers));
        prop_assert_eq!(&customer, &whole);
        prop_assert_eq!(fold(customer, &records, &triggers), whole);
    }

    #[test]
    fn a_record_that_changed_the_state_is_seen_in_it(records in records()) {
        let triggers = triggers(1);
        let mut customer = Customer::default();
        for input in &records {
            let Ok(decided) = decide(&customer, input, &triggers) else { continue };
            let next = after(&customer, input, &decided);
            let seen = next.seen(input.shard(), input.sequence(), input.arrival());
            prop_assert_eq!(seen == Seen::Committed, next != customer);
            prop_assert!(decided.deliveries().next().is_none() || seen == Seen::Committed, "a delivery whose cause is never committed");
            customer = next;
        }
    }

    #[test]
    fn the_same_arguments_give_the_same_decisions(records in records()) {
        let triggers = triggers(1);
        let mut customer = Customer::default();
        for input in &records {
            let decided = decide(&customer, input, &triggers);
            prop_assert_eq!(&decide(&stored(&customer), &input.clone(), &triggers), &decided);
            if let Ok(decided) = decided {
                customer = after(&customer, input, &decided);
            }
        }
    }

    #[test]
    fn a_state_stays_within_its_bounds_and_opens_as_it_was_sealed(records in records()) {
        let triggers = triggers(1);
        let mut customer = Customer::default();
        for input in &records {
            customer = fold(customer, std::slice::from_ref(input), &triggers);
            prop_assert!(customer.seal().len() <= 64 * 1024);
            prop_assert_eq!(stored(&customer), customer.clone());
        }
    }

    #[test]
    fn what_is_recorded_is_all_that_evolve_needs(records in records()) {
        let (earlier, now) = (triggers(1), TriggerSet::default());
        let mut customer = Customer::default();
        for input in &records {
            // An earlier attempt decided by an earlier generation; this one would decide nothing, and takes over what stands in the archive.
            let Ok(decided) = decide(&customer, input, &earlier) else { continue };
            prop_assert!(decide(&customer, input, &now).is_ok_and(|decided| decided.decisions.is_empty()));
            let recorded = Recorded::new(Vec::new(), input.arrival(), input.shard().clone(), input.sequence().clone(), decided.clone());
            let taken = Recorded::open(&recorded.seal()).unwrap().decided;
            prop_assert_eq!(&taken, &decided);
            prop_assert_eq!(evolve(&customer, input, &taken), evolve(&customer, input, &decided));
            customer = after(&customer, input, &taken);
        }
    }

    #[test]
    fn the_order_in_which_words_on_consent_arrive_does_not_matter(
        (facts, shuffled) in prop::collection::vec((consent_event(), 0..6_i64), 1..8)
            .prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle()))
    ) {
        let consent = |facts: Vec<(Fact, i64)>| {
            let inputs = facts.into_iter().enumerate().map(|(place, (fact, minutes))| {
                let happened = time(DEFAULT_TIME).plus(minutes * MINUTE).to_string();
                Fact { time: Some(happened), arrival: Some("2026-03-01T11:00:00Z".to_owned()), ..fact }.input(place).unwrap()
            });
            let customer = fold(Customer::default(), &inputs.collect::<Vec<_>>(), &TriggerSet::default());
            profile(&customer)["consent"].clone()
        };
        prop_assert_eq!(consent(facts), consent(shuffled));
    }
}
