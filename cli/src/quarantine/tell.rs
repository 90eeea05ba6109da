//! What is told of quarantined records: nothing of what stands in them, and no partition key, which may be an address.

use std::collections::BTreeMap;

use aws::{Quarantined, QuarantinedObject};
use event::Time;
use serde_json::{Value, json};

use crate::columns::{age, size};
use crate::put_again::Again;
use crate::screen::count;

/// Two lines for each record, for a key is almost as wide as a terminal; then how many there are of each reason.
pub fn listing(records: &[QuarantinedObject], now: Time) -> Vec<String> {
    let mut lines = Vec::new();
    let mut reasons = BTreeMap::<&str, usize>::new();
    for record in records {
        *reasons.entry(reason(record)).or_default() += 1;
        lines.push(format!("{:<16}  {:>8}  {}, {} ago", reason(record), size(record.size), record.arrival, age(now.since(record.arrival))));
        lines.push(format!("  {}", record.key));
    }
    let reasons: Vec<_> = reasons.into_iter().map(|(reason, number)| format!("{number} {reason}")).collect();
    if !records.is_empty() {
        lines.push(format!("\n{}: {}", count(records.len(), "record"), reasons.join(", ")));
    }
    lines
}

pub fn reason(record: &QuarantinedObject) -> &str {
    record.reason.as_deref().unwrap_or("-")
}

/// One record on one line, for a machine.
pub fn json(record: &QuarantinedObject) -> Value {
    json!({ "key": record.key, "reason": reason(record), "arrival": record.arrival.to_string(), "size": record.size })
}

/// One record, and what a release would do now.
pub fn details(key: &str, record: &Quarantined, bytes: &[u8], again: &Again) -> Vec<String> {
    let release = match again {
        Again::Event(_) => "it is an event: it is put under its subject, with its first arrival".to_owned(),
        Again::NoEvent { refusal, .. } => format!("refused, for it would be quarantined again as {}", refusal.reason),
    };
    let mut lines: Vec<_> = [
        ("key", key.to_owned()),
        ("reason", record.reason.clone()),
        ("arrival", record.arrival.clone()),
        ("size", size(bytes.len() as u64)),
        ("released", release),
    ]
    .into_iter()
    .map(|(name, value)| format!("{name:<9} {value}"))
    .collect();
    lines.extend(record.problems.iter().map(|problem| format!("problem   {problem}")));
    // Other than those that it was put aside for: it may be newer rules that refuse it now.
    if let Again::NoEvent { refusal, .. } = again {
        let news = refusal.problems.iter().filter(|problem| !record.problems.contains(problem));
        lines.extend(news.map(|problem| format!("now also  {problem}")));
    }
    lines
}

/// A record's text for a terminal, which shall not act on what stands in it.
pub fn harmless(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().fold(String::new(), |mut shown, letter| {
        match letter {
            '\n' | '\t' => shown.push(letter),
            letter if letter.is_control() => shown.extend(letter.escape_default()),
            letter => shown.push(letter),
        }
        shown
    })
}

#[cfg(test)]
mod tests {
    use event::{NoEvent, QuarantineReason, SequenceNumber, ShardId};

    use super::*;

    const NOW: Time = Time::from_millis(1_772_400_000_000);

    #[test]
    fn a_listing_fits_a_terminal_and_says_how_many_there_are() {
        let record = |reason: Option<&str>, sequence: u64, size| QuarantinedObject {
            key: format!("shardId-000000000000/{sequence:0>56}"),
            reason: reason.map(str::to_owned),
            arrival: NOW.plus(-7_200_000),
            size,
        };
        let records = [record(Some("missing_field"), 1, 120), record(None, 2, 70_000), record(Some("missing_field"), 3, 5)];
        let lines = listing(&records, NOW);
        assert!(lines.iter().all(|line| line.chars().count() <= 80));
        insta::assert_snapshot!(lines.join("\n"), @r"
        missing_field        120 B  2026-03-01T19:20:00.000Z, 2h ago
          shardId-000000000000/00000000000000000000000000000000000000000000000000000001
        -                   68 KiB  2026-03-01T19:20:00.000Z, 2h ago
          shardId-000000000000/00000000000000000000000000000000000000000000000000000002
        missing_field          5 B  2026-03-01T19:20:00.000Z, 2h ago
          shardId-000000000000/00000000000000000000000000000000000000000000000000000003

        3 records: 1 -, 2 missing_field
        ");
        assert!(listing(&[], NOW).is_empty());
        insta::assert_snapshot!(json(&records[1]), @r#"{"key":"shardId-000000000000/00000000000000000000000000000000000000000000000000000002","reason":"-","arrival":"2026-03-01T19:20:00.000Z","size":70000}"#);
    }

    #[test]
    fn the_problems_of_a_record_are_shown_and_nothing_that_stands_in_it() {
        let bytes = br#"{"subject":"ana@example.com","id":"1"}"#;
        let refusal = NoEvent::new(QuarantineReason::Stuck, "the record alone kept failing");
        let record = Quarantined::new(&refusal, &ShardId::new("s"), &SequenceNumber::new("7"), "ana@example.com", NOW, bytes);
        let again = Again::of("ana@example.com", NOW, bytes);
        insta::assert_snapshot!(details("s/7", &record, bytes, &again).join("\n"), @r"
        key       s/7
        reason    stuck
        arrival   2026-03-01T21:20:00.000Z
        size      38 B
        released  refused, for it would be quarantined again as missing_field
        problem   the record alone kept failing
        now also  specversion is missing
        now also  source is missing
        now also  type is missing
        now also  time is missing
        now also  subject is shaped like an email address; send an opaque id, and the address as data.customer.email
        ");
    }

    #[test]
    fn a_record_cannot_play_with_the_terminal() {
        assert_eq!(harmless(b"a\x1b[2J\r\n\t\xff\xc2\x9b"), "a\\u{1b}[2J\\r\n\t\u{fffd}\\u{9b}");
    }
}
