//! `triggers simulate`: a file of events through the core, with no store and no network.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use customer::{Customer, Evolved, Input, decide, evolve};
use decision::{Decided, Decision, Verdict};
use event::{CustomerId, Event, NoEvent, SequenceNumber, ShardId, Subject};
use serde_json::{Value, json};
use trigger::{Bundle, BundleEntry, TriggerSet, Version};

use crate::event_file::{self, Line};
use crate::project::Project;
use crate::{Folder, screen};

#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    folder: Folder,
    /// The events: one a line, in the order of their arrival, or - for standard input.
    #[arg(long, value_name = "FILE", default_value = "events/samples.jsonl")]
    events: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let project = Project::sound(&arguments.folder.triggers)?;
    let triggers = TriggerSet::new(1, bundle(&project));
    let mut customers = BTreeMap::<CustomerId, Customer>::new();
    for (number, line) in event_file::read(&arguments.events)?.iter().enumerate() {
        if let Err(refusal) = fold(line, number, &mut customers, &triggers, &project) {
            screen::note(&format!("line {}: quarantined, {refusal}", number + 1));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Decides about one line, shows the decisions, and keeps the state that they lead to.
fn fold(
    line: &Line,
    number: usize,
    customers: &mut BTreeMap<CustomerId, Customer>,
    triggers: &TriggerSet,
    project: &Project,
) -> Result<(), NoEvent> {
    let Some(input) = input(line, number)? else { return Ok(()) };
    let state = customers.entry(input.customer().clone()).or_default();
    let decided = decide(state, &input, triggers)?;
    for decision in &decided.decisions {
        screen::line(&shown(&input, &decided, decision, project).to_string());
    }
    if let Evolved::Changed(next) = evolve(state, &input, &decided) {
        *state = next;
    }
    Ok(())
}

/// What a first `apply` of the folder would put into force.
fn bundle(project: &Project) -> Bundle {
    let entry = |trigger: &trigger::Trigger| {
        let exposure = project.declared(trigger.name());
        let templates = project.templates_of(trigger);
        BundleEntry { trigger: trigger.clone(), version: Version::FIRST, exposure, declared: exposure, templates }
    };
    project.triggers.values().map(entry).collect()
}

/// A customer's event; none where it is about something else.
fn input(line: &Line, number: usize) -> Result<Option<Input>, NoEvent> {
    let event = Event::parse(&line.data)?;
    let Subject::Customer(customer) = event.subject().clone() else { return Ok(None) };
    let arrival = line.arrival().unwrap_or(event.time());
    // Sequence numbers begin at 1: a state that has seen nothing is before all of them.
    Input::new(customer, event, arrival, ShardId::new("file"), SequenceNumber::new(&(number + 1).to_string())).map(Some)
}

fn shown(input: &Input, decided: &Decided, decision: &Decision, project: &Project) -> Value {
    let action = decision.step.as_ref().and_then(|step| project.triggers.get(&decision.trigger)?.step_at(step)).map(trigger::Step::action);
    let (verdict, reason, delivery) = match &decision.verdict {
        Verdict::Deliver(deliver) => ("deliver", None, Some(deliver.id.to_string())),
        Verdict::Refuse(reason) => ("refuse", Some(reason.code()), None),
    };
    json!({
        "at": decided.now.to_string(),
        "customer": input.customer().as_str(),
        "event": input.event().id().as_str(),
        "trigger": decision.trigger.as_str(),
        "version": decision.version.get(),
        "step": decision.step,
        "decision": verdict,
        "reason": reason,
        "channel": action.map(|action| action.channel().as_str()),
        "template": action.and_then(|action| action.template()).map(|template| template.as_str()),
        "delivery": delivery,
    })
}
