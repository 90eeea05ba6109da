//! What a plain (unquoted) YAML scalar stands for.
//!
//! The core schema of YAML 1.2, narrowed: a number must be a JSON number. What the core schema or
//! older readers take for a number and JSON does not (`+5`, `007`, `0x1f`, `1_000`, `.5`, `.inf`) is
//! refused, because either reading would surprise somebody. Dates and the words `yes`, `no`, `on`
//! and `off` are text: `country: [NO]` means Norway.

use crate::problem::LONGEST;

/// The meaning of a plain scalar.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Number(String),
    Text,
    /// A number to one reader and text to another.
    Doubtful {
        remedy: String,
    },
}

pub(crate) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        _ => (),
    }
    if is_json_number(text) {
        return Scalar::Number(text.to_owned());
    }
    if !looks_numeric(text) {
        return Scalar::Text;
    }
    Scalar::Doubtful {
        remedy: match plain_number(text) {
            _ if text.len() > LONGEST => "write a decimal number, or put it in quotes for text".to_owned(),
            Some(number) => format!("write {number}, or \"{text}\" for text"),
            None => format!("write a decimal number, or \"{text}\" for text"),
        },
    }
}

/// Whether the text is a number by JSON's grammar.
pub(crate) fn is_json_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let (rest, exponent) = match rest.split_once(['e', 'E']) {
        Some((rest, exponent)) => (rest, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = match rest.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (rest, None),
    };
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    is_digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(is_digits) && exponent.is_none_or(is_digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether some YAML reader takes the text for a number although JSON does not.
fn looks_numeric(text: &str) -> bool {
    let rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(rest, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)];
    for (prefix, base) in radix {
        if let Some(digits) = rest.strip_prefix(prefix) {
            return digits.chars().all(|c| c == '_' || c.is_digit(base)) && digits.chars().any(|c| c != '_');
        }
    }
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    mantissa.contains(|c: char| c.is_ascii_digit())
        && !mantissa.starts_with('_')
        && mantissa.chars().all(|c| c.is_ascii_digit() || matches!(c, '_' | '.'))
        && mantissa.matches('.').count() <= 1
        && exponent.is_none_or(is_digits)
}

/// The JSON number that was probably meant, where that is plain.
fn plain_number(text: &str) -> Option<String> {
    let (sign, rest) = match text.strip_prefix(['+', '-']) {
        Some(rest) if text.starts_with('-') => ("-", rest),
        Some(rest) => ("", rest),
        None => ("", text),
    };
    let rest = rest.replace('_', "");
    let zeros = rest.len() - rest.trim_start_matches('0').len();
    let rest = match rest.get(zeros..) {
        Some(digits) if digits.starts_with(|c: char| c.is_ascii_digit()) => digits.to_owned(),
        Some(other) => format!("0{other}"),
        None => return None,
    };
    let number = format!("{sign}{}", rest.trim_end_matches('.'));
    is_json_number(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_numbers_keep_their_text() {
        for text in ["0", "-0", "5", "300.0", "3.0e2", "1E-7", "12345678901234567890", "1e999"] {
            assert_eq!(resolve(text), Scalar::Number(text.to_owned()));
        }
    }

    #[test]
    fn what_only_some_readers_take_for_a_number_is_refused() {
        for (text, remedy) in [
            ("+5", "write 5, or \"+5\" for text"),
            ("007", "write 7, or \"007\" for text"),
            ("1_000", "write 1000, or \"1_000\" for text"),
            (".5", "write 0.5, or \".5\" for text"),
            ("5.", "write 5, or \"5.\" for text"),
            ("-.5", "write -0.5, or \"-.5\" for text"),
            ("0x1f", "write a decimal number, or \"0x1f\" for text"),
            ("0o17", "write a decimal number, or \"0o17\" for text"),
            (".inf", "write a decimal number, or \".inf\" for text"),
            ("-.NaN", "write a decimal number, or \"-.NaN\" for text"),
        ] {
            let remedy = remedy.to_owned();
            assert_eq!(resolve(text), Scalar::Doubtful { remedy }, "{text}");
        }
    }

    #[test]
    fn words_dates_and_versions_are_text() {
        for text in [
            "yes",
            "no",
            "on",
            "off",
            "NO",
            "2026-11-25",
            "12:30",
            "1.2.3",
            "6h",
            "100%",
            "-",
            "e5",
            "0x",
            "_1",
            "1e",
            "10.0.0.0/8",
            "+49 30 1234",
            "nan",
            "inf",
        ] {
            assert_eq!(resolve(text), Scalar::Text, "{text}");
        }
    }

    #[test]
    fn nothing_and_truth_follow_the_core_schema() {
        for text in ["", "~", "null", "NULL"] {
            assert_eq!(resolve(text), Scalar::Null);
        }
        assert_eq!(resolve("True"), Scalar::Bool(true));
        assert_eq!(resolve("false"), Scalar::Bool(false));
        assert_eq!(resolve("nUll"), Scalar::Text);
    }
}
