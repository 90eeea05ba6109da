//! What follows a call to the provider, and what a crash between two steps leaves to the next attempt.

use decision::{Outcome, Reason};
use delivery::WaitCause;
use futures::future::join_all;
use sender::{Failure, Handled, SendError};
use serde_json::json;

use crate::faults::Fails;
use crate::local::run;
use crate::world::World;

const AT_MOST_ONCE: &str = "marketing";
const AT_LEAST_ONCE: &str = "transactional";

/// A claim's lease: the longest call and a margin.
const LEASE: i64 = 30_000;

fn cause() -> String {
    "a code".to_owned()
}

fn sent(number: usize) -> Outcome {
    Outcome::Sent { provider_id: format!("id-{number}") }
}

#[test]
fn what_was_sent_is_never_sent_again() {
    run(async |stack| {
        for class in [AT_MOST_ONCE, AT_LEAST_ONCE] {
            let world = World::new(stack, class).await;
            assert_eq!(world.handle().await.unwrap(), Handled::Ended(sent(1)));
            world.pass(LEASE * 2);
            assert_eq!(world.handle().await.unwrap(), Handled::EndedBefore(sent(1)));
            assert_eq!(world.calls(), 1);
            assert!(world.told().await.is_empty() && world.waiting().await.is_empty());
        }
    });
}

#[test]
fn of_many_attempts_at_once_one_sends() {
    run(async |stack| {
        let world = World::new(stack, AT_LEAST_ONCE).await;
        let handled = join_all((0..8).map(|_| world.handle())).await;
        let ended = handled.into_iter().filter(|handled| matches!(handled, Ok(Handled::Ended(_)))).count();
        assert_eq!((ended, world.calls()), (1, 1));
    });
}

#[test]
fn an_answer_that_was_lost_is_unknown_and_not_sent_again_where_once_is_enough() {
    run(async |stack| {
        let world = World::new(stack, AT_MOST_ONCE).await;
        world.sender.provider.answer(SendError::Ambiguous { cause: cause() });
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(Outcome::Unknown));
        world.pass(LEASE * 2);
        assert_eq!(world.handle().await.unwrap(), Handled::EndedBefore(Outcome::Unknown));
        assert_eq!((world.calls(), world.told().await.first().unwrap()["type"].clone()), (1, json!("email.unknown")));
    });
}

#[test]
fn an_answer_that_was_lost_is_followed_by_another_attempt_where_it_must_arrive() {
    run(async |stack| {
        let world = World::new(stack, AT_LEAST_ONCE).await;
        world.sender.provider.answer(SendError::Ambiguous { cause: cause() });
        assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::Unknown));
        world.pass(LEASE);
        assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::ClaimedByAnother));
        world.pass(1);
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(sent(2)));
        assert!(world.told().await.is_empty());
    });
}

#[test]
fn an_unknown_delivery_that_must_not_be_tried_again_ends_as_unknown() {
    run(async |stack| {
        for passed in [LEASE + 1, 6 * 3_600_000 + 1] {
            let world = World::new(stack, AT_LEAST_ONCE).await;
            world.sender.provider.answer(SendError::Ambiguous { cause: cause() });
            assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::Unknown));
            world.suppress("bounce#email#*", world.now()).await;
            assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::ClaimedByAnother));
            world.pass(passed);
            assert_eq!(world.handle().await.unwrap(), Handled::Ended(Outcome::Unknown));
            assert_eq!((world.calls(), world.told().await.first().unwrap()["type"].clone()), (1, json!("email.unknown")));
        }
    });
}

#[test]
fn a_throttled_delivery_waits_and_is_anybody_s() {
    run(async |stack| {
        let world = World::new(stack, AT_MOST_ONCE).await;
        world.sender.provider.answer(SendError::Throttled { cause: cause(), retry_after_millis: None });
        assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::Throttled));
        tokio::time::sleep(std::time::Duration::from_millis(2_300)).await;
        assert_eq!(world.waiting().await, [(world.message.delivery.to_string(), 1)]);
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(sent(2)));
    });
}

#[test]
fn a_message_that_perhaps_is_at_fault_itself_uses_up_a_receive_and_no_more() {
    run(async |stack| {
        let world = World::new(stack, AT_MOST_ONCE).await;
        for _ in 0..9 {
            world.sender.provider.answer(SendError::NotSent { cause: cause() });
            let failure = world.handle().await.unwrap_err();
            assert!(matches!(failure, Failure::NotSent { .. }), "{failure}");
            assert_eq!(world.ledger_s_cause().await, cause(), "whoever looks for a dead letter's reason finds it");
        }
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(sent(10)), "it alone never stops the others");
    });
}

#[test]
fn a_provider_that_was_not_reached_uses_up_no_receive() {
    run(async |stack| {
        let world = World::new(stack, AT_MOST_ONCE).await;
        world.sender.provider.answer(SendError::Unavailable { cause: cause() });
        assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::Unavailable));
        assert_eq!((world.waiting_later().await, world.ledger_s_cause().await), (1, cause()));
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(sent(2)));
    });
}

#[test]
fn a_message_that_the_provider_refuses_has_failed() {
    run(async |stack| {
        let world = World::new(stack, AT_LEAST_ONCE).await;
        world.sender.provider.answer(SendError::Rejected { cause: cause() });
        let failed = Outcome::Failed { cause: cause() };
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(failed.clone()));
        assert_eq!(world.handle().await.unwrap(), Handled::EndedBefore(failed));
        let told = world.told().await;
        assert_eq!((&told[0]["type"], &told[0]["data"]["reason"]), (&json!("email.failed"), &json!("a code")));
    });
}

#[test]
fn a_delivery_that_another_attempt_has_claimed_waits() {
    run(async |stack| {
        let world = World::new(stack, AT_MOST_ONCE).await;
        world.sender.ledger.claim(&world.message, "another", trigger::SendPolicy::AtMostOnce, world.now(), 0).await.unwrap();
        assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::ClaimedByAnother));
        world.pass(1);
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(Outcome::Unknown), "its lease is over, and nobody knows");
        assert_eq!(world.calls(), 0);
    });
}

#[test]
fn no_call_is_begun_that_the_invocation_has_no_time_for() {
    run(async |stack| {
        let world = World::new(stack, AT_MOST_ONCE).await;
        let handled = world.sender.handle(&world.message.to_text(), "a", world.now().plus(9_999)).await.unwrap();
        assert_eq!((handled, world.calls(), world.waiting_later().await), (Handled::Waits(WaitCause::OutOfTime), 0, 1));
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(sent(1)), "nothing was claimed");
    });
}

#[test]
fn a_crash_right_after_the_send_leaves_what_the_policy_says() {
    run(async |stack| {
        for (class, outcome, calls) in [(AT_MOST_ONCE, Outcome::Unknown, 1), (AT_LEAST_ONCE, sent(2), 2)] {
            let mut world = World::new(stack, class).await;
            world.failing_ledger(Fails { operation: "UpdateItem", containing: "settled_at".to_owned() });
            assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::StoreDown));
            world.healthy_ledger();
            assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::ClaimedByAnother));
            world.pass(LEASE + 1);
            assert_eq!(world.handle().await.unwrap(), Handled::Ended(outcome));
            assert_eq!(world.calls(), calls, "{class}");
        }
    });
}

#[test]
fn an_outcome_that_the_stream_was_not_told_is_told_by_the_next_attempt() {
    run(async |stack| {
        let mut world = World::new(stack, AT_MOST_ONCE).await;
        world.sender.provider.refuse_to_build(Outcome::Refused(Reason::TemplateError));
        world.stream_to(Some("nowhere"));
        assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::StoreDown));
        assert!(world.told().await.is_empty());
        world.stream_to(None);
        assert_eq!(world.handle().await.unwrap(), Handled::EndedBefore(Outcome::Refused(Reason::TemplateError)));
        assert_eq!(world.told().await.len(), 1);
    });
}

#[test]
fn a_table_in_trouble_uses_up_receives_only_beyond_the_delivery_s_end() {
    run(async |stack| {
        let mut world = World::new(stack, AT_LEAST_ONCE).await;
        world.failing_ledger(Fails { operation: "UpdateItem", containing: String::new() });
        for waits in 1..=3 {
            assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::StoreDown));
            assert_eq!(world.waiting_later().await, waits);
        }
        world.pass(6 * 3_600_000 + 1);
        assert!(matches!(world.handle().await, Err(Failure::Store(_))), "who could say that it expired?");
        assert_eq!((world.waiting_later().await, world.calls()), (3, 0));
        world.healthy_ledger();
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(Outcome::Expired), "a redrive settles it");
    });
}

#[test]
fn who_cannot_be_put_back_to_wait_stays_on_the_queue() {
    run(async |stack| {
        let mut world = World::new(stack, AT_LEAST_ONCE).await;
        world.queue_to("http://127.0.0.1:1/nowhere");
        world.sender.provider.answer(SendError::Throttled { cause: cause(), retry_after_millis: None });
        assert!(matches!(world.handle().await, Err(Failure::Queue(_))));
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(sent(2)));
    });
}
