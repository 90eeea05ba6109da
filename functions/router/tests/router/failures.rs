//! What the router answers when a part of its world fails.

use aws::{Stream, TriggerBook, Triggers};
use event::Position;
use router::Router;
use serde_json::json;

use crate::faults::Fails;
use crate::local::{run, unique};
use crate::world::{THANKS, World, every};

const MINUTE: i64 = 60_000;

fn commits_of(customer: &str) -> Fails {
    Fails { operation: "PutItem", containing: customer.to_owned() }
}

#[test]
fn the_first_failure_in_batch_order_is_named_and_all_other_customers_are_done() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        // Named so that the order of the batch is not the order of the names.
        let (first, second, third) = (unique("zoe"), unique("ben"), unique("ana"));
        let batch = [world.order(1, &first), world.order(2, &third), world.order(3, &second), world.order(4, &third)];
        let failing = world.failing_commits(Fails { operation: "PutItem", containing: "\"version\":{\"N\":\"1\"}".to_owned() });
        assert_eq!(world.handle(&failing, &batch).await.as_ref(), Some(&batch[0].identifier), "all of them fail");

        let failing = world.failing_commits(commits_of(&second));
        assert_eq!(world.handle(&failing, &batch).await.as_ref(), Some(&batch[2].identifier));
        assert_eq!(world.state(&first).await.unwrap().1, 1);
        assert_eq!(world.state(&third).await.unwrap().1, 1);
        assert_eq!(world.state(&second).await, None);
    });
}

#[test]
fn what_a_customer_did_before_a_failure_is_committed() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        let batch = [world.order(1, &ana), world.order(2, &ana), world.order(3, &ana)];
        let position = Position::new(batch[1].arrival, &batch[1].sequence);
        let failing = world.failing_archive(Fails { operation: "PutItem", containing: position.as_str().to_owned() });
        assert_eq!(world.handle(&failing, &batch).await.as_ref(), Some(&batch[1].identifier));
        let (state, writes) = world.state(&ana).await.unwrap();
        let committed = batch.each_ref().map(|record| state.is_committed(&record.shard, &record.sequence, record.arrival));
        assert_eq!((writes, committed), (1, [true, false, false]));
        assert_eq!(world.archived(&batch[2], &ana).await, None, "one after another");

        assert_eq!(world.handle(&world.router(), &batch[1..]).await, None);
        assert_eq!(world.enqueued().await.len(), 3);
    });
}

#[test]
fn a_record_that_is_stuck_alone_for_fifteen_minutes_is_put_aside() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let (ana, ben) = (unique("ana"), unique("ben"));
        let batch = [world.order(1, &ana), world.order(2, &ben), world.order(3, &ana)];
        let stuck = world.failing_commits(commits_of(&ana));
        world.pass(14 * MINUTE);
        assert_eq!(world.handle(&stuck, &batch).await.as_ref(), Some(&batch[0].identifier));
        assert!(world.quarantined(&batch[0]).await.is_none());

        world.pass(2 * MINUTE);
        assert_eq!(world.handle(&stuck, &batch).await.as_ref(), Some(&batch[2].identifier), "the customer's next record is to be tried");
        let (kept, bytes) = world.quarantined(&batch[0]).await.unwrap();
        assert_eq!((kept.reason.as_str(), &bytes), ("stuck", &batch[0].data));
        assert!(kept.problems[0].starts_with("the record alone kept failing: the customer's state failed: "), "{:?}", kept.problems);
        assert_eq!(world.state(&ben).await.unwrap().1, 1);

        assert_eq!(world.handle(&world.router(), &batch[2..]).await, None);
        assert_eq!(world.state(&ana).await.unwrap().1, 1);
    });
}

#[test]
fn a_service_in_trouble_puts_no_record_aside() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let (ana, ben) = (unique("ana"), unique("ben"));
        let batch = [world.order(1, &ana), world.order(2, &ben)];
        world.pass(60 * MINUTE);
        for batch in [&batch[..], &batch[..1]] {
            for router in [world.without_customers(), world.without_queue(), world.failing_archive(every("PutItem"))] {
                assert_eq!(world.handle(&router, batch).await.as_ref(), Some(&batch[0].identifier));
            }
        }
        assert!(world.quarantined(&batch[0]).await.is_none() && world.quarantined(&batch[1]).await.is_none());
    });
}

#[test]
fn a_state_that_nobody_can_read_blocks_its_shard_for_fifteen_minutes_at_most() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        world.break_state(&ana).await;
        // The last record of a batch comes back with no other beside it.
        let alone = [world.order(1, &ana)];
        assert_eq!(world.handle(&world.router(), &alone).await.as_ref(), Some(&alone[0].identifier));
        world.pass(16 * MINUTE);
        assert_eq!(world.handle(&world.router(), &alone).await, None);
        assert_eq!(world.quarantined(&alone[0]).await.unwrap().0.reason, "stuck");
    });
}

#[test]
fn what_cannot_be_put_aside_comes_again() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let (ana, ben) = (unique("ana"), unique("ben"));
        let batch = [world.raw(1, &ana, b"no event"), world.order(2, &ben)];
        assert_eq!(world.handle(&world.without_quarantine(), &batch).await.as_ref(), Some(&batch[0].identifier));
        assert_eq!(world.state(&ben).await.unwrap().1, 1);

        world.break_state(&ana).await;
        let batch = [world.order(3, &ana), world.order(4, &ben)];
        world.pass(16 * MINUTE);
        assert_eq!(world.handle(&world.without_quarantine(), &batch).await.as_ref(), Some(&batch[0].identifier));
    });
}

#[test]
fn what_cannot_be_put_under_its_key_comes_again() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let (ana, ben) = (unique("ana"), unique("ben"));
        let misplaced = world.record(1, &ben, &world.event("e", &ana, "order.completed", &json!({})));
        let client = aws_sdk_kinesis::Client::new(stack.sdk_config());
        let router = Router { stream: Stream::new(client, "nowhere".to_owned()), ..world.router() };
        assert_eq!(world.handle(&router, std::slice::from_ref(&misplaced)).await.as_ref(), Some(&misplaced.identifier));
    });
}

#[test]
fn nothing_is_decided_while_the_triggers_cannot_be_read() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        let batch = [world.order(1, &ana)];
        let triggers = Triggers::new(aws_sdk_dynamodb::Client::new(stack.sdk_config()), "nowhere".to_owned());
        let router = world.router();
        let router = Router { book: TriggerBook::new(triggers, router.clock.clone()), ..router };
        world.pass(16 * MINUTE);
        assert_eq!(world.handle(&router, &batch).await.as_ref(), Some(&batch[0].identifier));
        assert_eq!(world.archived(&batch[0], &ana).await, None);

        let missing_bundle = world.with_a_bundle_that_is_missing().await;
        assert_eq!(world.handle(&missing_bundle, &batch).await.as_ref(), Some(&batch[0].identifier));
        assert!(world.quarantined(&batch[0]).await.is_none(), "the record is not to blame");
    });
}

#[test]
fn no_work_is_begun_that_the_invocation_has_no_time_for() {
    run(async |stack| {
        let world = World::new(stack, &[THANKS]).await;
        let ana = unique("ana");
        let batch = [world.raw(1, &ana, b"no event"), world.order(2, &ana)];
        world.pass(16 * MINUTE);
        let router = world.router();
        for batch in [&batch[..], &batch[1..]] {
            let first = router.handle(batch, router.clock.now().plus(5_000)).await.map(|record| &record.identifier);
            assert_eq!(first, Some(&batch[0].identifier));
        }
        assert!(world.archived(&batch[1], &ana).await.is_none() && world.quarantined(&batch[1]).await.is_none());
    });
}
