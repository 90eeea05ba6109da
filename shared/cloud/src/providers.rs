//! SES and SNS: what they took is kept.

use serde_json::{Value, json};

use crate::answer::Refusal;
use crate::services::Cloud;
use crate::shape::{list, optional_text, text, without};

/// A mail that SES took.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    pub id: String,
    pub to: Vec<String>,
    pub subject: String,
    /// Name and value.
    pub tags: Vec<(String, String)>,
    /// In milliseconds.
    pub taken_at: i64,
}

impl Mail {
    /// The value of a tag.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str())
    }
}

/// A text message that SNS took.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    pub id: String,
    pub to: String,
    pub text: String,
    /// Names and values of the message's attributes.
    pub attributes: Vec<(String, String)>,
    /// In milliseconds.
    pub taken_at: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Providers {
    mails: Vec<Mail>,
    texts: Vec<Text>,
}

impl Providers {
    pub(crate) fn call(&mut self, operation: &str, input: &Value, now: i64) -> Result<Value, Refusal> {
        match operation {
            "SendEmail" => self.send_email(input, now),
            "Publish" => self.publish(input, now),
            other => Err(Refusal::unknown(&format!("the operation {other} of SES or SNS"))),
        }
    }

    fn send_email(&mut self, input: &Value, now: i64) -> Result<Value, Refusal> {
        let simple = input.pointer("/Content/Simple").ok_or_else(|| Refusal::unknown("a mail without simple content"))?;
        let subject = simple.pointer("/Subject/Data").and_then(Value::as_str).unwrap_or_default().to_owned();
        let to: Vec<_> = input.pointer("/Destination/ToAddresses").and_then(Value::as_array).into_iter().flatten().collect();
        if to.is_empty() || text(input, "FromEmailAddress").is_err() {
            return Err(Refusal::sender("BadRequestException", "a mail has a sender and a recipient"));
        }
        let id = format!("mail-{}", self.mails.len() + 1);
        let pair = |tag: &Value| Some((tag.get("Name")?.as_str()?.to_owned(), tag.get("Value")?.as_str()?.to_owned()));
        self.mails.push(Mail {
            id: id.clone(),
            to: to.into_iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            subject,
            tags: list(input, "EmailTags").iter().filter_map(pair).collect(),
            taken_at: now,
        });
        Ok(json!({ "MessageId": id }))
    }

    fn publish(&mut self, input: &Value, now: i64) -> Result<Value, Refusal> {
        without(input, &["TopicArn", "TargetArn"])?;
        let id = format!("text-{}", self.texts.len() + 1);
        let attributes = (1..).map_while(|number| {
            let name = optional_text(input, &format!("MessageAttributes.entry.{number}.Name"))?;
            let value = optional_text(input, &format!("MessageAttributes.entry.{number}.Value.StringValue"))?;
            Some((name.to_owned(), value.to_owned()))
        });
        self.texts.push(Text {
            id: id.clone(),
            to: text(input, "PhoneNumber")?.to_owned(),
            text: text(input, "Message")?.to_owned(),
            attributes: attributes.collect(),
            taken_at: now,
        });
        Ok(json!({ "MessageId": id }))
    }
}

impl Cloud {
    /// The mails that were taken, in their order.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.services().providers.mails.clone()
    }

    /// The text messages that were taken, in their order.
    #[must_use]
    pub fn texts(&self) -> Vec<Text> {
        self.services().providers.texts.clone()
    }
}
