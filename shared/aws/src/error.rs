//! What can go wrong with a store, named by what to do next.
//!
//! Guarantee: an error says which call failed and the service's code for it, and nothing that was read or was to be
//! written. A service's own message can quote the request, so it is left out; the request's id finds it.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use thiserror::Error;

/// An error of a store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Trying again can help.
    #[error(transparent)]
    Passing(#[from] Passing),
    /// Somebody else wrote first: what was read is old, read again.
    #[error("{what} was written by somebody else in the meantime")]
    Conflict { what: &'static str },
    /// What is stored cannot be read by this version.
    #[error("{what} cannot be read: {problem}")]
    Unreadable { what: &'static str, problem: String },
}

/// A call that failed and may succeed later: throttled, unreachable, timed out, refused by a service in trouble.
#[derive(Debug, Clone, Error)]
#[error("{what} failed: {cause}")]
pub struct Passing {
    what: &'static str,
    cause: String,
    about: About,
}

/// What a failed call speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// The service, the network, a permission: other calls would fail as well.
    Service,
    /// What was sent: the same request is refused each time.
    Request,
}

/// The codes by which the services refuse a request for its content.
const REFUSED_FOR_ITS_CONTENT: [&str; 5] = [
    "ValidationException",
    "InvalidMessageContents",
    "InvalidArgumentException",
    "InvalidParameterValue",
    "InvalidParameterValueException",
];

impl Passing {
    pub(crate) fn new<E: ProvideErrorMetadata, R>(what: &'static str, error: &SdkError<E, R>) -> Self {
        let code = error.as_service_error().and_then(|error| error.code());
        let about = if code.is_some_and(|code| REFUSED_FOR_ITS_CONTENT.contains(&code)) { About::Request } else { About::Service };
        Self { what, cause: cause_of(error), about }
    }

    pub(crate) fn because(what: &'static str, cause: impl Into<String>) -> Self {
        Self { what, cause: cause.into(), about: About::Service }
    }
}

/// Why a call failed, in one line: `ThrottlingException (request 4F…)`, `connection failed: Connection refused (os error 111)`, `no answer in time`.
#[must_use]
pub fn cause_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::ConstructionFailure(_) => "the request could not be made; credentials, region or endpoint are missing".to_owned(),
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "no connection in time".to_owned(),
        SdkError::DispatchFailure(failure) => {
            let deepest = failure.as_connector_error().map(|error| deepest(error).to_string());
            format!("connection failed: {}", deepest.unwrap_or_default())
        }
        SdkError::ServiceError(answer) => {
            let code = answer.err().code().unwrap_or("an error without a code");
            // The services' clients keep the request's id under this name.
            match answer.err().meta().extra("aws_request_id") {
                Some(id) => format!("{code} (request {id})"),
                None => code.to_owned(),
            }
        }
        _ => "an answer that cannot be read".to_owned(),
    }
}

/// The error at the end of the chain, which says what happened; those before it say where.
fn deepest<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest
}

impl StoreError {
    pub(crate) fn passing<E: ProvideErrorMetadata, R>(what: &'static str, error: &SdkError<E, R>) -> Self {
        Self::Passing(Passing::new(what, error))
    }

    pub(crate) fn unreadable(what: &'static str, problem: &impl ToString) -> Self {
        Self::Unreadable { what, problem: problem.to_string() }
    }

    /// Whether the failure lies in what was stored or sent, and not in a service in trouble: then it fails each time,
    /// and nothing else does.
    #[must_use]
    pub fn is_about_the_data(&self) -> bool {
        match self {
            Self::Passing(passing) => passing.about == About::Request,
            Self::Conflict { .. } | Self::Unreadable { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::{ConnectorError, ErrorMetadata};
    use aws_sdk_dynamodb::operation::put_item::PutItemError;

    use super::*;

    fn said(code: &str, id: Option<&str>) -> SdkError<PutItemError, ()> {
        let mut metadata = ErrorMetadata::builder().code(code).message("Value 'ana@example.com' at 'email' failed to satisfy a constraint");
        if let Some(id) = id {
            metadata = metadata.custom("aws_request_id", id);
        }
        SdkError::service_error(PutItemError::generic(metadata.build()), ())
    }

    #[test]
    fn an_error_has_the_code_and_the_request_and_no_word_of_the_content() {
        let shown = |error: &SdkError<PutItemError, ()>| format!("{}", StoreError::passing("the customer's state", error));
        assert_eq!(shown(&said("ThrottlingException", Some("4F1"))), "the customer's state failed: ThrottlingException (request 4F1)");
        assert_eq!(shown(&said("ThrottlingException", None)), "the customer's state failed: ThrottlingException");
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let refused = SdkError::dispatch_failure(ConnectorError::io(refused.into()));
        assert_eq!(shown(&refused), "the customer's state failed: connection failed: connection refused");
        assert_eq!(shown(&SdkError::timeout_error("ana@example.com")), "the customer's state failed: no answer in time");
        assert!(!format!("{:?}", StoreError::passing("", &said("ValidationException", None))).contains("ana"));
    }

    #[test]
    fn what_is_refused_for_its_content_is_told_from_a_service_in_trouble() {
        let about_the_data = |error: SdkError<PutItemError, ()>| StoreError::passing("", &error).is_about_the_data();
        assert!(about_the_data(said("ValidationException", None)));
        assert!(about_the_data(said("InvalidMessageContents", None)));
        assert!(!about_the_data(said("ResourceNotFoundException", None)));
        assert!(!about_the_data(said("ProvisionedThroughputExceededException", None)));
        assert!(!about_the_data(SdkError::timeout_error("")));
        assert!(StoreError::Conflict { what: "" }.is_about_the_data());
    }
}
