//! What a channel has to bring: building a message and handing it to its provider.

use decision::{Outcome, Reason};
use delivery::{Context, Message, Payload, Template};
use pattern::Json;
use serde_json::Value;
use trigger::Action;

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

/// How a send failed, named by what it says about the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendError {
    /// The provider asks to come back later: not sent. Where it says when, that counts, between a second and 15 minutes.
    Throttled { cause: String, retry_after_millis: Option<i64> },
    /// The provider was not reached or did not let us in: not sent; another attempt may succeed.
    NotSent { cause: String },
    /// The provider refuses this message for good.
    Rejected { cause: String },
    /// No answer, or one that does not tell: it may have been sent.
    Ambiguous { cause: String },
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

    /// Builds the message.
    ///
    /// # Errors
    /// The outcome of a delivery that cannot be built: refused or failed.
    fn build(&self, dispatch: &Dispatch<'_>) -> Result<Self::Content, Outcome>;

    /// Hands the message over, once: no retry happens inside.
    fn send(&self, content: Self::Content) -> impl Future<Output = Result<Accepted, SendError>> + Send;
}
