//! Which numbers compare by value.

/// The double that a JSON number stands for, if it stands for one without loss.
///
/// Without loss means: the shortest decimal that denotes the double is the number as written, to the last digit.
/// `300`, `300.0` and `3e2` pass and are one value; so do `0.1` and `-0`, which is zero. `12345678901234567`, `1e400` and
/// `1152921504606846976`, which is 2^60 but has a shorter name, do not: such a number is a text.
pub(crate) fn comparable(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
    let exact = Decimal::parse(text)? == Decimal::parse(&shortest(value))?;
    // Adding zero turns the negative zero into the positive one.
    exact.then_some(value + 0.0)
}

/// The shortest decimal that denotes `value`, of two digits at least: among several, the one nearest to it.
fn shortest(value: f64) -> String {
    let two_digits = format!("{value:.1e}");
    if two_digits.parse() == Ok(value) { two_digits } else { format!("{value:e}") }
}

/// A decimal number: `0.digits × 10^exponent`, without zeros at either end. Zero has no digits.
#[derive(Debug, PartialEq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads a JSON number; `None` where its exponent is beyond 32 bits.
    fn parse(text: &str) -> Option<Decimal> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let leading_zeros = i64::try_from(all.len() - significant.len()).ok()?;
        let digits = significant.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Decimal { negative: false, digits, exponent: 0 });
        }
        let exponent = i64::from(exponent) + i64::try_from(whole.len()).ok()? - leading_zeros;
        Some(Decimal { negative, digits, exponent })
    }
}

/// Numbers between two bounds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Range {
    pub(crate) lower: Bound,
    pub(crate) upper: Bound,
}

/// One end of a range.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    pub(crate) value: f64,
    pub(crate) included: bool,
}

impl Range {
    /// Whether more than one number can lie in the range: an empty one and a point are refused.
    pub(crate) fn is_proper(&self) -> bool {
        self.lower.value < self.upper.value
    }

    pub(crate) fn contains(&self, value: f64) -> bool {
        let Range { lower, upper } = self;
        let above = value > lower.value || (lower.included && value == lower.value);
        let below = value < upper.value || (upper.included && value == upper.value);
        above && below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_many_texts() {
        for text in ["300", "300.0", "3e2", "3.00E+02", "30000e-2"] {
            assert_eq!(comparable(text), Some(300.0), "{text}");
        }
        for zero in ["0", "-0", "0.000", "0e7", "-0.0E-9"] {
            assert_eq!(comparable(zero).map(f64::to_bits), Some(0), "{zero}");
        }
    }

    #[test]
    fn a_number_that_no_double_names_is_a_text() {
        for text in [
            "9007199254740993",
            "12345678901234567",
            "1152921504606846976",
            "0.1000000000000000055511151231257827",
            "1e400",
            "1e-400",
            "0e99999999999",
        ] {
            assert_eq!(comparable(text), None, "{text}");
        }
    }

    #[test]
    fn the_smallest_double_is_named_by_two_digits() {
        assert_eq!(comparable("4.9e-324"), Some(f64::from_bits(1)));
        assert_eq!(comparable("5e-324"), None);
    }
}
