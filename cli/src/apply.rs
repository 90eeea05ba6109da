//! `triggers apply`: the folder into force, leaves first, the head last.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use crate::check::{self, Checked};
use crate::plan::{Plan, plan, shown};
use crate::project::Project;
use crate::target::{Stack, Target};
use crate::{Folder, screen};

#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    stack: Stack,
    /// The folder of sample events, one file for each type [default: events/ beside the triggers].
    #[arg(long, value_name = "DIR")]
    samples: Option<PathBuf>,
    /// Print what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let folder = &arguments.folder.triggers;
    let samples = check::samples(arguments.samples.as_deref(), folder)?;
    let Checked { project, problems, notes } = check::check(folder, &samples)?;
    if !problems.is_empty() {
        bail!("{} has problems; run: triggers check --triggers {}", folder.display(), folder.display());
    }
    notes.iter().for_each(|note| screen::note(&format!("note: {note}")));
    let activity = screen::Activity::start();
    activity.step("comparing with what is in force");
    let target = arguments.stack.find().await?;
    let applied =
        if arguments.dry_run { compare(&target, &project).await.map(|(_, plan)| (plan, None)) } else { apply(&target, &project).await };
    activity.done();
    let (plan, in_force) = applied?;
    if arguments.json {
        let changes: Vec<_> = plan.changes.iter().map(ToString::to_string).collect();
        let force = in_force.map(|(generation, from)| json!({ "generation": generation, "effective_from": from.to_string() }));
        screen::line(&json!({ "changes": changes, "in_force": force }).to_string());
        return Ok(ExitCode::SUCCESS);
    }
    for change in &plan.changes {
        screen::line(&change.to_string());
    }
    for entry in plan.bundle.entries().filter(|entry| entry.exposure != entry.declared) {
        screen::line(&format!(
            "note     {}  is {}, set by hand; the manifest says {}",
            entry.trigger.name(),
            shown(entry.exposure),
            shown(entry.declared)
        ));
    }
    match in_force {
        Some((generation, from)) => screen::line(&format!("generation {generation} holds for events that arrive from {from} on")),
        None if plan.changes.is_empty() => screen::line("nothing changed"),
        None => screen::line("nothing was written: this was a dry run"),
    }
    Ok(ExitCode::SUCCESS)
}

/// What a generation is remembered by: its first few changes, for all of them can be thousands.
fn noted(plan: &Plan) -> String {
    const NAMED: usize = 10;
    let named: Vec<_> = plan.changes.iter().take(NAMED).map(ToString::to_string).collect();
    let more = plan.changes.len().saturating_sub(NAMED);
    if more == 0 { named.join("; ") } else { format!("{}; and {more} more", named.join("; ")) }
}

/// What an apply would change.
async fn compare(target: &Target, project: &Project) -> Result<(trigger::Head, Plan)> {
    let (head, current) = target.current().await?;
    let mut newest = BTreeMap::new();
    for (name, trigger) in &project.triggers {
        let templates = project.templates_of(trigger);
        if current.get(name).is_some_and(|entry| entry.trigger == *trigger && entry.templates == templates) {
            continue;
        }
        if let Some(published) = target.triggers.newest(name).await? {
            newest.insert(name.clone(), published);
        }
    }
    Ok((head, plan(&current, &newest, project)?))
}

/// Puts a project into force. Where nothing changed, nothing is written.
///
/// # Errors
/// A store that cannot be read or written; the head then still names what it named before.
pub async fn apply(target: &Target, project: &Project) -> Result<(Plan, Option<(u64, event::Time)>)> {
    let (head, plan) = compare(target, project).await?;
    if plan.changes.is_empty() && head.number() > 0 {
        return Ok((plan, None));
    }
    for published in &plan.publish {
        for template in published.templates.keys().filter_map(|name| project.templates.get(name)) {
            target.triggers.put_template(&template.stored).await?;
        }
        target.triggers.publish(published).await?;
    }
    let note = noted(&plan);
    let in_force = target.put_into_force(&head, &plan.bundle, &note, None).await?;
    Ok((plan, Some(in_force)))
}
