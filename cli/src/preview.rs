//! `triggers preview`: a trigger's messages, rendered into files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use customer::Input;
use delivery::{Context, Part, Payload, RenderError};
use event::{Event, SequenceNumber, ShardId, Subject};
use pattern::Json;
use serde_json::{Value, json};
use trigger::{Action, CrmEntry, Trigger, TriggerName};

use crate::check::beside;
use crate::project::Project;
use crate::samples::{Samples, context, folded};
use crate::{Folder, screen};

#[derive(Args)]
pub struct Arguments {
    /// The trigger.
    #[arg(value_parser = TriggerName::parse)]
    trigger: TriggerName,
    #[command(flatten)]
    folder: Folder,
    /// The event [default: the sample of the trigger's first event type].
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// The customer: {"email": …, "traits": {…}, …} [default: as the samples leave theirs].
    #[arg(long, value_name = "FILE")]
    customer: Option<PathBuf>,
    /// Where the messages are written.
    #[arg(long, value_name = "DIR", default_value = "target/preview")]
    out: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let folder = &arguments.folder.triggers;
    let project = Project::sound(folder)?;
    let names: Vec<_> = project.triggers.keys().map(ToString::to_string).collect();
    let trigger = project.triggers.get(&arguments.trigger);
    let trigger = trigger.with_context(|| format!("there is no trigger {}; there are: {}", arguments.trigger, names.join(", ")))?;
    let context = chosen(arguments, folder, trigger)?;
    fs::create_dir_all(&arguments.out).with_context(|| format!("cannot make {}", arguments.out.display()))?;
    for (position, step) in trigger.steps().iter().enumerate() {
        for (name, text) in files(&project, step.action(), &context)? {
            let path = arguments.out.join(format!("{}-{}-{name}", trigger.name(), step.place(position)));
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            screen::line(&path.display().to_string());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The context of the event and the customer that were asked for.
fn chosen(arguments: &Arguments, folder: &Path, trigger: &Trigger) -> Result<Context> {
    let mut problems = Vec::new();
    let samples = Samples::read(&beside(folder), &mut problems)?;
    let event = match &arguments.event {
        Some(file) => {
            let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            Event::parse(&bytes).map_err(|refusal| anyhow::anyhow!("{} is no event: {refusal}", file.display()))?
        }
        None => {
            let sample = trigger.on().iter().find_map(|kind| samples.event(kind));
            sample.cloned().context("there is no sample of the trigger's event types; name an event with --event")?
        }
    };
    let customer = match &arguments.customer {
        Some(file) => profile(file, &event)?,
        None => samples.customer().clone(),
    };
    Ok(context(trigger, &event, &customer))
}

/// A customer's file is read as `customer.updated` is: what would be refused there is refused here.
fn profile(file: &Path, event: &Event) -> Result<Value> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let data: Value = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))?;
    let Subject::Customer(id) = event.subject().clone() else {
        bail!("the event is about {}, which is no customer", event.subject().as_str())
    };
    let updated = json!({ "specversion": "1.0", "id": "preview", "source": "preview", "type": "customer.updated", "time": event.time().to_string(), "subject": id.as_str(), "data": data });
    let refused = |refusal| anyhow::anyhow!("{}: {refusal}", file.display());
    let updated = Event::parse(updated.to_string().as_bytes()).map_err(refused)?;
    let state = folded(&customer::Customer::default(), &id, &updated, 0).map_err(refused)?;
    let input = Input::new(id.clone(), event.clone(), event.time(), ShardId::new("preview"), SequenceNumber::new("1")).map_err(refused)?;
    let state = folded(&state, input.customer(), input.event(), 1).map_err(refused)?;
    Ok(state.to_value(&id))
}

/// What a step sends, as files by their names. What has another problem than its rendering is left out.
///
/// # Errors
/// What cannot be rendered, and which part of it.
pub fn files(project: &Project, action: &Action, context: &Context) -> Result<Vec<(&'static str, String)>, RenderError> {
    let source = action.template().and_then(|name| project.templates.get(name)).map(|source| &source.template);
    let payload = |name, json: &Json| {
        let Ok(payload) = Payload::parse(json) else { return Ok(Vec::new()) };
        Ok(vec![(name, format!("{:#}\n", payload.render(context)?))])
    };
    match (action, source) {
        (Action::Email(_), Some(template)) if template.has(Part::Subject) => {
            let mail = template.mail(context)?;
            let html = mail.html.map(|html| ("body.html", html));
            let text = mail.text.map(|text| ("body.txt", format!("Subject: {}\n\n{text}", mail.subject)));
            Ok(html.into_iter().chain(text).collect())
        }
        (Action::Sms(_), Some(template)) if template.has(Part::Sms) => Ok(vec![("sms.txt", template.sms(context)?)]),
        (Action::Email(_) | Action::Sms(_), _) => Ok(Vec::new()),
        (Action::Crm(crm), _) => match crm.entry() {
            CrmEntry::Contact { properties, .. } => payload("contact.json", properties),
            CrmEntry::Timeline { tokens, .. } => payload("timeline.json", tokens),
        },
        (Action::Webhook(webhook), _) => match webhook.payload() {
            Some(json) => payload("payload.json", json),
            None => {
                let told = json!({ "event": context.event, "customer": { "id": context.customer.get("id") } });
                Ok(vec![("payload.json", format!("{told:#}\n"))])
            }
        },
    }
}
