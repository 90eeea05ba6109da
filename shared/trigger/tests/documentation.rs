//! The specification's examples are valid, each of them.

use std::fs;
use std::path::Path;

/// The fenced blocks of YAML that begin with `trigger:`.
fn examples(text: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match (&mut open, line) {
            (None, "```yaml") => open = Some(String::new()),
            (None, _) => (),
            (Some(example), "```") => {
                examples.push(std::mem::take(example));
                open = None;
            }
            (Some(example), line) => {
                example.push_str(line);
                example.push('\n');
            }
        }
    }
    examples.retain(|example| example.starts_with("trigger:"));
    examples
}

#[test]
fn each_example_of_a_trigger_in_the_specification_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/triggers.md");
    let text = fs::read_to_string(path).expect("the specification is there");
    let examples = examples(&text);
    assert!(examples.len() >= 3, "the specification has lost its examples");
    for example in examples {
        let name = example.lines().next().and_then(|line| line.strip_prefix("trigger: ")).expect("the first line names the trigger");
        let found = trigger::parse(&format!("{name}.yaml"), &example);
        assert_eq!(found.map(|trigger| trigger.name().to_string()), Ok(name.to_owned()), "{example}");
    }
}
