//! Conditions on a customer's past: how often an event happened, and how long ago.

use event::EventType;

use crate::fields::{Fields, parsed};
use crate::problem::{Path, Problems, quoted};
use crate::quantity::Duration;
use crate::yaml::{Kind, Node};

/// The largest count that a condition may name: so many times are remembered of each event type, and one more.
pub const MOST_COUNTED: u32 = 100;

const FIELDS: &[&str] = &["event", "within", "at_least", "at_most", "since_first", "since_last"];
const MOST_FACTS: usize = 20;

/// Something that must hold of a customer's past events of one type, the present event among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub(crate) event: EventType,
    pub(crate) claim: Claim,
}

/// What is claimed of the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// So many of them, in the time up to now or ever.
    Count { within: Option<Duration>, at_least: Option<u32>, at_most: Option<u32> },
    /// The time since the first one; false where there is none.
    SinceFirst(Span),
    /// The time since the last one; false where there is none.
    SinceLast(Span),
}

/// A length of time with a bound, or two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub(crate) at_least: Option<Duration>,
    pub(crate) at_most: Option<Duration>,
}

impl Span {
    /// Whether so many milliseconds are within the bounds.
    pub fn holds(&self, millis: i64) -> bool {
        self.at_least.is_none_or(|least| millis >= least.as_millis()) && self.at_most.is_none_or(|most| millis <= most.as_millis())
    }
}

impl Fact {
    /// The type of the past events.
    pub fn event(&self) -> &EventType {
        &self.event
    }

    /// What is claimed of them.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// How many of the last times must be known to judge it.
    pub fn depth(&self) -> u32 {
        match &self.claim {
            Claim::Count { at_least, at_most, .. } => at_least.unwrap_or_default().max(at_most.map_or(0, |most| most + 1)),
            Claim::SinceFirst(_) | Claim::SinceLast(_) => 1,
        }
    }
}

pub(crate) fn facts(node: &Node, path: &Path, problems: &mut Problems) -> Vec<Fact> {
    let Kind::List(items) = &node.kind else {
        if node.kind != Kind::Refused {
            let message = format!("is {}; write a list, as in [{{ event: order.completed, within: 30d, at_least: 3 }}]", node.noun());
            problems.add(node.line, path, message);
        }
        return Vec::new();
    };
    if items.is_empty() || items.len() > MOST_FACTS {
        problems.add(node.line, path, format!("has {} conditions; write 1 to {MOST_FACTS}, or remove it", items.len()));
    }
    items.iter().enumerate().take(MOST_FACTS).filter_map(|(position, item)| fact(item, &path.index(position), problems)).collect()
}

fn fact(node: &Node, path: &Path, problems: &mut Problems) -> Option<Fact> {
    let fields = Fields::open(node, path, FIELDS, problems)?;
    let event = fields
        .required("event", "name the event type that is counted, as in event: order.completed", problems)
        .and_then(|node| parsed(node, &path.field("event"), crate::parse::event_type, problems));
    let within = fields.parsed("within", Duration::parse, problems);
    let at_least = fields.parsed("at_least", count, problems);
    let at_most = fields.parsed("at_most", count, problems);
    let span = |name: &str, problems: &mut Problems| fields.get(name).and_then(|node| span(node, &path.field(name), problems));
    let (since_first, since_last) = (span("since_first", problems), span("since_last", problems));
    let counts = ["within", "at_least", "at_most"].iter().any(|name| fields.get(name).is_some());
    let kinds = [counts, fields.get("since_first").is_some(), fields.get("since_last").is_some()];
    if kinds.iter().filter(|asked| **asked).count() != 1 {
        problems.add(
            node.line,
            path,
            "write one of: at_least or at_most (with within, if wanted), since_first, since_last; for more, add an entry",
        );
        return None;
    }
    let claim = match (since_first, since_last) {
        (Some(span), _) => Claim::SinceFirst(span),
        (None, Some(span)) => Claim::SinceLast(span),
        (None, None) if counts => Claim::Count { within, at_least, at_most },
        (None, None) => return None,
    };
    if matches!(claim, Claim::Count { .. }) && fields.get("at_least").is_none() && fields.get("at_most").is_none() {
        problems.add(node.line, path, "counts nothing; write at_least or at_most");
    }
    if let (Some(least), Some(most)) = (at_least, at_most)
        && least > most
    {
        problems.add(node.line, path, format!("nothing is at least {least} and at most {most}; correct one of them"));
    }
    Some(Fact { event: event?, claim })
}

fn span(node: &Node, path: &Path, problems: &mut Problems) -> Option<Span> {
    let fields = Fields::open(node, path, &["at_least", "at_most"], problems)?;
    let at_least = fields.parsed("at_least", Duration::parse, problems);
    let at_most = fields.parsed("at_most", Duration::parse, problems);
    if fields.entries().is_empty() {
        problems.add(node.line, path, "has no bound; write at_least or at_most, as in since_last: { at_least: 60d }");
        return None;
    }
    if let (Some(least), Some(most)) = (at_least, at_most)
        && least > most
    {
        problems.add(node.line, path, format!("nothing is at least {least} and at most {most}; correct one of them"));
    }
    Some(Span { at_least, at_most })
}

fn count(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number <= MOST_COUNTED);
    number.ok_or_else(|| format!("{} is no count; write a whole number from 0 to {MOST_COUNTED}", quoted(text)))
}
