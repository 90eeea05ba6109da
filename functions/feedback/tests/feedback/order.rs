//! Neither the order in which events come nor how often they do changes where it ends; nor does a store that fails on the way.

use std::collections::{BTreeMap, BTreeSet};

use aws::{LedgerEntry, Stream};
use serde_json::{Value, json};
use trigger::Channel::Email;

use crate::faults::Fails;
use crate::local::{Place, run, triggers};
use crate::world::{World, dynamodb, feedback};

/// What is left when all has been said: outcome, facts, suppressions, and the events by their ids.
type End = (LedgerEntry, BTreeMap<&'static str, String>, BTreeMap<String, String>, BTreeMap<String, Value>);

async fn end(world: &World) -> End {
    let told = world.told().await.into_iter().map(|mut event| {
        event["subject"] = json!("");
        let suffix = event["id"].as_str().expect("an id").replace(&world.message.delivery.to_string(), "");
        event["id"] = json!("");
        event["data"]["delivery"] = json!("");
        event["data"]["trigger"] = json!("");
        (suffix, event)
    });
    let mut entry = world.record().await.entry;
    if let LedgerEntry::Settled(decision::Outcome::Sent { provider_id }) = &mut entry {
        provider_id.clear();
    }
    (entry, world.facts().await, world.suppressed().await.1, told.collect())
}

/// All that can happen to one mail, two opens and two clicks among it.
fn events(world: &World) -> Vec<Value> {
    let names = ["ses-send", "ses-delivery", "ses-bounce-permanent", "ses-open", "ses-click", "ses-complaint", "ses-subscription-topics"];
    let mut events: Vec<_> = names.map(|name| world.mail(name)).into();
    let mut open = world.mail("ses-open");
    open["open"]["timestamp"] = json!("2026-03-02T08:00:00.000Z");
    let mut click = world.mail("ses-click");
    click["click"]["timestamp"] = json!("2026-03-02T08:00:01.000Z");
    let mut bounce = world.mail("ses-bounce-permanent");
    bounce["bounce"]["timestamp"] = json!("2026-03-01T09:00:00.000Z");
    events.extend([open, click, bounce]);
    events
}

#[test]
fn no_order_and_no_repetition_changes_the_end() {
    run(async |stack| {
        let mut ends = Vec::new();
        // Each order is another walk around the list: backwards, in steps of three, seven; twice over.
        for step in [1, 9, 3, 7] {
            let world = World::new(stack, Email, &[]).await;
            let events = events(&world);
            for turn in 0..events.len() * 2 {
                world.handle(&events[turn * step % events.len()]).await.unwrap();
            }
            let counted = world.counted().await;
            let total = |name: &str| counted.values().filter_map(|counters| counters.get(name)).sum::<u64>();
            let kinds = ["delivered", "bounced", "opened", "clicked", "complained", "unsubscribed"];
            assert_eq!(kinds.map(total), [1; 6], "each is counted once");
            ends.push(end(&world).await);
        }
        let (_, facts, suppressed, told) = &ends[0];
        assert_eq!(facts["bounced"], "2026-03-01T09:00:00.000Z", "the first time");
        assert_eq!(facts["opened"], "2026-03-01T11:00:00.000Z");
        assert_eq!(suppressed["bounce#email#*"], "2026-03-01T10:00:03.500Z", "the last time");
        let names: BTreeSet<_> = told.keys().map(|id| id.split('-').nth(1).unwrap()).collect();
        assert_eq!(names, BTreeSet::from(["bounced", "clicked", "complained", "unsubscribed", "withdrawn"]));
        assert_eq!(told.keys().filter(|id| id.starts_with("-clicked")).count(), 2);
        for other in &ends[1..] {
            assert_eq!((&other.0, &other.1, &other.2), (&ends[0].0, facts, suppressed));
            assert_eq!(other.3.keys().collect::<Vec<_>>(), told.keys().collect::<Vec<_>>());
        }
    });
}

async fn failing(stack: &Place, world: &World, operation: &'static str, containing: &str) -> feedback::Feedback {
    let fails = Fails { operation, containing: containing.to_owned() };
    let config = aws_sdk_dynamodb::config::Builder::from(stack.sdk_config()).interceptor(fails).build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    feedback(stack, client, &triggers(stack).await, world.feedback.stream.clone()).await
}

#[test]
fn whatever_fails_on_the_way_the_next_attempt_brings_to_the_same_end() {
    run(async |stack| {
        let whole = World::new(stack, Email, &[]).await;
        whole.take(&["ses-bounce-permanent"]).await;
        let expected = end(&whole).await;
        for (operation, containing) in [
            ("UpdateItem", "bounce#email"),
            ("UpdateItem", "address#"),
            ("GetItem", "delivery"),
            ("UpdateItem", "bounced_at"),
            ("GetItem", "position"),
        ] {
            let world = World::new(stack, Email, &[]).await;
            let body = world.mail("ses-bounce-permanent").to_string();
            assert!(!failing(stack, &world, operation, containing).await.is_done_with(&body).await, "{operation} {containing}");
            world.take(&["ses-bounce-permanent"]).await;
            assert_eq!(end(&world).await, expected, "{operation} {containing}");
        }
    });
}

#[test]
fn a_stream_that_takes_nothing_leaves_the_message_on_its_queue() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        let mut feedback = feedback(stack, dynamodb(stack), &triggers(stack).await, world.feedback.stream.clone()).await;
        feedback.stream = Stream::new(aws_sdk_kinesis::Client::new(stack.sdk_config()), "no-such-stream".to_owned());
        let body = world.mail("ses-bounce-permanent").to_string();
        assert!(!feedback.is_done_with(&body).await);
        assert!(feedback.is_done_with(&world.mail("ses-delivery").to_string()).await, "nobody is told of it");
        world.take(&["ses-bounce-permanent"]).await;
        assert_eq!(world.types_told().await, ["email.bounced"]);
        assert_eq!(world.counted().await.values().map(|counters| counters["bounced"]).sum::<u64>(), 1);
    });
}

#[test]
fn statistics_that_fail_hold_nothing_up() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        let feedback = failing(stack, &world, "UpdateItem", "\"hour\"").await;
        assert!(feedback.is_done_with(&world.mail("ses-bounce-permanent").to_string()).await);
        assert!(world.counted().await.is_empty());
        assert_eq!(world.types_told().await, ["email.bounced"]);
    });
}
