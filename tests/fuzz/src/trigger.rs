//! A trigger's file and the manifest, in YAML or JSON: `trigger::parse`, `trigger::Manifest::parse`.

use trigger::{Manifest, Problem, Trigger, TriggerName, explain, from_definition, parse};

use crate::laws;

/// The name of the file: a text that parses names its trigger so.
const FILE: &str = "t.yaml";

/// More problems than anybody reads at once.
const MOST_PROBLEMS: usize = 101;
const LONGEST_PROBLEM: usize = 16 * 1024;

/// What is refused has a bounded number of problems, each with its line; what is taken is stored and read again as the same.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match parse(FILE, text) {
        Ok(trigger) => is_stored(&trigger),
        Err(problems) => are_good_problems(text, &problems),
    }
    let known = ["t", "welcome", "order-confirmation"].map(|name| TriggerName::parse(name).expect("a name"));
    match Manifest::parse(FILE, text, &known.each_ref()) {
        Ok(manifest) => assert!(manifest.entries().count() <= known.len()),
        Err(problems) => are_good_problems(text, &problems),
    }
    if let Err(problems) = from_definition(text) {
        are_good_problems(text, &problems);
    }
}

fn is_stored(trigger: &Trigger) {
    let again = from_definition(trigger.definition()).unwrap_or_else(|problems| panic!("stored, it is refused: {}", problems[0]));
    assert_eq!(again.definition(), trigger.definition());
    assert_eq!((again.name(), again.on(), again.steps()), (trigger.name(), trigger.on(), trigger.steps()));
    assert_eq!((again.when_event(), again.when_customer()), (trigger.when_event(), trigger.when_customer()));
    assert_eq!((again.when_history(), again.priority(), again.max_age()), (trigger.when_history(), trigger.priority(), trigger.max_age()));
    assert_eq!(again.description(), trigger.description());
    laws::is_bounded(&explain(trigger), 16 << 20);
}

#[track_caller]
fn are_good_problems(text: &str, problems: &[Problem]) {
    assert!((1..=MOST_PROBLEMS).contains(&problems.len()), "{} problems", problems.len());
    let lines = text.split(['\n', '\r']).count() + 1;
    for problem in problems {
        assert!((1..=lines).contains(&problem.line), "line {} of {lines}", problem.line);
        laws::is_bounded(&problem.message, LONGEST_PROBLEM);
        laws::is_bounded(&problem.to_string(), 2 * LONGEST_PROBLEM);
    }
    assert!(problems.is_sorted_by_key(|problem| problem.line), "not in the order of the lines");
}

/// A trigger with this pattern for its event.
fn with_pattern(pattern: &str) -> String {
    format!("trigger: t\non: a.b\nwhen: {{ event: {pattern} }}\nthen: [{{ webhook: {{ endpoint: e }} }}]\n")
}

/// Files up to the largest size that is read.
pub fn grown() -> Vec<(&'static str, Vec<u8>)> {
    const LARGE: usize = 250_000;
    let numbered = |count: usize, unit: &dyn Fn(usize) -> String| (0..count).map(unit).collect::<String>();
    let long = "k".repeat(100_000);
    let pattern = |pattern: String| with_pattern(&pattern).into_bytes();
    let empty_choices = format!("[{}{{}}]", "{},".repeat(12_000));
    let choices = format!("[{}]", numbered(200, &|n| format!("{{x: [{n}]}},")));
    let empties = format!("[{}{{}}]", "{}, ".repeat(50_000));
    vec![
        ("many fields", numbered(22_000, &|n| format!("field{n}: 1\n")).into_bytes()),
        ("one field again and again", laws::grown("", "a: 1\n", LARGE, "")),
        ("a problem on every line below a long name", laws::grown(&format!("{long}:\n"), "- !a\n", LARGE / 2, "")),
        ("lists below a long name", laws::grown(&format!("{long}: ["), "[],", LARGE / 2, "]")),
        ("aliases of aliases", laws::grown("a: &a [x, x]\n", "b: &b [*a, *a]\n", LARGE, "")),
        ("an alias bomb", numbered(30, &|n| format!("a{}: &a{} [*a{n}, *a{n}, *a{n}, *a{n}]\n", n + 1, n + 1)).into_bytes()),
        ("anchors", numbered(15_000, &|n| format!("- &a{n} x\n")).into_bytes()),
        ("lists in lists", laws::grown("", "[", LARGE, "")),
        ("mappings in mappings", laws::grown("", "{a: ", LARGE, "")),
        ("dashes", laws::grown("", "- ", LARGE, "x")),
        ("question marks", laws::grown("", "? ", LARGE, "x")),
        ("an open quote", laws::grown("\"", "\\x41", LARGE, "")),
        ("a number that JSON does not know", laws::grown("a: 0", "0", LARGE, "")),
        ("a number of many digits", pattern(format!("{{ a: [{}] }}", "9".repeat(200_000)))),
        ("a description without end", laws::grown("trigger: t\ndescription: \"", "é", LARGE, "\"\n")),
        ("a scalar of many lines", laws::grown("trigger: t\ndescription: |\n", " x\n", LARGE, "")),
        ("comments", laws::grown("a: 1\n", "# x\n", LARGE, "")),
        ("colons", laws::grown("", ":", LARGE, "")),
        ("deep indentation", numbered(600, &|n| format!("{}a:\n", " ".repeat(n))).into_bytes()),
        ("manifest of strangers", laws::grown("triggers:\n", "  wellcome: { mode: life }\n", LARGE, "")),
        ("conditions below a long name", pattern(format!("{{ {long}: {{ {} }} }}", numbered(9_000, &|n| format!("a{n}: [1], "))))),
        ("choices below a long name", pattern(format!("{{ {long}: {{ $or: [{}] }} }}", "{a: [1]}, ".repeat(12_000)))),
        ("empty choices, multiplied", pattern(format!("{{ a: {{ $or: {empty_choices} }}, b: {{ $or: {empty_choices} }} }}"))),
        (
            "many choices before empty ones",
            pattern(format!("{{ a: {{ $or: {choices} }}, b: {{ $or: {choices} }}, c: {{ $or: {empties} }} }}")),
        ),
        ("bare values", pattern(format!("{{ {} }}", numbered(18_000, &|n| format!("a{n}: 1, "))))),
        (
            "a name that is longer than YAML likes",
            pattern(format!("\n  ? {}\n  : [1]\n ", "n".repeat(2_000)).replace("{ event: \n", "\n event:\n")),
        ),
        ("a pattern that grows when it is stored", pattern(format!("{{ a: [{}x] }}", "y,".repeat(110_000)))),
        (
            "a name that needs an explicit key",
            format!("trigger: t\non: a.b\nwhen:\n event:\n  ? {}\n  : [1]\nthen: [{{ webhook: {{ endpoint: e }} }}]\n", "n".repeat(2_000))
                .into_bytes(),
        ),
    ]
}
