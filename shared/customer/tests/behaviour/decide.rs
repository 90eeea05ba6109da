//! What is decided about an event, case by case.

use std::collections::BTreeMap;

use customer::Customer;
use decision::{Decided, Recorded};
use event::{SequenceNumber, ShardId, Time};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{Exposed, Fact, Use, set, step, time};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    triggers: BTreeMap<String, Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// What happened before, in the order of arrival.
    #[serde(default)]
    before: Vec<Fact>,
    triggers: Vec<Use>,
    event: Fact,
    /// As the archive's codes have them.
    decisions: Vec<String>,
    now: Option<String>,
    not_before: Option<String>,
    not_after: Option<String>,
    /// Whether the record is part of the state afterwards.
    remembered: Option<bool>,
}

fn codes(decided: &Decided) -> Vec<String> {
    let nowhere = (Time::from_millis(0), ShardId::default(), SequenceNumber::default());
    Recorded::new(Vec::new(), nowhere.0, nowhere.1, nowhere.2, decided.clone()).codes()
}

fn run(definitions: &BTreeMap<String, Value>, case: &Case) {
    let name = &case.name;
    let triggers = set(7, definitions, &case.triggers);
    let mut customer = Customer::default();
    for (place, fact) in case.before.iter().enumerate() {
        customer = step(&customer, &fact.input(place).unwrap(), &triggers).unwrap().1;
    }
    let input = case.event.input(case.before.len()).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    let (decided, next) = step(&customer, &input, &triggers).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    assert_eq!(codes(&decided), case.decisions, "{name}");
    assert_eq!(decided.generation, 7, "{name}");
    if let Some(now) = &case.now {
        assert_eq!(decided.now, time(now), "{name}: now");
    }
    for (_, deliver) in decided.deliveries() {
        for (actual, expected) in [(deliver.not_before, &case.not_before), (deliver.not_after, &case.not_after)] {
            if let Some(expected) = expected {
                assert_eq!(actual, time(expected), "{name}: not_before or not_after");
            }
        }
    }
    if let Some(remembered) = case.remembered {
        assert_eq!(next.is_committed(input.shard(), input.sequence(), input.arrival()), remembered, "{name}: remembered");
    }
}

#[test]
fn every_case_is_decided_as_it_states() {
    let cases: Cases = serde_json::from_str(include_str!("../data/decide.json")).unwrap();
    for case in &cases.cases {
        run(&cases.triggers, case);
    }
}

#[test]
fn a_customer_s_place_in_a_rollout_never_changes() {
    // Computed apart from this code: sha256 over "rollout", the trigger and the customer, each behind its length as 8 bytes; the first 8 bytes modulo 10 000.
    let definitions = BTreeMap::from([(
        "confirm".to_owned(),
        serde_json::json!({"on": "order.completed", "then": [{"email": {"template": "confirm", "class": "transactional"}}]}),
    )]);
    for (customer, outside, inside) in [("c-1", "79.33%", "79.34%"), ("c-2", "41.07%", "41.08%"), ("c-3", "76.69%", "76.70%")] {
        let input = Fact::of("order.completed", Value::Null).input_for(customer, 0).unwrap();
        for (share, expected) in [(outside, "confirm@1=rollout"), (inside, "confirm@1/0=no_address")] {
            let uses = [Use::As(Exposed { trigger: "confirm".into(), mode: None, rollout: Some(share.to_owned()) })];
            let (decided, _) = step(&Customer::default(), &input, &set(1, &definitions, &uses)).unwrap();
            assert_eq!(codes(&decided), [expected], "{customer} at {share}");
        }
    }
}

#[test]
fn a_customer_stays_inside_a_share_that_grows() {
    let definitions = BTreeMap::from([(
        "confirm".to_owned(),
        serde_json::json!({"on": "order.completed", "then": [{"email": {"template": "confirm", "class": "transactional"}}]}),
    )]);
    let shares = ["0%", "0.01%", "1%", "10%", "25%", "50%", "90%", "100%"];
    let mut inside = [0; 8];
    for customer in 0..400 {
        let input = Fact::of("order.completed", Value::Null).input_for(&format!("c-{customer}"), 0).unwrap();
        let mut was_inside = false;
        for (share, inside) in shares.iter().zip(&mut inside) {
            let uses = [Use::As(Exposed { trigger: "confirm".into(), mode: None, rollout: Some((*share).to_owned()) })];
            let (decided, _) = step(&Customer::default(), &input, &set(1, &definitions, &uses)).unwrap();
            let is_inside = codes(&decided) != ["confirm@1=rollout"];
            assert!(is_inside || !was_inside, "c-{customer} fell out at {share}");
            was_inside = is_inside;
            *inside += usize::from(is_inside);
        }
    }
    assert_eq!((inside[0], inside[7]), (0, 400));
    assert!((150..250).contains(&inside[5]), "{} of 400 are inside 50%", inside[5]);
}
