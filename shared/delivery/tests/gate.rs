//! Whether a delivery may go out, case by case.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a helper of a test may fail the test")]

use customer::{Customer, Evolved, Input, decide, evolve};
use decision::{DeliveryId, RunId};
use delivery::{Circumstances, Gate, Message, Recipients, Suppression, SuppressionKind, gate};
use event::{CustomerId, Event, Position, SequenceNumber, ShardId, Time};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use trigger::{Channel, Mode, Purpose, Trigger, TriggerName, TriggerSet, Version, from_definition};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// What happened to the customer before; null where nothing was ever committed.
    customer: Option<Vec<Fact>>,
    /// The place of the cause on the shard; the customer's last event, where nothing is said.
    sequence: Option<usize>,
    class: String,
    purpose: Option<String>,
    #[serde(default)]
    suppressions: Vec<Denial>,
    /// Null where the trigger was taken out.
    mode: Option<String>,
    /// Whether all marketing is held back.
    #[serde(default)]
    marketing_stopped: bool,
    /// Whom the stack may reach; everybody, where nothing is said.
    recipients: Option<String>,
    now: String,
    #[serde(default)]
    waits: u32,
    gate: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fact {
    #[serde(rename = "type")]
    kind: String,
    time: String,
    #[serde(default)]
    data: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Denial {
    kind: String,
    channel: String,
    purpose: Option<String>,
    at: String,
}

const SHARD: &str = "shardId-000000000000";

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn customer_of(facts: &[Fact]) -> Customer {
    facts.iter().enumerate().fold(Customer::default(), |customer, (place, fact)| {
        let data = if fact.data.is_null() { json!({}) } else { fact.data.clone() };
        let event = json!({
            "specversion": "1.0", "id": format!("e{place}"), "source": "/shop", "type": fact.kind, "time": fact.time, "subject": "c-1", "data": data,
        });
        let event = Event::parse(event.to_string().as_bytes()).unwrap();
        let sequence = SequenceNumber::new(&(place + 1).to_string());
        let input = Input::new(CustomerId::parse("c-1").unwrap(), event, time(&fact.time), ShardId::new(SHARD), sequence).unwrap();
        let decided = decide(&customer, &input, &TriggerSet::default()).unwrap();
        match evolve(&customer, &input, &decided) {
            Evolved::Changed(next) => next,
            Evolved::Unchanged => customer,
        }
    })
}

fn trigger(class: &str, purpose: Option<&str>) -> Trigger {
    let mut email = json!({"template": "welcome", "class": class});
    if let Some(purpose) = purpose {
        email["purpose"] = json!(purpose);
    }
    from_definition(&json!({"trigger": "welcome", "on": "x", "then": [{"email": email}]}).to_string()).unwrap()
}

/// Between ten and twelve o'clock.
fn message(sequence: usize, waits: u32) -> Message {
    let sequence = SequenceNumber::new(&sequence.to_string());
    Message {
        delivery: DeliveryId::from_bytes(&[9; 16]).unwrap(),
        customer: CustomerId::parse("c-1").unwrap(),
        // Its cause arrived before all that the customers of the cases did: of the same stream, that is.
        position: Position::new(Time::default(), &sequence),
        shard: ShardId::new(SHARD),
        sequence,
        trigger: TriggerName::parse("welcome").unwrap(),
        version: Version::new(1).unwrap(),
        run: RunId::from_bytes(&[7; 16]).unwrap(),
        step: "0".to_owned(),
        channel: Channel::Email,
        not_before: time("2026-03-01T10:00:00Z"),
        not_after: time("2026-03-01T12:00:00Z"),
        waits,
    }
}

fn suppression(denial: &Denial) -> Suppression {
    let kind = match denial.kind.as_str() {
        "withdrawal" => SuppressionKind::Withdrawal,
        "bounce" => SuppressionKind::Bounce,
        "complaint" => SuppressionKind::Complaint,
        "erasure" => SuppressionKind::Erasure,
        other => panic!("no kind {other}"),
    };
    let purpose = denial.purpose.as_deref().map(|purpose| Purpose::parse(purpose).unwrap());
    Suppression { kind, channel: Channel::parse(&denial.channel).unwrap(), purpose, at: time(&denial.at) }
}

fn said(gate: &Gate) -> String {
    match gate {
        Gate::Open => "open".to_owned(),
        Gate::Wait { millis, cause } => format!("wait {millis} {}", cause.code()),
        Gate::Refuse(reason) => format!("refuse {reason}"),
    }
}

#[test]
fn every_case_is_answered_as_it_states() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("data/gate.json")).unwrap();
    for case in &cases {
        let customer = case.customer.as_deref().map(customer_of);
        let trigger = trigger(&case.class, case.purpose.as_deref());
        let suppressions: Vec<_> = case.suppressions.iter().map(suppression).collect();
        let message = message(case.sequence.or(case.customer.as_ref().map(Vec::len)).unwrap_or(1), case.waits);
        let circumstances = Circumstances {
            message: &message,
            action: trigger.steps().first().unwrap().action(),
            customer: customer.as_ref(),
            suppressions: &suppressions,
            mode: case.mode.as_deref().map(|mode| Mode::parse(mode).unwrap()),
            marketing_stopped: case.marketing_stopped,
            recipients: &case.recipients.as_deref().map_or(Recipients::Everybody, Recipients::parse),
            now: time(&case.now),
        };
        assert_eq!(said(&gate(&circumstances)), case.gate, "{}", case.name);
    }
}

fn any_time() -> impl Strategy<Value = Time> {
    prop_oneof![8 => -10_000_000..10_000_000_i64, 1 => any::<i64>()].prop_map(Time::from_millis)
}

proptest! {
    #[test]
    fn a_wait_ends_within_fifteen_minutes_and_a_second_after_the_delivery_s_own_end(
        now in any_time(), not_before in any_time(), not_after in any_time(), waits: u32, committed: bool, mode in prop::sample::select(vec![None, Some(Mode::Live), Some(Mode::Paused)])
    ) {
        let customer = customer_of(&[Fact {
            kind: "customer.updated".to_owned(), time: "1970-01-01T00:00:00Z".to_owned(), data: json!({"email": "ana@example.com"}),
        }]);
        let trigger = trigger("transactional", None);
        let message = Message { not_before, not_after, ..message(if committed { 1 } else { 2 }, waits) };
        let circumstances = Circumstances { message: &message, action: trigger.steps()[0].action(), customer: Some(&customer), suppressions: &[], mode, marketing_stopped: false, recipients: &Recipients::Everybody, now };
        match gate(&circumstances) {
            Gate::Open => prop_assert!(committed && mode == Some(Mode::Live) && not_before <= now && now <= not_after),
            Gate::Refuse(_) => prop_assert!(now > not_after),
            Gate::Wait { millis, .. } => {
                prop_assert!((1..=900_000).contains(&millis), "{millis}");
                prop_assert!(now <= not_after && millis <= not_after.since(now).saturating_add(1_000));
            }
        }
    }

    #[test]
    fn whoever_is_denied_once_more_gets_no_more(kinds in prop::collection::vec((0..4_usize, any::<bool>(), 0..4_i64), 0..4), class: bool) {
        let customer = customer_of(&[Fact {
            kind: "customer.updated".to_owned(), time: "1970-01-01T00:00:00.002Z".to_owned(), data: json!({"email": "ana@example.com", "consent": {"marketing": ["email"]}}),
        }]);
        let trigger = trigger(if class { "marketing" } else { "transactional" }, None);
        let suppressions: Vec<_> = kinds.into_iter().map(|(kind, everything, at)| Suppression {
            kind: [SuppressionKind::Withdrawal, SuppressionKind::Bounce, SuppressionKind::Complaint, SuppressionKind::Erasure][kind],
            channel: Channel::Email,
            purpose: (!everything).then(Purpose::marketing),
            at: Time::from_millis(at),
        }).collect();
        let message = Message { not_before: Time::default(), ..message(1, 0) };
        let is_open = |suppressions: &[Suppression]| gate(&Circumstances {
            message: &message, action: trigger.steps()[0].action(), customer: Some(&customer), suppressions, mode: Some(Mode::Live), marketing_stopped: false, recipients: &Recipients::Everybody, now: Time::from_millis(10),
        }) == Gate::Open;
        prop_assert!(is_open(&[]));
        for fewer in 0..suppressions.len() {
            prop_assert!(is_open(&suppressions[..fewer]) || !is_open(&suppressions));
        }
    }
}
