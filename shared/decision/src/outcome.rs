//! How a delivery ended.

use crate::Reason;

/// The end of a delivery, as its ledger entry states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider accepted it.
    Sent { provider_id: String },
    /// This system decided not to send it.
    Refused(Reason),
    /// The provider refused it for good, or it could not be built; the code says why.
    Failed { cause: String },
    /// Its time was over before it could be sent.
    Expired,
    /// The provider may or may not have accepted it: the answer was lost. Not sent again under `at_most_once`.
    Unknown,
}

impl Outcome {
    /// The code in the ledger, in logs and metrics, and in the type of the event that reports it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::Refused(_) => "refused",
            Self::Failed { .. } => "failed",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the stream is told: whatever is not sent may give something back to the customer's state.
    #[must_use]
    pub const fn is_reported(&self) -> bool {
        match self {
            Self::Sent { .. } => false,
            Self::Refused(_) | Self::Failed { .. } | Self::Expired | Self::Unknown => true,
        }
    }
}
