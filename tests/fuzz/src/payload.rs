//! JSON whose texts are templates: `delivery::Payload`.

use delivery::Payload;
use pattern::Json;

use crate::laws;
use crate::template::{context, is_a_good_error};

const MOST_PROBLEMS: usize = 101;
const LONGEST_PROBLEM: usize = 1_024;

/// What a payload may render to before it is refused, as JSON.
const LARGEST: usize = 4 << 20;

/// What is refused says why; what is taken renders to bounded JSON, the same each time, or to an error.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(source) = Json::parse(text) else { return };
    match Payload::parse(&source) {
        Ok(payload) => match payload.render(&context()) {
            Ok(value) => {
                assert!(value.to_string().len() <= LARGEST, "a payload of {} bytes", value.to_string().len());
                assert!(payload.render(&context()).is_ok_and(|again| again == value), "rendered again, it is another one");
            }
            Err(error) => is_a_good_error(text, &error),
        },
        Err(problems) => {
            assert!((1..=MOST_PROBLEMS).contains(&problems.len()), "{} problems", problems.len());
            problems.iter().for_each(|problem| laws::is_bounded(problem, LONGEST_PROBLEM));
        }
    }
}

/// Payloads up to the size of a trigger's file.
pub fn grown() -> Vec<(&'static str, Vec<u8>)> {
    let many = |count: usize, text: &str| format!("[{}]", vec![format!("{text:?}"); count].join(",")).into_bytes();
    vec![
        ("many texts that each do much", many(200, "{{ [1] * 100000 }}")),
        ("many texts that each become long", many(200, "x{{ 'x' * 100000 }}")),
        ("many texts that copy the event", many(10_000, "{{ event.data }}")),
        ("many texts that print the event", many(10_000, "x{{ event.data.text }}")),
        ("many loops", many(500, "x{% for a in range(10000) %}{% endfor %}")),
        ("many texts with an unknown variable", many(10_000, "{{ a }}")),
        ("a long text with an unknown variable", many(1, &format!("{{{{ {} }}}}", "a".repeat(200_000)))),
        ("a long text with a missing variable", many(1, &format!("{{{{ event.data.{} }}}}", "a".repeat(200_000)))),
        ("a sum without end", many(1, &format!("{{{{ 1{} }}}}", "+1".repeat(60_000)))),
        ("a row of filters", many(1, &format!("{{{{ 'a'{} }}}}", "|upper".repeat(20_000)))),
        ("nested to the bound", format!("{}\"{{{{ event.data }}}}\"{}", "[".repeat(126), "]".repeat(126)).into_bytes()),
    ]
}
