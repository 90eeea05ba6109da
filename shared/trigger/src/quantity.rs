//! Durations, priorities and shares, as they are written in files.

use std::fmt;

use crate::problem::quoted;

/// A length of time, as in `6h`: whole milliseconds, from one second to ten years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    millis: i64,
}

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// It is not a number and a unit.
    #[error("{} is no duration; write a number and a unit, as in 30m, 6h or 2d", quoted(.0))]
    Shape(String),
    /// It is zero or longer than ten years.
    #[error("{} is out of bounds; write a duration from 1s to 3650d", quoted(.0))]
    Bounds(String),
}

const UNITS: [(char, i64); 5] = [('w', 604_800_000), ('d', 86_400_000), ('h', 3_600_000), ('m', 60_000), ('s', 1_000)];

impl Duration {
    const LONGEST: i64 = 3_650 * 86_400_000;

    /// So many minutes.
    pub(crate) const fn minutes(count: u16) -> Duration {
        Duration { millis: count as i64 * 60_000 }
    }

    /// Reads a whole number and a unit: `s`, `m`, `h`, `d` or `w`.
    ///
    /// # Errors
    /// The text is not of that form, or not from one second to ten years.
    pub fn parse(text: &str) -> Result<Duration, DurationError> {
        let shape = || DurationError::Shape(text.to_owned());
        let bounds = || DurationError::Bounds(text.to_owned());
        let (_, size, digits) = UNITS.iter().find_map(|(unit, size)| Some((unit, *size, text.strip_suffix(*unit)?))).ok_or_else(shape)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(shape());
        }
        let millis = digits.parse::<i64>().ok().and_then(|count| count.checked_mul(size)).ok_or_else(bounds)?;
        if millis == 0 || millis > Duration::LONGEST {
            return Err(bounds());
        }
        Ok(Duration { millis })
    }

    /// The length in milliseconds, always above 0.
    pub fn as_millis(self) -> i64 {
        self.millis
    }
}

impl fmt::Display for Duration {
    /// The largest unit that leaves no fraction; days and weeks only from two on, so `24h` stays `24h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, size) in UNITS {
            let least = if size > 3_600_000 { 2 } else { 1 };
            if self.millis % size == 0 && self.millis / size >= least {
                return write!(f, "{}{unit}", self.millis / size);
            }
        }
        write!(f, "{}s", self.millis / 1_000)
    }
}

/// How much a trigger's messages matter against those of others: 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

/// A number that is no priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is no priority; write a whole number from 0 to 100", quoted(.0))]
pub struct PriorityError(String);

impl Priority {
    /// Reads a whole number from 0 to 100.
    ///
    /// # Errors
    /// The text is no such number.
    pub fn parse(text: &str) -> Result<Priority, PriorityError> {
        match text.parse::<u8>() {
            Ok(number) if number <= 100 && number.to_string() == text => Ok(Priority(number)),
            Ok(_) | Err(_) => Err(PriorityError(text.to_owned())),
        }
    }

    /// The number, at most 100.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Priority {
        Priority(50)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The share of customers for whom a trigger is in force, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rollout {
    basis_points: u16,
}

/// A text that is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is no share; write 0% to 100%, with two decimals at most, as in 10% or 0.5%", quoted(.0))]
pub struct RolloutError(String);

impl Rollout {
    /// Everybody: the default.
    pub const ALL: Rollout = Rollout { basis_points: 10_000 };

    /// Reads a percentage with at most two decimals, as in `10%` or `0.5%`.
    ///
    /// # Errors
    /// The text is no such percentage, or above 100.
    pub fn parse(text: &str) -> Result<Rollout, RolloutError> {
        Rollout::read(text).ok_or_else(|| RolloutError(text.to_owned()))
    }

    /// The share of this many hundredths of a percent; none above 10 000.
    pub fn from_basis_points(basis_points: u16) -> Option<Rollout> {
        (basis_points <= 10_000).then_some(Rollout { basis_points })
    }

    fn read(text: &str) -> Option<Rollout> {
        let number = text.strip_suffix('%')?;
        let (whole, decimals) = match number.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, decimals)) => (whole, decimals),
            None => (number, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || decimals.len() > 2 {
            return None;
        }
        if !digits(whole) || !digits(decimals) {
            return None;
        }
        let whole: u16 = whole.parse().ok()?;
        let hundredths: u16 = format!("{decimals:0<2}").parse().ok()?;
        Rollout::from_basis_points(whole.checked_mul(100)?.checked_add(hundredths)?)
    }

    /// The share in hundredths of a percent, at most 10 000.
    pub fn basis_points(self) -> u16 {
        self.basis_points
    }
}

impl Default for Rollout {
    fn default() -> Rollout {
        Rollout::ALL
    }
}

impl fmt::Display for Rollout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.basis_points / 100, self.basis_points % 100);
        match (rest, rest % 10) {
            (0, _) => write!(f, "{whole}%"),
            (_, 0) => write!(f, "{whole}.{}%", rest / 10),
            (_, _) => write!(f, "{whole}.{rest:02}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, millis) in
            [("1s", 1_000), ("90s", 90_000), ("30m", 1_800_000), ("6h", 21_600_000), ("7d", 604_800_000), ("2w", 1_209_600_000)]
        {
            let duration = Duration::parse(text).unwrap();
            assert_eq!(duration.as_millis(), millis);
            assert_eq!(duration.to_string(), text);
        }
        for bad in ["", "6", "h", "6 h", "6 hours", "-6h", "1.5h", "+6h", "6H", "0s", "3651d"] {
            assert!(Duration::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Duration::parse("99999999999999999999d").is_err());
    }

    #[test]
    fn a_day_is_written_in_hours_and_two_in_days() {
        assert_eq!(Duration::parse("1d").unwrap().to_string(), "24h");
        assert_eq!(Duration::parse("48h").unwrap().to_string(), "2d");
        assert_eq!(Duration::parse("1w").unwrap().to_string(), "7d");
        assert_eq!(Duration::parse("61s").unwrap().to_string(), "61s");
    }

    #[test]
    fn a_share_has_at_most_two_decimals() {
        for (text, basis_points) in [("0%", 0), ("0.01%", 1), ("0.5%", 50), ("10%", 1_000), ("12.34%", 1_234), ("100%", 10_000)] {
            let share = Rollout::parse(text).unwrap();
            assert_eq!(share.basis_points(), basis_points);
            assert_eq!(share.to_string(), text);
        }
        for bad in ["", "%", "10", "10.%", ".5%", "100.01%", "-1%", "+1%", "1.234%", "655360%"] {
            assert!(Rollout::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_priority_ends_at_one_hundred() {
        assert_eq!(Priority::parse("100").unwrap().get(), 100);
        assert_eq!(Priority::default().get(), 50);
        for bad in ["101", "-1", "1.0", "high", "007", "+5"] {
            assert!(Priority::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(count in 1_u32..100_000, unit in "[smhdw]", share in 0_u16..=10_000) {
            if let Ok(duration) = Duration::parse(&format!("{count}{unit}")) {
                prop_assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
            }
            let share = Rollout::from_basis_points(share).unwrap();
            prop_assert_eq!(Rollout::parse(&share.to_string()), Ok(share));
        }
    }
}
