//! `triggers mode`: how far a trigger is let loose, without a new version.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use trigger::{Exposure, Mode, Rollout, TriggerName};

use crate::plan::{Change, shown};
use crate::screen;
use crate::target::Stack;

#[derive(Args)]
pub struct Arguments {
    /// The trigger.
    #[arg(value_parser = TriggerName::parse)]
    trigger: TriggerName,
    /// live, shadow (decides and records, sends nothing) or paused.
    #[arg(value_parser = Mode::parse)]
    mode: Mode,
    /// The share of customers for whom it is in force [default: as it is].
    #[arg(long, value_name = "PERCENT", value_parser = Rollout::parse)]
    rollout: Option<Rollout>,
    #[command(flatten)]
    stack: Stack,
}

pub async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let target = arguments.stack.find().await?;
    let (head, mut bundle) = target.current().await?;
    let names: Vec<_> = bundle.entries().map(|entry| entry.trigger.name().to_string()).collect();
    let entry = bundle.get_mut(&arguments.trigger).with_context(|| {
        format!(
            "no trigger {} is in force; there are: {}",
            arguments.trigger,
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        )
    })?;
    let from = entry.exposure;
    let to = Exposure { mode: arguments.mode, rollout: arguments.rollout.unwrap_or(from.rollout) };
    if from == to {
        screen::line(&format!("{} is {} already; nothing changed", arguments.trigger, shown(to)));
        return Ok(ExitCode::SUCCESS);
    }
    entry.exposure = to;
    let change = Change::Exposure { name: arguments.trigger.clone(), from, to }.to_string();
    let (generation, effective_from) = target.put_into_force(&head, &bundle, &change, None).await?;
    screen::line(&change);
    screen::line(&format!("generation {generation} holds for events that arrive from {effective_from} on"));
    if to.mode == Mode::Paused {
        screen::line("deliveries that were decided before wait until they expire, or until the trigger is live again");
    }
    Ok(ExitCode::SUCCESS)
}
