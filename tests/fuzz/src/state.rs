//! A customer's records, one a line: `customer::decide` and `customer::evolve` over all that parses.

use std::sync::LazyLock;

use blob::ContentHash;
use customer::{Customer, Evolved, Input, Seen, decide, document, evolve};
use decision::{Decided, Recorded};
use event::{Event, QuarantineReason, SequenceNumber, ShardId, Subject, Time};
use trigger::{BundleEntry, Exposure, TriggerSet, Version, from_definition};

use crate::event::{ARRIVAL, envelope, is_a_good_refusal};
/// A state is one attribute of an item that is written for almost every event.
const LARGEST_STATE: usize = 64 * 1024;

/// Triggers that look at everything that an event can change.
const TRIGGERS: [&str; 5] = [
    r#"{"trigger":"welcome","on":["customer.signed_up","a.b"],"then":[{"email":{"template":"w","class":"marketing"}},{"sms":{"template":"w","class":"transactional"}}]}"#,
    r#"{"trigger":"again","on":"order.completed","max_age":"30d","when":{"event":{"total":[{"numeric":[">=",50]}],"items":{"sku":[{"wildcard":"a*b*c"}],"gone":[{"exists":false}]}}},"then":[{"crm":{"contact":{"properties":{"a":"{{ event.data.total }}"}}}}]}"#,
    r#"{"trigger":"loyal","on":["order.completed","history.backfilled"],"when":{"history":[{"event":"order.completed","within":"30d","at_least":3,"at_most":100},{"event":"order.completed","since_first":{"at_least":"1s"}}]},"then":[{"webhook":{"endpoint":"e"}}]}"#,
    r#"{"trigger":"profile","on":["customer.updated","consent.granted","consent.withdrawn","customer.erased"],"when":{"customer":{"traits":{"country":["DE"]},"has":{"email":[true]},"consent":{"marketing":["email"]}}},"then":[{"email":{"template":"p","class":"marketing","valid_for":"1m"}}]}"#,
    r#"{"trigger":"lapsed","on":"login.succeeded","when":{"history":[{"event":"login.succeeded","since_last":{"at_least":"60d"}}]},"then":[{"sms":{"template":"l","class":"marketing"}}]}"#,
];

static SET: LazyLock<TriggerSet> = LazyLock::new(|| {
    let entry = |definition: &str| {
        let trigger = from_definition(definition).expect("a trigger of this file is one");
        let templates = trigger.templates().into_iter().map(|name| (name.clone(), ContentHash::of(&[name.as_str().as_bytes()]))).collect();
        BundleEntry { trigger, version: Version::FIRST, exposure: Exposure::FULL, declared: Exposure::FULL, templates }
    };
    TriggerSet::new(7, TRIGGERS.iter().map(|definition| entry(definition)).collect())
});

/// A record is refused whole or is part of the state; a state stays within its bounds and is read as it was written.
pub fn check(bytes: &[u8]) {
    let mut state = Customer::default();
    for (place, record) in bytes.split(|byte| *byte == b'\n').take(4_096).enumerate() {
        let Some(input) = input(record, place) else { continue };
        match decide(&state, &input, &SET) {
            Ok(decided) => state = next(&state, &input, record, &decided),
            Err(refusal) => {
                assert_eq!(refusal.reason, QuarantineReason::StateBounds);
                is_a_good_refusal(&refusal);
            }
        }
    }
    is_kept(&state);
}

/// The record as the input of the one customer whom all of it is about.
fn input(record: &[u8], place: usize) -> Option<Input> {
    let event = Event::parse(record).ok()?;
    let Subject::Customer(customer) = event.subject().clone() else { return None };
    let sequence = SequenceNumber::new(&(place + 1).to_string());
    let arrival = ARRIVAL.plus(i64::try_from(place).unwrap_or_default() * 1_000);
    Input::new(customer, event, arrival, ShardId::new("shardId-000000000000"), sequence).ok()
}

fn next(state: &Customer, input: &Input, record: &[u8], decided: &Decided) -> Customer {
    for (_, deliver) in decided.deliveries() {
        assert!(deliver.not_after >= decided.now && deliver.not_before <= deliver.not_after);
    }
    let recorded = Recorded::new(record.to_vec(), input.arrival(), input.shard().clone(), input.sequence().clone(), decided.clone());
    assert_eq!(Recorded::open(&recorded.seal()).as_ref(), Ok(&recorded), "the archive is not read as it was written");
    let again = evolve(state, input, decided);
    assert_eq!(evolve(state, input, decided), again, "the same leads to something else");
    let Evolved::Changed(next) = again else { return state.clone() };
    assert_eq!(next.seen(input.shard(), input.sequence(), input.arrival()), Seen::Committed);
    assert!(decide(&next, input, &SET).is_ok_and(|decided| decided.repeat), "a repeat is decided again");
    assert!(next.clock() >= state.clock());
    let sealed = next.seal();
    assert!(sealed.len() <= LARGEST_STATE, "a state of {} bytes", sealed.len());
    next
}

fn is_kept(state: &Customer) {
    assert_eq!(Customer::open(&state.seal()).as_ref(), Ok(state), "a state is not read as it was written");
    assert!(!format!("{state:?}").contains("ana@example.com"), "an address is shown");
    // What it is matched against and rendered with can be made of any state.
    let _ = (document(state), state.traits(), state.email(), state.counted("order.completed"));
    let _ = state.seen(&ShardId::new(""), &SequenceNumber::new(""), Time::from_millis(i64::MIN));
}

/// Many events of one customer, each harmless by itself.
pub fn grown() -> Vec<(&'static str, Vec<u8>)> {
    let events = |count: usize, event: &dyn Fn(usize) -> (String, String)| {
        let line = |place: usize| {
            let (kind, data) = event(place);
            envelope(&kind, &data).replace("\"e1\"", &format!("\"e{place}\""))
        };
        (0..count).map(line).collect::<Vec<_>>().join("\n").into_bytes()
    };
    let times: String = (0..101).map(|second| (4_000_000_000_u32 + second * 7_919).to_string()).collect::<Vec<_>>().join(",");
    let long = |place: usize| format!("p{place}{}", "x".repeat(50));
    vec![
        (
            "a withdrawal of a thousand purposes",
            events(1_000, &|place| ("consent.withdrawn".into(), format!(r#"{{"purpose":"{}"}}"#, long(place)))),
        ),
        (
            "a consent to a thousand purposes",
            events(400, &|place| ("consent.granted".into(), format!(r#"{{"purpose":"{}","channels":["email","sms"]}}"#, long(place)))),
        ),
        (
            "a history of a thousand types",
            events(1_000, &|place| {
                (
                    "history.backfilled".into(),
                    format!(r#"{{"event":"{}","counted":0,"count":200,"first":1,"last":[{times}]}}"#, long(place)),
                )
            }),
        ),
        (
            "a count at its end",
            events(3, &|place| match place {
                0 => (
                    "history.backfilled".into(),
                    r#"{"event":"order.completed","counted":0,"count":18446744073709551615,"first":1,"last":[1]}"#.into(),
                ),
                _ => ("order.completed".into(), "{}".into()),
            }),
        ),
        (
            "traits without end",
            events(40, &|place| {
                ("customer.updated".into(), format!(r#"{{"traits":{{"t{place}":"{}","u{place}":{{"a":[1]}}}}}}"#, "é".repeat(400)))
            }),
        ),
        (
            "traits that are texts with JSON in them",
            events(2, &|_| ("customer.updated".into(), format!(r#"{{"traits":{{"a":{}}}}}"#, crate::event::nested_texts(12, 120)))),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_that_was_backfilled_is_part_of_the_state() {
        // Else the grown inputs would attack nothing.
        let grown = grown();
        for (name, bytes) in grown {
            let records = bytes.split(|byte| *byte == b'\n').enumerate();
            let taken = records.filter(|(place, record)| input(record, *place).is_some()).count();
            assert!(taken > 1, "{name}");
        }
    }
}
