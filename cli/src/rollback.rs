//! `triggers rollback`: an earlier generation's definitions again, under the modes of today.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use trigger::{Bundle, Generation, Head};

use crate::screen;
use crate::target::Stack;

#[derive(Args)]
pub struct Arguments {
    /// The generation [default: the one before the newest].
    #[arg(long, value_name = "GENERATION")]
    to: Option<u64>,
    /// List the generations that there are, and change nothing.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    stack: Stack,
}

pub async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let target = arguments.stack.find().await?;
    let (head, current) = target.current().await?;
    if arguments.list {
        for generation in head.generations() {
            screen::line(&format!("{:>6}  {}  {}", generation.number, generation.applied_at, generation.note));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let earlier = chosen(&head, arguments.to)?;
    let bundle: Bundle = target
        .triggers
        .bundle(earlier.bundle)
        .await?
        .into_entries()
        .map(|mut entry| {
            // Whoever rolls back a definition does not mean to let a paused trigger loose.
            if let Some(now) = current.get(entry.trigger.name()) {
                entry.exposure = now.exposure;
                entry.declared = now.declared;
            }
            entry
        })
        .collect();
    if bundle == current {
        screen::line(&format!("what holds now is the same as generation {}; nothing changed", earlier.number));
        return Ok(ExitCode::SUCCESS);
    }
    for line in differences(&current, &bundle) {
        screen::line(&line);
    }
    let note = format!("back to generation {}", earlier.number);
    let (generation, effective_from) = target.put_into_force(&head, &bundle, &note).await?;
    screen::line(&format!(
        "generation {generation} is generation {} again, for events that arrive from {effective_from} on",
        earlier.number
    ));
    Ok(ExitCode::SUCCESS)
}

fn chosen(head: &Head, to: Option<u64>) -> Result<&Generation> {
    match to {
        Some(number) => head.generations().iter().find(|generation| generation.number == number).with_context(|| {
            let known: Vec<_> = head.generations().iter().map(|generation| generation.number.to_string()).collect();
            format!("there is no generation {number}; there are: {}", known.join(", "))
        }),
        None => head.generations().iter().rev().nth(1).context("there is no generation before the newest"),
    }
}

fn differences(current: &Bundle, next: &Bundle) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in next.entries() {
        match current.get(entry.trigger.name()) {
            None => lines.push(format!("back     {}  version {}", entry.trigger.name(), entry.version)),
            Some(now) if now.version != entry.version => {
                lines.push(format!("changed  {}  version {} → {}", entry.trigger.name(), now.version, entry.version))
            }
            Some(_) => (),
        }
    }
    let gone = current.entries().filter(|entry| next.get(entry.trigger.name()).is_none());
    lines.extend(gone.map(|entry| format!("removed  {}  version {}", entry.trigger.name(), entry.version)));
    lines
}
