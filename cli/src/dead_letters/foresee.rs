//! What would become of a dead letter that is redriven now.

use aws::{Earlier, LedgerEntry};
use decision::{Outcome, Reason};
use delivery::{Gate, WaitCause};
use event::Time;
use trigger::SendPolicy;

/// What the sender will find before it asks the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ahead {
    /// The version that decided, or its step, is not there.
    TriggerMissing,
    /// What the gate says now.
    Gate { gate: Gate, send: SendPolicy, event_is_archived: bool },
}

/// In words, for a person.
pub fn foresee(ahead: &Ahead, entry: Option<&LedgerEntry>, now: Time) -> String {
    let failed = |cause: &str| Outcome::Failed { cause: cause.to_owned() };
    match ahead {
        Ahead::TriggerMissing => ends(&failed("trigger_missing"), entry, now),
        Ahead::Gate { gate: Gate::Wait { cause, .. }, .. } => waits(*cause),
        Ahead::Gate { gate: Gate::Refuse(Reason::Expired), .. } => ends(&Outcome::Expired, entry, now),
        Ahead::Gate { gate: Gate::Refuse(reason), .. } => ends(&Outcome::Refused(*reason), entry, now),
        Ahead::Gate { gate: Gate::Open, event_is_archived: false, .. } => ends(&failed("event_missing"), entry, now),
        Ahead::Gate { gate: Gate::Open, send, event_is_archived: true } => attempt(*send, entry, now),
    }
}

fn waits(cause: WaitCause) -> String {
    let why = match cause {
        WaitCause::NotCommitted => "its event is no part of the customer's state yet",
        WaitCause::NotBefore => "its time has not come",
        WaitCause::Paused => "its trigger is paused or taken out, or all marketing is stopped",
        WaitCause::ClaimedByAnother => "another attempt is under way",
        WaitCause::Throttled | WaitCause::Unknown => "the provider asked for it",
        WaitCause::Unavailable | WaitCause::BreakerOpen => "the provider is in trouble",
        WaitCause::StoreDown => "a table or the stream is in trouble",
        WaitCause::OutOfTime => "too little time was left for it",
    };
    format!("it waits, at most until its not_after: {why}")
}

/// The end of a delivery whose provider is not called.
fn ends(outcome: &Outcome, entry: Option<&LedgerEntry>, now: Time) -> String {
    match entry {
        Some(LedgerEntry::Released(Earlier::PerhapsTaken)) => unknown(),
        None | Some(LedgerEntry::Released(Earlier::NotTaken)) => format!("nothing is sent: it ends as {}", named(outcome)),
        Some(entry) => met(entry, now).unwrap_or_else(unknown),
    }
}

fn attempt(send: SendPolicy, entry: Option<&LedgerEntry>, now: Time) -> String {
    match entry {
        None | Some(LedgerEntry::Released(_)) => "it is tried again".to_owned(),
        Some(entry) => met(entry, now).unwrap_or_else(|| match send {
            SendPolicy::AtMostOnce => unknown(),
            SendPolicy::AtLeastOnce => {
                "it is tried again, for its policy is at_least_once; the attempt that was broken off may have sent it as well".to_owned()
            }
        }),
    }
}

/// What the ledger itself answers; none where an attempt was broken off, for then the policy does.
fn met(entry: &LedgerEntry, now: Time) -> Option<String> {
    match entry {
        LedgerEntry::Settled(outcome) => Some(format!("nothing is sent: it ended before, as {}", named(outcome))),
        LedgerEntry::Claimed { until, .. } if *until < now => None,
        LedgerEntry::Claimed { .. } | LedgerEntry::Released(_) => Some(waits(WaitCause::ClaimedByAnother)),
    }
}

fn unknown() -> String {
    "nothing is sent: an attempt was broken off and may have sent it, so it ends as unknown".to_owned()
}

/// An outcome with its reason or its cause.
pub fn named(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(reason) => format!("refused, {}", reason.code()),
        Outcome::Failed { cause } => format!("failed, {cause}"),
        Outcome::Sent { .. } | Outcome::Expired | Outcome::Unknown => outcome.code().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::NOW;
    use super::*;

    #[test]
    fn a_redrive_is_foreseen_as_the_sender_will_do_it() {
        let gate = |gate, send, event_is_archived| Ahead::Gate { gate, send, event_is_archived };
        let open = |send| gate(Gate::Open, send, true);
        let (once, least) = (SendPolicy::AtMostOnce, SendPolicy::AtLeastOnce);
        let claimed = |millis| Some(LedgerEntry::Claimed { owner: "o".to_owned(), until: NOW.plus(millis), earlier: Earlier::NotTaken });
        let sent = Some(LedgerEntry::Settled(Outcome::Sent { provider_id: "p".to_owned() }));
        let cases = [
            (open(once), None),
            (open(once), Some(LedgerEntry::Released(aws::Earlier::NotTaken))),
            (open(once), claimed(1)),
            (open(once), claimed(-1)),
            (open(least), claimed(-1)),
            (open(least), sent.clone()),
            (gate(Gate::Open, once, false), None),
            (gate(Gate::Refuse(Reason::Expired), once, true), None),
            (gate(Gate::Refuse(Reason::Expired), once, true), sent),
            (gate(Gate::Refuse(Reason::NoConsent), least, true), Some(LedgerEntry::Released(aws::Earlier::NotTaken))),
            // No attempt follows, so that no policy matters.
            (gate(Gate::Refuse(Reason::NoConsent), least, true), claimed(-1)),
            (gate(Gate::Wait { millis: 1, cause: WaitCause::Paused }, once, true), None),
            (Ahead::TriggerMissing, None),
        ];
        let foreseen: Vec<_> = cases.iter().map(|(ahead, entry)| foresee(ahead, entry.as_ref(), NOW)).collect();
        insta::assert_snapshot!(foreseen.join("\n"), @r"
        it is tried again
        it is tried again
        it waits, at most until its not_after: another attempt is under way
        nothing is sent: an attempt was broken off and may have sent it, so it ends as unknown
        it is tried again, for its policy is at_least_once; the attempt that was broken off may have sent it as well
        nothing is sent: it ended before, as sent
        nothing is sent: it ends as failed, event_missing
        nothing is sent: it ends as expired
        nothing is sent: it ended before, as sent
        nothing is sent: it ends as refused, no_consent
        nothing is sent: an attempt was broken off and may have sent it, so it ends as unknown
        it waits, at most until its not_after: its trigger is paused or taken out, or all marketing is stopped
        nothing is sent: it ends as failed, trigger_missing
        ");
    }
}
