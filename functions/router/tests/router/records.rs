//! What becomes of each kind of record.

use event::Time;
use serde_json::json;

use crate::local::{run, unique};
use crate::world::{OFFER, THANKS, World};

#[test]
fn each_kind_of_broken_record_is_put_aside_whole_and_its_neighbours_go_on() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        let event = world.event("e", &ana, "order.completed", &json!({}));
        let with = |name: &str, value: serde_json::Value| {
            let mut event = event.clone();
            event[name] = value;
            event.to_string().into_bytes()
        };
        let mut without_id = event.clone();
        without_id.as_object_mut().unwrap().remove("id");
        let broken = [
            ("not_json", b"{\"id\": ".to_vec()),
            ("not_json", vec![0xFF, 0xFE, 0x00]),
            ("not_json", Vec::new()),
            ("aggregated", vec![0xF3, 0x89, 0x9A, 0xC2, 0x0A]),
            ("missing_field", without_id.to_string().into_bytes()),
            ("invalid_time", with("time", json!("yesterday"))),
            ("invalid_subject", with("subject", json!("undefined"))),
            ("invalid_subject", with("subject", json!("ana@example.com"))),
            ("invalid_field", with("data", json!([1]))),
            ("invalid_profile", with("data", json!({ "customer": { "email": "nobody" } }))),
            ("too_large", with("data", json!({ "text": "x".repeat(64 * 1024) }))),
            ("state_bounds", with("data", json!({ "customer": { "traits": { "text": "x".repeat(17 * 1024) } } }))),
            ("too_many_hops", with("hops", json!(9))),
        ];
        let mut batch: Vec<_> = (2_u32..).zip(&broken).map(|(sequence, (_, data))| world.raw(sequence, &ana, data)).collect();
        batch.insert(0, world.order(1, &ana));
        batch.push(world.order(99, &ana));
        for _ in 0..2 {
            assert_eq!(world.handle(&world.router(), &batch).await, None);
        }
        for ((reason, data), record) in broken.iter().zip(&batch[1..]) {
            let (kept, bytes) = world.quarantined(record).await.unwrap();
            assert_eq!((kept.reason.as_str(), &bytes), (*reason, data));
            assert!(!kept.problems.is_empty() && kept.problems.iter().all(|problem| !problem.contains("ana@")), "{:?}", kept.problems);
            assert_eq!((kept.partition_key.as_str(), kept.arrival.parse()), (ana.as_str(), Ok(record.arrival)));
        }
        assert_eq!(world.enqueued().await.len(), 2);
    });
}

#[test]
fn a_record_under_another_key_is_put_again_under_its_subject() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let (ana, ben) = (unique("ana"), unique("ben"));
        let event = world.event("e", &ana, "order.completed", &json!({ "customer": { "email": "ana@example.com" } }));
        let misplaced = world.record(1, &ben, &event);
        assert_eq!(world.handle(&world.router(), std::slice::from_ref(&misplaced)).await, None);
        assert_eq!(world.archived(&misplaced, &ana).await, None);
        assert_eq!(world.archived(&misplaced, &ben).await, None);

        let put = world.put_again().await;
        let mut expected = event.clone();
        expected["hops"] = json!(1);
        expected["originalarrival"] = json!(misplaced.arrival.to_string());
        assert_eq!(put, [(ana.clone(), expected)]);

        // It comes back under the right key, and its validity still counts from its first arrival.
        let mut replaced = world.record(2, &ana, &put[0].1);
        replaced.arrival = misplaced.arrival.plus(60_000);
        assert_eq!(world.handle(&world.router(), &[replaced]).await, None);
        let not_after: Vec<Time> = world.enqueued().await.iter().map(|message| message.not_after).collect();
        assert_eq!(not_after, [misplaced.arrival.plus(86_400_000)]);
    });
}

#[test]
fn a_record_that_never_finds_its_key_is_put_aside_in_the_end() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        let mut event = world.event("e", &ana, "order.completed", &json!({}));
        event["hops"] = json!(8);
        let record = world.record(1, "another", &event);
        assert_eq!(world.handle(&world.router(), std::slice::from_ref(&record)).await, None);
        assert!(world.put_again().await.is_empty());
        assert_eq!(world.quarantined(&record).await.unwrap().0.reason, "too_many_hops");
    });
}

#[test]
fn what_is_about_something_else_than_a_customer_is_archived_and_decides_nothing() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let product = format!("product:{}", unique("p"));
        let record = world.record(1, &product, &world.event("e", &product, "order.completed", &json!({})));
        for _ in 0..2 {
            assert_eq!(world.handle(&world.without_customers(), std::slice::from_ref(&record)).await, None);
        }
        let recorded = world.archived(&record, &product).await.unwrap();
        assert!(recorded.decided.decisions.is_empty() && recorded.input == record.data);
        assert!(world.enqueued().await.is_empty());
    });
}

#[test]
fn a_state_is_not_read_where_nothing_depends_on_it() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        let router = world.without_customers();
        let viewed = world.record(1, &ana, &world.event("e", &ana, "page.viewed", &json!({ "page": 1 })));
        assert_eq!(world.handle(&router, std::slice::from_ref(&viewed)).await, None);
        assert_eq!(world.archived(&viewed, &ana).await.unwrap().input, viewed.data);

        let profile = world.record(2, &ana, &world.event("f", &ana, "page.viewed", &json!({ "customer": { "locale": "de" } })));
        let named = world.record(3, &ana, &world.event("g", &ana, "order.completed", &json!({})));
        for needs_it in [profile, named] {
            assert_eq!(world.handle(&router, std::slice::from_ref(&needs_it)).await.as_ref(), Some(&needs_it.identifier));
        }
    });
}

#[test]
fn events_are_archived_before_anything_was_ever_applied() {
    run(async |stack| {
        let world = World::new(stack, &[]).await;
        let ana = unique("ana");
        let record = world.order(1, &ana);
        assert_eq!(world.handle(&world.router(), std::slice::from_ref(&record)).await, None);
        assert!(world.archived(&record, &ana).await.is_some());
        assert_eq!(world.state(&ana).await.unwrap().1, 1, "the profile is kept");
    });
}

#[test]
fn an_empty_batch_is_done() {
    run(async |stack| {
        let world = World::new(stack, &[OFFER]).await;
        assert_eq!(world.handle(&world.router(), &[]).await, None);
    });
}
