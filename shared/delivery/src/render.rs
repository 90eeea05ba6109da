//! A template and a context to a mail.
//!
//! Errors name variables and lines of the template, never values: those are personal data.

use std::io;

use minijinja::value::Serde;
use minijinja::{Error, ErrorKind, Value};
use serde_json::json;

use crate::template::{Part, Template};

/// The largest rendered part in bytes.
pub(crate) const MAX_OUTPUT: usize = 512 * 1024;
/// The longest subject in characters: the longest line that a mail may have.
const MAX_SUBJECT: usize = 998;

/// The longest text message in characters: what SNS takes.
const MAX_SMS: usize = 1_600;

/// What a template is rendered with.
#[derive(Clone)]
pub struct Context {
    /// `{id, source, type, time, subject, data}`
    pub event: serde_json::Value,
    /// `{id, email, phone, locale, time_zone, traits}`; what is not known is null.
    pub customer: serde_json::Value,
    /// The trigger's name.
    pub trigger: String,
    /// The delivery's id.
    pub delivery: String,
    /// Where the customer withdraws consent; none where the stack has no such page.
    pub unsubscribe_url: Option<String>,
}

impl std::fmt::Debug for Context {
    /// Without the values, which are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("trigger", &self.trigger).field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

/// A mail, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line, not empty, without control characters.
    pub subject: String,
    /// The body as plain text.
    pub text: Option<String>,
    /// The body as HTML.
    pub html: Option<String>,
}

impl std::fmt::Debug for Rendered {
    /// Without the content, which is personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered")
            .field("subject_bytes", &self.subject.len())
            .field("text_bytes", &self.text.as_ref().map(String::len))
            .field("html_bytes", &self.html.as_ref().map(String::len))
            .finish()
    }
}

/// Why a template could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part}{}: {message}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct RenderError {
    /// The part in which it happened.
    pub part: Part,
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong and what to do about it; without any value of the context.
    pub message: String,
}

impl Context {
    pub(crate) fn values(&self) -> Value {
        Value::from(Serde(json!({
            "event": self.event,
            "customer": self.customer,
            "trigger": self.trigger,
            "delivery": self.delivery,
            "unsubscribe_url": self.unsubscribe_url,
        })))
    }
}

impl Template {
    /// Renders the parts of a mail.
    ///
    /// # Errors
    /// The template is none of a mail, a variable is missing or null, a filter does not fit its value, a bound is exceeded.
    pub fn mail(&self, context: &Context) -> Result<Rendered, RenderError> {
        let values = context.values();
        let subject = one_line(&self.part(Part::Subject, &values)?)?;
        let body = |part| self.has(part).then(|| self.part(part, &values)).transpose();
        Ok(Rendered { subject, text: body(Part::Text)?, html: body(Part::Html)? })
    }

    /// Renders a text message.
    ///
    /// # Errors
    /// As [`Template::mail`], and a text that is empty or longer than a provider takes.
    pub fn sms(&self, context: &Context) -> Result<String, RenderError> {
        let refused = |message: String| RenderError { part: Part::Sms, line: None, message };
        let text = self.part(Part::Sms, &context.values())?;
        let text = text.trim();
        let length = text.chars().count();
        match length {
            0 => Err(refused("the text is empty; write one that is never empty".to_owned())),
            1..=MAX_SMS => Ok(text.to_owned()),
            _ => Err(refused(format!("the text has {length} characters; {MAX_SMS} is the limit"))),
        }
    }

    fn part(&self, part: Part, values: &Value) -> Result<String, RenderError> {
        if !self.has(part) {
            return Err(RenderError { part, line: None, message: "the template does not have this part; write it".to_owned() });
        }
        let mut output = Bounded::new(MAX_OUTPUT);
        let result = self
            .environment
            .get_template(part.file())
            .and_then(|template| template.render_captured_to(values.clone(), &mut output).map(drop));
        if output.full {
            return Err(RenderError { part, line: None, message: "renders to more than 524288 bytes (512 KiB); shorten it".to_owned() });
        }
        result.map_err(|error| explained(part, &error))?;
        String::from_utf8(output.bytes).map_err(|_| RenderError {
            part,
            line: None,
            message: "renders to something that is no UTF-8".to_owned(),
        })
    }
}

/// A header cannot be smuggled in: line breaks and control characters become spaces.
fn one_line(text: &str) -> Result<String, RenderError> {
    let refused = |message: String| RenderError { part: Part::Subject, line: None, message };
    let line: String = text
        .chars()
        .map(|c| match c {
            '\u{2028}' | '\u{2029}' => ' ',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect();
    let line = line.trim();
    if line.is_empty() {
        return Err(refused("the subject is empty; write one that is never empty".to_owned()));
    }
    let length = line.chars().count();
    if length > MAX_SUBJECT {
        return Err(refused(format!("the subject has {length} characters; {MAX_SUBJECT} is the limit")));
    }
    Ok(line.to_owned())
}

/// The `{{ … }}` or `{% … %}` of the template that a position lies in.
fn tag_around(source: &str, position: usize) -> Option<&str> {
    let before = source.get(..position)?;
    let start = before.rfind("{{").max(before.rfind("{%"))?;
    let tag = source.get(start..)?;
    let close = if tag.starts_with("{{") { "}}" } else { "%}" };
    tag.get(..tag.find(close)? + close.len())
}

/// Says what happened from its kind and place alone: an error's own text may quote values.
#[expect(clippy::wildcard_enum_match_arm, reason = "the list of kinds is not closed")]
pub(crate) fn explained(part: Part, error: &Error) -> RenderError {
    let place = error
        .range()
        .and_then(|range| tag_around(error.template_source()?, range.start))
        .filter(|tag| tag.len() <= 160)
        .map(|tag| format!(" in {tag}"))
        .unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::UndefinedError => format!(
            "a variable is missing or null{place}; correct its name, or give it a default, as in {{{{ customer.traits.name | default(\"there\") }}}}"
        ),
        ErrorKind::UnknownFilter => format!("unknown filter{place}"),
        ErrorKind::UnknownTest => format!("unknown test{place}"),
        ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => {
            format!("unknown function{place}")
        }
        ErrorKind::OutOfFuel => "takes too much work to render; remove loops over long lists".to_owned(),
        ErrorKind::MissingArgument => format!("an argument is missing{place}"),
        ErrorKind::TooManyArguments => format!("there are too many arguments{place}"),
        ErrorKind::InvalidOperation => match error.detail() {
            Some(detail) if crate::filters::MESSAGES.contains(&detail) => {
                format!("{detail}{place}")
            }
            Some(_) | None => format!("a value does not fit what is done with it{place}"),
        },
        _ => format!("cannot be rendered{place}"),
    };
    RenderError { part, line: error.line(), message }
}

/// Takes so many bytes and no more.
pub(crate) struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    full: bool,
}

impl Bounded {
    pub(crate) fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), most, full: false }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether there was more than it takes.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Sources;

    fn context() -> Context {
        Context {
            event: json!({
                "id": "e-1", "source": "/shop", "type": "order.completed",
                "time": "2026-03-03T10:00:00Z", "subject": "c-1",
                "data": {"total": 80, "name": "<b>Ana</b>", "lines": "a\r\nBcc: eve@example.com\n"},
            }),
            customer: json!({
                "id": "c-1", "email": "ana@example.com", "phone": null, "locale": "de-DE",
                "time_zone": "Europe/Berlin", "traits": {"name": "Ana", "secret": "hunter2", "number": 4711},
            }),
            trigger: "order-confirmation".to_owned(),
            delivery: "0123456789abcdef".to_owned(),
            unsubscribe_url: None,
        }
    }

    fn rendered(subject: &str, text: &str, html: &str) -> Result<Rendered, RenderError> {
        Template::parse(&Sources { subject: Some(subject), text: Some(text), html: Some(html), sms: None }).unwrap().mail(&context())
    }

    fn failure(text: &str) -> String {
        rendered("Hi", text, "").unwrap_err().to_string()
    }

    #[test]
    fn only_the_html_part_is_escaped() {
        let mail = rendered("{{ event.data.name }}", "{{ event.data.name }}", "{{ event.data.name }}").unwrap();
        assert_eq!(mail.subject, "<b>Ana</b>");
        assert_eq!(mail.text.as_deref(), Some("<b>Ana</b>"));
        assert_eq!(mail.html.as_deref(), Some("&lt;b&gt;Ana&lt;&#x2f;b&gt;"));
    }

    #[test]
    fn a_subject_cannot_bring_a_header_of_its_own() {
        let mail = rendered("  Order: {{ event.data.lines }} ", "", "").unwrap();
        assert_eq!(mail.subject, "Order: a  Bcc: eve@example.com");
    }

    #[test]
    fn an_empty_subject_is_an_error() {
        let error = rendered("{% if false %}x{% endif %}\n", "", "").unwrap_err();
        assert_eq!(error.to_string(), "subject.txt: the subject is empty; write one that is never empty");
        assert!(rendered(&"x".repeat(999), "", "").is_err());
    }

    #[test]
    fn a_missing_variable_is_named_with_its_line() {
        insta::assert_snapshot!(failure("Dear\n{{ customer.traits.nmae }}"), @r#"body.txt:2: a variable is missing or null in {{ customer.traits.nmae }}; correct its name, or give it a default, as in {{ customer.traits.name | default("there") }}"#);
        insta::assert_snapshot!(failure("{{ customer.traits.address.city }}"), @r#"body.txt:1: a variable is missing or null in {{ customer.traits.address.city }}; correct its name, or give it a default, as in {{ customer.traits.name | default("there") }}"#);
        insta::assert_snapshot!(failure("{{ customer.phone }}"), @r#"body.txt:1: a variable is missing or null in {{ customer.phone }}; correct its name, or give it a default, as in {{ customer.traits.name | default("there") }}"#);
        insta::assert_snapshot!(failure("{{ customer.traits.nmae | upper }}"), @r#"body.txt:1: a variable is missing or null in {{ customer.traits.nmae | upper }}; correct its name, or give it a default, as in {{ customer.traits.name | default("there") }}"#);
    }

    #[test]
    fn a_default_stands_in_for_what_is_missing_or_null() {
        let mail = rendered(
            "Hi {{ customer.traits.nick | default('there') }}",
            "{{ customer.phone | default('no phone') }}, {{ customer.phone | d }}!{% if customer.phone %}x{% endif %}",
            "{% if unsubscribe_url %}{{ unsubscribe_url }}{% endif %}",
        )
        .unwrap();
        assert_eq!(mail.subject, "Hi there");
        assert_eq!(mail.text.as_deref(), Some("no phone, !"));
        assert_eq!(mail.html.as_deref(), Some(""));
    }

    #[test]
    fn no_error_tells_a_value() {
        for text in [
            "{{ customer.traits.secret | int }}",
            "{{ customer.traits.secret + 1 }}",
            "{{ customer.traits.secret.x.y }}",
            "{{ customer.traits.secret() }}",
            "{{ customer.traits.secret | money('EUR') }}",
            "{{ 1 | money(customer.traits.secret) }}",
            "{{ customer.traits.secret | date }}",
            "{{ customer.traits[customer.traits.secret] }}",
            "{% for x in 1 %}{% endfor %}",
            "{{ 'x' | round(customer.traits.secret) }}",
            "{{ customer.traits.number // 0 }}",
            "{{ customer.traits.number | map(attribute='x') | list }}",
            "{{ [1] | select(customer.traits.secret) | list }}",
            "{{ 1 | nofilter }}",
            "{{ range(customer.traits.secret) }}",
        ] {
            let message = failure(text);
            assert!(!message.contains("hunter2") && !message.contains("4711"), "{text}: {message}");
        }
    }

    #[test]
    fn work_and_output_are_bounded() {
        let endless = "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}";
        insta::assert_snapshot!(failure(endless), @"body.txt:1: takes too much work to render; remove loops over long lists");
        insta::assert_snapshot!(failure("{{ 'x' * 600000 }}"), @"body.txt: renders to more than 524288 bytes (512 KiB); shorten it");
        assert!(failure("{{ 'x' * 60000000000 }}").contains("too much work"));
    }
}
