//! A mail's template: parsed once, with every problem that can be seen without rendering.
//!
//! Guarantees: strict (an unknown variable is an error, never an empty space), HTML escaped in the
//! HTML part, bounded in time, memory and size, no access to files or other templates.

use std::borrow::Cow;
use std::fmt;

use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};

use crate::{bounds, filters};

/// The largest source of one part in bytes.
const MAX_SOURCE: usize = 128 * 1024;
/// How much work one rendering may do: about so many instructions, or 64 times as many bytes.
const FUEL: u64 = 200_000;
const RECURSION: usize = 100;

/// The variables that a template may use.
const ROOTS: &[&str] = &["event", "customer", "trigger", "delivery", "unsubscribe_url"];
const EVENT_FIELDS: &[&str] = &["id", "source", "type", "time", "subject", "data"];
const CUSTOMER_FIELDS: &[&str] = &["id", "email", "phone", "locale", "time_zone", "traits"];
/// The functions of the language itself; not `debug`, which prints the whole context, and not `namespace` and
/// `dict`, which lay a value into another, as bounds.rs forbids.
const FUNCTIONS: &[&str] = &["range"];
/// More problems of one text than these nobody reads at once.
pub(crate) const MOST_PROBLEMS: usize = 20;

/// One part of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// `subject.txt`
    Subject,
    /// `body.txt`
    Text,
    /// `body.html`
    Html,
    /// `sms.txt`
    Sms,
    /// A text inside the definition itself: a property, a token, a payload.
    Payload,
}

impl Part {
    /// The name of the part's file in the template's folder; of a payload, a name for messages.
    pub fn file(self) -> &'static str {
        match self {
            Part::Subject => "subject.txt",
            Part::Text => "body.txt",
            Part::Html => "body.html",
            Part::Sms => "sms.txt",
            Part::Payload => "payload",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.file())
    }
}

/// One thing that is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateProblem {
    /// The part in which it is.
    pub part: Part,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.part, self.message),
            None => write!(f, "{}: {}", self.part, self.message),
        }
    }
}

/// The texts of a template: those of a mail, that of a text message, or both.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sources<'a> {
    /// `subject.txt`
    pub subject: Option<&'a str>,
    /// `body.txt`
    pub text: Option<&'a str>,
    /// `body.html`
    pub html: Option<&'a str>,
    /// `sms.txt`
    pub sms: Option<&'a str>,
}

/// A template that can be rendered.
#[derive(Debug, Clone)]
pub struct Template {
    pub(crate) environment: Environment<'static>,
    parts: Vec<Part>,
}

impl Template {
    /// Reads the parts of a template: for a mail a subject and a body as text, as HTML or as both; for a text message
    /// its text.
    ///
    /// # Errors
    /// Every problem that shows without rendering: syntax, size, unknown variables.
    pub fn parse(sources: &Sources<'_>) -> Result<Template, Vec<TemplateProblem>> {
        let mut environment = environment();
        let mut problems = Vec::new();
        let all = [(Part::Subject, sources.subject), (Part::Text, sources.text), (Part::Html, sources.html), (Part::Sms, sources.sms)];
        let mut parts = Vec::new();
        for (part, source) in all {
            if let Some(source) = source {
                add(&mut environment, part, source, &mut problems);
                parts.push(part);
            }
        }
        let body = sources.text.is_some() || sources.html.is_some();
        let mut lacks = |part, message: &str| problems.push(TemplateProblem { part, line: None, message: message.to_owned() });
        if sources.subject.is_some() && !body {
            lacks(Part::Text, "there is no body; write body.txt, body.html or both");
        }
        if sources.subject.is_none() && (body || sources.sms.is_none()) {
            lacks(Part::Subject, "is missing; write the mail's subject into it, or for a text message write sms.txt alone");
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Template { environment, parts })
    }

    /// Whether the template has this part.
    pub fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }
}

pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| if name == Part::Html.file() { AutoEscape::Html } else { AutoEscape::None });
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION);
    // Errors then know the place of the variable. They are never printed whole: they hold values.
    environment.set_debug(true);
    ["namespace", "dict"].iter().for_each(|name| environment.remove_global(name));
    ["batch", "slice", "groupby", "zip", "chain"].iter().for_each(|name| environment.remove_filter(name));
    filters::add(&mut environment);
    environment
}

fn add(environment: &mut Environment<'static>, part: Part, source: &str, problems: &mut Vec<TemplateProblem>) {
    let mut report = |line, message| {
        problems.push(TemplateProblem { part, line, message });
    };
    if source.len() > MAX_SOURCE {
        let message = format!("has {} bytes; 131072 (128 KiB) is the limit", source.len());
        report(None, message);
        return;
    }
    if let Some((line, message)) = bounds::beyond(source) {
        report(Some(line), message);
        return;
    }
    if let Err(error) = environment.add_template_owned(part.file(), source.to_owned()) {
        report(error.line(), syntax(&error));
        return;
    }
    let Ok(template) = environment.get_template(part.file()) else {
        return;
    };
    let lines = bounds::lines(source);
    let line_of = |name: &str| {
        let mut steps = name.splitn(3, '.');
        let root = steps.next().unwrap_or(name);
        let field = steps.next().and_then(|field| lines.get(&format!("{root}.{field}")));
        field.or_else(|| lines.get(root)).copied()
    };
    let names = template.undeclared_variables(true);
    let mut found: Vec<(Option<usize>, String)> = names.iter().filter_map(|name| Some((line_of(name), unknown(name)?))).collect();
    found.sort();
    for (line, message) in found.into_iter().take(MOST_PROBLEMS) {
        report(line, message);
    }
}

pub(crate) fn syntax(error: &minijinja::Error) -> String {
    let detail = shown(error.detail().unwrap_or("it cannot be read"));
    if error.kind() == ErrorKind::SyntaxError {
        format!("the template's syntax is wrong: {detail}; each {{{{ … }}}} and {{% … %}} must be closed")
    } else {
        format!("the template cannot be read: {detail}")
    }
}

/// Says what is wrong with a variable's name, if anything is.
pub(crate) fn unknown(name: &str) -> Option<String> {
    let mut steps = name.split('.');
    let root = steps.next().unwrap_or(name);
    let field = steps.next();
    let named = |field: &str| format!("unknown variable {}.{}", shown(root), shown(field));
    let known = |fields: &[&str]| match field {
        Some(field) if !fields.contains(&field) => Some(format!("{}; {root} has {}", named(field), fields.join(", "))),
        Some(_) | None => None,
    };
    match root {
        "event" => known(EVENT_FIELDS),
        "customer" => known(CUSTOMER_FIELDS),
        root if FUNCTIONS.contains(&root) => None,
        root if ROOTS.contains(&root) => field.map(|field| format!("{}; {root} is plain text and has no fields", named(field))),
        root => Some(format!("unknown variable {}; a template may use {}", shown(root), ROOTS.join(", "))),
    }
}

/// The beginning of a text of the template, which is no personal data.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(subject: &str, text: Option<&str>, html: Option<&str>) -> String {
        let found: Vec<String> = Template::parse(&Sources { subject: Some(subject), text, html, sms: None })
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect();
        found.join("\n")
    }

    #[test]
    fn all_problems_of_all_parts_are_reported() {
        let text = "Dear {{ custmer.traits.name }},\n\nyour order {{\n  event.dat.id }} and {{ customer.name }}\n";
        let html = "<p>\n{{ trigger.name }} {{ event.data.total | money('EUR') }\n</p>";
        insta::assert_snapshot!(problems("{% if event %}", Some(text), Some(html)), @r#"
        subject.txt:1: the template's syntax is wrong: unexpected end of input, expected end of block; each {{ … }} and {% … %} must be closed
        body.txt:1: unknown variable custmer; a template may use event, customer, trigger, delivery, unsubscribe_url
        body.txt:4: unknown variable customer.name; customer has id, email, phone, locale, time_zone, traits
        body.txt:4: unknown variable event.dat; event has id, source, type, time, subject, data
        body.html:2: the template's syntax is wrong: unexpected `}`, expected end of variable block; each {{ … }} and {% … %} must be closed
        "#);
    }

    #[test]
    fn a_template_needs_a_body() {
        assert_eq!(problems("Hello", None, None), "body.txt: there is no body; write body.txt, body.html or both");
    }

    #[test]
    fn a_template_is_a_mail_a_text_message_or_both() {
        let parse = |subject, text, sms| Template::parse(&Sources { subject, text, html: None, sms });
        for (subject, text, sms, good) in [
            (Some("s"), Some("t"), None, true),
            (Some("s"), Some("t"), Some("m"), true),
            (None, None, Some("m"), true),
            (None, None, None, false),
            (None, Some("t"), Some("m"), false),
            (Some("s"), None, Some("m"), false),
        ] {
            assert_eq!(parse(subject, text, sms).is_ok(), good, "{subject:?} {text:?} {sms:?}");
        }
    }

    #[test]
    fn what_a_template_declares_itself_is_known() {
        let text = "{% set name = customer.traits.name %}{{ name }}\
                    {% for item in event.data.items %}{{ loop.index }} {{ item.sku }}{% endfor %}\
                    {% for n in range(3) %}{{ n }}{% endfor %}{{ unsubscribe_url }}{{ delivery }}";
        assert!(Template::parse(&Sources { subject: Some("Hi"), text: Some(text), ..Sources::default() }).is_ok());
    }

    #[test]
    fn other_templates_cannot_be_reached() {
        for text in ["{% include 'a' %}", "{% import 'a' as a %}", "{% extends 'a' %}"] {
            assert!(Template::parse(&Sources { subject: Some("Hi"), text: Some(text), ..Sources::default() }).is_err(), "{text}");
        }
        assert!(problems("Hi", Some("{{ debug() }}"), None).contains("unknown variable debug"));
    }

    #[test]
    fn a_source_is_bounded() {
        let long = "x".repeat(MAX_SOURCE + 1);
        assert_eq!(problems("Hi", None, Some(&long)), "body.html: has 131073 bytes; 131072 (128 KiB) is the limit");
    }
}
