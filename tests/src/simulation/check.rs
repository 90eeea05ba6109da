//! What must hold when all is quiet again.

use std::collections::{BTreeMap, BTreeSet};

use aws::Triggers;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use customer::Customer;
use decision::Recorded;
use delivery::Message;
use serde_json::{Map, Value};
use trigger::{Channel, SendPolicy};

use super::model::{Expected, Generations, Stored, expect};
use super::operator::records;
use super::providers::Taken;
use super::reported::Heard;
use super::world::{CHANNELS, World, queue_url};

/// A message may leave so long after its end: the clocks differ, and the call takes its time.
const LAST_MOMENT_MILLIS: i64 = 30_000;

/// An attempt whose end is unknown keeps its claim for at least so long: twenty seconds, by a clock that may be five apart.
const SHORTEST_LEASE_MILLIS: i64 = 15_000;

/// What was counted while comparing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    pub events: usize,
    pub deliveries: usize,
    pub sent: usize,
    /// Deliveries of which nobody can know whether they were sent.
    pub unknown: usize,
    /// Messages that a provider took more than once, under `at_least_once`.
    pub sent_again: usize,
    pub dead_letters: usize,
}

pub fn text<'a>(item: &'a Map<String, Value>, name: &str) -> &'a str {
    item.get(name).and_then(|value| value["S"].as_str()).unwrap_or_default()
}

fn blob(item: &Map<String, Value>, name: &str) -> Vec<u8> {
    STANDARD.decode(item.get(name).and_then(|value| value["B"].as_str()).unwrap_or_default()).expect("a binary is base64")
}

fn stored(world: &World) -> Stored {
    let archive = world.cloud().items("events").into_iter().map(|item| {
        let record = Recorded::open(&blob(&item, "record")).expect("a record can be read");
        ((text(&item, "customer").to_owned(), text(&item, "position").to_owned()), record)
    });
    let quarantine = world.cloud().objects("quarantine").into_iter().map(|(key, object)| {
        let (shard, sequence) = key.split_once('/').expect("a key is shard/sequence");
        let reason = object.metadata.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned();
        ((shard.to_owned(), sequence.to_owned()), reason)
    });
    Stored { archive: archive.collect(), quarantine: quarantine.collect() }
}

/// Compares everything with the model, and gives what is wrong.
pub async fn check(world: &World) -> (Counted, Vec<String>) {
    let mut stream = world.past_records.borrow().clone();
    stream.extend(records(world));
    let triggers = Triggers::new(aws_sdk_dynamodb::Client::new(&world.quiet_sdk()), "triggers".to_owned());
    let generations = Generations::read(&triggers, world.plan.margin).await;
    let mut expected = expect(&stream, &mut stored(world), &generations);
    let mut violations = std::mem::take(&mut *world.violations.borrow_mut());
    violations.append(&mut expected.violations);
    states(world, &expected, &mut violations);
    let counted = deliveries(world, &expected, &mut violations);
    for channel in CHANNELS {
        let left = world.cloud().bodies(&queue_url(channel.as_str())).len();
        if left > 0 {
            violations.push(format!("{left} messages are left in the queue {channel}"));
        }
    }
    (counted, violations)
}

/// State = fold of the archive.
fn states(world: &World, expected: &Expected, violations: &mut Vec<String>) {
    let mut found: BTreeMap<_, _> = world
        .cloud()
        .items("customers")
        .into_iter()
        .map(|item| {
            let state = Customer::open(&blob(&item, "state")).expect("a state can be read");
            (text(&item, "customer").to_owned(), state)
        })
        .collect();
    for (customer, states) in &expected.states {
        let found = found.remove(customer).unwrap_or_default();
        if !states.contains(&found) {
            violations.push(format!("the state of {customer} is {found:?}, by the model {states:?}"));
        }
    }
    violations.extend(found.keys().map(|customer| format!("there is a state of {customer}, of whom nothing arrived")));
}

fn deliveries(world: &World, expected: &Expected, violations: &mut Vec<String>) -> Counted {
    let mut taken = BTreeMap::<String, Vec<Taken>>::new();
    for one in world.network.providers.taken() {
        taken.entry(one.delivery.clone()).or_default().push(one);
    }
    let heard = Heard::of(world);
    let ledger = world.cloud().items("deliveries");
    let mut ledger: BTreeMap<_, _> = ledger.into_iter().map(|item| (text(&item, "delivery").to_owned(), item)).collect();
    heard.check(world, expected, &ledger, violations);
    let dead: BTreeSet<_> = CHANNELS
        .iter()
        .flat_map(|channel| world.cloud().bodies(&queue_url(&format!("{channel}-dead-letters"))))
        .filter_map(|body| Some(Message::parse(&body).ok()?.delivery.to_string()))
        .collect();
    let mut counted =
        Counted { events: expected.events, deliveries: expected.deliveries.len(), dead_letters: dead.len(), ..Counted::default() };
    for (id, delivery) in &expected.deliveries {
        let entry = ledger.remove(id).unwrap_or_default();
        let status = text(&entry, "status").to_owned();
        let taken = taken.remove(id).unwrap_or_default();
        let mut wrong = |what: String| violations.push(format!("delivery {id} of {} by {}: {what}", delivery.customer, delivery.channel));
        // The CRM knows a delivery by its id. What it took and answered with an error counts as not sent, and is sent again.
        let unheard = delivery.channel == Channel::Crm && !taken.iter().any(|one| one.circumstances.answered);
        match status.as_str() {
            "sent" => {
                counted.sent += 1;
                if taken.is_empty() {
                    wrong("it counts as sent, and no provider took it".to_owned());
                }
            }
            "unknown" => counted.unknown += 1,
            "failed" if heard.is_rejected(id) => (),
            "refused" | "failed" | "expired" if !unheard && taken.iter().any(|one| !one.circumstances.late) => {
                wrong(format!("it counts as {status}, and a provider took it: {taken:?}"));
            }
            "refused" | "failed" | "expired" => (),
            other if !dead.contains(id) => wrong(format!("it has no end: {other:?}")),
            _ => (),
        }
        if matches!(status.as_str(), "refused" | "failed" | "expired" | "unknown") {
            let report = (delivery.customer.clone(), format!("{id}-{status}"));
            // A dead letter tells the stream when it is redriven: its attempts ended between the ledger and the stream.
            if !expected.event_ids.contains(&report) && !dead.contains(id) {
                wrong(format!("the stream was never told that it is {status}"));
            }
        }
        match (status.as_str(), text(&entry, "reason")) {
            ("refused", "") => wrong("it was refused without a reason".to_owned()),
            ("refused", reason @ ("no_address" | "no_consent")) => {
                let reachable = expected.reach.get(&delivery.customer).into_iter().flatten().skip(delivery.after);
                if reachable.clone().next().is_some() && reachable.clone().all(|reach| reach.allows(delivery.channel, reason)) {
                    wrong(format!("it was refused as {reason}, which was never so since it was decided"));
                }
            }
            _ => (),
        }
        if delivery.channel != Channel::Crm {
            if delivery.policy == SendPolicy::AtMostOnce && taken.len() > 1 {
                wrong(format!("it is sent at most once, and was sent {} times: {taken:?}", taken.len()));
            }
            counted.sent_again += taken.len().saturating_sub(1);
            let on_time = || taken.iter().filter(|one| !one.circumstances.late);
            for (one, next) in on_time().zip(on_time().skip(1)) {
                if next.at - one.at < SHORTEST_LEASE_MILLIS {
                    wrong(format!("it was sent again before the claim of the attempt before was over: {taken:?}"));
                }
            }
        }
        // What the provider says of an earlier attempt may settle it between the claim and the call of the next one.
        let may_be_settled = heard.has(id) && taken.len() > 1;
        for one in taken.iter().filter(|one| !one.circumstances.late) {
            if one.status == "sent" && !may_be_settled {
                wrong(format!("it was sent again after it was settled as sent: {taken:?}"));
            }
            if one.status != "claimed" && !may_be_settled {
                wrong(format!("it was sent without a claim: {taken:?}"));
            }
            if one.at > delivery.not_after.millis() + LAST_MOMENT_MILLIS {
                wrong(format!("it was sent {} ms after its end", one.at - delivery.not_after.millis()));
            }
        }
    }
    let decided = |id: &String| expected.doubtful.contains(id);
    violations.extend(ledger.keys().filter(|id| !decided(id)).map(|id| format!("the ledger has {id}, which nobody decided")));
    violations.extend(taken.keys().filter(|id| !decided(id)).map(|id| format!("a provider took {id:?}, which nobody decided")));
    profiles(world, expected, violations);
    counted
}

/// In the CRM an older profile never wins.
fn profiles(world: &World, expected: &Expected, violations: &mut Vec<String>) {
    let mut last = BTreeMap::<&str, (i64, i64)>::new();
    let taken = world.network.providers.taken();
    let mut unsettled = BTreeSet::new();
    for one in &taken {
        let (Some(profile), Some(delivery)) = (one.profile, expected.deliveries.get(&one.delivery)) else { continue };
        let settled = world
            .cloud()
            .find("deliveries", |item| text(item, "delivery") == one.delivery)
            .is_some_and(|item| text(&item, "status") == "sent");
        // Of whom is erased nothing is sent any more, also no newer profile.
        let erased = expected.states.get(&delivery.customer).into_iter().flatten().any(Customer::is_erased);
        if !settled || erased || one.circumstances.late {
            unsettled.insert(delivery.customer.as_str());
        }
        let (newest, latest) = last.entry(delivery.customer.as_str()).or_insert((profile, profile));
        *newest = (*newest).max(profile);
        *latest = profile;
    }
    for (customer, (newest, latest)) in last {
        if latest < newest && !unsettled.contains(customer) {
            violations.push(format!("the CRM has the profile of {customer} as of {latest}, and had the one of {newest} before"));
        }
    }
}
