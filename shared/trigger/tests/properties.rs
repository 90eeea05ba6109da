//! Laws that hold for any text.

use proptest::prelude::*;
use trigger::{from_definition, parse};

/// Text that is likely to be almost YAML.
fn near_yaml() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "trigger: t",
        "on: a.b",
        "when:",
        "event:",
        "then:",
        "- ",
        "-",
        "  ",
        "    ",
        "\n",
        "\n\n",
        "\r\n",
        "\t",
        ": ",
        ":",
        "? ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "\"",
        "'",
        "|",
        ">",
        "|-\n",
        "&a ",
        "*a",
        "!!str ",
        "!<x> ",
        "%YAML 1.2\n",
        "---",
        "...",
        "#",
        "<<",
        "\\u",
        "\\x4",
        "0x1f",
        "+5",
        "~",
        "é",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "\0",
        "email: { template: a, class: marketing }",
        "numeric",
        "exists",
        "$or",
        "@",
        "`",
        "%",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = parse("t.yaml", &text);
    }

    #[test]
    fn no_text_that_is_almost_yaml_makes_the_parser_panic(text in near_yaml()) {
        let _ = parse("t.yaml", &text);
    }

    #[test]
    fn a_rejected_text_has_problems_with_lines(text in near_yaml()) {
        if let Err(problems) = parse("t.yaml", &text) {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|problem| problem.line >= 1));
            prop_assert!(problems.iter().all(|problem| !problem.message.is_empty()));
        }
    }

    #[test]
    fn the_canonical_text_gives_an_equal_trigger(
        description in any::<String>(),
        types in prop::collection::vec("[a-z]{1,8}\\.[a-z]{1,8}", 1..5),
        priority in 0_u8..=100,
        hours in 1_u32..=168,
        field in "\\PC{1,20}",
        text in "\\PC{0,20}",
        number in any::<f64>().prop_filter("a number of JSON", |number| number.is_finite()),
    ) {
        let types: Vec<String> = types.iter().map(|name| quote(name)).collect();
        let source = format!(
            "trigger: t\ndescription: {}\non: [{}]\npriority: {priority}\nwhen: {{ event: {{ {}: [{}, {number:?}] }} }}\n\
             then:\n  - email: {{ template: a, class: marketing, valid_for: {hours}h }}\n",
            quote(&description), types.join(", "), quote(&field), quote(&text),
        );
        // Some texts are no definition: a NUL, a pattern that is invalid.
        if let Ok(trigger) = parse("t.yaml", &source) {
            let again = from_definition(trigger.definition());
            let again = again.map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?;
            prop_assert_eq!(again.definition(), trigger.definition());
            prop_assert_eq!(again.steps(), trigger.steps());
            prop_assert_eq!(again.description(), trigger.description());
        }
    }
}
