//! What holds for any text.

use pattern::case::answer;
use pattern::{Json, Pattern};
use proptest::prelude::*;
use serde_json::Value;

/// Texts made of what JSON is made of: mostly almost right.
fn almost_json() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"\"",
        "\"$or\"",
        "\"prefix\"",
        "\"anything-but\"",
        "\"numeric\"",
        "\"cidr\"",
        "\"::/8\"",
        "\"exists\"",
        "\"wildcard\"",
        "\"**\"",
        "\">\"",
        "null",
        "true",
        "0",
        "-0",
        "1e5",
        "01",
        "1e999",
        ".5",
        " ",
        "\n",
        "\\",
        "\"",
        "\"\\ud83d\"",
        "\"\\u12\"",
        "\"\\n\"",
        "é",
    ]);
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

fn json(depth: u32) -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "a",
        "b",
        "a.b",
        "",
        "$or",
        "prefix",
        "suffix",
        "anything-but",
        "numeric",
        "cidr",
        "exists",
        "wildcard",
        "equals-ignore-case",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..3_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["", "a", "*", "<", ">=", "=", "10.0.0.0/8", "10.0.0.1", "::1", "\\", "Ä"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(depth, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..4).prop_map(|members| {
                let members = members.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(members.collect())
            }),
        ]
    })
}

/// Whether a validating parser accepts the text, large numbers aside.
fn is_json(text: &str) -> bool {
    match serde_json::from_str::<Value>(text) {
        Ok(_) => true,
        Err(error) => error.to_string().starts_with("number out of range"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        prop_assert_eq!(Json::parse(&text).is_ok(), is_json(&text));
        let _ = Pattern::parse(&text);
        let _ = answer(&text);
    }

    #[test]
    fn the_grammar_is_that_of_a_validating_parser(text in almost_json()) {
        let large = serde_json::from_str::<Value>(&text)
            .is_err_and(|error| error.to_string().starts_with("number out of range"));
        // Behind a number that is too large, the validating parser says nothing more.
        if !large {
            prop_assert_eq!(Json::parse(&text).is_ok(), is_json(&text), "{}", text);
        }
        let _ = Pattern::parse(&text);
    }

    #[test]
    fn a_parsed_document_is_taken_over_as_it_prints(value in json(5)) {
        prop_assert_eq!(Json::from(&value), Json::parse(&value.to_string()).expect("JSON"));
    }

    #[test]
    fn a_pattern_says_the_same_twice(pattern in json(4), document in json(4)) {
        let text = pattern.to_string();
        let document = Json::from(&document);
        let once = Pattern::parse(&text);
        prop_assert_eq!(&once, &Pattern::from_json(&Json::from(&pattern)));
        match once {
            Ok(once) => prop_assert_eq!(once.matches(&document), once.clone().matches(&document)),
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }
}

#[test]
fn a_large_array_is_matched_to_its_last_element() {
    let pattern = Pattern::parse(r#"{"i":{"x":[1],"y":[2],"z":[3]}}"#).expect("valid");
    let elements = vec![r#"{"x":1,"y":2,"z":0}"#; 5_000].join(",");
    let document = |last: u8| Json::parse(&format!("{{\"i\":[{elements},{{\"x\":1,\"y\":2,\"z\":{last}}}]}}")).expect("JSON");
    assert!(pattern.matches(&document(3)));
    assert!(!pattern.matches(&document(4)));
}

#[test]
fn independent_arrays_do_not_multiply() {
    let fields: Vec<String> = (0..9).map(|n| format!("\"p{n}\":{{\"x\":[1],\"y\":[1]}}")).collect();
    let pattern = format!("{{{},\"q\":[0]}}", fields.join(","));
    let pattern = Pattern::parse(&pattern).expect("valid");
    let elements = vec![r#"{"x":1,"y":1}"#; 500].join(",");
    let fields: Vec<String> = (0..9).map(|n| format!("\"p{n}\":[{elements}]")).collect();
    let document = |q: u8| Json::parse(&format!("{{{},\"q\":{q}}}", fields.join(","))).expect("JSON");
    // Were the work not bounded by the size of the document, the bound would make this a "no".
    assert!(pattern.matches(&document(0)));
    assert!(!pattern.matches(&document(1)));
}

#[test]
fn a_document_made_to_multiply_comes_to_an_end() {
    let fields: Vec<String> = (0..24).map(|n| format!("\"c{n:02}\":[1]")).collect();
    let pattern = format!("{{\"a\":{{{},\"z\":[1]}}}}", fields.join(","));
    let pattern = Pattern::parse(&pattern).expect("valid");
    let arrays: Vec<String> = (0..24).map(|n| format!("\"a\":[{{\"c{n:02}\":1}},{{\"c{n:02}\":1,\"z\":0}},{{\"z\":1}}]")).collect();
    let document = Json::parse(&format!("{{{}}}", arrays.join(","))).expect("JSON");
    assert!(!pattern.matches(&document));
}

#[test]
fn a_pattern_of_too_many_combinations_is_refused() {
    let choice = r#""$or":[{"a":[1]},{"b":[1]},{"c":[1]},{"d":[1]}]"#;
    let pattern = |count: usize| format!("{{{}}}", vec![choice; count].join(","));
    assert!(Pattern::parse(&pattern(5)).is_ok());
    let problems = Pattern::parse(&pattern(500)).expect_err("too large");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.starts_with("too many combinations"));
}
