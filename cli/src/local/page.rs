//! The results as one page, plain HTML.

use std::fs;
use std::io::{Error, Result};
use std::path::Path;

use decision::Verdict;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value};
use serde_json::json;

use super::pages::file_name;
use super::results::{Archived, Message, Results, Settled, percentile};
use super::summary::{CHANNELS, rows};

/// Boxes of the picture: columns and the height of a row.
const COLUMNS: [i32; 4] = [10, 280, 550, 820];
const ROW: i32 = 74;

/// Writes `index.html`; the mails that it shows lie beside it.
pub fn write(out: &Path, results: &Results) -> Result<()> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let page = environment.render_str(include_str!("page.html"), context(results)).map_err(Error::other)?;
    fs::write(out.join("index.html"), page)
}

fn context(results: &Results) -> Value {
    let latencies = results.latencies();
    let triggers: Vec<_> = rows(results)
        .into_iter()
        .map(|(name, row)| {
            let sent = CHANNELS.map(|channel| row.sent.get(channel).copied().unwrap_or_default());
            json!({ "name": name, "matched": row.matched, "sent": sent, "refused": row.refused, "other": row.other })
        })
        .collect();
    let quarantined: Vec<_> = results
        .quarantined
        .iter()
        .map(|record| json!({ "reason": record.reason, "problems": record.problems.join("; "), "text": record.text() }))
        .collect();
    let customers: Vec<_> = results
        .archive
        .iter()
        .map(|(id, events)| json!({ "id": id, "events": events.iter().map(|event| shown(event, results)).collect::<Vec<_>>() }))
        .collect();
    Value::from(Serde(json!({
        "records": results.records.len(),
        "p50_ms": percentile(&latencies, 50),
        "p99_ms": percentile(&latencies, 99),
        "channels": CHANNELS,
        "triggers": triggers,
        "refusals": results.refusals(),
        "quarantined": quarantined,
        "messages": results.messages.iter().enumerate().map(|(number, message)| message_of(number, message, results)).collect::<Vec<_>>(),
        "customers": customers,
        "flow": flow(results),
    })))
}

fn message_of(number: usize, message: &Message, results: &Results) -> serde_json::Value {
    let settled = results.settled_as(message);
    json!({
        "channel": message.channel,
        "title": message.title,
        "to": message.to,
        "trigger": settled.map(|settled| &settled.trigger),
        "file": message.html.as_ref().map(|_| format!("mails/{}", mail_name(number, settled))),
        "text": message.html.is_none().then_some(&message.text),
    })
}

/// The file of a mail.
pub fn mail_name(number: usize, settled: Option<&Settled>) -> String {
    let name = settled.map_or("mail".to_owned(), |settled| format!("{}-{}", settled.trigger, settled.customer));
    format!("{:03}-{}.html", number + 1, file_name(&name))
}

fn shown(event: &Archived, results: &Results) -> serde_json::Value {
    let arrival = event.recorded.arrival;
    let decisions: Vec<_> = event
        .recorded
        .decided
        .decisions
        .iter()
        .map(|decision| {
            let trigger = format!("{} v{}", decision.trigger, decision.version);
            match &decision.verdict {
                Verdict::Refuse(reason) => json!({ "trigger": trigger, "status": "refused", "text": format!("refused, {reason}") }),
                Verdict::Deliver(deliver) => {
                    let settled = results.ledger.get(&deliver.id.to_string());
                    let status = settled.map_or("unknown", |settled| settled.status.as_str());
                    let reason = settled.filter(|settled| !settled.reason.is_empty()).map(|settled| format!(", {}", settled.reason));
                    json!({ "trigger": trigger, "status": status, "text": format!("{} {status}{}", deliver.channel, reason.unwrap_or_default()) })
                }
            }
        })
        .collect();
    json!({
        "arrival": arrival.to_string(),
        "kind": event.kind,
        "happened": (arrival.since(event.time) >= 60_000).then(|| event.time.to_string()),
        "repeat": event.recorded.decided.repeat,
        "decisions": decisions,
    })
}

/// The picture: stream → archive, quarantine → decisions → channels.
fn flow(results: &Results) -> serde_json::Value {
    let (archived, quarantined) = (results.archived(), results.quarantined.len());
    let refused: usize = results.refusals().values().sum();
    let columns: [Vec<(String, usize)>; 4] = [
        vec![("on the stream".to_owned(), results.records.len())],
        vec![
            ("archived".to_owned(), archived),
            ("quarantined".to_owned(), quarantined),
            ("put again".to_owned(), results.records.len().saturating_sub(archived + quarantined)),
        ],
        vec![("deliveries".to_owned(), results.ledger.len()), ("refused".to_owned(), refused)],
        CHANNELS
            .iter()
            .map(|channel| ((*channel).to_owned(), results.sent(channel)))
            .chain([("dead letters".to_owned(), results.dead_letters)])
            .collect(),
    ];
    let place =
        |column: usize, row: usize| (COLUMNS.get(column).copied().unwrap_or_default(), 10 + i32::try_from(row).unwrap_or_default() * ROW);
    let mut boxes = Vec::new();
    let mut arrows = Vec::new();
    for (column, entries) in columns.iter().enumerate() {
        for (row, (name, count)) in entries.iter().enumerate() {
            let (x, y) = place(column, row);
            boxes.push(json!({ "x": x, "y": y, "name": name, "count": count }));
            if column > 0 {
                // Everything comes out of the first box of the column before it.
                let (from_x, from_y) = place(column - 1, 0);
                arrows.push(json!({ "x1": from_x + 170, "y1": from_y + 27, "x2": x, "y2": y + 27, "off": *count == 0 }));
            }
        }
    }
    let rows = i32::try_from(columns.iter().map(Vec::len).max().unwrap_or_default()).unwrap_or_default();
    json!({ "height": 20 + rows * ROW, "boxes": boxes, "arrows": arrows })
}
