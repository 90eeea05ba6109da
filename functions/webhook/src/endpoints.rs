//! The provider of the channel webhook: signed calls of the stack's endpoints. The delivery's id is the call's id, by which
//! an endpoint knows a call that it had before.

use aws::Clock;
use decision::Outcome;
use https::{Address, Bytes, Caller, Request, accepted, body};
use sender::{Accepted, Dispatch, Provider, Scope, SendError};
use serde_json::{Value, json};
use trigger::{Action, EndpointName};

use crate::signature::signature;

/// The stack's endpoints, with the secret `{"<endpoint>": {"url": …, "secret": "whsec_…"}, …}`.
#[derive(Debug)]
pub struct Endpoints {
    pub caller: Caller,
    pub clock: Clock,
}

/// A call, ready to be made.
pub struct Call {
    endpoint: EndpointName,
    body: Bytes,
    delivery: String,
}

impl Endpoints {
    fn request(&self, secret: &str, call: &Call) -> Result<Request, SendError> {
        let unavailable = |cause: &str| SendError::Unavailable { cause: cause.to_owned() };
        let endpoints: Value = serde_json::from_str(secret).map_err(|_| unavailable("secret_malformed"))?;
        // Whoever runs the stack may still add it. Until then what goes there waits.
        let endpoint = endpoints.get(call.endpoint.as_str()).ok_or_else(|| unavailable("endpoint_unknown"))?;
        let text = |name: &str| endpoint.get(name).and_then(Value::as_str).unwrap_or_default();
        let address = Address::parse(text("url")).map_err(|_| unavailable("address_refused"))?;
        let timestamp = self.clock.now().millis().div_euclid(1_000);
        let signature = signature(text("secret"), &call.delivery, timestamp, &call.body).ok_or_else(|| unavailable("secret_malformed"))?;
        let headers =
            vec![("webhook-id", call.delivery.clone()), ("webhook-timestamp", timestamp.to_string()), ("webhook-signature", signature)];
        Ok(Request { address, headers, body: call.body.clone() })
    }
}

impl Provider for Endpoints {
    type Content = Call;

    const LONGEST_CALL_MILLIS: i64 = Caller::LONGEST_CALL_MILLIS;

    /// The endpoints are systems of their own: one that is down stops none of the others.
    fn scope(&self, call: &Call) -> Scope {
        Scope::Endpoint(call.endpoint.clone())
    }

    fn build(&self, dispatch: &Dispatch<'_>) -> Result<Call, Outcome> {
        let Action::Webhook(action) = dispatch.action else { return Err(Outcome::Failed { cause: "wrong_channel".to_owned() }) };
        let event = &dispatch.context.event;
        let data = match action.payload() {
            Some(payload) => dispatch.rendered(payload)?,
            None => json!({ "event": event, "customer": { "id": dispatch.message.customer.as_str() } }),
        };
        let value = json!({ "type": event.get("type"), "timestamp": event.get("time"), "data": data });
        Ok(Call { endpoint: action.endpoint().clone(), body: body(&value)?, delivery: dispatch.message.delivery.to_string() })
    }

    async fn send(&self, call: Call) -> Result<Accepted, SendError> {
        let answer = self.caller.call(|secret| self.request(secret, &call)).await?.taken()?;
        Ok(accepted(answer.json().as_ref().and_then(|said| said.get("id")), &call.delivery))
    }
}
