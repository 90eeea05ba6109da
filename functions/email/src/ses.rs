//! The provider of the channel email: SES v2, which takes no idempotency token. A call is therefore made once.

use aws_config::SdkConfig;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use customer::EmailAddress;
use decision::{Outcome, Reason};
use delivery::{Rendered, Tags};
use sender::{Accepted, Dispatch, Provider, SendError, calls_once, meaning};
use trigger::{Action, Class, Mailbox};

use crate::answer::by_name;

/// Who a mail comes from, and what SES is told about it.
#[derive(Debug, Clone)]
pub struct Ses {
    pub client: Client,
    pub from: String,
    pub reply_to: Option<String>,
    pub configuration_set: String,
}

/// A mail, ready to be handed over.
pub struct Mail {
    to: EmailAddress,
    from: String,
    reply_to: Option<String>,
    rendered: Rendered,
    /// For marketing: one click withdraws the consent (RFC 8058).
    unsubscribe_url: Option<String>,
    tags: Tags,
}

impl Ses {
    /// A client that makes one attempt.
    #[must_use]
    pub fn client(sdk: &SdkConfig) -> Client {
        Client::new(&calls_once(sdk, Self::LONGEST_CALL_MILLIS))
    }

    fn content(mail: &Mail) -> Result<EmailContent, aws_sdk_sesv2::error::BuildError> {
        let utf8 = |text: &str| Content::builder().data(text).charset("UTF-8").build();
        let mut body = Body::builder();
        if let Some(text) = &mail.rendered.text {
            body = body.text(utf8(text)?);
        }
        if let Some(html) = &mail.rendered.html {
            body = body.html(utf8(html)?);
        }
        let mut message = Message::builder().subject(utf8(&mail.rendered.subject)?).body(body.build());
        if let Some(url) = &mail.unsubscribe_url {
            let header = |name: &str, value: String| MessageHeader::builder().name(name).value(value).build();
            // SES keeps their order, and RFC 8058 wants the second after the first.
            message = message.headers(header("List-Unsubscribe", format!("<{url}>"))?);
            message = message.headers(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())?);
        }
        Ok(EmailContent::builder().simple(message.build()).build())
    }
}

impl Provider for Ses {
    type Content = Mail;

    const LONGEST_CALL_MILLIS: i64 = 10_000;

    fn build(&self, dispatch: &Dispatch<'_>) -> Result<Mail, Outcome> {
        let Action::Email(action) = dispatch.action else { return Err(Outcome::Failed { cause: "wrong_channel".to_owned() }) };
        let to = dispatch.customer.email().ok_or(Outcome::Refused(Reason::NoAddress))?;
        let template = dispatch.template.ok_or_else(|| Outcome::Failed { cause: "template_missing".to_owned() })?;
        let rendered = template.mail(dispatch.context).map_err(|error| {
            tracing::error!(trigger.id = %dispatch.message.trigger, template.name = %action.template(), error = %error, "a template could not be rendered");
            Outcome::Refused(Reason::TemplateError)
        })?;
        Ok(Mail {
            to,
            from: action.from().map_or_else(|| self.from.clone(), Mailbox::to_header),
            reply_to: action.reply_to().map(Mailbox::to_header).or_else(|| self.reply_to.clone()),
            rendered,
            unsubscribe_url: dispatch.context.unsubscribe_url.clone().filter(|_| dispatch.action.class() == Class::Marketing),
            tags: Tags::of(dispatch.message),
        })
    }

    async fn send(&self, mail: Mail) -> Result<Accepted, SendError> {
        let rejected = |_| SendError::Rejected { cause: "malformed_mail".to_owned() };
        let tag = |(name, value): (&str, String)| MessageTag::builder().name(name).value(value).build();
        let tags = mail.tags.pairs().into_iter().map(tag).collect::<Result<Vec<_>, _>>().map_err(rejected)?;
        let send = self
            .client
            .send_email()
            .from_email_address(&mail.from)
            .set_reply_to_addresses(mail.reply_to.clone().map(|address| vec![address]))
            .destination(Destination::builder().to_addresses(mail.to.expose()).build())
            .content(Self::content(&mail).map_err(rejected)?)
            .configuration_set_name(&self.configuration_set)
            .set_email_tags(Some(tags));
        match send.send().await {
            Ok(answer) => Ok(Accepted { provider_id: answer.message_id.unwrap_or_default() }),
            Err(error) => Err(meaning(&error, by_name)),
        }
    }
}
