//! The provider of the channel crm: HubSpot. A contact is written by a key and an event of the timeline has its own id,
//! so that writing either twice is writing it once.

use decision::{Outcome, Reason};
use https::{Address, Answer, Bytes, Caller, Request, accepted, body};
use sender::{Accepted, Dispatch, Provider, SendError};
use serde_json::{Value, json};
use trigger::{Action, ContactKey, CrmEntry};

const CONTACTS: &str = "/crm/v3/objects/contacts/batch/upsert";
const TIMELINE: &str = "/crm/v3/timeline/events";

/// Where HubSpot is, unless the secret says otherwise.
const HUBSPOT: &str = "https://api.hubapi.com";

/// HubSpot's own ways of saying "later": too much at once for one kind of record, and an account that is being moved.
const LATER: [u16; 2] = [423, 477];

/// Some parts of a batch were taken, others were not. A batch of ours has one part.
const PARTLY: u16 = 207;

/// HubSpot, with the secret `{"base_url": …, "token": …}`.
#[derive(Debug)]
pub struct HubSpot {
    pub caller: Caller,
}

/// What is written, ready to be handed over.
pub struct Entry {
    path: &'static str,
    body: Bytes,
    delivery: String,
}

impl HubSpot {
    fn request(secret: &str, entry: &Entry) -> Result<Request, SendError> {
        let unavailable = |cause: &str| SendError::Unavailable { cause: cause.to_owned() };
        let access: Value = serde_json::from_str(secret).map_err(|_| unavailable("secret_malformed"))?;
        let text = |name: &str| access.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let token = text("token").ok_or_else(|| unavailable("token_missing"))?;
        let base = text("base_url").unwrap_or(HUBSPOT).trim_end_matches('/');
        Ok(Request {
            address: Address::parse(&format!("{base}{}", entry.path)).map_err(|_| unavailable("address_refused"))?,
            headers: vec![("authorization", format!("Bearer {token}")), ("idempotency-key", entry.delivery.clone())],
            body: entry.body.clone(),
        })
    }
}

impl Provider for HubSpot {
    type Content = Entry;

    const LONGEST_CALL_MILLIS: i64 = Caller::LONGEST_CALL_MILLIS;

    fn follows_profile(&self, action: &Action) -> bool {
        let Action::Crm(action) = action else { return false };
        match action.entry() {
            CrmEntry::Contact { .. } => true,
            CrmEntry::Timeline { .. } => false,
        }
    }

    fn build(&self, dispatch: &Dispatch<'_>) -> Result<Entry, Outcome> {
        let Action::Crm(action) = dispatch.action else { return Err(Outcome::Failed { cause: "wrong_channel".to_owned() }) };
        let email = || dispatch.customer.email().ok_or(Outcome::Refused(Reason::NoAddress));
        let delivery = dispatch.message.delivery.to_string();
        let (path, value) = match action.entry() {
            CrmEntry::Contact { by, properties } => {
                let (property, id) = match by {
                    ContactKey::Email => ("email", email()?.expose().to_owned()),
                    ContactKey::Property(name) => (name.as_str(), dispatch.message.customer.as_str().to_owned()),
                };
                let properties = cleared(dispatch.rendered(properties)?);
                (CONTACTS, json!({ "inputs": [{ "idProperty": property, "id": id, "properties": properties }] }))
            }
            CrmEntry::Timeline { template, tokens } => {
                let event = json!({
                    "eventTemplateId": template,
                    "email": email()?.expose(),
                    "tokens": dispatch.rendered(tokens)?,
                    "id": delivery,
                    "timestamp": dispatch.context.event.get("time"),
                });
                (TIMELINE, event)
            }
        };
        Ok(Entry { path, body: body(&value)?, delivery })
    }

    async fn send(&self, entry: Entry) -> Result<Accepted, SendError> {
        meaning(self.caller.call(|secret| Self::request(secret, &entry)).await?, &entry.delivery)
    }
}

/// A property is cleared by an empty text; a null would leave it as it is.
fn cleared(mut properties: Value) -> Value {
    for value in properties.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()).filter(|value| value.is_null()) {
        *value = Value::String(String::new());
    }
    properties
}

/// What HubSpot's answer says about a delivery.
///
/// # Errors
/// It was not taken.
pub fn meaning(answer: Answer, delivery: &str) -> Result<Accepted, SendError> {
    if LATER.contains(&answer.status()) {
        return Err(answer.throttled());
    }
    let answer = answer.taken()?;
    let said = answer.json();
    let part = |path: &str| said.as_ref().and_then(|said| said.pointer(path));
    if answer.status() == PARTLY && part("/results/0").is_none() {
        // A success in name only: HubSpot found fault with the one contact that it was given.
        return Err(SendError::Rejected { cause: "http_207".to_owned() });
    }
    Ok(accepted(part("/results/0/id").or_else(|| part("/id")), delivery))
}
