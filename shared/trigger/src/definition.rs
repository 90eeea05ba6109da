//! A trigger as it is once its definition was checked.

use event::EventType;
use pattern::{Json, Pattern};

use crate::action::Action;
use crate::history::Fact;
use crate::names::{StepId, TemplateName, TriggerName};
use crate::quantity::{Duration, Priority};

/// A checked trigger: what it listens to, whom it is for and what it does.
///
/// Made by [`parse`](crate::parse) alone, so that one that exists is valid.
#[derive(Debug, Clone)]
pub struct Trigger {
    pub(crate) name: TriggerName,
    pub(crate) description: Option<String>,
    pub(crate) on: Vec<EventType>,
    pub(crate) when_event: Option<Condition>,
    pub(crate) when_customer: Option<Condition>,
    pub(crate) when_history: Vec<Fact>,
    pub(crate) priority: Priority,
    pub(crate) max_age: Duration,
    pub(crate) steps: Vec<Step>,
    pub(crate) step_lines: Vec<usize>,
    pub(crate) definition: String,
}

/// A pattern and the JSON that it was compiled from, which is what can be explained.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) pattern: Pattern,
    pub(crate) source: Json,
}

impl Trigger {
    /// How old an event may be, against its arrival, to start a trigger that states nothing else.
    pub const DEFAULT_MAX_AGE: Duration = Duration::minutes(24 * 60);

    /// The trigger's name.
    pub fn name(&self) -> &TriggerName {
        &self.name
    }

    /// What the trigger is for, in its author's words.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// The types of event that start it: at least one, none twice.
    pub fn on(&self) -> &[EventType] {
        &self.on
    }

    /// What the event's data must match.
    pub fn when_event(&self) -> Option<&Pattern> {
        self.when_event.as_ref().map(|condition| &condition.pattern)
    }

    /// What the customer's profile must match.
    pub fn when_customer(&self) -> Option<&Pattern> {
        self.when_customer.as_ref().map(|condition| &condition.pattern)
    }

    /// What must hold of the customer's past: all of it.
    pub fn when_history(&self) -> &[Fact] {
        &self.when_history
    }

    /// How much its messages matter against those of other triggers.
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// How old an event may be, against its arrival, to start the trigger.
    pub fn max_age(&self) -> Duration {
        self.max_age
    }

    /// What it does: at least one step.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The line of the file on which the step of this position stands; for messages.
    pub fn line_of(&self, position: usize) -> Option<usize> {
        self.step_lines.get(position).copied()
    }

    /// The step that stands at a place: the id of a step that has one, else its position.
    pub fn step_at(&self, place: &str) -> Option<&Step> {
        self.steps.iter().enumerate().find(|(position, step)| step.place(*position) == place).map(|(_, step)| step)
    }

    /// The templates that its steps name, each once, in the order of the steps.
    pub fn templates(&self) -> Vec<&TemplateName> {
        let mut templates = Vec::new();
        for step in &self.steps {
            if let Some(template) = step.action.template()
                && !templates.contains(&template)
            {
                templates.push(template);
            }
        }
        templates
    }

    /// The definition as canonical JSON: compact, the fields in the file's order, numbers as written.
    ///
    /// This is what is stored and hashed; [`from_definition`](crate::from_definition) gives an equal trigger.
    pub fn definition(&self) -> &str {
        &self.definition
    }
}

/// Triggers are equal when their definitions are, since all else follows from it.
impl PartialEq for Trigger {
    fn eq(&self, other: &Trigger) -> bool {
        self.definition == other.definition
    }
}

impl Eq for Trigger {}

/// One entry of a trigger's `then`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub(crate) id: Option<StepId>,
    pub(crate) action: Action,
}

impl Step {
    /// The id, if the step has one.
    pub fn id(&self) -> Option<&StepId> {
        self.id.as_ref()
    }

    /// What the step does.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// What names the step in a delivery's id: its own id, else its position counted from 0.
    ///
    /// An id begins with a letter, so the two never meet.
    pub fn place(&self, position: usize) -> String {
        match &self.id {
            Some(id) => id.as_str().to_owned(),
            None => position.to_string(),
        }
    }
}
