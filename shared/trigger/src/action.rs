//! What a step does.

use pattern::Json;

use crate::choice::{Channel, Class, SendPolicy};
use crate::mailbox::Mailbox;
use crate::names::{EndpointName, Purpose, SenderId, TemplateName};
use crate::quantity::Duration;

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Sends a mail.
    Email(EmailAction),
    /// Sends a text message.
    Sms(SmsAction),
    /// Writes into the customer-relations system.
    Crm(CrmAction),
    /// Calls an endpoint of the company.
    Webhook(WebhookAction),
}

impl Action {
    /// The channel that the action uses.
    pub fn channel(&self) -> Channel {
        match self {
            Action::Email(_) => Channel::Email,
            Action::Sms(_) => Channel::Sms,
            Action::Crm(_) => Channel::Crm,
            Action::Webhook(_) => Channel::Webhook,
        }
    }

    /// What kind of message it is in law. What only the company's own systems see is no advertising.
    pub fn class(&self) -> Class {
        match self {
            Action::Email(email) => email.message.class,
            Action::Sms(sms) => sms.message.class,
            Action::Crm(_) | Action::Webhook(_) => Class::Transactional,
        }
    }

    /// What the customer must have consented to; nothing for a transactional message.
    pub fn purpose(&self) -> Option<&Purpose> {
        self.message().and_then(|message| message.purpose.as_ref())
    }

    /// How long after the event the action is still worth doing.
    pub fn valid_for(&self) -> Duration {
        match self {
            Action::Email(email) => email.message.valid_for,
            Action::Sms(sms) => sms.message.valid_for,
            Action::Crm(crm) => crm.valid_for,
            Action::Webhook(webhook) => webhook.valid_for,
        }
    }

    /// What happens when nobody knows whether the provider took it. The company's own systems recognise a delivery by its
    /// id, so there it is always sent again.
    pub fn send(&self) -> SendPolicy {
        self.message().map_or(SendPolicy::AtLeastOnce, |message| message.send)
    }

    /// The template that is rendered, where there is one.
    pub fn template(&self) -> Option<&TemplateName> {
        self.message().map(|message| &message.template)
    }

    fn message(&self) -> Option<&MessageAction> {
        match self {
            Action::Email(email) => Some(&email.message),
            Action::Sms(sms) => Some(&sms.message),
            Action::Crm(_) | Action::Webhook(_) => None,
        }
    }
}

/// What all messages to a customer have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageAction {
    pub(crate) template: TemplateName,
    pub(crate) class: Class,
    pub(crate) purpose: Option<Purpose>,
    pub(crate) valid_for: Duration,
    pub(crate) send: SendPolicy,
}

impl MessageAction {
    /// How long a message that states nothing is worth sending. Stored definitions rest on it: it never changes.
    pub const DEFAULT_VALID_FOR: Duration = Duration::minutes(24 * 60);
}

/// A mail to the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAction {
    pub(crate) message: MessageAction,
    pub(crate) from: Option<Mailbox>,
    pub(crate) reply_to: Option<Mailbox>,
}

impl EmailAction {
    /// The template that is rendered.
    pub fn template(&self) -> &TemplateName {
        &self.message.template
    }

    /// The sender, where it is not the stack's.
    pub fn from(&self) -> Option<&Mailbox> {
        self.from.as_ref()
    }

    /// Where answers go, where that is not the sender.
    pub fn reply_to(&self) -> Option<&Mailbox> {
        self.reply_to.as_ref()
    }
}

/// A text message to the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmsAction {
    pub(crate) message: MessageAction,
    pub(crate) sender_id: Option<SenderId>,
}

impl SmsAction {
    /// The template that is rendered.
    pub fn template(&self) -> &TemplateName {
        &self.message.template
    }

    /// Whom the message is from, where it is not the stack's.
    pub fn sender_id(&self) -> Option<&SenderId> {
        self.sender_id.as_ref()
    }
}

/// How long something for the company's own systems is worth doing, where nothing is stated. Stored definitions rest on
/// it: it never changes.
pub(crate) const DEFAULT_SYSTEM_VALID_FOR: Duration = Duration::minutes(7 * 24 * 60);

/// Something for the customer-relations system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmAction {
    pub(crate) entry: CrmEntry,
    pub(crate) valid_for: Duration,
}

impl CrmAction {
    /// What is written.
    pub fn entry(&self) -> &CrmEntry {
        &self.entry
    }
}

/// What is written into the customer-relations system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrmEntry {
    /// The customer's contact, made or brought up to date.
    Contact {
        /// How the system finds it.
        by: ContactKey,
        /// Properties by their names there; texts are templates.
        properties: Json,
    },
    /// An event on the contact's timeline.
    Timeline {
        /// The id of the event's kind there.
        template: String,
        /// Values by their names there; texts are templates.
        tokens: Json,
    },
}

/// How the customer-relations system finds a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactKey {
    /// By the customer's email address.
    Email,
    /// By the customer's id, in the property of this name.
    Property(String),
}

/// A call of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAction {
    pub(crate) endpoint: EndpointName,
    pub(crate) payload: Option<Json>,
    pub(crate) valid_for: Duration,
}

impl WebhookAction {
    /// Which of the stack's endpoints is called.
    pub fn endpoint(&self) -> &EndpointName {
        &self.endpoint
    }

    /// What it is told; texts are templates. Without it, the event and the customer's id.
    pub fn payload(&self) -> Option<&Json> {
        self.payload.as_ref()
    }
}
