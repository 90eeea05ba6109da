//! The provider of the channel sms: SNS, whose `Publish` takes no idempotency token. A call is therefore made once.

use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::MessageAttributeValue;
use decision::{Outcome, Reason};
use sender::{Accepted, Dispatch, Provider, SendError, calls_once, meaning};
use trigger::{Action, Class, SenderId};

use crate::answer::by_name;
use crate::segments::{Segments, segments};

/// Whom a text message is from, and what it may cost.
#[derive(Debug, Clone)]
pub struct Sns {
    pub client: Client,
    /// None where the networks show a number.
    pub sender_id: Option<SenderId>,
    /// US dollars for a whole message; SNS drops one that would cost more.
    pub max_price_usd: Option<String>,
}

/// A text message, ready to be handed over.
pub struct TextMessage {
    to: String,
    text: String,
    class: Class,
    sender_id: Option<SenderId>,
    delivery: String,
    trigger: String,
}

impl Sns {
    /// A client that makes one attempt.
    #[must_use]
    pub fn client(sdk: &SdkConfig) -> Client {
        Client::new(&calls_once(sdk, Self::LONGEST_CALL_MILLIS))
    }

    /// What SNS reads, by its names, and the delivery and its trigger. SNS takes attributes that it does not know, but neither
    /// a phone nor its delivery log ever shows them: what leads from a line of that log to the delivery is the message's
    /// id, which is in the line and in the ledger. They are for whatever else reads the request.
    fn attributes(&self, message: &TextMessage) -> impl Iterator<Item = (&'static str, &'static str, String)> {
        let sms_type = match message.class {
            Class::Transactional => "Transactional",
            Class::Marketing => "Promotional",
        };
        let sender_id = message.sender_id.as_ref().map(|id| id.as_str().to_owned());
        let always = [
            ("AWS.SNS.SMS.SMSType", "String", sms_type.to_owned()),
            ("delivery", "String", message.delivery.clone()),
            ("trigger", "String", message.trigger.clone()),
        ];
        let sender_id = sender_id.map(|id| ("AWS.SNS.SMS.SenderID", "String", id));
        let max_price = self.max_price_usd.clone().map(|price| ("AWS.SNS.SMS.MaxPrice", "Number", price));
        always.into_iter().chain(sender_id).chain(max_price)
    }
}

impl Provider for Sns {
    type Content = TextMessage;

    const LONGEST_CALL_MILLIS: i64 = 10_000;

    fn build(&self, dispatch: &Dispatch<'_>) -> Result<TextMessage, Outcome> {
        let Action::Sms(action) = dispatch.action else { return Err(Outcome::Failed { cause: "wrong_channel".to_owned() }) };
        let to = dispatch.customer.phone().ok_or(Outcome::Refused(Reason::NoAddress))?;
        let template = dispatch.template.ok_or_else(|| Outcome::Failed { cause: "template_missing".to_owned() })?;
        let text = template.sms(dispatch.context).map_err(|error| {
            tracing::error!(trigger.id = %dispatch.message.trigger, template.name = %action.template(), error = %error, "a template could not be rendered");
            Outcome::Refused(Reason::TemplateError)
        })?;
        Ok(TextMessage {
            to: to.to_owned(),
            text,
            class: dispatch.action.class(),
            sender_id: action.sender_id().or(self.sender_id.as_ref()).cloned(),
            delivery: dispatch.message.delivery.to_string(),
            trigger: dispatch.message.trigger.as_str().to_owned(),
        })
    }

    async fn send(&self, message: TextMessage) -> Result<Accepted, SendError> {
        let mut publish = self.client.publish().phone_number(&message.to).message(&message.text);
        for (name, kind, value) in self.attributes(&message) {
            let attribute = attribute(kind, value).map_err(|_| SendError::Rejected { cause: "malformed_message".to_owned() })?;
            publish = publish.message_attributes(name, attribute);
        }
        let answer = publish.send().await.map_err(|error| meaning(&error, by_name))?;
        let Segments { encoding, count } = segments(&message.text);
        tracing::info!(
            delivery.id = message.delivery,
            trigger.id = message.trigger,
            sms.segments = count,
            sms.encoding = encoding.code(),
            "a text message was handed over"
        );
        Ok(Accepted { provider_id: answer.message_id.unwrap_or_default() })
    }
}

fn attribute(kind: &str, value: String) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type(kind).string_value(value).build()
}
