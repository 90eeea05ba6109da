//! Batches that come again: whole, in part, after a crash, under other triggers.

use serde_json::json;

use crate::local::{run, unique};
use crate::world::{OFFER, THANKS, World, every};

#[test]
fn a_batch_that_comes_again_whole_changes_nothing() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS, OFFER]).await;
        let (ana, ben) = (unique("ana"), unique("ben"));
        let batch = [world.order(1, &ana), world.order(2, &ben), world.order(3, &ana)];
        assert_eq!(world.handle(&world.router(), &batch).await, None);
        assert_eq!(world.enqueued().await.len(), 6);
        let before = (world.state(&ana).await, world.archived(&batch[0], &ana).await);

        assert_eq!(world.handle(&world.router(), &batch).await, None);
        assert!(world.enqueued().await.is_empty(), "what is part of the state has had its effects");
        assert_eq!((world.state(&ana).await, world.archived(&batch[0], &ana).await), before);
    });
}

#[test]
fn a_state_is_written_once_for_a_customer_and_a_batch() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        let batch = [world.order(1, &ana), world.order(2, &ana), world.order(3, &ana)];
        assert_eq!(world.handle(&world.router(), &batch).await, None);
        let (state, writes) = world.state(&ana).await.unwrap();
        assert_eq!(writes, 1);
        assert!(batch.iter().all(|record| state.is_committed(&record.shard, &record.sequence, record.arrival)));
        assert_eq!(state.email().unwrap().expose(), "ana@example.com");
    });
}

#[test]
fn an_event_that_changes_nothing_writes_no_state() {
    run(async |stack| {
        let world = World::new(stack, &[OFFER]).await;
        let ana = unique("ana");
        let record = world.record(1, &ana, &world.event("order-1", &ana, "order.completed", &json!({})));
        assert_eq!(world.handle(&world.router(), std::slice::from_ref(&record)).await, None);
        assert_eq!(world.state(&ana).await, None);
        assert_eq!(world.archived(&record, &ana).await.unwrap().codes(), ["offer@1/0=no_consent"]);
    });
}

#[test]
fn what_changed_nothing_before_a_split_changes_nothing_when_the_stream_is_read_again() {
    run(async |stack| {
        let world = World::new(stack, &[]).await;
        let ana = unique("ana");
        let update = |sequence: u32, plan: &str| {
            let data = json!({ "traits": { "plan": plan } });
            world.record(sequence, &ana, &world.event(&format!("update-{sequence}"), &ana, "customer.updated", &data))
        };
        let parent = [update(1, "free"), update(2, "free")];
        let child = [world.on_a_child(update(3, "pro"))];
        for batch in [parent.as_slice(), &child] {
            assert_eq!(world.handle(&world.router(), batch).await, None);
        }
        let before = world.state(&ana).await;
        for batch in [parent.as_slice(), &child] {
            assert_eq!(world.handle(&world.router(), batch).await, None);
        }
        assert_eq!(world.state(&ana).await, before);
    });
}

#[test]
fn after_a_crash_before_the_commit_the_same_deliveries_are_enqueued_again() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS, OFFER]).await;
        let ana = unique("ana");
        let batch = [world.order(1, &ana), world.order(2, &ana)];
        let failed = world.handle(&world.failing_commits(every("PutItem")), &batch).await;
        assert_eq!(failed.as_ref(), Some(&batch[0].identifier));
        assert_eq!(world.state(&ana).await, None);
        let first = world.enqueued().await;
        assert_eq!(first.len(), 4);

        assert_eq!(world.handle(&world.router(), &batch).await, None);
        assert_eq!(world.enqueued().await, first);
        assert_eq!(world.state(&ana).await.unwrap().1, 1);
    });
}

#[test]
fn a_crash_before_a_delivery_was_enqueued_loses_none() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        let batch = [world.order(1, &ana)];
        assert_eq!(world.handle(&world.without_queue(), &batch).await.as_ref(), Some(&batch[0].identifier));
        assert!(world.archived(&batch[0], &ana).await.is_some());
        assert_eq!(world.state(&ana).await, None, "nothing is committed whose effects are missing");

        assert_eq!(world.handle(&world.router(), &batch).await, None);
        assert_eq!(world.enqueued().await.len(), 1);
    });
}

#[test]
fn what_was_decided_first_holds_though_the_triggers_changed_in_between() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        let batch = [world.order(1, &ana)];
        world.handle(&world.failing_commits(every("PutItem")), &batch).await;
        let first = world.enqueued().await;
        let recorded = world.archived(&batch[0], &ana).await;

        // From before the record arrived, so that the new triggers judge it as well.
        world.apply(&[OFFER, THANKS], world.started.plus(-3_600_000)).await;
        assert_eq!(world.handle(&world.router(), &batch).await, None);
        let again = world.enqueued().await;
        assert_eq!(again, first);
        assert_eq!((again[0].trigger.as_str(), again[0].version.get()), ("thanks", 1));
        assert_eq!(world.archived(&batch[0], &ana).await, recorded);

        let later = [world.order(2, &ana)];
        assert_eq!(world.handle(&world.router(), &later).await, None);
        let decided: Vec<_> =
            world.enqueued().await.iter().map(|message| (message.trigger.as_str().to_owned(), message.version.get())).collect();
        assert_eq!(decided, [("offer".to_owned(), 2), ("thanks".to_owned(), 2)]);
    });
}

#[test]
fn a_producer_s_repeat_is_recorded_and_does_nothing() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        let first = world.order(1, &ana);
        let repeat = world.raw(2, &ana, &first.data);
        assert_eq!(world.handle(&world.router(), &[first]).await, None);
        assert_eq!(world.handle(&world.router(), std::slice::from_ref(&repeat)).await, None);
        assert_eq!(world.enqueued().await.len(), 1);
        assert_eq!(world.archived(&repeat, &ana).await.unwrap().codes(), ["repeat"]);
    });
}

#[test]
fn a_stream_that_was_replaced_is_read_from_its_beginning() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        assert_eq!(world.handle(&world.router(), &[world.order(100, &ana)]).await, None);
        let mut replaced = world.order(5, &ana);
        replaced.arrival = world.started.plus(11 * 60_000);
        assert_eq!(world.handle(&world.router(), &[replaced]).await, None);
        assert_eq!(world.enqueued().await.len(), 2);
    });
}

#[test]
fn triggers_that_take_effect_later_do_not_judge_what_arrived_before() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        world.apply(&[OFFER], world.started.plus(50)).await;
        assert_eq!(world.handle(&world.router(), &[world.order(49, &ana), world.order(50, &ana)]).await, None);
        let triggers: Vec<_> = world.enqueued().await.iter().map(|message| message.trigger.as_str().to_owned()).collect();
        assert_eq!(triggers, ["thanks", "offer"]);
    });
}
