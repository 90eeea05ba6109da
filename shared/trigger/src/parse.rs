//! Text to a checked trigger, or to every problem that the text has.

use event::EventType;
use pattern::{Json, Pattern};

use crate::canonical;
use crate::definition::{Condition, Trigger};
use crate::fields::{Fields, parsed, text_of};
use crate::history::facts;
use crate::names::TriggerName;
use crate::problem::{Path, Problem, Problems, quoted};
use crate::quantity::{Duration, Priority};
use crate::steps::steps;
use crate::yaml::{self, Kind, Node};

/// The fields of a trigger.
const FIELDS: &[&str] = &["trigger", "description", "on", "when", "priority", "max_age", "then"];
const MAX_TYPES: usize = 50;
const MAX_DESCRIPTION: usize = 1_000;
const LONGEST_MAX_AGE: Duration = Duration::minutes(30 * 24 * 60);

/// Reads a trigger's file. The file's name must be the trigger's, as in `triggers/welcome.yaml`.
///
/// # Errors
/// Every problem of the file, in the order of its lines.
pub fn parse(file: &str, text: &str) -> Result<Trigger, Vec<Problem>> {
    let mut problems = Problems::of(file);
    let trigger = yaml::read(text, &mut problems).and_then(|document| trigger(&document, Some(stem(file)), &mut problems));
    problems.unless_any(trigger)
}

/// Reads the canonical text that [`Trigger::definition`] gave.
///
/// # Errors
/// Every problem of the text; there is none in what an older version of this code stored.
pub fn from_definition(text: &str) -> Result<Trigger, Vec<Problem>> {
    let mut problems = Problems::of("definition");
    let document = Json::parse(text).map_err(|error| problems.add(1, &Path::root(), format!("is no JSON: {error}"))).ok();
    let trigger = document.and_then(|json| trigger(&yaml::of_json(json), None, &mut problems));
    problems.unless_any(trigger)
}

fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let extensions = [".yaml", ".yml", ".json"];
    extensions.iter().find_map(|extension| name.strip_suffix(extension)).unwrap_or(name)
}

fn trigger(document: &Node, stem: Option<&str>, problems: &mut Problems) -> Option<Trigger> {
    let root = Path::root();
    let fields = Fields::open(document, &root, FIELDS, problems)?;
    let name = name(&fields, stem, problems);
    let description = description(&fields, problems);
    let on = fields
        .required("on", "name the event type that starts it, as in on: order.completed", problems)
        .and_then(|node| on(node, &root.field("on"), problems));
    let when = fields.get("when").and_then(|node| {
        let path = root.field("when");
        Some((path.clone(), Fields::open(node, &path, &["event", "customer", "history"], problems)?))
    });
    let mut condition = |part: &str| {
        let (path, when) = when.as_ref()?;
        condition(when.get(part)?, &path.field(part), problems)
    };
    let when_event = condition("event");
    let when_customer = condition("customer");
    let when_history = match when.as_ref().and_then(|(path, when)| Some((path.field("history"), when.get("history")?))) {
        Some((path, node)) => facts(node, &path, problems),
        None => Vec::new(),
    };
    if let Some((path, when)) = &when
        && when.entries().is_empty()
    {
        problems.add(when.line, path, "is empty; write event, customer or history, or remove it");
    }
    let priority = fields.parsed("priority", Priority::parse, problems);
    let max_age = fields.parsed("max_age", max_age, problems);
    let steps = fields
        .required("then", "say what to do, as in then: [{ email: … }]", problems)
        .and_then(|node| steps(node, &root.field("then"), problems));
    let (steps, step_lines) = steps?.into_iter().unzip();
    let definition = canonical::write(&document.to_json());
    if definition.len() > yaml::MAX_BYTES {
        problems.add(1, &root, format!("the definition takes {} bytes as JSON; 262144 (256 KiB) is the limit", definition.len()));
    }
    Some(Trigger {
        name: name?,
        description,
        on: on?,
        when_event,
        when_customer,
        when_history,
        priority: priority.unwrap_or_default(),
        max_age: max_age.unwrap_or(Trigger::DEFAULT_MAX_AGE),
        steps,
        step_lines,
        definition,
    })
}

fn name(fields: &Fields<'_>, stem: Option<&str>, problems: &mut Problems) -> Option<TriggerName> {
    let node = fields.required("trigger", "name the trigger, as in trigger: welcome", problems)?;
    let path = fields.path.field("trigger");
    let text = text_of(node, &path, problems)?;
    if let Some(stem) = stem.filter(|stem| *stem != text) {
        let message = format!("is {} and the file is named {}; give both the same name", quoted(text), quoted(stem));
        problems.add(node.line, &path, message);
    }
    match TriggerName::parse(text) {
        Ok(name) => Some(name),
        Err(error) => {
            problems.add(node.line, &path, error.to_string());
            None
        }
    }
}

fn description(fields: &Fields<'_>, problems: &mut Problems) -> Option<String> {
    let text = fields.text("description", problems)?;
    let length = text.chars().count();
    if length > MAX_DESCRIPTION {
        let line = fields.get("description").map_or(fields.line, |node| node.line);
        let message = format!("has {length} characters; shorten it to {MAX_DESCRIPTION}");
        problems.add(line, &fields.path.field("description"), message);
    }
    Some(text.to_owned())
}

fn on(node: &Node, path: &Path, problems: &mut Problems) -> Option<Vec<EventType>> {
    let mut types = Vec::new();
    let Kind::List(items) = &node.kind else {
        types.push(parsed(node, path, event_type, problems)?);
        return Some(types);
    };
    if items.is_empty() {
        problems.add(node.line, path, "is empty; name at least one event type");
        return None;
    }
    if items.len() > MAX_TYPES {
        let message = format!("names {} event types; {MAX_TYPES} is the limit, so split the trigger", items.len());
        problems.add(node.line, path, message);
        return None;
    }
    for (position, item) in items.iter().enumerate() {
        let event_type = parsed(item, &path.index(position), event_type, problems);
        if let Some(event_type) = event_type
            && !types.contains(&event_type)
        {
            types.push(event_type);
        }
    }
    Some(types)
}

pub(crate) fn event_type(text: &str) -> Result<EventType, String> {
    if text.contains('*') {
        return Err(format!("{} has a *, which stands for itself here; list the event types", quoted(text)));
    }
    EventType::parse(text).map_err(|error| format!("{} {error}; write an event type, as in order.completed", quoted(text)))
}

fn max_age(text: &str) -> Result<Duration, String> {
    let duration = Duration::parse(text).map_err(|error| error.to_string())?;
    if duration < Duration::minutes(1) || duration > LONGEST_MAX_AGE {
        return Err(format!("{} is out of bounds; write 1m to {LONGEST_MAX_AGE}", quoted(text)));
    }
    Ok(duration)
}

fn condition(node: &Node, path: &Path, problems: &mut Problems) -> Option<Condition> {
    match &node.kind {
        Kind::Mapping(_) => (),
        Kind::Refused => return None,
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) => {
            let message = format!("is {}; write a pattern, as in {{ total: [{{ numeric: [\">=\", 50] }}] }}", node.noun());
            problems.add(node.line, path, message);
            return None;
        }
    }
    let source = node.to_json();
    match Pattern::from_json(&source) {
        Ok(pattern) => Some(Condition { pattern, source }),
        Err(found) => {
            for problem in found {
                let (line, path) = locate(node, path, &problem.path);
                problems.add(line, &path, problem.message);
            }
            None
        }
    }
}

/// The line and the full path of a place inside a pattern.
fn locate(node: &Node, path: &Path, steps: &[String]) -> (usize, Path) {
    let Some((step, rest)) = steps.split_first() else {
        return (node.line, path.clone());
    };
    match &node.kind {
        Kind::Mapping(entries) => match entries.iter().find(|entry| entry.name == *step) {
            Some(entry) if rest.is_empty() => (entry.line, path.field(step)),
            Some(entry) => locate(&entry.value, &path.field(step), rest),
            None => (node.line, path.field(step)),
        },
        Kind::List(items) => {
            let position = step.trim_matches(['[', ']']).parse::<usize>();
            let item = position.ok().and_then(|at| Some((at, items.get(at)?)));
            match item {
                Some((at, item)) => locate(item, &path.index(at), rest),
                None => (node.line, path.field(step)),
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Refused => (node.line, path.field(step)),
    }
}
