//! Corners of the language that the cases of conformance do not reach, and the texts of problems.

#![expect(clippy::expect_used, reason = "a helper of a test may fail the test")]

use pattern::{Json, Pattern};

fn matches(pattern: &str, document: &str) -> bool {
    let pattern = Pattern::parse(pattern).expect("the pattern is valid");
    pattern.matches(&Json::parse(document).expect("the document is JSON"))
}

fn problems(pattern: &str) -> Vec<String> {
    let problems = Pattern::parse(pattern).expect_err("the pattern is invalid");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn every_problem_is_reported_where_it_is() {
    assert_eq!(
        problems(
            r#"{"a":[],"b":{"c":[{"numeric":[">",5,"<",5]},{"prefix":1},[1]]},"$or":[{"d":{}},{"suffix":["x"]}],"e":[{"anything-but":{"wildcard":["a","**"]}}]}"#
        ),
        [
            "a: an empty list matches nothing: give a value or an operator",
            "b.c[0].numeric: numeric range is empty: the lower bound must be below the upper",
            "b.c[1].prefix: the operand is a string: write it in quotation marks",
            "b.c[2]: a list within the list: write its values directly",
            "$or[0].d: an empty object: name a field in it, or leave it out",
            "$or[1].suffix: \"suffix\" cannot name a field inside \"$or\": an operator stands in the list of a field",
            "e[0].anything-but.wildcard[1]: two \"*\" in a row: write one, or \"\\*\" for the character",
        ]
    );
    assert_eq!(problems("[]"), ["(pattern): a pattern is an object: put the fields into one"]);
    assert_eq!(problems("{"), ["(pattern): not JSON: EOF while parsing an object at line 1 column 1"]);
}

#[test]
fn the_fields_are_the_paths_in_order() {
    let pattern = Pattern::parse(r#"{"b":{"c.d":[1]},"$or":[{"a":[1]},{"b":{"c":{"d":[2]}}}]}"#).expect("valid");
    assert_eq!(pattern.fields().into_iter().collect::<Vec<_>>(), ["a", "b.c.d"]);
}

#[test]
fn only_an_object_matches() {
    for document in ["[{\"a\":1}]", "null", "\"a\""] {
        assert!(!matches(r#"{"b":[{"exists":false}]}"#, document));
    }
}

#[test]
fn absence_is_judged_in_the_order_of_utf_16_units() {
    // The emoji comes before the full-width tilde in UTF-16, and after it by code point.
    let pattern = r#"{"i":{"～":["1"],"😀":[{"exists":false}]}}"#;
    assert!(!matches(pattern, r#"{"i":[{"～":"1"},{"～":"2","😀":"n"}]}"#));
    assert!(matches(pattern, r#"{"i":[{"～":"1"},{"～":"2"}]}"#));
}

#[test]
fn an_or_of_operators_is_a_field_of_the_plain_language() {
    let pattern = r#"{"$or":[{"prefix":"a"},{"suffix":"z"}]}"#;
    assert!(matches(pattern, r#"{"$or":"xyz"}"#));
    assert!(!matches(pattern, r#"{"a":"xyz"}"#));
    let newer = r#"{"$or":["x","y"],"a":[{"anything-but":{"prefix":["b","c"]}}]}"#;
    assert_eq!(
        problems(newer),
        [
            "$or[0]: an alternative of \"$or\" is an object: name fields in it",
            "$or[1]: an alternative of \"$or\" is an object: name fields in it",
        ]
    );
    assert!(matches(&newer.replace(r#"["b","c"]"#, "\"b\""), r#"{"$or":"x","a":"c"}"#));
}

#[test]
fn a_number_lies_in_no_block_beside_a_test_of_numbers() {
    assert!(matches(r#"{"a":[{"cidr":"48.0.0.0/4"}]}"#, r#"{"a":35}"#));
    assert!(!matches(r#"{"a":[{"cidr":"48.0.0.0/4"},7]}"#, r#"{"a":35}"#));
}

#[test]
fn a_pattern_names_at_most_256_fields() {
    let pattern = |count: usize| {
        let fields: Vec<String> = (0..count).map(|n| format!("\"f{n}\":[1]")).collect();
        format!("{{{}}}", fields.join(","))
    };
    assert!(Pattern::parse(&pattern(256)).is_ok());
    assert_eq!(problems(&pattern(257)), ["f256: more than 256 fields: split the pattern into several"]);
}

#[test]
fn a_pattern_that_was_built_too_deep_is_refused() {
    let mut json = Json::Array(vec![Json::Null]);
    for _ in 0..130 {
        json = Json::Object(vec![("a".to_owned(), json)]);
    }
    let problems = Pattern::from_json(&json).expect_err("too deep");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.starts_with("nested too deep"));
}
