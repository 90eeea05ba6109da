//! What a channel has to bring: building a message and handing it to its provider.

use decision::{Outcome, Reason};
use delivery::{Context, Message, Payload, Sign, Template};
use pattern::Json;
use serde_json::Value;
use trigger::{Action, EndpointName};

/// A delivery that passed the gate, with all that its message is built from.
#[derive(Debug)]
pub struct Dispatch<'a> {
    pub message: &'a Message,
    pub action: &'a Action,
    pub customer: &'a customer::Customer,
    /// None where the action has none.
    pub template: Option<&'a Template>,
    pub context: &'a Context,
}

impl Dispatch<'_> {
    /// JSON of the definition, with the values of this delivery.
    ///
    /// # Errors
    /// It cannot be rendered with this event and profile.
    pub fn rendered(&self, source: &Json) -> Result<Value, Outcome> {
        let rendered = Payload::parse(source).map_err(|problems| problems.join("; "));
        rendered.and_then(|payload| payload.render(self.context).map_err(|error| error.to_string())).map_err(|error| {
            tracing::error!(delivery.id = %self.message.delivery, trigger.id = %self.message.trigger, error, "a payload could not be rendered");
            Outcome::Refused(Reason::TemplateError)
        })
    }
}

/// The provider took the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub provider_id: String,
}

/// How a send failed, named by what it says about the message and about the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// The provider asks to come back later: not sent. Where it says when, that counts, between a second and 15 minutes.
    Throttled { cause: String, retry_after_millis: Option<i64> },
    /// The provider takes nothing from this account until somebody acts: not sent.
    Stopped { cause: String },
    /// The provider was not reached, does not know us, or is not set up: not sent, and no other message would have been.
    Unavailable { cause: String },
    /// Not sent, and perhaps only this message is not: another attempt may succeed.
    NotSent { cause: String },
    /// The provider refuses this message for good.
    Rejected { cause: String },
    /// No answer, or one that does not tell: it may have been sent.
    Ambiguous { cause: String },
}

impl SendError {
    /// What it says about the provider. An answer that does not tell whether the message was sent still tells of trouble:
    /// to go on would leave one delivery after the other unknown.
    #[must_use]
    pub fn sign(&self) -> Sign {
        match self {
            Self::Throttled { retry_after_millis: Some(millis), .. } => Sign::Asks { millis: *millis },
            Self::Throttled { retry_after_millis: None, .. } | Self::Unavailable { .. } => Sign::Fails,
            Self::Stopped { .. } => Sign::Stopped,
            Self::NotSent { .. } | Self::Ambiguous { .. } => Sign::Doubtful,
            Self::Rejected { .. } => Sign::Works,
        }
    }

    /// The code of what happened, for the log and the ledger.
    #[must_use]
    pub fn cause(&self) -> &str {
        match self {
            Self::Throttled { cause, .. }
            | Self::Stopped { cause }
            | Self::Unavailable { cause }
            | Self::NotSent { cause }
            | Self::Rejected { cause }
            | Self::Ambiguous { cause } => cause,
        }
    }
}

/// What of a provider fails by itself, and so has a breaker of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// All that goes through the channel.
    Channel,
    /// One of many systems that have nothing to do with each other.
    Endpoint(EndpointName),
}

impl Scope {
    /// Its name in the log.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Channel => "channel",
            Self::Endpoint(name) => name.as_str(),
        }
    }
}

/// A provider of one channel.
pub trait Provider {
    /// A message, ready to be handed over.
    type Content;

    /// How long a call can take, in milliseconds: a claim's lease is longer.
    const LONGEST_CALL_MILLIS: i64;

    /// Whether what is sent is the customer's profile: then a profile that changed during the call is sent again, so that
    /// an older one never wins.
    fn follows_profile(&self, _action: &Action) -> bool {
        false
    }

    /// Where the message goes, as far as trouble there is no trouble elsewhere.
    fn scope(&self, _content: &Self::Content) -> Scope {
        Scope::Channel
    }

    /// Builds the message.
    ///
    /// # Errors
    /// The outcome of a delivery that cannot be built: refused or failed.
    fn build(&self, dispatch: &Dispatch<'_>) -> Result<Self::Content, Outcome>;

    /// Hands the message over, once: no retry happens inside.
    fn send(&self, content: Self::Content) -> impl Future<Output = Result<Accepted, SendError>> + Send;
}
