//! What an error that SNS names says about the text message.

use aws_sdk_sns::error::ProvideErrorMetadata;
use aws_sdk_sns::operation::publish::PublishError;
use sender::SendError;

/// None where the name says no more than the answer's status does.
pub(crate) fn by_name(error: &PublishError, code: &str) -> Option<SendError> {
    // SNS has no error of its own for it. As a rule it takes the message and only its delivery log says why nothing came;
    // where it does refuse, it says so in words.
    let opted_out = |words: &str| words.to_ascii_lowercase().replace(' ', "").contains("optedout");
    if opted_out(code) || (error.is_invalid_parameter_exception() && error.message().is_some_and(opted_out)) {
        return Some(SendError::Rejected { cause: "opted_out".to_owned() });
    }
    let cause = code.to_owned();
    if code.contains("Throttl") {
        return Some(SendError::Throttled { cause, retry_after_millis: None });
    }
    let rejected = error.is_invalid_parameter_exception()
        || error.is_invalid_parameter_value_exception()
        || error.is_validation_exception()
        || code == "ValidationError";
    rejected.then_some(SendError::Rejected { cause })
}
