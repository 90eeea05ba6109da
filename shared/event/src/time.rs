//! Points in time, in whole milliseconds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Milliseconds since 1970-01-01T00:00:00Z. Prints and parses as RFC 3339.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(i64);

/// The text is not a time with a date, a time of day and an offset, as RFC 3339 has it.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("no RFC 3339 time; write it as 2026-03-01T10:00:00Z or 2026-03-01T12:00:00.250+02:00")]
pub struct NotATime;

impl Time {
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The time `millis` later; the ends of the calendar are not passed.
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this time, negative where it is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp:.3}"),
            Err(_) => write!(f, "{} ms after 1970", self.0),
        }
    }
}

impl FromStr for Time {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let offset_at = offset_at(text.as_bytes()).ok_or(NotATime)?;
        let (time, offset) = text.split_at_checked(offset_at).ok_or(NotATime)?;
        // Digits of the second beyond these are allowed, and too fine to matter.
        let time = time.get(..FINEST).unwrap_or(time);
        let timestamp: jiff::Timestamp = format!("{time}{offset}").parse().map_err(|_| NotATime)?;
        // An offset can lead out of the years that have four digits.
        Some(Self(timestamp.as_millisecond())).filter(|time| *time >= FIRST).ok_or(NotATime)
    }
}

/// 0000-01-01T00:00:00Z.
const FIRST: Time = Time(-62_167_219_200_000);

/// Date, time of day, and nine digits of the second.
const FINEST: usize = "2026-03-01T10:00:00.123456789".len();

/// Where the offset begins, in a text of the standard's shape.
///
/// jiff reads more than RFC 3339 (weeks, zones in brackets, hours alone), so the shape is held to the standard's first.
fn offset_at(text: &[u8]) -> Option<usize> {
    let (head, mut rest) = text.split_at_checked(19)?;
    let fixed = b"dddd-dd-ddTdd:dd:dd";
    let fits = head.iter().zip(fixed).all(|(byte, shape)| match shape {
        b'd' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't' | b' '),
        other => byte == other,
    });
    if !fits {
        return None;
    }
    if let [b'.', fraction @ ..] = rest {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        rest = fraction.get(digits..).unwrap_or_default();
    }
    let good = match rest {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', hour @ .., b':', minute_1, minute_2] => {
            matches!(hour, [b'0' | b'1', b'0'..=b'9'] | [b'2', b'0'..=b'3']) && matches!(minute_1, b'0'..=b'5') && minute_2.is_ascii_digit()
        }
        _ => false,
    };
    good.then(|| text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_is_read_whatever_its_offset() {
        for (text, printed) in [
            ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000Z"),
            ("2026-03-01t12:00:00.25+02:00", "2026-03-01T10:00:00.250Z"),
            ("2026-03-01 10:00:00z", "2026-03-01T10:00:00.000Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
            ("2026-03-01T10:00:00.123456789-00:00", "2026-03-01T10:00:00.123Z"),
            ("2026-03-01T10:00:00.999999999999Z", "2026-03-01T10:00:00.999Z"),
            ("2026-03-01T10:00:00.1234567890123+23:59", "2026-02-28T10:01:00.123Z"),
            ("2024-02-29T23:59:60Z", "2024-02-29T23:59:59.000Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(text.parse::<Time>().map(|time| time.to_string()), Ok(printed.to_owned()), "{text}");
        }
    }

    #[test]
    fn other_times_are_refused() {
        for text in [
            "",
            "now",
            "2026-03-01",
            "2026-03-01T10:00Z",
            "2026-03-01T10:00:00",
            "2026-03-01T10:00:00+0200",
            "20260301T100000Z",
            "2026-02-30T10:00:00Z",
            "2026-03-01T25:00:00Z",
            "2026-03-01T10:00:00.Z",
            "2026-03-01T10:00:00Z[UTC]",
            "1772359200",
            "2026-03-01T10:00:00+26:00",
            "2026-03-01T10:00:00+24:00",
            "2026-03-01T10:00:00+02:60",
            "2026-03-01T24:00:00Z",
            "2026-03-01T10:00:00.1",
            "2026-03-01T10:00:00,5Z",
            "２026-03-01T10:00:00Z",
            "-2026-03-01T10:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "0000-01-01T00:00:00+00:01",
            "ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ",
        ] {
            assert_eq!(text.parse::<Time>(), Err(NotATime), "{text}");
        }
    }
}
