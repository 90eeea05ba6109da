//! The list that a pattern gives for a field: plain values and operators.

use crate::address::Block;
use crate::condition::{Excluded, Test, quoted};
use crate::json::Json;
use crate::letters::Letters;
use crate::number::{Bound, Range, comparable};
use crate::parse::Dialect;
use crate::problem::Problems;
use crate::wildcard::Wildcard;

/// Reads the tests of a field.
pub(crate) fn tests(elements: &[Json], dialect: Dialect, problems: &mut Problems) -> Vec<Test> {
    if elements.is_empty() {
        problems.note("an empty list matches nothing: give a value or an operator");
    }
    let mut tests = Vec::new();
    for (position, element) in elements.iter().enumerate() {
        problems.within(position, |problems| match element {
            Json::Null => tests.push(Test::Text("null".to_owned())),
            Json::Bool(flag) => tests.push(Test::Text(flag.to_string())),
            Json::Number(text) => {
                tests.extend(comparable(text).map(Test::Number));
                tests.push(Test::Text(text.clone()));
            }
            Json::String(text) => tests.push(match Block::single(text) {
                Some(address) => Test::Block(address),
                None => Test::Text(quoted(text)),
            }),
            Json::Array(_) => problems.note("a list within the list: write its values directly"),
            Json::Object(members) => tests.extend(operator(members, dialect, problems)),
        });
    }
    tests
}

/// The only member of an object.
fn single<'a>(members: &'a [(String, Json)], problems: &mut Problems) -> Option<(&'a str, &'a Json)> {
    match members {
        [] => {
            problems.note("an object without an operator: name one, such as \"prefix\"");
            None
        }
        [(name, operand)] => Some((name, operand)),
        [_, _, ..] => {
            problems.note("two operators in one object: give each an object of its own");
            None
        }
    }
}

fn operator(members: &[(String, Json)], dialect: Dialect, problems: &mut Problems) -> Option<Test> {
    let (name, operand) = single(members, problems)?;
    problems.within(name, |problems| match name {
        "exactly" => text(operand, problems).map(|text| Test::Text(quoted(text))),
        "prefix" => match operand {
            Json::Object(members) => ignoring_case(members, problems).map(|text| Test::PrefixIgnoringCase(Letters::new(&opened(text)))),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                text(operand, problems).map(|text| Test::Prefix(opened(text)))
            }
        },
        "suffix" => match operand {
            Json::Object(members) => ignoring_case(members, problems).map(|text| Test::SuffixIgnoringCase(Letters::new(&closed(text)))),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                text(operand, problems).map(|text| Test::Suffix(closed(text)))
            }
        },
        "equals-ignore-case" => text(operand, problems).map(|text| Test::IgnoringCase(Letters::new(&quoted(text)))),
        "wildcard" => wildcard(operand, problems).map(Test::Wildcard),
        "anything-but" => anything_but(operand, dialect, problems).map(Test::AnythingBut),
        "exists" => exists(operand, problems),
        "numeric" => numeric(operand, problems),
        "cidr" => match Block::parse(text(operand, problems)?) {
            Ok(block) => Some(Test::Block(block)),
            Err(message) => {
                problems.note(message);
                None
            }
        },
        _ => {
            problems.note("no such operator: use prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, exists or cidr");
            None
        }
    })
}

/// The text with which the strings begin that begin with `text`.
fn opened(text: &str) -> String {
    format!("\"{text}")
}

/// The text with which the strings end that end with `text`.
fn closed(text: &str) -> String {
    format!("{text}\"")
}

fn text<'a>(operand: &'a Json, problems: &mut Problems) -> Option<&'a str> {
    match operand {
        Json::String(text) => Some(text),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
            problems.note("the operand is a string: write it in quotation marks");
            None
        }
    }
}

/// A text that must not be empty, since it would exclude everything.
fn some_text<'a>(operand: &'a Json, problems: &mut Problems) -> Option<&'a str> {
    let text = text(operand, problems)?;
    if text.is_empty() {
        problems.note("an empty text excludes every string: give at least one character");
        return None;
    }
    Some(text)
}

fn ignoring_case<'a>(members: &'a [(String, Json)], problems: &mut Problems) -> Option<&'a str> {
    let (name, operand) = single(members, problems)?;
    problems.within(name, |problems| {
        if name == "equals-ignore-case" {
            text(operand, problems)
        } else {
            problems.note("only \"equals-ignore-case\" may stand here: use it, or a plain string");
            None
        }
    })
}

fn wildcard(operand: &Json, problems: &mut Problems) -> Option<Wildcard> {
    match Wildcard::parse(&quoted(text(operand, problems)?)) {
        Ok(wildcard) => Some(wildcard),
        Err(message) => {
            problems.note(message);
            None
        }
    }
}

fn exists(operand: &Json, problems: &mut Problems) -> Option<Test> {
    match operand {
        Json::Bool(true) => Some(Test::Present),
        Json::Bool(false) => Some(Test::Absent),
        Json::Null | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            problems.note("\"exists\" is true or false: write it without quotation marks");
            None
        }
    }
}

fn number(operand: &Json, problems: &mut Problems) -> Option<f64> {
    let text = match operand {
        Json::Number(text) => text,
        Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            problems.note("the operand is a number: write it without quotation marks");
            return None;
        }
    };
    let value = comparable(text);
    if value.is_none() {
        problems.note("a number that no double holds exactly: use fewer digits");
    }
    value
}

fn numeric(operand: &Json, problems: &mut Problems) -> Option<Test> {
    const FORM: &str = "\"numeric\" takes a comparison, such as [\">\", 5], or a lower and an upper bound, such as [\">\", 0, \"<=\", 5]";
    let Json::Array(operands) = operand else {
        problems.note(FORM);
        return None;
    };
    let (first, second) = match operands.as_slice() {
        [sign, bound] => ((sign, bound), None),
        [sign, bound, second_sign, second_bound] => ((sign, bound), Some((second_sign, second_bound))),
        [] | [_] | [_, _, _, ..] => {
            problems.note(FORM);
            return None;
        }
    };
    let first_sign = sign(first.0, 0, problems);
    let first_value = problems.within(1, |problems| number(first.1, problems));
    let second = match second {
        Some((second_sign, bound)) => {
            let sign = sign(second_sign, 2, problems);
            let value = problems.within(3, |problems| number(bound, problems));
            Some((sign?, value?))
        }
        None => None,
    };
    let bound = |value, included| Bound { value, included };
    let least = bound(f64::MIN, true);
    let greatest = bound(f64::MAX, true);
    let (first_sign, value) = (first_sign?, first_value?);
    let range = match (first_sign, second) {
        (Sign::Equal, None) => return Some(Test::Number(value)),
        (Sign::Below { included }, None) => Range { lower: least, upper: bound(value, included) },
        (Sign::Above { included }, None) => Range { lower: bound(value, included), upper: greatest },
        (Sign::Above { included }, Some((Sign::Below { included: too }, upper))) => {
            Range { lower: bound(value, included), upper: bound(upper, too) }
        }
        (Sign::Equal | Sign::Below { .. } | Sign::Above { .. }, Some(_)) => {
            problems.note("two comparisons are a lower bound and an upper one, in this order: write [\">\", low, \"<\", high]");
            return None;
        }
    };
    if !range.is_proper() {
        problems.note("numeric range is empty: the lower bound must be below the upper");
        return None;
    }
    Some(Test::Range(range))
}

#[derive(Debug, Clone, Copy)]
enum Sign {
    Equal,
    Below { included: bool },
    Above { included: bool },
}

fn sign(operand: &Json, position: usize, problems: &mut Problems) -> Option<Sign> {
    let text = match operand {
        Json::String(text) => text.as_str(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => "",
    };
    match text {
        "=" => Some(Sign::Equal),
        "<" => Some(Sign::Below { included: false }),
        "<=" => Some(Sign::Below { included: true }),
        ">" => Some(Sign::Above { included: false }),
        ">=" => Some(Sign::Above { included: true }),
        _ => {
            problems.within(position, |problems| {
                problems.note("no such comparison: use \"=\", \"<\", \"<=\", \">\" or \">=\"");
            });
            None
        }
    }
}

fn anything_but(operand: &Json, dialect: Dialect, problems: &mut Problems) -> Option<Excluded> {
    match operand {
        Json::Object(members) => {
            let (name, operand) = single(members, problems)?;
            problems.within(name, |problems| excluded_by(name, operand, dialect, problems))
        }
        Json::String(text) => Some(Excluded::Texts(vec![quoted(text)])),
        Json::Number(_) => number(operand, problems).map(|value| Excluded::Numbers(vec![value])),
        Json::Array(elements) => excluded_values(elements, problems),
        Json::Null | Json::Bool(_) => {
            problems.note("\"anything-but\" takes strings or numbers: list what may be instead");
            None
        }
    }
}

fn excluded_values(elements: &[Json], problems: &mut Problems) -> Option<Excluded> {
    let are_numbers = elements.iter().all(|element| matches!(element, Json::Number(_)));
    let are_strings = elements.iter().all(|element| matches!(element, Json::String(_)));
    if elements.is_empty() {
        problems.note("an empty list excludes nothing: use {\"exists\": true}");
        None
    } else if are_numbers {
        each(elements, problems, number).map(Excluded::Numbers)
    } else if are_strings {
        each(elements, problems, |element, problems| text(element, problems).map(quoted)).map(Excluded::Texts)
    } else {
        problems.note("a list of \"anything-but\" has strings only or numbers only: leave the others out");
        None
    }
}

fn excluded_by(name: &str, operand: &Json, dialect: Dialect, problems: &mut Problems) -> Option<Excluded> {
    if dialect == Dialect::Plain {
        let is_list = matches!(operand, Json::Array(_));
        if name == "wildcard" || (is_list && name != "equals-ignore-case") {
            problems.note("not in a pattern with a field named \"$or\": list the values");
            return None;
        }
    }
    let operands = match operand {
        Json::Array(elements) if elements.is_empty() => {
            problems.note("an empty list excludes nothing: use {\"exists\": true}");
            return None;
        }
        Json::Array(elements) => elements.as_slice(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => std::slice::from_ref(operand),
    };
    match name {
        "prefix" => each(operands, problems, |operand, problems| some_text(operand, problems).map(opened)).map(Excluded::Prefixes),
        "suffix" => each(operands, problems, |operand, problems| some_text(operand, problems).map(closed)).map(Excluded::Suffixes),
        "equals-ignore-case" => {
            each(operands, problems, |operand, problems| text(operand, problems).map(|text| Letters::new(&quoted(text))))
                .map(Excluded::IgnoringCase)
        }
        "wildcard" => each(operands, problems, wildcard).map(Excluded::Wildcards),
        _ => {
            problems.note("\"anything-but\" knows no such operator: use prefix, suffix, equals-ignore-case or wildcard");
            None
        }
    }
}

/// Reads every operand, so that every problem is found.
fn each<'a, T>(operands: &'a [Json], problems: &mut Problems, read: impl Fn(&'a Json, &mut Problems) -> Option<T>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> =
        operands.iter().enumerate().map(|(position, operand)| problems.within(position, |problems| read(operand, problems))).collect();
    read.into_iter().collect()
}
