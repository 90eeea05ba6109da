//! The tables of `docs/operations.md` against the functions that decide.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

#[path = "../../../tests/tests/local/operations.rs"]
mod operations;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aws::{Passing, Queue, StoreError};
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use customer::{Customer, Evolved, Input, evolve};
use decision::{Decided, DeliveryId, RunId};
use delivery::{Admission, Breaker, Circumstances, Gate, Held, Message, MessageError, Recipients, Sign, gate};
use event::{CustomerId, Event, Position, SequenceNumber, ShardId, Time};
use sender::{Failure, Next, SendError, after_failure, after_send, out_of_time, while_claimed, while_open};
use serde_json::json;
use trigger::{Channel, Mode, SendPolicy, Trigger, TriggerName, Version};

/// 2026-03-01T10:00:00Z
const NOW: Time = Time::from_millis(1_772_359_200_000);

/// A claim's lease: the longest call and a margin.
const LEASE: i64 = 30_000;

fn message(number: u128, waits: u32) -> Message {
    let sequence = SequenceNumber::new("7");
    Message {
        delivery: DeliveryId::from_bytes(&number.to_be_bytes()).expect("an id"),
        customer: CustomerId::parse("c-1").expect("a customer's id"),
        position: Position::new(NOW, &sequence),
        shard: ShardId::new("shard"),
        sequence,
        trigger: TriggerName::parse("thanks").expect("a name"),
        version: Version::FIRST,
        run: RunId::from_bytes(&[7; 16]).expect("an id"),
        step: "0".to_owned(),
        channel: Channel::Email,
        not_before: NOW,
        not_after: NOW.plus(365 * 86_400_000),
        waits,
    }
}

fn errors(kind: &str) -> SendError {
    let cause = String::new();
    match kind {
        "throttled" => SendError::Throttled { cause, retry_after_millis: None },
        "throttled, with a time" => SendError::Throttled { cause, retry_after_millis: Some(60_000) },
        "stopped" => SendError::Stopped { cause },
        "unavailable" => SendError::Unavailable { cause },
        "not sent" => SendError::NotSent { cause },
        "rejected" => SendError::Rejected { cause },
        "ambiguous" => SendError::Ambiguous { cause },
        other => unreachable!("no kind {other}"),
    }
}

/// A breaker that this sign opened, through so many probes that failed; and when that was.
fn opened(sign: Sign, seed: u128, probes: u32) -> (Breaker, Time) {
    let (mut breaker, mut now) = (Breaker::default(), NOW);
    for number in 0..5 {
        if let Admission::Call(permit) = breaker.admit(now) {
            breaker.answered(permit, sign, &message(seed * 99 + number, 0), now);
        }
    }
    for number in 0..probes {
        now = now.plus(900_000);
        let Admission::Call(permit) = breaker.admit(now) else { unreachable!("the pause is over") };
        let again = if matches!(sign, Sign::Asks { .. }) { Sign::Fails } else { sign };
        breaker.answered(permit, again, &message(seed * 99 + u128::from(number), probes), now);
    }
    (breaker, now)
}

fn held(sign: Sign, seed: u128, probes: u32) -> Held {
    let (breaker, now) = opened(sign, seed, probes);
    breaker.held(now).expect("it is open")
}

/// What the gate says of a delivery.
fn at_the_gate(message: &Message, customer: Option<&Customer>, mode: Mode, now: Time) -> Next {
    let action = TRIGGER.steps().first().expect("a step").action();
    let recipients = &Recipients::Everybody;
    match gate(&Circumstances { message, action, customer, suppressions: &[], mode: Some(mode), marketing_stopped: false, recipients, now })
    {
        Gate::Wait { millis, cause } => Next::Waits(sender::Wait { millis, cause }),
        other => unreachable!("{other:?} is no wait"),
    }
}

static TRIGGER: LazyLock<Trigger> = LazyLock::new(|| {
    let text = "trigger: thanks\non: x\nthen:\n  - email: { template: t, class: transactional }\n";
    trigger::parse("thanks.yaml", text).expect("a valid trigger")
});

/// A customer to whom the message's cause is committed.
static COMMITTED: LazyLock<Customer> = LazyLock::new(|| {
    let event = json!({ "specversion": "1.0", "id": "e", "source": "/s", "type": "customer.updated", "time": NOW.to_string(),
        "subject": "c-1", "data": { "email": "ana@example.com" } });
    let event = Event::parse(event.to_string().as_bytes()).expect("an event");
    let id = CustomerId::parse("c-1").expect("a customer's id");
    let input = Input::new(id, event, NOW, ShardId::new("shard"), SequenceNumber::new("7")).expect("an input");
    let decided = Decided { now: NOW, generation: 1, repeat: false, decisions: Vec::new(), remember: None };
    match evolve(&Customer::default(), &input, &decided) {
        Evolved::Changed(customer) => customer,
        Evolved::Unchanged => unreachable!("it changes the profile"),
    }
});

/// A call that found nobody there.
static PASSING: LazyLock<Passing> = LazyLock::new(|| {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url("http://127.0.0.1:1")
        .retry_config(RetryConfig::disabled())
        .build();
    let queue = Queue::new(aws_sdk_sqs::Client::from_conf(config), "http://127.0.0.1:1/queue".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(queue.send_later(&message(1, 0), 0)).expect_err("nobody is there")
});

/// What follows, by the words of a row; `last` after many waits and probes.
fn next(happened: &str, policy: SendPolicy, open: bool, number: u128, last: bool) -> Next {
    let message = message(number, if last { 40 } else { 0 });
    let probes = if last { 20 } else { 0 };
    let held_by = |sign| open.then(|| held(sign, number, probes));
    match happened {
        "met the open breaker" => Next::Waits(while_open(held(Sign::Fails, number, probes), &message)),
        "a table or the stream is in trouble" => after_failure(&Failure::Store(PASSING.clone().into()), &message, message.not_after),
        "the same, beyond the delivery's end" => {
            after_failure(&Failure::Store(PASSING.clone().into()), &message, message.not_after.plus(1))
        }
        "what is stored cannot be read" => {
            let unreadable = StoreError::Unreadable { what: "an entry", problem: String::new() };
            after_failure(&Failure::Store(unreadable), &message, NOW)
        }
        "the queue takes nothing back" => after_failure(&Failure::Queue(PASSING.clone()), &message, NOW),
        "the message is none" => after_failure(&Failure::Message(MessageError::Format(9)), &message, NOW),
        "too little time left in the invocation" => Next::Waits(out_of_time(&message)),
        "another attempt holds the claim" => Next::Waits(while_claimed(NOW.plus(LEASE), NOW)),
        "its cause is not committed yet" => at_the_gate(&message, None, Mode::Live, NOW),
        "its trigger is paused, or all marketing is stopped" => at_the_gate(&message, Some(&COMMITTED), Mode::Paused, NOW),
        "before its time" => at_the_gate(&message, Some(&COMMITTED), Mode::Live, NOW.plus(if last { -86_400_000 } else { -60_000 })),
        "throttled, with a time" if last => {
            after_send(&errors("throttled"), policy, held_by(Sign::Asks { millis: 60_000 }), &message, LEASE)
        }
        kind => {
            let error = errors(kind);
            // Others opened it, where this answer says that the provider works.
            let sign = if error.sign() == Sign::Works { Sign::Fails } else { error.sign() };
            after_send(&error, policy, held_by(sign), &message, LEASE)
        }
    }
}

/// `1–2 s` in milliseconds, and `30 s` as a range of one.
fn range(cell: &str) -> (i64, i64) {
    let millis = |text: &str| {
        let (whole, tenths) = text.split_once('.').unwrap_or((text, "0"));
        let number = |text: &str| text.parse::<i64>().expect("a number of seconds");
        number(whole) * 1_000 + number(tenths) * 100
    };
    let seconds = cell.strip_suffix(" s").unwrap_or_else(|| unreachable!("{cell} has no seconds"));
    seconds.split_once('–').map_or_else(|| (millis(seconds), millis(seconds)), |(from, to)| (millis(from), millis(to)))
}

fn check(row: &[String], policy: SendPolicy, open: bool) {
    let [happened, _, _, receive, first, longest, ends] = row else { unreachable!("{row:?} has other columns") };
    for (cell, last) in [(first, false), (longest, true)] {
        let mut waits = BTreeSet::new();
        for number in 0..2_000 {
            let (used, ended) = match next(happened, policy, open, number, last) {
                Next::Ends(outcome) => ("no", outcome.code()),
                Next::Waits(wait) => {
                    waits.insert(wait.millis);
                    ("no", "sent or expired")
                }
                Next::StaysOnQueue => {
                    waits.insert(180_000);
                    ("yes", "sent or a dead letter")
                }
            };
            assert_eq!((receive.as_str(), ends.as_str()), (used, ended), "{row:?}");
        }
        let Some((from, to)) = waits.first().zip(waits.last()) else {
            assert_eq!(cell, "–", "{row:?}");
            continue;
        };
        let (low, high) = range(cell);
        let near = (high - low) / 12;
        assert!(
            (low..=low + near).contains(from) && (high - near..=high).contains(to),
            "{row:?}, {}: it is {from} to {to} ms",
            if last { "longest" } else { "first" }
        );
    }
}

#[test]
fn what_follows_each_failure_is_what_the_document_says() {
    let rows = operations::table("what happened");
    let mut named = BTreeSet::new();
    for row in rows.iter().skip(1) {
        let [happened, policy, breaker, ..] = row.as_slice() else { unreachable!("{row:?} has other columns") };
        let policies: &[SendPolicy] = match policy.as_str() {
            "either" => &[SendPolicy::AtMostOnce, SendPolicy::AtLeastOnce],
            "`at_most_once`" => &[SendPolicy::AtMostOnce],
            "`at_least_once`" => &[SendPolicy::AtLeastOnce],
            other => unreachable!("no policy {other}"),
        };
        let states: &[bool] = match breaker.as_str() {
            "either" => &[false, true],
            "open" => &[true],
            "closed" => &[false],
            other => unreachable!("no breaker is {other}"),
        };
        for (policy, open) in policies.iter().flat_map(|policy| states.iter().map(move |open| (*policy, *open))) {
            check(row, policy, open);
            assert!(named.insert((happened.clone(), format!("{policy:?}"), open)), "{row:?} is there twice");
        }
    }
    // What opens the breaker at once never meets it closed; all else has a row for each policy and each state.
    for kind in ["throttled", "throttled, with a time", "stopped", "unavailable", "not sent", "rejected", "ambiguous"] {
        let at_once = matches!(errors(kind).sign(), Sign::Asks { .. } | Sign::Stopped);
        for policy in [SendPolicy::AtMostOnce, SendPolicy::AtLeastOnce] {
            for open in [false, true] {
                let there = named.contains(&(kind.to_owned(), format!("{policy:?}"), open));
                assert_eq!(there, open || !at_once, "{kind} {policy:?} open: {open}");
            }
        }
    }
}

#[test]
fn what_each_kind_says_of_the_provider_is_what_the_document_says() {
    let rows = operations::table("counts as");
    assert_eq!(rows.len(), 8, "seven kinds and their headings");
    for row in rows.iter().skip(1) {
        let (kind, said) = (row.first().expect("a kind"), row.last().expect("a last column"));
        let sign = errors(kind).sign();
        assert_eq!(operations::kind(&errors(kind)), kind);
        let opens = |deliveries: &[u128], begin: Breaker| {
            let mut breaker = begin;
            for delivery in deliveries {
                if let Admission::Call(permit) = breaker.admit(NOW) {
                    breaker.answered(permit, sign, &message(*delivery, 0), NOW);
                }
            }
            breaker
        };
        let failed_four_times = || {
            let mut breaker = Breaker::default();
            for delivery in 10..14 {
                let Admission::Call(permit) = breaker.admit(NOW) else { unreachable!("it is closed") };
                breaker.answered(permit, Sign::Fails, &message(delivery, 0), NOW);
            }
            breaker
        };
        let is_open = |deliveries: &[u128]| opens(deliveries, Breaker::default()).is_open();
        let says = match (is_open(&[1]), is_open(&[1; 5]), is_open(&[1, 2, 3, 4, 5]), opens(&[1], failed_four_times())) {
            (true, ..) => "opens it",
            (_, true, ..) => "a failure",
            (_, _, true, _) => "a failure, once for each delivery",
            (.., breaker) if breaker == Breaker::default() => "a success",
            _ => "nothing",
        };
        assert_eq!(said, says, "{kind}");
        assert!(!is_open(&[1, 2, 3, 4]) || says == "opens it", "{kind}: five failures in a row");
    }
}

#[test]
fn every_channel_that_has_a_sender_has_its_examples() {
    for channel in ["email", "sms", "crm", "webhook"] {
        let kinds: BTreeSet<_> = operations::examples(channel).into_iter().map(|(kind, _)| kind).collect();
        for kind in ["throttled", "unavailable", "not sent", "rejected"] {
            assert!(kinds.contains(kind), "{channel} has no example of {kind}");
        }
    }
}

#[test]
fn a_receive_is_what_the_template_says() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace");
    let template = std::fs::read_to_string(root.join("template.yaml")).expect("the template can be read");
    // The channels and feedback.
    let queues = ["email", "sms", "crm", "webhook", "feedback"].len();
    assert_eq!((template.matches("VisibilityTimeout: 180\n").count(), template.matches("maxReceiveCount: 5 }").count()), (queues, queues));
}
