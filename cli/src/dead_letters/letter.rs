//! A dead letter, as far as it can be told what it is and why it died.

use aws::{DeadLetter, LedgerEntry, LedgerSummary};
use delivery::Message;
use event::Time;
use serde_json::{Value, json};
use trigger::{Duration, TriggerName};

/// The cause of a body that is no delivery of a format that this program reads.
pub const UNREADABLE: &str = "unreadable";

/// What the ledger says of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// No attempt came as far as the claim.
    Nothing,
    /// An entry that this program cannot read.
    Unreadable,
    Record(LedgerSummary),
}

/// A dead letter with what the ledger says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The queue that it is from, by the name of its channel.
    pub channel: String,
    /// Or why it cannot be read.
    pub message: Result<Message, String>,
    pub record: Option<LedgerSummary>,
    /// A code: why the last attempt ended, or how the delivery did.
    pub cause: String,
    pub sent: Time,
    pub receives: u32,
}

impl Letter {
    pub fn new(channel: &str, raw: &DeadLetter, known: Known, now: Time) -> Self {
        let message = Message::parse(&raw.body).map_err(|error| error.to_string());
        let (record, cause) = match (&message, known) {
            (Err(_), _) => (None, UNREADABLE.to_owned()),
            (Ok(_), Known::Unreadable) => (None, "unreadable_entry".to_owned()),
            (Ok(_), Known::Nothing) => (None, "never_claimed".to_owned()),
            (Ok(_), Known::Record(record)) => {
                let cause = cause(&record, now);
                (Some(record), cause)
            }
        };
        Self { channel: channel.to_owned(), message, record, cause, sent: raw.sent, receives: raw.receives }
    }

    /// The trigger, or a dash where it cannot be told.
    pub fn trigger(&self) -> &str {
        self.message.as_ref().map_or("-", |message| message.trigger.as_str())
    }

    /// Whether its time is over, so that it can only expire.
    pub fn is_too_late(&self, now: Time) -> bool {
        self.message.as_ref().is_ok_and(|message| now > message.not_after)
    }

    /// Whether the ledger has its end already.
    pub fn is_settled(&self) -> bool {
        self.record.as_ref().is_some_and(|record| matches!(record.entry, LedgerEntry::Settled(_)))
    }

    /// Everything that is known, on one line for a machine.
    pub fn json(&self) -> Value {
        let mut line = json!({
            "channel": self.channel,
            "cause": self.cause,
            "sent": self.sent.to_string(),
            "receives": self.receives,
        });
        let more = match &self.message {
            Err(problem) => json!({ "problem": problem }),
            Ok(message) => json!({
                "delivery": message.delivery.to_string(),
                "customer": message.customer.as_str(),
                "trigger": message.trigger.as_str(),
                "version": message.version.get(),
                "step": message.step,
                "not_before": message.not_before.to_string(),
                "not_after": message.not_after.to_string(),
                "waits": message.waits,
                "status": self.record.as_ref().map(|record| status(&record.entry)),
                "attempts": self.record.as_ref().map(|record| record.attempts),
            }),
        };
        if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
            line.extend(more);
        }
        line
    }
}

/// How the entry stands, by the ledger's own word.
pub fn status(entry: &LedgerEntry) -> &'static str {
    match entry {
        LedgerEntry::Claimed { .. } => "claimed",
        LedgerEntry::Released(_) => "released",
        LedgerEntry::Settled(outcome) => outcome.code(),
    }
}

fn cause(record: &LedgerSummary, now: Time) -> String {
    match &record.entry {
        // Who held it has ended without a word: it crashed, or ran out of time.
        LedgerEntry::Claimed { until, .. } if *until < now => "abandoned".to_owned(),
        LedgerEntry::Released(_) => record.cause.clone().unwrap_or_else(|| "released".to_owned()),
        entry @ (LedgerEntry::Claimed { .. } | LedgerEntry::Settled(_)) => status(entry).to_owned(),
    }
}

/// Which dead letters are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub trigger: Option<TriggerName>,
    pub cause: Option<String>,
    /// First put onto their queue within this time.
    pub since: Option<Duration>,
}

impl Filter {
    /// Whether a letter is meant. One that cannot be read is meant only where its cause is asked for: as long as the
    /// function cannot read it either, it only dies again.
    pub fn means(&self, letter: &Letter, now: Time) -> bool {
        let trigger = self.trigger.as_ref().is_none_or(|trigger| letter.message.as_ref().is_ok_and(|message| message.trigger == *trigger));
        let cause = match &self.cause {
            None => letter.message.is_ok(),
            Some(cause) => letter.cause == *cause,
        };
        trigger && cause && self.since.is_none_or(|since| now.since(letter.sent) <= since.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use decision::{Outcome, Reason};

    use super::super::samples::{NOW, message, raw, record};
    use super::*;

    #[test]
    fn a_cause_is_what_the_ledger_says_of_the_last_attempt() {
        let until = |millis: i64| LedgerEntry::Claimed { owner: "o".to_owned(), until: NOW.plus(millis), earlier: aws::Earlier::NotTaken };
        let known = |entry, cause: Option<&str>| Known::Record(record(entry, cause));
        for (known, cause) in [
            (Known::Nothing, "never_claimed"),
            (Known::Unreadable, "unreadable_entry"),
            (known(LedgerEntry::Released(aws::Earlier::NotTaken), Some("http_503")), "http_503"),
            (known(LedgerEntry::Released(aws::Earlier::NotTaken), None), "released"),
            // The cause of an earlier attempt says nothing of this one.
            (known(until(1), Some("http_503")), "claimed"),
            (known(until(-1), Some("http_503")), "abandoned"),
            (known(LedgerEntry::Settled(Outcome::Sent { provider_id: "p".to_owned() }), Some("http_503")), "sent"),
            (known(LedgerEntry::Settled(Outcome::Refused(Reason::NoConsent)), None), "refused"),
            (known(LedgerEntry::Settled(Outcome::Unknown), None), "unknown"),
        ] {
            assert_eq!(Letter::new("email", &raw(&message().to_text(), 1), known.clone(), NOW).cause, cause, "{known:?}");
        }
        for body in [
            "",
            "{}",
            r#"{"Type":"Notification","Message":"ana@example.com"}"#,
            &message().to_text().replace("\"format\":1", "\"format\":2"),
        ] {
            let letter = Letter::new("feedback", &raw(body, 1), Known::Nothing, NOW);
            assert_eq!((letter.cause.as_str(), letter.trigger()), ("unreadable", "-"), "{body}");
            assert!(!letter.json().to_string().contains("ana@"), "{}", letter.json());
        }
    }

    #[test]
    fn a_filter_means_what_it_says() {
        let letter = |body: &str, age, known| Letter::new("email", &raw(body, age), known, NOW);
        let released = || Known::Record(record(LedgerEntry::Released(aws::Earlier::NotTaken), Some("http_503")));
        let readable = letter(&message().to_text(), 3_600_000, released());
        let unreadable = letter("{}", 3_600_000, Known::Nothing);
        let trigger = |name: &str| Some(TriggerName::parse(name).unwrap());
        let cause = |cause: &str| Some(cause.to_owned());
        let since = |text: &str| Some(Duration::parse(text).unwrap());
        for (filter, means) in [
            (Filter::default(), [true, false]),
            (Filter { trigger: trigger("welcome"), ..Filter::default() }, [true, false]),
            (Filter { trigger: trigger("other"), ..Filter::default() }, [false, false]),
            (Filter { cause: cause("http_503"), ..Filter::default() }, [true, false]),
            (Filter { cause: cause("http_500"), ..Filter::default() }, [false, false]),
            (Filter { cause: cause("unreadable"), ..Filter::default() }, [false, true]),
            (Filter { cause: cause("unreadable"), trigger: trigger("welcome"), ..Filter::default() }, [false, false]),
            (Filter { since: since("1h"), ..Filter::default() }, [true, false]),
            (Filter { since: since("59m"), ..Filter::default() }, [false, false]),
        ] {
            assert_eq!([&readable, &unreadable].map(|letter| filter.means(letter, NOW)), means, "{filter:?}");
        }
    }

    #[test]
    fn a_machine_is_told_everything_and_nothing_personal() {
        let letter = Letter::new(
            "email",
            &raw(&message().to_text(), 60_000),
            Known::Record(record(LedgerEntry::Released(aws::Earlier::NotTaken), Some("http_503"))),
            NOW,
        );
        insta::assert_snapshot!(letter.json(), @r#"{"channel":"email","cause":"http_503","sent":"2026-03-01T21:19:00.000Z","receives":6,"delivery":"50b73ebcbb711ef86ab856bbde2833bb","customer":"c-1","trigger":"welcome","version":3,"step":"0","not_before":"2026-03-01T10:00:00.000Z","not_after":"2026-03-01T22:00:00.000Z","waits":0,"status":"released","attempts":5}"#);
        insta::assert_snapshot!(Letter::new("email", &raw("{}", 60_000), Known::Nothing, NOW).json(), @r#"{"channel":"email","cause":"unreadable","sent":"2026-03-01T21:19:00.000Z","receives":6,"problem":"the message is no JSON of a delivery"}"#);
    }
}
