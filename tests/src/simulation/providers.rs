//! What the providers took: SES and SNS in the AWS of this process, and a CRM that stands for all systems of the company.

use std::sync::{Arc, Mutex};

use cloud::{Call, Cloud, Service};
use decision::Outcome;
use sender::{Accepted, Dispatch, Provider, SendError};
use serde_json::{Value, json};
use trigger::Action;

use super::faults::Target;
use super::line::{Heard, Line};

/// How a message came to its provider, and the answer back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// The request was on its way for longer than its sender waited, or the sender's process had frozen: nobody could have
    /// known better.
    pub late: bool,
    /// The sender heard that it was taken.
    pub answered: bool,
}

/// A message that a provider took.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    pub delivery: String,
    pub at: i64,
    pub circumstances: Circumstances,
    /// What the ledger said of the delivery at that moment.
    pub status: String,
    /// For the CRM: how new the profile was.
    pub profile: Option<i64>,
}

/// Everything that was taken, in its order.
#[derive(Debug, Default)]
pub struct Providers(Mutex<Vec<Taken>>);

impl Providers {
    pub fn taken(&self) -> Vec<Taken> {
        self.0.lock().expect("no task panicked").clone()
    }

    /// Writes down what was taken, and what the ledger says of it at that moment. The delivery that it was for.
    pub fn took(&self, cloud: &Cloud, target: Target, call: &Call, circumstances: Circumstances) -> String {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let delivery = match target {
            Target::Crm => text(&call.input["delivery"]),
            Target::Aws(Service::Ses) => {
                let tags = call.input["EmailTags"].as_array().into_iter().flatten();
                tags.filter(|tag| tag["Name"] == "delivery").map(|tag| text(&tag["Value"])).next().unwrap_or_default()
            }
            Target::Aws(_) => {
                let of = |number: u32, part: &str| call.input[format!("MessageAttributes.entry.{number}.{part}")].clone();
                let number = (1..10).find(|number| of(*number, "Name") == "delivery");
                number.map(|number| text(&of(number, "Value.StringValue"))).unwrap_or_default()
            }
        };
        let entry = cloud.find("deliveries", |item| item["delivery"]["S"].as_str() == Some(&delivery));
        let status = entry.map(|item| text(&item["status"]["S"])).unwrap_or_default();
        let profile = call.input["profile"].as_i64();
        self.0.lock().expect("no task panicked").push(Taken {
            delivery: delivery.clone(),
            at: cloud.now(),
            circumstances,
            status,
            profile,
        });
        delivery
    }
}

/// The CRM, as the senders see it.
pub struct Crm {
    pub line: Line,
}

impl Provider for Crm {
    type Content = Value;

    const LONGEST_CALL_MILLIS: i64 = 10_000;

    fn follows_profile(&self, _: &Action) -> bool {
        true
    }

    fn build(&self, dispatch: &Dispatch<'_>) -> Result<Value, Outcome> {
        // How new the profile is: a state's clock never goes back.
        let profile = dispatch.customer.clock().millis();
        Ok(json!({ "delivery": dispatch.message.delivery.to_string(), "profile": profile }))
    }

    async fn send(&self, content: Value) -> Result<Accepted, SendError> {
        let call = Call { service: Service::Sns, operation: "Upsert".to_owned(), input: content };
        let clockwork = Arc::clone(&self.line.network.clockwork);
        let answer =
            futures::future::select(Box::pin(self.line.carry(Target::Crm, call)), Box::pin(clockwork.sleep(Self::LONGEST_CALL_MILLIS)));
        let ambiguous = |cause: &str| SendError::Ambiguous { cause: cause.to_owned() };
        match answer.await {
            futures::future::Either::Right(_) => Err(ambiguous("timeout")),
            futures::future::Either::Left((Heard::ConnectionLost, _)) => Err(ambiguous("connection_lost")),
            futures::future::Either::Left((Heard::Answer(Ok(_)), _)) => Ok(Accepted { provider_id: "crm".to_owned() }),
            futures::future::Either::Left((Heard::Answer(Err(refusal)), _)) => Err(match refusal.status {
                429 => SendError::Throttled { cause: refusal.code, retry_after_millis: None },
                400 => SendError::Rejected { cause: refusal.code },
                // It knows a delivery by its id, so what it may have done is done again.
                _ => SendError::NotSent { cause: refusal.code },
            }),
        }
    }
}
