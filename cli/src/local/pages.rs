//! What a run leaves to look at: each mail as a page, each customer's timeline as a text.

use std::fs;
use std::io::Result;
use std::path::{Path, PathBuf};

use decision::Verdict;
use event::Time;

use super::page;
use super::results::{Archived, Message, Results, Settled};

/// Writes everything anew; what an earlier run left is removed.
pub fn write(out: &Path, results: &Results) -> Result<()> {
    let mails = emptied(out.join("mails"))?;
    for (number, message) in results.messages.iter().enumerate().filter(|(_, message)| message.channel == "email") {
        fs::write(mails.join(page::mail_name(number, results.settled_as(message))), mail(message))?;
    }
    let customers = emptied(out.join("customers"))?;
    for (customer, events) in &results.archive {
        fs::write(customers.join(format!("{}.txt", file_name(customer))), timeline(customer, events, results))?;
    }
    page::write(out, results)
}

fn emptied(folder: PathBuf) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Letters, digits, `-` and `_` as they are; so no id leads out of the folder.
pub fn file_name(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).collect()
}

fn mail(message: &Message) -> String {
    let (title, from, to) = (escaped(&message.title), escaped(&message.from), escaped(&message.to));
    let head = format!(
        "<div style=\"font: 14px/1.5 sans-serif; color: #222; background: #f3f3f3; padding: 12px 16px; margin: 0 0 16px\">\
         <b>{title}</b><br>from {from} to {to}</div>\n"
    );
    let body = message.html.clone().unwrap_or_else(|| {
        format!("<pre style=\"font: 14px/1.5 monospace; white-space: pre-wrap; margin: 16px\">{}</pre>", escaped(&message.text))
    });
    format!("<!doctype html>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n{head}{body}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn timeline(customer: &str, events: &[Archived], results: &Results) -> String {
    let mut lines = vec![format!("customer {customer}"), String::new()];
    for event in events {
        let arrival = event.recorded.arrival;
        lines.push(format!("{arrival}  {}{}", event.kind, lateness(arrival, event.time)));
        if event.recorded.decided.repeat {
            lines.push("    a repeat by its producer: nothing decided".to_owned());
        }
        for decision in &event.recorded.decided.decisions {
            let trigger = format!("{} v{}", decision.trigger, decision.version);
            lines.push(match &decision.verdict {
                Verdict::Refuse(reason) => format!("    {trigger}: refused, {reason}"),
                Verdict::Deliver(deliver) => {
                    let end = results.ledger.get(&deliver.id.to_string()).map_or_else(|| "not handled".to_owned(), end);
                    format!("    {trigger}: {} {}, {end}", deliver.channel, deliver.id)
                }
            });
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn lateness(arrival: Time, time: Time) -> String {
    let late = arrival.since(time) / 1_000;
    if late < 60 { String::new() } else { format!("  (happened at {time})") }
}

fn end(settled: &Settled) -> String {
    match (settled.reason.as_str(), settled.settled_at) {
        ("", Some(at)) => format!("{} at {at}", settled.status),
        (reason, Some(at)) => format!("{} at {at}, {reason}", settled.status),
        (_, None) => settled.status.clone(),
    }
}
