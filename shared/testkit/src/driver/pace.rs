//! How fast the driver goes about its work. The defaults are those of AWS, as far as they are known.

use std::thread;
use std::time::Duration;

/// The driver's intervals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Between two reads of a shard that has nothing new. AWS allows five a second.
    pub poll: Duration,
    /// Between two reads of a shard just after records came or a [`nudge`](crate::Driver::nudge).
    pub poll_after_a_put: Duration,
    /// Between two looks for new shards.
    pub reshard: Duration,
    /// The wait before the first retry of a batch of a stream; it doubles with each retry.
    pub first_back_off: Duration,
    /// The longest wait before a retry.
    pub longest_back_off: Duration,
    /// Invocations that a mapping has under way at once, whatever its own settings allow. In AWS that is the account's
    /// concurrency; here each one is a process of this machine.
    pub concurrency: usize,
    /// What the functions are told of a record's arrival.
    pub arrivals: Arrivals,
}

/// When a record arrived, as the functions are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Arrivals {
    /// When it was put.
    #[default]
    AsTheyWere,
    /// When its own attribute `arrival` says, if it is an event that has one: so the events of days are played in seconds.
    AsTheyClaim,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(200),
            poll_after_a_put: Duration::from_millis(20),
            reshard: Duration::from_secs(5),
            first_back_off: Duration::from_millis(250),
            longest_back_off: Duration::from_secs(30),
            concurrency: thread::available_parallelism().map_or(4, |cores| cores.get().saturating_mul(2)),
            arrivals: Arrivals::default(),
        }
    }
}

impl Pace {
    /// The wait before the next attempt, after so many failures in a row.
    pub(crate) fn back_off(&self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first_back_off.saturating_mul(factor).min(self.longest_back_off)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_is_bounded() {
        let pace = Pace { first_back_off: Duration::from_millis(100), longest_back_off: Duration::from_millis(500), ..Pace::default() };
        let waits: Vec<u128> = (1..=5).map(|failures| pace.back_off(failures).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 500, 500]);
        assert_eq!(pace.back_off(1_000), Duration::from_millis(500));
    }
}
