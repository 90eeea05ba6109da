//! The verdicts of the service's own matcher, line by line.

use pattern::case::{Case, answer};

const CASES: &str = include_str!("data/conformance.jsonl");

#[test]
fn every_case_has_the_known_verdict() {
    let mut wrong = Vec::new();
    for line in CASES.lines() {
        let case = Case::parse(line).expect("a line is a case");
        let expected = case.expected.expect("a case states its answer");
        let verdict = case.run();
        if !verdict.meets(expected) {
            wrong.push(format!("{}: {verdict:?}, not {expected:?}", case.name));
        }
    }
    assert_eq!(CASES.lines().count(), 2849);
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_answer_is_one_line_that_names_its_case() {
    for line in CASES.lines() {
        let answer = answer(line);
        assert!(!answer.contains('\n'));
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("an answer is JSON");
        let case = Case::parse(line).expect("a line is a case");
        assert_eq!(answer["name"], case.name);
        assert!(answer["match"].is_boolean() != answer["error"].is_string());
    }
}
