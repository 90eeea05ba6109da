//! What an error that SES names says about the mail.

use aws_sdk_sesv2::operation::send_email::SendEmailError;
use sender::SendError;

/// None where the name says no more than the answer's status does.
pub(crate) fn by_name(error: &SendEmailError, code: &str) -> Option<SendError> {
    let cause = code.to_owned();
    if error.is_sending_paused_exception() || error.is_account_suspended_exception() {
        return Some(SendError::Stopped { cause });
    }
    if error.is_too_many_requests_exception() || error.is_limit_exceeded_exception() {
        return Some(SendError::Throttled { cause, retry_after_millis: None });
    }
    let rejected = error.is_message_rejected() || error.is_mail_from_domain_not_verified_exception() || error.is_bad_request_exception();
    rejected.then_some(SendError::Rejected { cause })
}
