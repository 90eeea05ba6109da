//! How fast something goes, so that what comes after it is not flooded.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::interrupt::Interrupt;

/// So many a second, as in `10/s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(u32);

impl Rate {
    const HIGHEST: u32 = 1_000;

    /// Reads `10/s`, from `1/s` to `1000/s`.
    ///
    /// # Errors
    /// A text of another form, which the error repeats.
    pub fn parse(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix("/s").filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
        match number.and_then(|digits| digits.parse().ok()) {
            Some(number) if (1..=Self::HIGHEST).contains(&number) => Ok(Self(number)),
            _ => Err(format!("{text:?} is no rate; write a whole number a second, from 1/s to {}/s", Self::HIGHEST)),
        }
    }

    /// How long so many take.
    pub fn time_for(self, count: usize) -> Duration {
        Duration::from_secs(1).saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)) / self.0
    }

    /// The largest part of `most` that goes at once without running ahead of the rate by more than a second.
    pub fn at_once(self, most: usize) -> usize {
        most.min(usize::try_from(self.0).unwrap_or(usize::MAX)).max(1)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// Something that goes on at a rate.
pub struct Pace {
    rate: Rate,
    begun: Instant,
    gone: usize,
}

impl Pace {
    pub fn start(rate: Rate) -> Self {
        Self { rate, begun: Instant::now(), gone: 0 }
    }

    /// Waits until the next `count` may go, and says whether they still shall: not if somebody interrupted.
    pub async fn go_on(&mut self, count: usize, interrupt: &Interrupt) -> bool {
        let due = self.begun + self.rate.time_for(self.gone);
        self.gone += count;
        tokio::select! {
            biased;
            () = interrupt.asked() => false,
            () = sleep_until(due) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_whole_number_a_second() {
        for text in ["1/s", "10/s", "1000/s"] {
            assert_eq!(Rate::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "10", "/s", "0/s", "1001/s", "-1/s", "+1/s", "1.5/s", "10/m", "10 /s", "99999999999/s"] {
            let error = Rate::parse(text).unwrap_err();
            assert!(error.contains("from 1/s to 1000/s"), "{text}: {error}");
        }
    }

    #[test]
    fn what_goes_at_once_is_not_more_than_a_second_s_worth() {
        let rate = |text| Rate::parse(text).unwrap();
        assert_eq!([rate("1/s").at_once(10), rate("7/s").at_once(10), rate("50/s").at_once(10)], [1, 7, 10]);
        assert_eq!(rate("4/s").time_for(10), Duration::from_millis(2_500));
        assert_eq!(rate("1/s").time_for(usize::MAX), Duration::from_secs(u64::from(u32::MAX)));
    }
}
