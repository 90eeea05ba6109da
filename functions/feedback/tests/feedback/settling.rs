//! Feedback and the sender settle the same delivery, in whatever order.

use aws::{Claim, LedgerEntry, StoreError};
use decision::{FeedbackKind, Outcome, Reason};
use feedback::Handled;
use serde_json::json;
use trigger::Channel::Email;
use trigger::SendPolicy::AtLeastOnce;

use crate::local::run;
use crate::world::{LEASE, OWNER, World};

const PROOFS: [&str; 9] = [
    "ses-send",
    "ses-delivery",
    "ses-delivery-delay",
    "ses-bounce-permanent",
    "ses-bounce-transient",
    "ses-complaint",
    "ses-open",
    "ses-click",
    "ses-subscription-all",
];

#[test]
fn whatever_is_said_of_a_mail_proves_that_it_was_taken() {
    run(async |stack| {
        for name in PROOFS {
            for was_unknown in [false, true] {
                let world = World::new(stack, Email, &[]).await;
                if was_unknown {
                    world.settle(&Outcome::Unknown).await.unwrap();
                }
                let handled = world.handle(&world.mail(name)).await.unwrap();
                let sent = world.sent();
                assert!(matches!(&handled, Handled::Taken { settled: Some(outcome), .. } if *outcome == sent), "{name} {handled:?}");
                assert_eq!(world.record().await.entry, LedgerEntry::Settled(sent.clone()), "{name}");
                // No other attempt is made, though the policy would let it.
                let late = world.started.plus(LEASE * 2);
                let claim = world.feedback.ledger.claim(&world.message, "request-2/0", AtLeastOnce, late, LEASE).await.unwrap();
                assert_eq!(claim, Claim::Settled(sent), "{name}");
            }
        }
    });
}

#[test]
fn the_sender_that_comes_after_meets_no_conflict() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        world.take(&["ses-delivery"]).await;
        world.settle(&world.sent()).await.unwrap();
        assert_eq!(world.record().await.entry, LedgerEntry::Settled(world.sent()));
        assert_eq!(world.facts().await.len(), 1, "what was said stays");
        let other = Outcome::Sent { provider_id: "another".to_owned() };
        assert!(matches!(world.settle(&other).await, Err(StoreError::Conflict { .. })), "that was another mail");
    });
}

#[test]
fn the_sender_and_feedback_at_once_end_as_one_after_the_other() {
    run(async |stack| {
        for _ in 0..10 {
            let world = World::new(stack, Email, &[]).await;
            let sent = world.sent();
            let events = ["ses-send", "ses-delivery", "ses-open"].map(|name| world.mail(name));
            let (settled, one, two, three) =
                tokio::join!(world.settle(&sent), world.handle(&events[0]), world.handle(&events[1]), world.handle(&events[2]));
            settled.unwrap();
            for handled in [one, two, three] {
                assert!(matches!(handled, Ok(Handled::Taken { .. })));
            }
            assert_eq!(world.record().await.entry, LedgerEntry::Settled(sent));
            assert_eq!(world.facts().await.keys().copied().collect::<Vec<_>>(), ["delivered", "opened"]);
            assert_eq!(world.counted().await.values().map(|counters| counters.values().sum::<u64>()).sum::<u64>(), 2);
        }
    });
}

#[test]
fn a_mail_that_ses_took_and_did_not_send_failed() {
    run(async |stack| {
        for (name, cause) in [("ses-reject", "rejected_by_ses"), ("ses-rendering-failure", "rendering_failure")] {
            let failed = Outcome::Failed { cause: cause.to_owned() };
            for before in [None, Some(Outcome::Unknown), Some(Outcome::Sent { provider_id: String::new() })] {
                let world = World::new(stack, Email, &[]).await;
                match before {
                    Some(Outcome::Sent { .. }) => world.settle(&world.sent()).await.unwrap(),
                    Some(outcome) => world.settle(&outcome).await.unwrap(),
                    None => (),
                }
                // The second time stands for an attempt that died before it told the stream.
                world.take(&[name, name, "ses-send"]).await;
                assert_eq!(world.record().await.entry, LedgerEntry::Settled(failed.clone()), "{name}");
                assert_eq!(world.types_told().await, ["email.failed", "email.failed"]);
                let told = &world.told().await[0];
                assert_eq!(told["id"], json!(format!("{}-failed", world.message.delivery)));
                assert_eq!(told["data"]["reason"], json!(cause));
                assert_eq!(world.facts().await.keys().copied().collect::<Vec<_>>(), ["rejected"]);
            }
        }
    });
}

#[test]
fn what_ended_otherwise_stays_as_it_ended() {
    run(async |stack| {
        let ends = [
            Outcome::Refused(Reason::Suppressed),
            Outcome::Expired,
            Outcome::Failed { cause: "MessageRejected".to_owned() },
            Outcome::Sent { provider_id: "another".to_owned() },
        ];
        for outcome in ends {
            let world = World::new(stack, Email, &[]).await;
            world.settle(&outcome).await.unwrap();
            world.take(&["ses-delivery", "ses-reject"]).await;
            assert_eq!(world.record().await.entry, LedgerEntry::Settled(outcome));
            assert_eq!(world.facts().await.len(), 2, "the facts are added all the same");
        }
    });
}

#[test]
fn a_claim_that_was_given_back_is_sent_if_the_mail_was_taken_before() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        world.feedback.ledger.release(&world.message, OWNER, "throttled", aws::Earlier::NotTaken).await.unwrap();
        world.take(&["ses-send"]).await;
        assert_eq!(world.record().await.entry, LedgerEntry::Settled(world.sent()));
    });
}

#[test]
fn an_entry_that_changed_since_it_was_read_is_not_amended() {
    run(async |stack| {
        let world = World::new(stack, Email, &[]).await;
        let (ledger, message, at) = (&world.feedback.ledger, &world.message, world.started);
        let seen = world.record().await;
        let amend =
            async |outcome: Option<&Outcome>, fact| ledger.amend(&message.customer, message.delivery, &seen, outcome, fact, at).await;
        amend(None, None).await.unwrap();
        amend(None, Some((FeedbackKind::Opened, at))).await.unwrap();
        let again = amend(None, Some((FeedbackKind::Opened, at.plus(1)))).await;
        assert!(matches!(again, Err(StoreError::Conflict { .. })), "an earlier time is there");
        world.settle(&Outcome::Expired).await.unwrap();
        assert!(matches!(amend(Some(&world.sent()), None).await, Err(StoreError::Conflict { .. })));
        assert!(matches!(amend(None, Some((FeedbackKind::Clicked, at))).await, Err(StoreError::Conflict { .. })));
        assert_eq!(world.record().await.entry, LedgerEntry::Settled(Outcome::Expired));
    });
}
