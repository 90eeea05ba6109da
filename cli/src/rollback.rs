//! `triggers rollback`: an earlier generation's definitions again, under the modes of today.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use trigger::{Bundle, Generation, Head};

use crate::screen;
use crate::target::{Stack, Target};

#[derive(Args)]
pub struct Arguments {
    /// The generation [default: the newest earlier one with other definitions].
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
    let earlier = match arguments.to {
        Some(number) => named(&head, number)?,
        None => before(&target, &head, &current).await?,
    };
    let bundle = target.triggers.bundle(earlier.bundle).await?;
    let bundle: Bundle = bundle
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
    let (generation, effective_from) = target.put_into_force(&head, &bundle, &note, Some(earlier.number)).await?;
    screen::line(&format!(
        "generation {generation} is generation {} again, for events that arrive from {effective_from} on",
        earlier.number
    ));
    Ok(ExitCode::SUCCESS)
}

fn named(head: &Head, number: u64) -> Result<&Generation> {
    head.generations().iter().find(|generation| generation.number == number).with_context(|| {
        let known: Vec<_> = head.generations().iter().map(|generation| generation.number.to_string()).collect();
        format!("there is no generation {number}; there are: {}", known.join(", "))
    })
}

/// The newest earlier generation with other definitions. A generation that itself went back counts as the one that it
/// went back to, so that rolling back twice goes back twice.
async fn before<'h>(target: &Target, head: &'h Head, current: &Bundle) -> Result<&'h Generation> {
    let versions = |bundle: &Bundle| bundle.entries().map(|entry| (entry.trigger.name().clone(), entry.version)).collect::<Vec<_>>();
    let mut number = head.number();
    while let Some(generation) = head.generations().iter().rev().find(|generation| generation.number <= number) {
        match generation.back_to {
            Some(earlier) => number = earlier,
            None if versions(&target.triggers.bundle(generation.bundle).await?) != versions(current) => return Ok(generation),
            None => number = generation.number - 1,
        }
    }
    bail!("there is no earlier generation with other definitions; rollback --list shows all")
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
