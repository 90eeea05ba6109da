//! Text messages, of which SNS says only its own id.

use std::collections::BTreeMap;

use aws::{LedgerEntry, RawQueue};
use decision::Outcome;
use delivery::Tags;
use feedback::Handled;
use serde_json::{Value, json};
use trigger::Channel::{Email, Sms};

use crate::fixture;
use crate::local::{queue, received, run};
use crate::world::World;

#[test]
fn a_line_of_the_log_finds_the_delivery_by_the_id_that_sns_gave() {
    run(async |stack| {
        let world = World::new(stack, Sms, &["sms.delivered"]).await;
        assert!(matches!(world.handle(&world.line("sns-success")).await, Ok(Handled::Foreign(_))), "the id is not known yet");
        world.settle(&world.sent()).await.unwrap();
        let handled = world.handle(&world.line("sns-success")).await.unwrap();
        assert!(matches!(&handled, Handled::Taken { trigger, .. } if trigger == world.message.trigger.as_str()), "{handled:?}");
        assert_eq!(world.facts().await, BTreeMap::from([("delivered", "2026-03-01T10:00:02.000Z".to_owned())]));
        assert_eq!(world.counted().await["2026-03-01T10"]["delivered"], 1);
        let told = world.told().await;
        assert_eq!(
            (told.len(), &told[0]["type"], &told[0]["data"]["trigger"]),
            (1, &json!("sms.delivered"), &json!(world.message.trigger.as_str()))
        );
    });
}

#[test]
fn a_number_that_does_not_exist_is_suppressed() {
    run(async |stack| {
        let world = World::new(stack, Sms, &[]).await;
        world.settle(&world.sent()).await.unwrap();
        world.handle(&world.line("sns-unreachable")).await.unwrap();
        assert_eq!(world.suppressed().await, (BTreeMap::new(), BTreeMap::new()), "it may be reachable tomorrow");
        world.handle(&world.line("sns-invalid")).await.unwrap();
        let marks = BTreeMap::from([("bounce#sms#*".to_owned(), "2026-03-01T10:00:02.000Z".to_owned())]);
        assert_eq!(world.suppressed().await, (marks.clone(), marks));
        assert_eq!(world.types_told().await, ["sms.bounced"]);
    });
}

#[test]
fn a_number_that_opted_out_is_unsubscribed() {
    run(async |stack| {
        let world = World::new(stack, Sms, &[]).await;
        world.settle(&world.sent()).await.unwrap();
        world.handle(&world.line("sns-opted-out")).await.unwrap();
        let names: Vec<_> = world.suppressed().await.1.into_keys().collect();
        assert_eq!(names, ["bounce#sms#*", "withdrawal#sms#*"]);
        assert_eq!(world.types_told().await, ["sms.unsubscribed", "consent.withdrawn"]);
        assert_eq!(world.told().await[1]["data"]["channels"], json!(["sms"]));
    });
}

#[test]
fn what_sns_did_not_send_failed() {
    run(async |stack| {
        let world = World::new(stack, Sms, &[]).await;
        world.settle(&world.sent()).await.unwrap();
        world.handle(&world.line("sns-max-price")).await.unwrap();
        assert_eq!(world.record().await.entry, LedgerEntry::Settled(Outcome::Failed { cause: "max_price".to_owned() }));
        assert_eq!(world.types_told().await, ["sms.failed"]);
    });
}

#[test]
fn the_context_of_end_user_messaging_leads_to_the_delivery_itself() {
    run(async |stack| {
        let world = World::new(stack, Sms, &[]).await;
        let mut event = fixture("text-invalid");
        let tags = Tags::of(&world.message).pairs().into_iter().map(|(name, value)| (name.to_owned(), json!(value)));
        event["context"] = Value::Object(tags.collect());
        event["messageId"] = json!(world.provider_id);
        world.handle(&event).await.unwrap();
        assert_eq!(world.record().await.entry, LedgerEntry::Settled(world.sent()), "no sender had settled it");
        // Settled by feedback, it is found by its id as well.
        let handled = world.handle(&world.line("sns-success")).await;
        assert!(matches!(handled, Ok(Handled::Taken { .. })), "{handled:?}");
    });
}

#[test]
fn no_mail_is_in_the_index_and_an_id_that_is_missing_is_no_key() {
    run(async |stack| {
        let mail = World::new(stack, Email, &[]).await;
        mail.settle(&mail.sent()).await.unwrap();
        assert_eq!(mail.feedback.ledger.of_text_message(&mail.provider_id).await.unwrap(), None);
        for outcome in [Outcome::Sent { provider_id: String::new() }, Outcome::Unknown, Outcome::Failed { cause: "no".to_owned() }] {
            let text = World::new(stack, Sms, &[]).await;
            text.settle(&outcome).await.unwrap();
            assert_eq!(text.record().await.entry, LedgerEntry::Settled(outcome));
        }
    });
}

#[test]
fn lines_of_a_log_become_messages_of_their_own() {
    run(async |stack| {
        let mut world = World::new(stack, Sms, &[]).await;
        let (_, url) = queue(stack).await;
        world.feedback.queue = RawQueue::new(aws_sdk_sqs::Client::new(stack.sdk_config()), url.clone());
        let lines: Vec<_> = (0..23).map(|number| format!("{{\"line\":{number}}}")).collect();
        assert_eq!(world.feedback.pass_on(lines.clone()).await.unwrap(), Handled::PassedOn(23));
        assert!(received(stack, &url).await.is_empty(), "each waits until its sender has settled");
        world.feedback.queue.send(&lines, 0).await.unwrap();
        let mut bodies = received(stack, &url).await;
        bodies.sort_by_key(|body| (body.len(), body.clone()));
        assert_eq!(bodies, lines);
    });
}
