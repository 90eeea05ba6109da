//! The ledger: one claim at a time, one outcome for ever.

use aws::{Claim, Earlier, Ledger, StoreError};
use decision::{Outcome, Reason};
use trigger::SendPolicy::{AtLeastOnce, AtMostOnce};

use crate::local::{Place, now, output, run};
use crate::message;

const LEASE: i64 = 30_000;

fn ledger(stack: &Place) -> Ledger {
    Ledger::new(aws_sdk_dynamodb::Client::new(stack.sdk_config()), output(stack, "DeliveriesTable"), 90)
}

fn sent() -> Outcome {
    Outcome::Sent { provider_id: "ses-1".to_owned() }
}

#[test]
fn a_delivery_belongs_to_one_owner_until_its_lease_is_over() {
    run(async |stack| {
        let (ledger, message, now) = (ledger(stack), message(), now());
        assert_eq!(ledger.claim(&message, "a", AtMostOnce, now, LEASE).await.unwrap(), Claim::Granted(Earlier::NotTaken));
        assert_eq!(
            ledger.claim(&message, "a", AtMostOnce, now, LEASE).await.unwrap(),
            Claim::Granted(Earlier::NotTaken),
            "the answer to the first call was lost"
        );
        let held = Claim::HeldByAnother { until: now.plus(LEASE) };
        for policy in [AtMostOnce, AtLeastOnce] {
            assert_eq!(ledger.claim(&message, "b", policy, now.plus(LEASE), LEASE).await.unwrap(), held);
        }
    });
}

#[test]
fn who_comes_after_a_lease_sends_again_only_where_the_policy_says_so() {
    run(async |stack| {
        let (ledger, now) = (ledger(stack), now());
        let late = now.plus(LEASE + 1);
        for (policy, claim) in [(AtMostOnce, Claim::Abandoned), (AtLeastOnce, Claim::Granted(Earlier::PerhapsTaken))] {
            let message = message();
            ledger.claim(&message, "a", policy, now, LEASE).await.unwrap();
            assert_eq!(ledger.claim(&message, "b", policy, late, LEASE).await.unwrap(), claim, "{policy}");
        }
    });
}

#[test]
fn a_claim_that_was_given_back_is_anybody_s() {
    run(async |stack| {
        let (ledger, message, now) = (ledger(stack), message(), now());
        ledger.claim(&message, "a", AtMostOnce, now, LEASE).await.unwrap();
        ledger.release(&message, "a", "throttled", Earlier::NotTaken).await.unwrap();
        ledger.release(&message, "a", "throttled", Earlier::NotTaken).await.unwrap();
        assert_eq!(ledger.claim(&message, "b", AtMostOnce, now, LEASE).await.unwrap(), Claim::Granted(Earlier::NotTaken));
    });
}

#[test]
fn every_outcome_is_repeated_to_whoever_asks_again() {
    run(async |stack| {
        let (ledger, now) = (ledger(stack), now());
        let failed = Outcome::Failed { cause: "MessageRejected".to_owned() };
        for outcome in [sent(), Outcome::Refused(Reason::NoConsent), failed, Outcome::Expired, Outcome::Unknown] {
            let message = message();
            ledger.claim(&message, "a", AtLeastOnce, now, LEASE).await.unwrap();
            ledger.settle(&message, "a", &outcome, now).await.unwrap();
            ledger.settle(&message, "a", &outcome, now).await.unwrap();
            let settled = Claim::Settled(outcome.clone());
            assert_eq!(ledger.claim(&message, "b", AtLeastOnce, now.plus(LEASE * 2), LEASE).await.unwrap(), settled);
            assert_eq!(ledger.settle_unclaimed(&message, &Outcome::Expired, now).await.unwrap(), settled);
        }
    });
}

#[test]
fn an_outcome_is_never_replaced_by_another() {
    run(async |stack| {
        let (ledger, message, now) = (ledger(stack), message(), now());
        ledger.claim(&message, "a", AtMostOnce, now, LEASE).await.unwrap();
        ledger.settle(&message, "a", &sent(), now).await.unwrap();
        assert!(matches!(ledger.settle(&message, "a", &Outcome::Expired, now).await, Err(StoreError::Conflict { .. })));
        assert!(matches!(ledger.release(&message, "a", "throttled", Earlier::NotTaken).await, Err(StoreError::Conflict { .. })));
        assert!(matches!(ledger.settle_abandoned(&message, now.plus(LEASE + 1)).await, Err(StoreError::Conflict { .. })));
        assert_eq!(ledger.claim(&message, "b", AtMostOnce, now, LEASE).await.unwrap(), Claim::Settled(sent()));
    });
}

#[test]
fn who_lost_the_claim_cannot_settle_or_release() {
    run(async |stack| {
        let (ledger, message, now) = (ledger(stack), message(), now());
        let late = now.plus(LEASE + 1);
        ledger.claim(&message, "a", AtLeastOnce, now, LEASE).await.unwrap();
        ledger.claim(&message, "b", AtLeastOnce, late, LEASE).await.unwrap();
        assert!(matches!(ledger.settle(&message, "a", &sent(), late).await, Err(StoreError::Conflict { .. })));
        assert!(matches!(ledger.release(&message, "a", "throttled", Earlier::NotTaken).await, Err(StoreError::Conflict { .. })));
        ledger.settle(&message, "b", &sent(), late).await.unwrap();
    });
}

#[test]
fn an_abandoned_claim_becomes_unknown_once_its_lease_is_over() {
    run(async |stack| {
        let (ledger, message, now) = (ledger(stack), message(), now());
        let late = now.plus(LEASE + 1);
        ledger.claim(&message, "a", AtMostOnce, now, LEASE).await.unwrap();
        assert!(
            matches!(ledger.settle_abandoned(&message, now).await, Err(StoreError::Conflict { .. })),
            "the call may still be under way"
        );
        ledger.settle_abandoned(&message, late).await.unwrap();
        ledger.settle_abandoned(&message, late).await.unwrap();
        assert_eq!(ledger.claim(&message, "b", AtMostOnce, late, LEASE).await.unwrap(), Claim::Settled(Outcome::Unknown));
    });
}

#[test]
fn a_delivery_that_no_provider_is_called_for_is_settled_unclaimed() {
    run(async |stack| {
        let (ledger, now) = (ledger(stack), now());
        let refused = Outcome::Refused(Reason::Suppressed);
        let fresh = message();
        assert_eq!(ledger.settle_unclaimed(&fresh, &refused, now).await.unwrap(), Claim::Granted(Earlier::NotTaken));
        assert_eq!(ledger.claim(&fresh, "a", AtMostOnce, now, LEASE).await.unwrap(), Claim::Settled(refused.clone()));

        let released = message();
        ledger.claim(&released, "a", AtMostOnce, now, LEASE).await.unwrap();
        ledger.release(&released, "a", "throttled", Earlier::NotTaken).await.unwrap();
        assert_eq!(ledger.settle_unclaimed(&released, &refused, now).await.unwrap(), Claim::Granted(Earlier::NotTaken));

        let held = message();
        ledger.claim(&held, "a", AtLeastOnce, now, LEASE).await.unwrap();
        assert_eq!(ledger.settle_unclaimed(&held, &refused, now).await.unwrap(), Claim::HeldByAnother { until: now.plus(LEASE) });
        let late = now.plus(LEASE + 1);
        assert_eq!(
            ledger.settle_unclaimed(&held, &refused, late).await.unwrap(),
            Claim::Abandoned,
            "it may have been sent, and nobody will try again"
        );
    });
}

#[test]
fn what_was_perhaps_taken_ends_as_sent_or_unknown_and_as_nothing_else() {
    run(async |stack| {
        let (ledger, now) = (ledger(stack), now());
        let late = now.plus(LEASE + 1);
        let expired = Outcome::Expired;

        let lapsed = message();
        ledger.claim(&lapsed, "a", AtLeastOnce, now, LEASE).await.unwrap();
        assert_eq!(ledger.claim(&lapsed, "b", AtLeastOnce, late, LEASE).await.unwrap(), Claim::Granted(Earlier::PerhapsTaken));
        ledger.release(&lapsed, "b", "throttled", Earlier::PerhapsTaken).await.unwrap();
        assert_eq!(ledger.claim(&lapsed, "c", AtLeastOnce, late, LEASE).await.unwrap(), Claim::Granted(Earlier::PerhapsTaken));
        ledger.release(&lapsed, "c", "throttled", Earlier::NotTaken).await.unwrap();
        assert_eq!(ledger.settle_unclaimed(&lapsed, &expired, late).await.unwrap(), Claim::Abandoned);
        ledger.settle_abandoned(&lapsed, late).await.unwrap();
        assert_eq!(ledger.claim(&lapsed, "d", AtLeastOnce, late, LEASE).await.unwrap(), Claim::Settled(Outcome::Unknown));

        let released = message();
        ledger.claim(&released, "a", AtLeastOnce, now, LEASE).await.unwrap();
        ledger.release(&released, "a", "profile_changed", Earlier::PerhapsTaken).await.unwrap();
        assert_eq!(ledger.settle_unclaimed(&released, &expired, now).await.unwrap(), Claim::Abandoned);
    });
    for (outcome, then) in [
        (sent(), sent()),
        (Outcome::Unknown, Outcome::Unknown),
        (Outcome::Expired, Outcome::Unknown),
        (Outcome::Refused(Reason::Suppressed), Outcome::Unknown),
        (Outcome::Failed { cause: "rejected".to_owned() }, Outcome::Unknown),
    ] {
        assert_eq!(Earlier::NotTaken.then(outcome.clone()), outcome);
        assert_eq!(Earlier::PerhapsTaken.then(outcome), then);
    }
}
