//! `triggers preview`: a trigger's messages, rendered into files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use customer::Input;
use delivery::{Context, Payload};
use event::{Event, SequenceNumber, ShardId, Subject};
use pattern::Json;
use serde_json::{Value, json};
use trigger::{Action, CrmEntry, Trigger, TriggerName};

use crate::check::beside;
use crate::project::Project;
use crate::samples::{Samples, folded};
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
    let context = context(arguments, folder, trigger)?;
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

fn context(arguments: &Arguments, folder: &Path, trigger: &Trigger) -> Result<Context> {
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
    Ok(Context {
        event: event.to_value(),
        customer,
        trigger: trigger.name().as_str().to_owned(),
        delivery: "0".repeat(32),
        unsubscribe_url: Some("https://example.com/unsubscribe".to_owned()),
    })
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

/// The files of one step, by name.
fn files(project: &Project, action: &Action, context: &Context) -> Result<Vec<(&'static str, String)>> {
    let source = action.template().and_then(|name| project.templates.get(name));
    let payload = |json: &Json| -> Result<String> {
        let payload = Payload::parse(json).map_err(|problems| anyhow::anyhow!(problems.join("; ")))?;
        Ok(format!("{:#}\n", payload.render(context)?))
    };
    Ok(match (action, source) {
        (Action::Email(_), Some(source)) => {
            let mail = source.template.mail(context)?;
            let html = mail.html.map(|html| ("body.html", html));
            let text = mail.text.map(|text| ("body.txt", format!("Subject: {}\n\n{text}", mail.subject)));
            html.into_iter().chain(text).collect()
        }
        (Action::Sms(_), Some(source)) => vec![("sms.txt", source.template.sms(context)?)],
        (Action::Crm(crm), _) => match crm.entry() {
            CrmEntry::Contact { properties, .. } => vec![("contact.json", payload(properties)?)],
            CrmEntry::Timeline { tokens, .. } => vec![("timeline.json", payload(tokens)?)],
        },
        (Action::Webhook(webhook), _) => match webhook.payload() {
            Some(json) => vec![("payload.json", payload(json)?)],
            None => vec![(
                "payload.json",
                format!("{:#}\n", json!({ "event": context.event, "customer": { "id": context.customer.get("id") } })),
            )],
        },
        (Action::Email(_) | Action::Sms(_), None) => Vec::new(),
    })
}
