//! A pattern and a document, parted by the first line break: `pattern::Pattern`.

use pattern::{Json, Pattern};

use crate::laws;

const MOST_PROBLEMS: usize = 101;
const LONGEST_PROBLEM: usize = 1_024;

/// A pattern is refused with a bounded number of problems, or matches in bounded work, the same each time.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (pattern, document) = text.split_once('\n').unwrap_or((text, "{}"));
    let document = Json::parse(document);
    if let Err(error) = &document {
        laws::is_bounded(&error.to_string(), LONGEST_PROBLEM);
    }
    match Pattern::parse(pattern) {
        Ok(read) => {
            let json = Json::parse(pattern).expect("a pattern is JSON");
            assert_eq!(Pattern::from_json(&json).as_ref(), Ok(&read), "read from its text, it is another one");
            let _ = read.fields();
            if let Ok(document) = &document {
                assert_eq!(read.matches(document), read.matches(document));
            }
        }
        Err(problems) => {
            assert!((1..=MOST_PROBLEMS).contains(&problems.len()), "{} problems", problems.len());
            problems.iter().for_each(|problem| laws::is_bounded(&problem.message, LONGEST_PROBLEM));
        }
    }
}

/// Patterns of any size, with documents of the size of an event.
pub fn grown() -> Vec<(&'static str, Vec<u8>)> {
    let both = |pattern: String, document: String| format!("{pattern}\n{document}").into_bytes();
    let numbered = |count: usize, unit: &dyn Fn(usize) -> String| (0..count).map(unit).collect::<Vec<_>>().join(",");
    let objects = |count: usize, object: &str| format!("{{\"a\":[{}]}}", vec![object; count].join(","));
    vec![
        (
            "a star after every letter",
            both(format!("{{\"a\":[{{\"wildcard\":\"{}\"}}]}}", "*a".repeat(20_000)), format!("{{\"a\":\"{}\"}}", "a".repeat(60_000))),
        ),
        (
            "stars that never meet",
            both(format!("{{\"a\":[{{\"wildcard\":\"{}b\"}}]}}", "*aab".repeat(5_000)), format!("{{\"a\":\"{}\"}}", "a".repeat(60_000))),
        ),
        (
            "many values against many",
            both(
                format!("{{\"a\":[{}]}}", numbered(2_000, &|n| format!("{{\"suffix\":\"{n}x\"}}"))),
                format!("{{\"a\":[{}]}}", numbered(8_000, &|n| format!("\"{n}\""))),
            ),
        ),
        (
            "many elements, all of which fit",
            both(r#"{"a":{"b":[1],"c":[2],"d":[3]}}"#.to_owned(), objects(2_500, r#"{"b":1,"c":2,"d":3}"#)),
        ),
        (
            "many elements, none of which fits",
            both(r#"{"a":{"b":[1],"c":[2],"d":[{"exists":false}]}}"#.to_owned(), objects(2_500, r#"{"b":1,"c":2,"d":3}"#)),
        ),
        (
            "arrays under one key again and again",
            both(
                r#"{"a":{"b":[1],"c":[2],"d":[3]}}"#.to_owned(),
                format!("{{{}}}", vec![r#""a":[{"b":1},{"c":2},{"d":3},{"b":1,"c":2}]"#; 60].join(",")),
            ),
        ),
        (
            "absence in arrays under one key",
            both(
                r#"{"a":{"b":[1],"c":[{"exists":false}],"d":[{"exists":false}]}}"#.to_owned(),
                format!("{{{}}}", vec![r#""a":[{"b":1},{"c":2},{"d":3},{"b":1,"c":2}]"#; 900].join(",")),
            ),
        ),
        (
            "every field of a large pattern in an array",
            both(
                format!("{{\"a\":{{{}}}}}", numbered(250, &|n| format!("\"f{n}\":[1]"))),
                format!("{{\"a\":[{}]}}", numbered(3_000, &|n| format!("{{\"f{}\":1}}", n % 250))),
            ),
        ),
        (
            "absence of every field of a large pattern",
            both(
                format!("{{\"a\":{{{}}}}}", numbered(250, &|n| format!("\"f{n}\":[{{\"exists\":false}},1]"))),
                format!("{{\"a\":[{}]}}", numbered(3_000, &|n| format!("{{\"f{}\":1}}", n % 250))),
            ),
        ),
        (
            "nested to the bound",
            both(format!("{}[1]{}", "{\"a\":".repeat(126), "}".repeat(126)), format!("{}1{}", "{\"a\":".repeat(126), "}".repeat(126))),
        ),
        ("nested beyond the bound", both(format!("{}[1]{}", "{\"a\":".repeat(20_000), "}".repeat(20_000)), "[".repeat(60_000))),
        (
            "choices, multiplied",
            both(
                format!("{{{}}}", numbered(10, &|_| r#""$or":[{"x":[1]},{"y":[1]},{"z":[1]},{"u":[1]},{"v":[1]},{"w":[1]}]"#.to_owned())),
                "{}".to_owned(),
            ),
        ),
        (
            "empty choices, multiplied",
            both(format!("{{\"$or\":[{0}],\"a\":{{\"$or\":[{0}]}}}}", vec!["{}"; 20_000].join(",")), "{}".to_owned()),
        ),
        (
            "many problems below a long name",
            both(format!("{{\"{}\":{{{}}}}}", "k".repeat(100_000), numbered(18_000, &|n| format!("\"a{n}\":1"))), "{}".to_owned()),
        ),
        (
            "many conditions below a long name",
            both(format!("{{\"{}\":{{{}}}}}", "k".repeat(100_000), numbered(18_000, &|n| format!("\"a{n}\":[1]"))), "{}".to_owned()),
        ),
        (
            "letters of two lengths",
            both(
                format!("{{\"a\":[{{\"equals-ignore-case\":\"{}\"}}]}}", "ßİǰ".repeat(4_000)),
                format!("{{\"a\":\"{}\"}}", "ßİǰ".repeat(8_000)),
            ),
        ),
        (
            "a number of many digits",
            both(r#"{"a":[{"numeric":[">",0]}]}"#.to_owned(), format!("{{\"a\":[{0},0.{0},1e{0},-0e-{0}]}}", "9".repeat(15_000))),
        ),
        ("many dots", both(format!("{{\"{}\":[1]}}", ".".repeat(30_000)), format!("{{\"{}\":1}}", ".".repeat(60_000)))),
        (
            "an address without end",
            both(
                r#"{"a":[{"cidr":"10.0.0.0/8"}]}"#.to_owned(),
                format!("{{\"a\":[\"{}\",\"{}\"]}}", "1:".repeat(15_000), "1.".repeat(15_000)),
            ),
        ),
    ]
}
