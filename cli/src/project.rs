//! A folder of triggers, read and checked: the definitions, their templates, the manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use aws::StoredTemplate;
use blob::ContentHash;
use delivery::{Part, Payload, Template};
use trigger::{Action, CrmEntry, Exposure, Manifest, Mode, Problem, Rollout, TemplateName, Trigger, TriggerName};

use crate::screen;

const MANIFEST: &str = "manifest.yaml";
const TEMPLATES: &str = "templates";

/// What is good in a folder.
#[derive(Debug)]
pub struct Project {
    pub triggers: BTreeMap<TriggerName, Trigger>,
    pub templates: BTreeMap<TemplateName, SourceTemplate>,
    pub manifest: Manifest,
    files: BTreeMap<TriggerName, String>,
}

/// A template of the folder, as it is stored and as it is rendered.
#[derive(Debug)]
pub struct SourceTemplate {
    pub stored: StoredTemplate,
    pub template: Template,
    folder: PathBuf,
}

impl SourceTemplate {
    /// The file of a part, for a message.
    pub fn file(&self, part: Part) -> String {
        self.folder.join(part.file()).display().to_string()
    }
}

impl Project {
    /// Reads the folder, and refuses it where anything is wrong, after every problem was printed.
    ///
    /// # Errors
    /// A folder that cannot be read, or that has problems.
    pub fn sound(folder: &Path) -> Result<Self> {
        let (project, problems) = Self::read(folder)?;
        problems.iter().for_each(|problem| screen::note(&problem.to_string()));
        ensure!(problems.is_empty(), "{} has problems, above; nothing was done", folder.display());
        Ok(project)
    }

    /// Reads the folder: what is good of it, and every problem of what is not.
    ///
    /// # Errors
    /// A folder that cannot be read, or has no trigger.
    pub fn read(folder: &Path) -> Result<(Self, Vec<Problem>)> {
        ensure!(folder.is_dir(), "{} is no folder; name the folder of your triggers with --triggers", folder.display());
        let mut problems = Vec::new();
        let found = definitions(folder)?;
        if found.is_empty() {
            let inside = folder.join("triggers");
            let hint =
                if inside.is_dir() { format!("did you mean {}?", inside.display()) } else { "write one, such as welcome.yaml".to_owned() };
            bail!("{} has no trigger in it; {hint}", folder.display());
        }
        let (mut triggers, mut files) = (BTreeMap::new(), BTreeMap::new());
        for file in found {
            let name = file.display().to_string();
            let Some(text) = read(&file, &mut problems)? else { continue };
            match trigger::parse(&name, &text) {
                Ok(trigger) => {
                    files.insert(trigger.name().clone(), name.clone());
                    if let Some(other) = triggers.insert(trigger.name().clone(), trigger) {
                        let message = format!("trigger {} stands in another file too; remove one of them", other.name());
                        problems.push(problem(&name, None, message));
                    }
                }
                Err(found) => problems.extend(found),
            }
        }
        let (templates, broken) = read_templates(&folder.join(TEMPLATES), &mut problems)?;
        let manifest = read_manifest(&folder.join(MANIFEST), &triggers, &mut problems)?;
        let project = Self { triggers, templates, manifest, files };
        for trigger in project.triggers.values() {
            for (position, step) in trigger.steps().iter().enumerate() {
                let found = project.unsendable(step.action(), &broken);
                let file = project.file(trigger);
                problems.extend(
                    found
                        .into_iter()
                        .map(|message| Problem { path: format!("then[{position}]"), ..problem(&file, trigger.line_of(position), message) }),
                );
            }
        }
        Ok((project, problems))
    }

    /// What keeps a step from ever being sent. A template that has problems of its own is named there.
    fn unsendable(&self, action: &Action, broken: &BTreeSet<TemplateName>) -> Vec<String> {
        let part = match action {
            Action::Email(_) => Part::Subject,
            Action::Sms(_) => Part::Sms,
            Action::Crm(crm) => {
                let (CrmEntry::Contact { properties: json, .. } | CrmEntry::Timeline { tokens: json, .. }) = crm.entry();
                return Payload::parse(json).err().unwrap_or_default();
            }
            Action::Webhook(webhook) => return webhook.payload().and_then(|json| Payload::parse(json).err()).unwrap_or_default(),
        };
        let Some(name) = action.template().filter(|name| !broken.contains(*name)) else { return Vec::new() };
        let files = if part == Part::Sms { "sms.txt" } else { "subject.txt and body.html or body.txt" };
        match self.templates.get(name) {
            None => vec![format!("there is no template {name}; make the folder {TEMPLATES}/{name} with {files}")],
            Some(source) if !source.template.has(part) => {
                vec![format!("the template {name} cannot be sent by {}; add {files}", action.channel())]
            }
            Some(_) => Vec::new(),
        }
    }

    /// The file of a trigger, for a message.
    pub fn file(&self, trigger: &Trigger) -> String {
        self.files.get(trigger.name()).cloned().unwrap_or_default()
    }

    /// What the manifest file says of a trigger, in full.
    pub fn declared(&self, name: &TriggerName) -> Exposure {
        let entry = self.manifest.entry(name).unwrap_or_default();
        Exposure { mode: entry.mode.unwrap_or(Mode::Live), rollout: entry.rollout.unwrap_or(Rollout::ALL) }
    }

    /// The content of each template that a trigger names.
    pub fn templates_of(&self, trigger: &Trigger) -> BTreeMap<TemplateName, ContentHash> {
        let named = trigger.templates().into_iter();
        named.filter_map(|name| Some((name.clone(), self.templates.get(name)?.stored.hash()))).collect()
    }
}

/// A problem of a file as a whole, or of one line.
pub fn problem(file: &str, line: Option<usize>, message: String) -> Problem {
    Problem { file: file.to_owned(), line: line.unwrap_or(1), path: String::new(), message }
}

/// A file's text; none where it is no UTF-8, which is a problem of its line.
fn read(file: &Path, problems: &mut Vec<Problem>) -> Result<Option<String>> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            problems.push(problem(&file.display().to_string(), Some(line), "is no UTF-8; save the file as UTF-8".to_owned()));
            Ok(None)
        }
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = list
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("cannot list {}", folder.display()))?;
    paths.sort();
    Ok(paths)
}

fn definitions(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_definition = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        path.is_file() && matches!(extension, Some("yaml" | "yml" | "json")) && path.file_stem() != Some("manifest".as_ref())
    };
    Ok(entries(folder)?.into_iter().filter(is_definition).collect())
}

/// The templates, and the names of those that have problems.
fn read_templates(folder: &Path, problems: &mut Vec<Problem>) -> Result<(BTreeMap<TemplateName, SourceTemplate>, BTreeSet<TemplateName>)> {
    let (mut templates, mut broken) = (BTreeMap::new(), BTreeSet::new());
    if !folder.is_dir() {
        return Ok((templates, broken));
    }
    for path in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        let text = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = match TemplateName::parse(&text) {
            Ok(name) => name,
            Err(error) => {
                problems.push(problem(&path.display().to_string(), None, error.to_string()));
                continue;
            }
        };
        match read_template(&path, problems)? {
            Some(template) => drop(templates.insert(name, template)),
            None => drop(broken.insert(name)),
        }
    }
    Ok((templates, broken))
}

fn read_template(folder: &Path, problems: &mut Vec<Problem>) -> Result<Option<SourceTemplate>> {
    let before = problems.len();
    let mut part = |part: Part| {
        let file = folder.join(part.file());
        if file.is_file() { read(&file, problems) } else { Ok(None) }
    };
    let stored = StoredTemplate {
        subject: part(Part::Subject)?,
        text: part(Part::Text)?,
        html: part(Part::Html)?,
        sms: part(Part::Sms)?,
        ..StoredTemplate::default()
    };
    if problems.len() > before {
        return Ok(None);
    }
    match Template::parse(&stored.sources()) {
        Ok(template) => Ok(Some(SourceTemplate { stored, template, folder: folder.to_owned() })),
        Err(found) => {
            problems.extend(
                found.into_iter().map(|found| problem(&folder.join(found.part.file()).display().to_string(), found.line, found.message)),
            );
            Ok(None)
        }
    }
}

fn read_manifest(file: &Path, triggers: &BTreeMap<TriggerName, Trigger>, problems: &mut Vec<Problem>) -> Result<Manifest> {
    for other in ["manifest.yml", "manifest.json"].map(|name| file.with_file_name(name)) {
        if other.is_file() {
            problems.push(problem(&other.display().to_string(), None, "is not read; call it manifest.yaml".to_owned()));
        }
    }
    if !file.is_file() {
        return Ok(Manifest::default());
    }
    // A trigger that has problems is known by its file's name.
    let known: BTreeSet<_> = triggers.keys().cloned().chain(stems(file.parent().unwrap_or(Path::new(".")))?).collect();
    let Some(text) = read(file, problems)? else { return Ok(Manifest::default()) };
    match Manifest::parse(&file.display().to_string(), &text, &known.iter().collect::<Vec<_>>()) {
        Ok(manifest) => Ok(manifest),
        Err(found) => {
            problems.extend(found);
            Ok(Manifest::default())
        }
    }
}

fn stems(folder: &Path) -> Result<Vec<TriggerName>> {
    let stem = |path: PathBuf| TriggerName::parse(path.file_stem()?.to_str()?).ok();
    Ok(definitions(folder)?.into_iter().filter_map(stem).collect())
}
