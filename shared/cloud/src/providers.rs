//! SES and SNS: they take what is well formed, and name it.

use serde_json::{Value, json};

use crate::answer::Refusal;
use crate::shape::{text, without};

#[derive(Debug, Default)]
pub(crate) struct Providers {
    mails: u64,
    texts: u64,
}

impl Providers {
    pub(crate) fn call(&mut self, operation: &str, input: &Value) -> Result<Value, Refusal> {
        match operation {
            "SendEmail" => self.send_email(input),
            "Publish" => self.publish(input),
            other => Err(Refusal::unknown(&format!("the operation {other} of SES or SNS"))),
        }
    }

    fn send_email(&mut self, input: &Value) -> Result<Value, Refusal> {
        if input.pointer("/Content/Simple").is_none() {
            return Err(Refusal::unknown("a mail without simple content"));
        }
        let to = input.pointer("/Destination/ToAddresses").and_then(Value::as_array);
        if to.is_none_or(Vec::is_empty) || text(input, "FromEmailAddress").is_err() {
            return Err(Refusal::sender("BadRequestException", "a mail has a sender and a recipient"));
        }
        self.mails += 1;
        Ok(json!({ "MessageId": format!("mail-{}", self.mails) }))
    }

    fn publish(&mut self, input: &Value) -> Result<Value, Refusal> {
        without(input, &["TopicArn", "TargetArn"])?;
        text(input, "PhoneNumber")?;
        text(input, "Message")?;
        self.texts += 1;
        Ok(json!({ "MessageId": format!("text-{}", self.texts) }))
    }
}
