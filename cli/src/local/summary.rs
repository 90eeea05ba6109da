//! The summary of a local run.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use decision::Verdict;
use indicatif::HumanDuration;
use serde_json::{Value, json};

use super::results::{Results, percentile};
use crate::screen;

/// The channels that have a sender.
pub const CHANNELS: [&str; 4] = ["email", "sms", "crm", "webhook"];

/// The summary for a machine.
pub fn json(results: &Results) -> Value {
    let latencies = results.latencies();
    let refusals = results.refusals();
    json!({
        "events": results.records.len(),
        "archived": results.archived(),
        "quarantined": results.quarantined.len(),
        "matches": matches(results),
        "deliveries": deliveries(results),
        "refused": refusals.values().sum::<usize>(),
        "refusals": refusals,
        "failed": ended(results, "failed"),
        "unknown": ended(results, "unknown"),
        "dead_letters": results.dead_letters,
        "p50_ms": percentile(&latencies, 50),
        "p99_ms": percentile(&latencies, 99),
    })
}

/// Pairs of a trigger and an event that fitted it, whatever became of them.
fn matches(results: &Results) -> usize {
    let decided = results.events().map(|(_, event)| {
        let mut triggers: Vec<_> = event.recorded.decided.decisions.iter().map(|decision| &decision.trigger).collect();
        triggers.dedup();
        triggers.len()
    });
    decided.sum()
}

/// Deliveries that a provider accepted, by channel; every channel that exists is named.
fn deliveries(results: &Results) -> BTreeMap<&'static str, usize> {
    CHANNELS.iter().map(|channel| (*channel, results.sent(channel))).collect()
}

fn ended(results: &Results, status: &str) -> usize {
    results.ledger.values().filter(|settled| settled.status == status).count()
}

/// One trigger's row.
#[derive(Default)]
pub struct Row {
    pub matched: usize,
    /// By channel.
    pub sent: BTreeMap<String, usize>,
    pub refused: usize,
    pub other: usize,
}

/// The summary for a person, on 80 columns.
pub fn print(results: &Results, out: &Path, took: Duration) {
    let (archived, quarantined) = (results.archived(), results.quarantined.len());
    screen::line("");
    screen::line(&format!("{} went over the stream, in {}", screen::count(results.records.len(), "record"), HumanDuration(took)));
    screen::line(&format!("  {archived:>6}  archived, of {}", screen::count(results.archive.len(), "customer")));
    if quarantined > 0 {
        screen::line(&format!("  {quarantined:>6}  quarantined: {}", reasons(results)));
    }
    let again = results.records.len().saturating_sub(archived + quarantined);
    if again > 0 {
        screen::line(&format!("  {again:>6}  put again, under their subject as partition key"));
    }
    let repeats = results.events().filter(|(_, event)| event.recorded.decided.repeat).count();
    if repeats > 0 {
        screen::line(&format!("  {repeats:>6}  of the archived were repeats by their producer: nothing decided"));
    }
    table(results);
    let refusals = results.refusals();
    if !refusals.is_empty() {
        screen::line("\nrefused, by reason");
        for (reason, count) in &refusals {
            screen::line(&format!("  {count:>6}  {reason}"));
        }
    }
    let latencies = results.latencies();
    if let (Some(p50), Some(p99)) = (percentile(&latencies, 50), percentile(&latencies, 99)) {
        screen::line(&format!("\nfrom the stream to the provider: p50 {p50} ms, p99 {p99} ms"));
    }
    if results.dead_letters > 0 {
        screen::line(&format!(
            "{} among the dead letters: look at the log of the functions",
            screen::count(results.dead_letters, "delivery")
        ));
    }
    screen::line("\nlook at");
    screen::line(&format!("  {}  all of it on one page, for a browser", out.join("index.html").display()));
    screen::line(&format!("  {}  each mail", out.join("mails").display()));
    screen::line(&format!("  {}  each customer's timeline", out.join("customers").display()));
}

fn reasons(results: &Results) -> String {
    let mut reasons = BTreeMap::<&str, usize>::new();
    for record in &results.quarantined {
        *reasons.entry(&record.reason).or_default() += 1;
    }
    reasons
        .iter()
        .map(|(reason, count)| if *count == 1 { (*reason).to_owned() } else { format!("{count} {reason}") })
        .collect::<Vec<_>>()
        .join(", ")
}

/// What came of each trigger.
pub fn rows(results: &Results) -> BTreeMap<String, Row> {
    let mut rows = BTreeMap::<String, Row>::new();
    for (_, event) in results.events() {
        let mut before = None;
        for decision in &event.recorded.decided.decisions {
            let row = rows.entry(decision.trigger.to_string()).or_default();
            row.matched += usize::from(before != Some(&decision.trigger));
            row.refused += usize::from(matches!(decision.verdict, Verdict::Refuse(_)));
            before = Some(&decision.trigger);
        }
    }
    for settled in results.ledger.values() {
        let row = rows.entry(settled.trigger.clone()).or_default();
        match settled.status.as_str() {
            "sent" => *row.sent.entry(settled.channel.clone()).or_default() += 1,
            "refused" | "expired" => row.refused += 1,
            _ => row.other += 1,
        }
    }
    rows
}

fn table(results: &Results) {
    let [email, sms, crm, webhook] = CHANNELS;
    screen::line(&format!(
        "\n{:<26} {:>7} {email:>7} {sms:>5} {crm:>5} {webhook:>7} {:>7} {:>6}",
        "trigger", "matched", "refused", "other"
    ));
    for (name, row) in rows(results) {
        let name: String = name.chars().take(26).collect();
        let sent = |channel: &str| row.sent.get(channel).copied().unwrap_or_default();
        screen::line(&format!(
            "{name:<26} {:>7} {:>7} {:>5} {:>5} {:>7} {:>7} {:>6}",
            row.matched,
            sent(email),
            sent(sms),
            sent(crm),
            sent(webhook),
            row.refused,
            row.other
        ));
    }
}
