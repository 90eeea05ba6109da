//! A call of a provider through its SDK: made once, and what a failed one says about the message.

use std::error::Error;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::provider::SendError;

/// A configuration whose clients make one attempt, so that no retry inside the SDK can send twice.
#[must_use]
pub fn calls_once(sdk: &SdkConfig, longest_call_millis: i64) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_millis(longest_call_millis.unsigned_abs()))
        .build();
    sdk.to_builder().retry_config(RetryConfig::disabled()).timeout_config(timeouts).build()
}

/// What a call that failed says about the message: certainly not sent, or nobody knows. `by_name` is asked first about an
/// error that the service named, with the error's code.
pub fn meaning<E: ProvideErrorMetadata>(
    error: &SdkError<E, HttpResponse>,
    by_name: impl FnOnce(&E, &str) -> Option<SendError>,
) -> SendError {
    match error {
        // Nothing left this process.
        SdkError::ConstructionFailure(_) => SendError::NotSent { cause: "construction".to_owned() },
        SdkError::DispatchFailure(failure) if never_connected(failure.as_connector_error()) => {
            SendError::Unavailable { cause: "not_connected".to_owned() }
        }
        SdkError::DispatchFailure(_) => SendError::Ambiguous { cause: "connection_lost".to_owned() },
        SdkError::TimeoutError(_) => SendError::Ambiguous { cause: "timeout".to_owned() },
        SdkError::ServiceError(answer) => {
            let code = answer.err().code().unwrap_or("no_code");
            by_name(answer.err(), code).unwrap_or_else(|| by_status(answer.raw().status().as_u16(), code.to_owned()))
        }
        SdkError::ResponseError(answer) if answer.raw().status().is_client_error() => {
            SendError::NotSent { cause: "unreadable_refusal".to_owned() }
        }
        _ => SendError::Ambiguous { cause: "unreadable_answer".to_owned() },
    }
}

fn by_status(status: u16, cause: String) -> SendError {
    match status {
        429 => SendError::Throttled { cause, retry_after_millis: None },
        // Throttling that the gateway in front of the service says.
        400 if cause.contains("Throttl") => SendError::Throttled { cause, retry_after_millis: None },
        // Not let in, an expired signature, an unknown request: the service did not take it. A permission can be about the
        // one sender that this trigger names, so that others get through.
        400..=499 => SendError::NotSent { cause },
        _ => SendError::Ambiguous { cause },
    }
}

/// What the SDK's HTTP client calls a failure to connect: no such host, refused, no answer in time, no TLS. Its type is
/// private to it; should the words change, the answer is the careful one.
const CONNECTING: &str = "client error (Connect)";

/// Whether the connection was never there, so that no byte of the message left.
fn never_connected(error: Option<&ConnectorError>) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.map(|error| error as _);
    while let Some(error) = cause {
        if error.to_string() == CONNECTING {
            return true;
        }
        cause = error.source();
    }
    false
}
