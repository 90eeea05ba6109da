//! What an answer of SES says about the mail: sent, certainly not sent, or nobody knows.

use std::error::Error;

use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use sender::SendError;

pub(crate) fn meaning<R: Status>(error: &SdkError<SendEmailError, R>) -> SendError {
    match error {
        // Nothing left this process.
        SdkError::ConstructionFailure(_) => SendError::NotSent { cause: "construction".to_owned() },
        SdkError::DispatchFailure(failure) if never_connected(failure.as_connector_error()) => {
            SendError::NotSent { cause: "not_connected".to_owned() }
        }
        SdkError::DispatchFailure(_) => SendError::Ambiguous { cause: "connection_lost".to_owned() },
        SdkError::TimeoutError(_) => SendError::Ambiguous { cause: "timeout".to_owned() },
        SdkError::ServiceError(answer) => said(answer.err(), answer.raw().status()),
        SdkError::ResponseError(answer) if (400..500).contains(&answer.raw().status()) => {
            SendError::NotSent { cause: "unreadable_refusal".to_owned() }
        }
        _ => SendError::Ambiguous { cause: "unreadable_answer".to_owned() },
    }
}

/// The status code of a raw answer.
pub(crate) trait Status {
    fn status(&self) -> u16;
}

impl Status for aws_sdk_sesv2::config::http::HttpResponse {
    fn status(&self) -> u16 {
        self.status().as_u16()
    }
}

fn said(error: &SendEmailError, status: u16) -> SendError {
    let code = error.code().unwrap_or("no_code").to_owned();
    if error.is_too_many_requests_exception()
        || error.is_limit_exceeded_exception()
        || error.is_sending_paused_exception()
        || error.is_account_suspended_exception()
        || status == 429
    {
        return SendError::Throttled { cause: code, retry_after_millis: None };
    }
    if error.is_message_rejected()
        || error.is_mail_from_domain_not_verified_exception()
        || error.is_bad_request_exception()
        || error.is_not_found_exception()
    {
        return SendError::Rejected { cause: code };
    }
    match status {
        // Throttling that the gateway in front of SES says.
        400 if code.contains("Throttl") => SendError::Throttled { cause: code, retry_after_millis: None },
        // Not let in, an expired signature, an unknown request: SES did not take it.
        400..=499 => SendError::NotSent { cause: code },
        _ => SendError::Ambiguous { cause: code },
    }
}

/// What the SDK's HTTP client calls a failure to connect: no such host, refused, no answer in time, no TLS. Its type is
/// private to it; should the words change, the answer is the careful one.
const CONNECTING: &str = "client error (Connect)";

/// Whether the connection was never there, so that no byte of the mail left.
fn never_connected(error: Option<&aws_sdk_sesv2::error::ConnectorError>) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.map(|error| error as _);
    while let Some(error) = cause {
        if error.to_string() == CONNECTING {
            return true;
        }
        cause = error.source();
    }
    false
}
