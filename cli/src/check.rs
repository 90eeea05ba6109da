//! `triggers check`: every problem of every file, and each template rendered with the samples.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use trigger::{Problem, Trigger};

use crate::preview::files;
use crate::project::{Project, problem};
use crate::samples::{Samples, context};
use crate::{Folder, screen};

#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    folder: Folder,
    /// The folder of sample events, one file for each type [default: events/ beside the triggers].
    #[arg(long, value_name = "DIR")]
    samples: Option<PathBuf>,
    /// Say what each trigger does, in plain words.
    #[arg(long)]
    explain: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let folder = &arguments.folder.triggers;
    let samples = samples(arguments.samples.as_deref(), folder)?;
    let checked = check(folder, &samples)?;
    if arguments.json {
        let problems: Vec<_> =
            checked.problems.iter().map(|p| json!({ "file": p.file, "line": p.line, "path": p.path, "message": p.message })).collect();
        screen::line(&json!({ "problems": problems, "notes": checked.notes }).to_string());
    } else {
        print(&checked, arguments.explain);
    }
    Ok(if checked.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A folder and what was found in it.
pub struct Checked {
    /// What is good of it.
    pub project: Project,
    pub problems: Vec<Problem>,
    /// What is no problem, but good to know.
    pub notes: Vec<String>,
}

/// Where the samples are: in their usual place, unless somebody names another, which must then be there.
///
/// # Errors
/// The folder that was named is none.
pub fn samples(named: Option<&Path>, folder: &Path) -> Result<PathBuf> {
    match named {
        None => Ok(beside(folder)),
        Some(named) if named.is_dir() => Ok(named.to_owned()),
        Some(named) => bail!("{} is no folder; name the folder of your sample events with --samples", named.display()),
    }
}

/// The samples' usual place.
pub fn beside(folder: &Path) -> PathBuf {
    let absolute = folder.is_absolute().then(|| folder.canonicalize().ok()).flatten();
    let parent = absolute.as_deref().unwrap_or(folder).parent();
    parent.unwrap_or(Path::new("")).join("events")
}

/// Checks a folder, and renders its templates with the samples.
///
/// # Errors
/// A folder that cannot be read.
pub fn check(folder: &Path, samples: &Path) -> Result<Checked> {
    let mut problems = Vec::new();
    let samples = Samples::read(samples, &mut problems)?;
    let mut notes = Vec::new();
    let (project, found) = Project::read(folder)?;
    for trigger in project.triggers.values() {
        render(&project, trigger, &samples, &mut problems, &mut notes);
    }
    // Whose definition has problems may name it.
    if found.is_empty() {
        let unused = project.templates.keys().filter(|name| !project.triggers.values().any(|trigger| trigger.templates().contains(name)));
        notes.extend(unused.map(|name| format!("no trigger names the template {name}")));
    }
    problems.extend(found);
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    problems.dedup();
    Ok(Checked { project, problems, notes })
}

fn render(project: &Project, trigger: &Trigger, samples: &Samples, problems: &mut Vec<Problem>, notes: &mut Vec<String>) {
    for kind in trigger.on() {
        let Some(event) = samples.event(kind) else {
            notes.push(format!("{}: there is no sample of {kind}, so its templates were not rendered with one", trigger.name()));
            continue;
        };
        let context = context(trigger, event, samples.customer());
        for (position, step) in trigger.steps().iter().enumerate() {
            let Err(error) = files(project, step.action(), &context) else { continue };
            let (file, line, message) = match step.action().template().and_then(|name| project.templates.get(name)) {
                Some(source) => (source.file(error.part), error.line, error.message),
                None => (project.file(trigger), trigger.line_of(position), format!("then[{position}]: {}", error.message)),
            };
            problems.push(problem(&file, line, format!("with the sample of {kind}: {message}")));
        }
    }
}

fn print(checked: &Checked, explain: bool) {
    for problem in &checked.problems {
        screen::line(&problem.to_string());
    }
    for note in &checked.notes {
        screen::note(&format!("note: {note}"));
    }
    if explain {
        for trigger in checked.project.triggers.values() {
            screen::line(&format!("{}\n{}\n", trigger.name(), trigger::explain(trigger)));
        }
    }
    let problems = checked.problems.len();
    if problems == 0 {
        let (triggers, templates) = (checked.project.triggers.len(), checked.project.templates.len());
        screen::line(&format!("{}, {}: no problem", screen::count(triggers, "trigger"), screen::count(templates, "template")));
    } else {
        let mut files: Vec<_> = checked.problems.iter().map(|problem| &problem.file).collect();
        files.dedup();
        screen::line(&format!("{} in {}", screen::count(problems, "problem"), screen::count(files.len(), "file")));
    }
}
