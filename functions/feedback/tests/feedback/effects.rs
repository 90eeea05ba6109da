//! What follows from each event: in the ledger, among the suppressions, in the statistics and on the stream.

use std::collections::BTreeMap;

use aws::Statistics;
use feedback::{Failure, Handled};
use serde_json::{Value, json};
use trigger::Channel::Email;

use crate::fixture;
use crate::local::{now, run};
use crate::world::{World, counted, dynamodb};

fn map<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn a_hard_bounce_suppresses_the_customer_and_the_address() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        world.take(&["ses-bounce-permanent"]).await;
        let marks = map([("bounce#email#*", "2026-03-01T10:00:03.500Z")]);
        assert_eq!(world.suppressed().await, (marks.clone(), marks));
        assert_eq!(world.facts().await, BTreeMap::from([("bounced", "2026-03-01T10:00:03.500Z".to_owned())]));
        let counted = BTreeMap::from([("2026-03-01T10".to_owned(), BTreeMap::from([("bounced".to_owned(), 1)]))]);
        assert_eq!(world.counted().await, counted);
        let told = world.told().await;
        let delivery = world.message.delivery.to_string();
        let expected = json!({
            "specversion": "1.0",
            "id": format!("{delivery}-bounced"),
            "source": "customer-triggers",
            "type": "email.bounced",
            "time": "2026-03-01T10:00:03.500Z",
            "subject": world.message.customer.as_str(),
            "hops": 3,
            "cause": "order-1",
            "data": {
                "delivery": delivery,
                "trigger": world.message.trigger.as_str(),
                "version": 1,
                "step": "0",
                "bounce_type": "Permanent",
                "bounce_sub_type": "NoEmail",
                "status": "5.1.1",
            },
        });
        assert_eq!(told, [expected]);
    });
}

#[test]
fn a_complaint_suppresses_and_an_unsubscription_withdraws() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        world.take(&["ses-complaint", "ses-subscription-topics"]).await;
        let marks = map([("complaint#email#*", "2026-03-01T12:30:00Z"), ("withdrawal#email#news", "2026-03-01T13:00:00Z")]);
        let marks: BTreeMap<_, _> = marks.into_iter().map(|(name, at)| (name, at.replace("00Z", "00.000Z"))).collect();
        assert_eq!(world.suppressed().await, (marks.clone(), marks));
        assert_eq!(world.types_told().await, ["email.complained", "email.unsubscribed", "consent.withdrawn"]);
        let withdrawn = &world.told().await[2];
        assert_eq!(withdrawn["id"], json!(format!("{}-withdrawn-news-1772370000000", world.message.delivery)));
        assert_eq!((&withdrawn["data"]["channels"], &withdrawn["data"]["purpose"]), (&json!(["email"]), &json!("news")));
        assert_eq!(withdrawn["time"], json!("2026-03-01T13:00:00.000Z"));
    });
}

#[test]
fn an_unsubscription_from_everything_names_no_purpose() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        world.take(&["ses-subscription-all"]).await;
        assert_eq!(world.suppressed().await.0, map([("withdrawal#email#*", "2026-03-01T13:00:00.000Z")]));
        let withdrawn = &world.told().await[1];
        assert_eq!((&withdrawn["type"], withdrawn["data"].get("purpose")), (&json!("consent.withdrawn"), None));
    });
}

#[test]
fn what_says_nothing_of_the_address_suppresses_nothing() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        let names = ["ses-send", "ses-delivery", "ses-delivery-delay", "ses-bounce-transient", "ses-complaint-not-spam", "ses-open"];
        world.take(&names).await;
        assert_eq!(world.suppressed().await, (BTreeMap::new(), BTreeMap::new()));
        assert_eq!(world.told().await, Vec::<Value>::new(), "no trigger names any of it");
        let facts =
            [("delayed", "10:20:00.000"), ("delivered", "10:00:01.800"), ("opened", "11:00:00.000"), ("soft_bounced", "10:00:03.500")];
        assert_eq!(world.facts().await, facts.map(|(name, at)| (name, format!("2026-03-01T{at}Z"))).into());
    });
}

#[test]
fn the_stream_is_told_what_a_trigger_names() {
    run(async |stack| {
        let world = World::new(stack, Email, &["email.opened", "email.soft_bounced", "email.sent"]).await;
        world.take(&["ses-send", "ses-delivery", "ses-bounce-transient", "ses-open"]).await;
        assert_eq!(world.types_told().await, ["email.sent", "email.soft_bounced", "email.opened"]);
    });
}

#[test]
fn each_click_is_an_event_and_the_first_is_the_fact() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        let mut later = world.mail("ses-click");
        later["click"]["timestamp"] = json!("2026-03-01T12:00:00.000Z");
        let mut elsewhere = world.mail("ses-click");
        elsewhere["click"]["link"] = json!("https://shop.example/offers/spring?customer=ana@example.com#end");
        for event in [&later, &world.mail("ses-click"), &elsewhere, &later] {
            world.handle(event).await.unwrap();
        }
        let told = world.told().await;
        let ids: Vec<_> = told.iter().map(|event| event["id"].as_str().unwrap()).collect();
        assert!(ids[0] == ids[3] && ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
        assert!(told.iter().all(|event| event["data"]["link"] == json!("https://shop.example/offers/spring")));
        assert_eq!(world.facts().await["clicked"], "2026-03-01T11:00:07.000Z");
        assert_eq!(world.counted().await.values().map(|counters| counters["clicked"]).sum::<u64>(), 1);
    });
}

#[test]
fn a_mail_that_is_not_ours_is_counted_and_nothing_else() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        let mut event = fixture("ses-complaint");
        event["mail"]["tags"] = json!({ "campaign": ["spring"] });
        // An hour of its own, since all that is nobody's is counted together.
        event["complaint"]["timestamp"] = json!("2025-12-24T18:30:00.000Z");
        assert!(matches!(world.handle(&event).await, Ok(Handled::Foreign(_))));
        assert!(world.feedback.is_done_with(&event.to_string()).await);
        assert_eq!(counted(stack, Statistics::NOBODY).await["2025-12-24T18"]["complained"], 2);
        assert!(world.told().await.is_empty());
    });
}

#[test]
fn a_delivery_that_the_ledger_forgot_is_suppressed_and_told_and_never_made_anew() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        let table = crate::local::output(stack, "DeliveriesTable");
        let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
        let delete = dynamodb(stack).delete_item().table_name(table).key("customer", text(world.message.customer.as_str()));
        delete.key("delivery", text(&world.message.delivery.to_string())).send().await.unwrap();
        world.take(&["ses-complaint"]).await;
        assert_eq!(world.suppressed().await.0.len(), 1);
        assert_eq!(world.told().await[0]["hops"], json!(1));
        assert!(world.counted().await.is_empty());
        let record = world.feedback.ledger.read(&world.message.customer, world.message.delivery).await.unwrap();
        assert_eq!(record, None);
    });
}

#[test]
fn what_cannot_be_read_stays_on_its_queue() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        let mut event = world.mail("ses-bounce-permanent");
        event["bounce"]["bounceType"] = json!("Eternal");
        assert!(matches!(world.handle(&event).await, Err(Failure::Payload(_))));
        assert!(!world.feedback.is_done_with(&event.to_string()).await);
        assert!(!world.feedback.is_done_with("ana@example.com").await);
        assert!(world.feedback.is_done_with("Successfully validated SNS topic for Amazon SES event publishing.").await);
    });
}

#[test]
fn a_time_that_lies_ahead_suppresses_no_longer_than_from_now() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        let mut event = world.mail("ses-complaint");
        event["complaint"]["timestamp"] = json!("2999-01-01T00:00:00.000Z");
        world.handle(&event).await.unwrap();
        assert!(world.suppressed().await.0["complaint#email#*"].as_str() <= now().to_string().as_str());
    });
}

#[test]
fn what_a_history_asks_for_is_told_as_well() {
    run(async |stack| {
        let world = World::new(stack, Email, &["order.completed\nwhen: { history: [{ event: email.delivered, at_least: 2 }] }"]).await;
        world.take(&["ses-delivery", "ses-open"]).await;
        assert_eq!(world.types_told().await, ["email.delivered"]);
    });
}
