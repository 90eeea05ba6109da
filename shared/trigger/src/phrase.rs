//! A pattern in words.

use pattern::Json;

use crate::canonical;

/// One phrase for each condition of a pattern, as in `the event's total is at least 50`.
pub(crate) fn phrases(pattern: &Json, owner: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(pattern, owner, "", &mut found);
    found
}

/// `a, b or c`.
pub(crate) fn listed(items: &[String], word: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

fn collect(pattern: &Json, owner: &str, path: &str, found: &mut Vec<String>) {
    let Json::Object(fields) = pattern else {
        return;
    };
    for (name, value) in fields {
        let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            Json::Array(branches) if name == "$or" && branches.iter().all(is_object) => {
                found.push(either(branches, owner, path));
            }
            Json::Array(tests) => {
                let tests = listed(&alternatives(tests), "or");
                found.push(format!("{owner}{inner} {tests}"));
            }
            Json::Object(_) => collect(value, owner, &inner, found),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => (),
        }
    }
}

fn is_object(json: &Json) -> bool {
    matches!(json, Json::Object(_))
}

fn either(branches: &[Json], owner: &str, path: &str) -> String {
    let branches: Vec<String> = branches
        .iter()
        .map(|branch| {
            let mut found = Vec::new();
            collect(branch, owner, path, &mut found);
            listed(&found, "and")
        })
        .collect();
    format!("either {}", branches.join(", or "))
}

/// The tests of one field, the plain values gathered into one.
fn alternatives(tests: &[Json]) -> Vec<String> {
    let values: Vec<String> = tests.iter().filter(|test| !is_object(test)).map(literal).collect();
    let mut texts = Vec::new();
    if !values.is_empty() {
        texts.push(format!("is {}", listed(&values, "or")));
    }
    for test in tests {
        if let Json::Object(operators) = test {
            texts.extend(operators.iter().map(|(name, value)| operator(name, value)));
        }
    }
    texts
}

fn operator(name: &str, value: &Json) -> String {
    match (name, value) {
        ("exists", Json::Bool(true)) => "is there".to_owned(),
        ("exists", Json::Bool(false)) => "is not there".to_owned(),
        ("numeric", Json::Array(bounds)) => numeric(bounds),
        ("prefix", value) => format!("begins with {}", any_case(value)),
        ("suffix", value) => format!("ends with {}", any_case(value)),
        ("equals-ignore-case", value) => format!("is {} in upper or lower case", values(value)),
        ("wildcard", value) => format!("looks like {}", values(value)),
        ("cidr", value) => format!("is an address in {}", values(value)),
        ("anything-but", Json::Object(inner)) => {
            let inner: Vec<String> = inner.iter().map(|(name, value)| negated(name, value)).collect();
            inner.join(" and ")
        }
        ("anything-but", value) => format!("is anything but {}", values(value)),
        (_, value) => format!("passes {name} {}", canonical::write(value)),
    }
}

fn negated(name: &str, value: &Json) -> String {
    match name {
        "prefix" => format!("does not begin with {}", any_case(value)),
        "suffix" => format!("does not end with {}", any_case(value)),
        "equals-ignore-case" => format!("is not {} in upper or lower case", values(value)),
        "wildcard" => format!("does not look like {}", values(value)),
        _ => format!("fails {name} {}", canonical::write(value)),
    }
}

fn numeric(bounds: &[Json]) -> String {
    let texts: Vec<String> = bounds
        .chunks(2)
        .map(|bound| match bound {
            [Json::String(comparison), value] => {
                let words = match comparison.as_str() {
                    "=" => "",
                    ">" => "above ",
                    ">=" => "at least ",
                    "<" => "below ",
                    "<=" => "at most ",
                    other => other,
                };
                format!("{words}{}", literal(value))
            }
            other => other.iter().map(literal).collect::<Vec<_>>().join(" "),
        })
        .collect();
    format!("is {}", texts.join(" and "))
}

fn any_case(value: &Json) -> String {
    match value {
        Json::Object(inner) => match inner.as_slice() {
            [(name, value)] if name == "equals-ignore-case" => {
                format!("{} in upper or lower case", values(value))
            }
            _ => canonical::write(value),
        },
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => values(value),
    }
}

fn values(value: &Json) -> String {
    match value {
        Json::Array(items) => listed(&items.iter().map(literal).collect::<Vec<_>>(), "or"),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => literal(value),
    }
}

/// A value as a person writes it: quotes only where they help.
fn literal(value: &Json) -> String {
    match value {
        Json::String(text)
            if !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '/' | '*')) =>
        {
            text.clone()
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => canonical::write(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problems;

    fn in_words(pattern: &str) -> String {
        let node = crate::yaml::read(pattern, &mut Problems::of("pattern")).unwrap();
        phrases(&node.to_json(), "").join("\n")
    }

    #[test]
    fn every_operator_has_its_words() {
        let pattern = r#"
total: [{ numeric: [">", 0, "<=", 5] }]
count: [{ numeric: ["=", 3] }]
sku: [{ prefix: shoe- }, { suffix: { equals-ignore-case: -XL } }]
plan: [{ anything-but: [trial, ""] }]
code: [{ anything-but: { prefix: TEST } }]
coupon: [{ exists: true }]
note: [null, "two words", { wildcard: "a*z" }]
ip: [{ cidr: 10.0.0.0/8 }]
name: [{ equals-ignore-case: ana }]
cart: { items: { sku: [a] } }
$or: [{ total: [1] }, { coupon: [{ exists: false }], vip: [true] }]
"#;
        insta::assert_snapshot!(in_words(pattern), @r#"
        total is above 0 and at most 5
        count is 3
        sku begins with shoe- or ends with -XL in upper or lower case
        plan is anything but trial or ""
        code does not begin with TEST
        coupon is there
        note is null or "two words" or looks like a*z
        ip is an address in 10.0.0.0/8
        name is ana in upper or lower case
        cart.items.sku is a
        either total is 1, or coupon is not there and vip is true
        "#);
    }
}
