//! A condition: the tests that one field may pass.
//!
//! Every value is compared as its text: a string within quotation marks, anything else bare. So `"5"` is not `5`, a
//! prefix is a text that begins with a quotation mark, and a number has neither prefix nor suffix.

use crate::address::Block;
use crate::leaf::Leaf;
use crate::letters::Letters;
use crate::number::Range;
use crate::wildcard::Wildcard;

/// One field of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    /// The keys down to the field, joined by dots.
    pub(crate) path: String,
    /// One of these must pass.
    pub(crate) tests: Vec<Test>,
}

/// One entry of the list that a pattern gives for a field. Texts include the quotation marks of a string.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Text(String),
    Number(f64),
    Range(Range),
    Prefix(String),
    PrefixIgnoringCase(Letters),
    Suffix(String),
    SuffixIgnoringCase(Letters),
    IgnoringCase(Letters),
    Wildcard(Wildcard),
    Block(Block),
    AnythingBut(Excluded),
    Present,
    Absent,
}

/// What `anything-but` excludes: each of the listed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Excluded {
    Texts(Vec<String>),
    Numbers(Vec<f64>),
    Prefixes(Vec<String>),
    Suffixes(Vec<String>),
    IgnoringCase(Vec<Letters>),
    Wildcards(Vec<Wildcard>),
}

impl Condition {
    /// Whether a document without the field meets the condition.
    pub(crate) fn accepts_absence(&self) -> bool {
        self.tests.contains(&Test::Absent)
    }

    /// Whether a value of the field meets the condition.
    pub(crate) fn accepts(&self, leaf: &Leaf) -> bool {
        let numbers_have_values = self.tests.iter().any(Test::is_numeric);
        self.tests.iter().any(|test| match test {
            Test::Block(block) => {
                let bare = match leaf.number {
                    Some(_) if numbers_have_values => None,
                    Some(_) | None => Some(leaf.text.as_bytes()),
                };
                let address = leaf.address.as_deref();
                address.is_some_and(|digits| block.holds(digits)) || bare.is_some_and(|digits| block.holds(digits))
            }
            Test::Text(text) => leaf.text == *text,
            Test::Number(value) => leaf.number == Some(*value),
            Test::Range(range) => leaf.number.is_some_and(|number| range.contains(number)),
            Test::Prefix(prefix) => leaf.text.starts_with(prefix.as_str()),
            Test::PrefixIgnoringCase(letters) => letters.begin(&leaf.text),
            Test::Suffix(suffix) => leaf.text.ends_with(suffix.as_str()),
            Test::SuffixIgnoringCase(letters) => letters.end(&leaf.text),
            Test::IgnoringCase(letters) => letters.equal(&leaf.text),
            Test::Wildcard(wildcard) => wildcard.matches(&leaf.text),
            Test::AnythingBut(excluded) => !excluded.holds(leaf),
            Test::Present => true,
            Test::Absent => false,
        })
    }
}

impl Test {
    /// Whether the test looks at the values of numbers. Beside such a test, an address sees no digits in a number.
    fn is_numeric(&self) -> bool {
        match self {
            Test::Number(_) | Test::Range(_) | Test::AnythingBut(Excluded::Numbers(_)) => true,
            Test::Text(_)
            | Test::Prefix(_)
            | Test::PrefixIgnoringCase(_)
            | Test::Suffix(_)
            | Test::SuffixIgnoringCase(_)
            | Test::IgnoringCase(_)
            | Test::Wildcard(_)
            | Test::Block(_)
            | Test::AnythingBut(_)
            | Test::Present
            | Test::Absent => false,
        }
    }
}

impl Excluded {
    fn holds(&self, leaf: &Leaf) -> bool {
        let text = leaf.text.as_str();
        match self {
            Excluded::Texts(texts) => texts.iter().any(|excluded| text == excluded),
            Excluded::Numbers(values) => values.iter().any(|value| leaf.number == Some(*value)),
            Excluded::Prefixes(prefixes) => prefixes.iter().any(|prefix| text.starts_with(prefix)),
            Excluded::Suffixes(suffixes) => suffixes.iter().any(|suffix| text.ends_with(suffix)),
            Excluded::IgnoringCase(texts) => texts.iter().any(|letters| letters.equal(text)),
            Excluded::Wildcards(wildcards) => wildcards.iter().any(|one| one.matches(text)),
        }
    }
}

/// A string as the text that is compared.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
