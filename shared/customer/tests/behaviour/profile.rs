//! What events make of a profile, case by case.

use customer::{Customer, ProfileChange};
use event::{CustomerId, QuarantineReason};
use serde::Deserialize;
use serde_json::{Value, json};
use trigger::TriggerSet;

use crate::support::{Fact, profile, step};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    cases: Vec<Case>,
    invalid: Vec<Invalid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// In the order of arrival.
    events: Vec<Fact>,
    /// As `when.customer` sees it.
    document: Option<Value>,
    /// As templates see it.
    customer: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invalid {
    name: String,
    event: Fact,
    problems: Vec<String>,
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("../data/profile.json")).unwrap()
}

fn folded(events: &[Fact]) -> Customer {
    events.iter().enumerate().fold(Customer::default(), |customer, (place, fact)| {
        step(&customer, &fact.input(place).unwrap(), &TriggerSet::default()).unwrap().1
    })
}

#[test]
fn every_profile_is_as_its_case_states() {
    for Case { name, events, document, customer } in cases().cases {
        let after = folded(&events);
        if let Some(document) = document {
            assert_eq!(profile(&after), document, "{name}");
        }
        if let Some(mut customer) = customer {
            let id = CustomerId::parse("c-1").unwrap();
            customer["id"] = json!("c-1");
            assert_eq!(after.to_value(&id), customer, "{name}");
        }
        assert_eq!(Customer::open(&after.seal()), Ok(after), "{name}");
    }
}

#[test]
fn an_invalid_profile_says_every_problem_and_no_value() {
    for Invalid { name, event, problems } in cases().invalid {
        let refusal = event.input(0).expect_err(&name);
        assert_eq!((refusal.reason, &refusal.problems), (QuarantineReason::InvalidProfile, &problems), "{name}");
        for secret in ["secret", "Secret"] {
            assert!(!refusal.to_string().contains(secret), "{name}: {refusal}");
        }
    }
}

#[test]
fn what_carries_nothing_of_a_profile_changes_none() {
    for (kind, data) in [
        ("order.completed", json!({})),
        ("order.completed", json!({"customer": "c-1"})),
        ("order.completed", json!({"customer": {}})),
        ("order.completed", json!({"customer": {"id": 7, "consent": {"marketing": []}, "traits": {}}})),
        ("customer.updated", json!({"customer": {"email": "ana@example.com"}})),
        ("customer.merged", json!({"into": "c-2"})),
    ] {
        let input = Fact::of(kind, data.clone()).input(0).unwrap();
        assert!(!input.changes_state(), "{kind} {data}");
        assert_eq!(ProfileChange::of(input.event()), Ok(None), "{kind} {data}");
    }
}

fn updated(data: Value) -> Fact {
    Fact::of("customer.updated", data)
}

/// The reason for which an event after others is refused.
fn refusal(before: &[Fact], event: &Fact) -> Option<QuarantineReason> {
    let input = event.input(before.len()).unwrap();
    step(&folded(before), &input, &TriggerSet::default()).err().map(|refusal| refusal.reason)
}

#[test]
fn traits_take_sixteen_kibibytes_and_no_byte_more() {
    // Name, quotes and text.
    let fits = updated(json!({"traits": {"a": "x".repeat(16 * 1024 - 1 - 2)}}));
    let too_much = updated(json!({"traits": {"a": "x".repeat(16 * 1024 - 2)}}));
    assert_eq!(refusal(&[], &fits), None);
    assert_eq!(refusal(&[], &too_much), Some(QuarantineReason::StateBounds));
    let one_more = updated(json!({"traits": {"b": 1}}));
    assert_eq!(refusal(std::slice::from_ref(&fits), &one_more), Some(QuarantineReason::StateBounds));
    let instead = updated(json!({"traits": {"a": null, "b": 1}}));
    assert_eq!(refusal(&[fits], &instead), None);
}

#[test]
fn consents_are_bounded_and_those_on_record_can_still_be_changed() {
    let purposes = |range: std::ops::Range<u32>| {
        let purposes: serde_json::Map<_, _> = range.map(|number| (format!("p{number}"), json!(["email"]))).collect();
        updated(json!({"consent": purposes}))
    };
    assert_eq!(refusal(&[], &purposes(0..256)), None);
    assert_eq!(refusal(&[], &purposes(0..257)), Some(QuarantineReason::StateBounds));
    let withdrawn = Fact::of("consent.withdrawn", json!({"purpose": "p7", "channels": ["email"]}));
    assert_eq!(refusal(&[purposes(0..256)], &withdrawn), None);
    assert_eq!(refusal(&[purposes(0..256)], &purposes(256..257)), Some(QuarantineReason::StateBounds));
}

#[test]
fn the_largest_profile_stays_within_the_state_s_bounds() {
    let traits: serde_json::Map<_, _> = (0..3_276_u32).map(|number| (format!("{number:04}"), json!(1))).collect();
    let purposes = |from: u32| -> serde_json::Map<_, _> {
        (from..from + 64).map(|number| (format!("p{number:063}"), json!(["email", "sms", "crm", "webhook"]))).collect()
    };
    let customer = folded(&[
        updated(json!({"email": format!("{}@{}", "a".repeat(126), "b".repeat(127)), "phone": "+123456789012345"})),
        updated(json!({"locale": "x".repeat(64), "time_zone": "y".repeat(64), "traits": traits})),
        updated(json!({"consent": purposes(0)})),
    ]);
    let size = blob::Record::to_fields(&customer).to_bytes().len();
    assert!((40_000..=64 * 1024).contains(&size), "{size} bytes");
}

#[test]
fn a_withdrawal_of_what_was_never_consented_to_takes_no_place_where_all_are_taken() {
    let withdrawn = |purpose: Option<usize>| {
        let purpose = purpose.map(|number| format!("p{number}"));
        Fact::of("consent.withdrawn", json!({"purpose": purpose, "channels": ["email"]}))
    };
    let one_by_one: Vec<_> = (0..400).map(|number| withdrawn(Some(number))).collect();
    let full = blob::Record::to_fields(&folded(&one_by_one)).to_bytes().len();
    let fewer = blob::Record::to_fields(&folded(&one_by_one[..300])).to_bytes().len();
    assert!(full < fewer + 100, "it grew from {fewer} to {full} bytes");
    // What is about everything is heard all the same.
    let granted = updated(json!({"consent": {"marketing": ["email"]}}));
    let mut events = vec![granted];
    events.extend(one_by_one);
    let before = profile(&folded(&events));
    events.push(withdrawn(None));
    assert_eq!((&before["consent"]["marketing"], &profile(&folded(&events))["consent"]), (&json!(["email"]), &json!({})));
}
