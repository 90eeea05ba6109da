//! The configuration that every client is made from.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::{AsyncSleep, SharedAsyncSleep};

/// Reads region, credentials and endpoint from the environment.
pub async fn connect() -> SdkConfig {
    bounded(aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await)
}

/// The same configuration with limits of time and attempts. Only a connect timeout is on by default in the SDK: a call that
/// hangs would take the invocation's whole time.
#[must_use]
pub fn bounded(sdk: SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(12))
        .build();
    sdk.into_builder().timeout_config(timeouts).retry_config(RetryConfig::standard().with_max_attempts(3)).build()
}

/// Waits between two rounds of a call, by the clock of its client.
pub(crate) async fn pause(sleep: Option<SharedAsyncSleep>, duration: Duration) {
    if let Some(sleep) = sleep {
        sleep.sleep(duration).await;
    }
}
