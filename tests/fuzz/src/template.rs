//! The text of a template, as each part of one: `delivery::Template`.

use delivery::{Context, RenderError, Sources, Template, TemplateProblem};
use serde_json::json;

use crate::laws;

const MOST_PROBLEMS: usize = 101;
const LONGEST_PROBLEM: usize = 1_024;
const LARGEST_PART: usize = 512 * 1024;

/// What is refused says why; what is taken renders to bounded texts, the same each time, or to an error without a value.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mail = Sources { subject: Some("Hi"), text: Some(text), html: Some(text), sms: None };
    let short = Sources { subject: Some(text), text: Some("Hi"), html: None, sms: Some(text) };
    for sources in [mail, short] {
        match Template::parse(&sources) {
            Ok(template) => renders(text, &template),
            Err(problems) => are_good_problems(text, &problems),
        }
    }
}

fn renders(text: &str, template: &Template) {
    let context = context();
    match template.mail(&context) {
        Ok(mail) => {
            assert!(!mail.subject.is_empty() && !mail.subject.contains(char::is_control), "a subject of more than a line");
            let parts = [mail.text.as_deref(), mail.html.as_deref()];
            assert!(parts.into_iter().flatten().all(|part| part.len() <= LARGEST_PART));
            laws::is_fit_for_a_log(&format!("{mail:?}"), LONGEST_PROBLEM);
            assert!(template.mail(&context).is_ok_and(|again| again == mail), "rendered again, it is another one");
        }
        Err(error) => is_a_good_error(text, &error),
    }
    match template.sms(&context) {
        Ok(text) => assert!((1..=1_600).contains(&text.chars().count())),
        Err(error) => is_a_good_error(text, &error),
    }
}

/// A context whose values are personal.
pub fn context() -> Context {
    Context {
        event: json!({
            "id": "e1", "source": "/shop", "type": "order.completed", "time": "2026-03-01T10:00:00.000Z", "subject": "c-1",
            "data": { "total": 79.9, "big": u64::MAX, "text": "hunter2".repeat(40), "items": vec![json!({ "sku": "hunter2", "n": 3 }); 60] },
        }),
        customer: json!({
            "id": "c-1", "email": "ana@example.com", "phone": null, "locale": "de-DE", "time_zone": "Europe/Berlin",
            "traits": { "name": "hunter2", "nested": { "a": [[[["hunter2"]]]] }, "count": -3 },
        }),
        trigger: "t".to_owned(),
        delivery: "0123456789abcdef0123456789abcdef".to_owned(),
        unsubscribe_url: Some("https://example.com/u".to_owned()),
    }
}

/// An error of a rendering. It may quote the template, which is no personal data.
#[track_caller]
pub fn is_a_good_error(template: &str, error: &RenderError) {
    laws::is_bounded(&error.to_string(), LONGEST_PROBLEM);
    assert!(laws::has_personal(template) || !laws::has_personal(&error.to_string()), "tells a value: {error}");
}

#[track_caller]
fn are_good_problems(text: &str, problems: &[TemplateProblem]) {
    assert!((1..=MOST_PROBLEMS).contains(&problems.len()), "{} problems", problems.len());
    for problem in problems {
        laws::is_bounded(&problem.to_string(), LONGEST_PROBLEM);
        assert!(problem.line.is_none_or(|line| (1..=text.split('\n').count() + 1).contains(&line)), "line {:?}", problem.line);
    }
}

/// Templates up to the largest size that is read.
pub fn grown() -> Vec<(&'static str, Vec<u8>)> {
    const LARGE: usize = 126_000;
    let numbered = |count: usize, unit: &dyn Fn(usize) -> String| (0..count).map(unit).collect::<String>();
    let chain = |first: &str, unit: &str, last: &str| laws::grown(&format!("{{{{ {first}"), unit, LARGE, &format!("{last} }}}}"));
    vec![
        ("a sum without end", chain("1", "+1", "")),
        ("a text of many pieces", chain("'a'", "~'a'", "")),
        ("a row of comparisons", chain("1", "<2", "")),
        ("a row of ands", chain("1", " and 1", "")),
        ("a row of alternatives", chain("1", " if 1 else 1", "")),
        ("a row of filters", chain("'a'", "|upper", "")),
        ("a row of tests", chain("1", " is defined", "")),
        ("a row of attributes", chain("event.data", ".a", "")),
        ("a row of items", chain("event.data", "[0]", "")),
        ("a row of calls", chain("event.data", "()", "")),
        ("a row of powers", chain("2", "**2", "")),
        ("brackets in brackets", chain("", "(", "")),
        ("lists in lists", chain("", "[", "")),
        ("nots", chain("", "not ", "1")),
        ("minuses", chain("", "-", "1")),
        ("blocks in blocks", laws::grown("", "{% if 1 %}", LARGE, "")),
        ("blocks in blocks, closed", laws::grown(&"{% if 1 %}".repeat(6_000), "{% endif %}", 60_000, "")),
        ("branches", laws::grown("{% if 0 %}", "{% elif 0 %}", LARGE, "{% endif %}")),
        ("loops in loops", format!("{}x{}", "{% for a in range(50) %}".repeat(100), "{% endfor %}".repeat(100)).into_bytes()),
        ("unknown variables", numbered(9_000, &|n| format!("{{{{ v{n} }}}}")).into_bytes()),
        ("one unknown variable on one line", laws::grown("", "a {{ b }} ", LARGE, "{{ a }}")),
        ("a name without end", laws::grown("{{ ", "a", LARGE, " }}")),
        ("a name without end, of many parts", laws::grown("{{ x", ".a", LARGE, " }}")),
        ("open tags", laws::grown("", "{{", LARGE, "")),
        ("comments", laws::grown("", "{# ", LARGE, "")),
        ("raw", laws::grown("{% raw %}", "{{", LARGE, "{% endraw %}")),
        ("a text within sets", laws::grown("", "{% set x = [x] %}", LARGE, "")),
        ("a list of many", chain("[1", ",1", "]")),
        ("a mapping of many", chain("{1:1", ",1:1", "}")),
        ("an integer without end", chain("", "9", "")),
        ("a text without end", chain("'", "\\n", "'")),
    ]
}
