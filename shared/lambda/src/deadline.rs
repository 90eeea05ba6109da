//! When an invocation must be over.

use std::time::{Duration, UNIX_EPOCH};

use event::Time;
use lambda_runtime::Context;

/// Time to answer in, after the work.
const RESERVE: Duration = Duration::from_millis(1_500);

/// The time at which work must stop, so that an answer still goes out.
#[must_use]
pub fn deadline(context: &Context) -> Time {
    let end = context.deadline().checked_sub(RESERVE).unwrap_or(UNIX_EPOCH);
    let millis = end.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    Time::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}
