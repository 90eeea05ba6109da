//! What is decided before a provider is called.

use decision::{Outcome, Reason};
use delivery::WaitCause;
use sender::{Failure, Handled};
use serde_json::json;
use trigger::Mode;

use crate::local::run;
use crate::world::World;

#[test]
fn a_delivery_waits_until_its_cause_is_committed() {
    run(async |stack| {
        let world = World::uncommitted(stack, "marketing").await;
        assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::NotCommitted));
        assert_eq!(world.calls(), 0);
        tokio::time::sleep(std::time::Duration::from_millis(1_300)).await;
        assert_eq!(world.waiting().await, [(world.message.delivery.to_string(), 1)]);

        world.commit().await;
        assert!(matches!(world.handle().await.unwrap(), Handled::Ended(Outcome::Sent { .. })));
        assert_eq!(world.calls(), 1);
    });
}

#[test]
fn a_consent_withdrawn_in_between_stops_the_message_and_the_stream_is_told() {
    run(async |stack| {
        let world = World::new(stack, "marketing").await;
        world.pass(1_000);
        world.then("consent.withdrawn", &json!({ "purpose": "marketing" })).await;
        let refused = Outcome::Refused(Reason::NoConsent);
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(refused.clone()));
        assert_eq!(world.handle().await.unwrap(), Handled::EndedBefore(refused));
        assert_eq!(world.calls(), 0);

        let told = world.told().await;
        let delivery = world.message.delivery.to_string();
        assert!(told.iter().all(|event| event["id"] == json!(format!("{delivery}-refused"))), "telling it twice is telling it once");
        let told = told.first().unwrap();
        assert_eq!(
            (&told["type"], &told["source"], &told["subject"]),
            (&json!("email.refused"), &json!("customer-triggers"), &json!(world.customer.as_str()))
        );
        assert_eq!((&told["cause"], &told["hops"], &told["time"]), (&json!("order-1"), &json!(1), &json!(world.now().to_string())));
        assert_eq!(told["data"], json!({ "delivery": delivery, "trigger": "thanks", "version": 1, "step": "0", "reason": "no_consent" }));
    });
}

#[test]
fn a_suppression_stops_the_message() {
    run(async |stack| {
        for (class, mark, sent) in [
            ("marketing", "withdrawal#email#marketing", false),
            ("transactional", "withdrawal#email#*", true),
            ("transactional", "bounce#email#*", false),
        ] {
            let world = World::new(stack, class).await;
            world.suppress(mark, world.now().plus(1)).await;
            let handled = world.handle().await.unwrap();
            assert_eq!(handled == Handled::Ended(Outcome::Refused(Reason::Suppressed)), !sent, "{class} {mark}: {handled:?}");
            assert_eq!(world.calls(), usize::from(sent));
        }
    });
}

#[test]
fn a_paused_trigger_holds_its_deliveries() {
    run(async |stack| {
        let world = World::new(stack, "transactional").await;
        for mode in [Some(Mode::Paused), None] {
            world.set_mode(mode).await;
            world.pass(16_000);
            assert_eq!(world.handle().await.unwrap(), Handled::Waits(WaitCause::Paused), "{mode:?}");
        }
        world.set_mode(Some(Mode::Live)).await;
        world.pass(16_000);
        assert!(matches!(world.handle().await.unwrap(), Handled::Ended(Outcome::Sent { .. })));
    });
}

#[test]
fn a_message_that_comes_too_late_is_not_sent() {
    run(async |stack| {
        let world = World::new(stack, "marketing").await;
        world.pass(6 * 3_600_000 + 1);
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(Outcome::Expired));
        assert_eq!(world.handle().await.unwrap(), Handled::EndedBefore(Outcome::Expired));
        assert_eq!((world.calls(), world.told().await.first().unwrap()["type"].clone()), (0, json!("email.expired")));
    });
}

#[test]
fn a_delivery_that_cannot_be_built_ends_with_its_reason() {
    run(async |stack| {
        let world = World::new(stack, "marketing").await;
        world.sender.provider.refuse_to_build(Outcome::Refused(Reason::TemplateError));
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(Outcome::Refused(Reason::TemplateError)));

        let world = World::new(stack, "marketing").await;
        world.forget_the_event().await;
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(Outcome::Failed { cause: "event_missing".to_owned() }));

        let mut world = World::new(stack, "marketing").await;
        world.message.step = "9".to_owned();
        assert_eq!(world.handle().await.unwrap(), Handled::Ended(Outcome::Failed { cause: "trigger_missing".to_owned() }));
        assert_eq!((world.calls(), world.told().await.first().unwrap()["data"]["reason"].clone()), (0, json!("trigger_missing")));
    });
}

#[test]
fn a_message_that_is_none_stays_on_the_queue() {
    run(async |stack| {
        let world = World::new(stack, "marketing").await;
        let deadline = world.now().plus(30_000);
        for body in ["", "{}", "ana@example.com", "{\"format\":2}"] {
            let error = world.sender.handle(body, "a", deadline).await.unwrap_err();
            assert!(matches!(error, Failure::Message(_)) && !error.to_string().contains("ana"), "{error}");
            assert!(!world.sender.is_done_with(body, "a", deadline).await);
        }
    });
}

#[test]
fn a_link_to_withdraw_names_customer_and_delivery() {
    run(async |stack| {
        let world = World::new(stack, "marketing").await;
        assert!(world.sender.is_done_with(&world.message.to_text(), "a", world.now().plus(30_000)).await);
        let url = format!("https://example.com/u?c={}&d={}", world.customer, world.message.delivery);
        assert_eq!(world.sender.provider.last_unsubscribe_url(), Some(url));
    });
}
