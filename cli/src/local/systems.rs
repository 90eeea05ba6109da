//! The company's own systems, played on this machine: a CRM and every webhook endpoint that a trigger names.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use testkit::{LocalStack, Received, Receiver};
use trigger::Action;

use super::results::Message;
use crate::project::Project;

/// The paths under which the receiver plays them.
const CRM: &str = "/crm";
const ENDPOINTS: &str = "/endpoints/";

/// A signing key of no value, in the form of Standard Webhooks.
const SIGNING_KEY: &str = "whsec_bG9jYWwgcnVucyBhcmUgc2lnbmVkIHdpdGggdGhpcw==";

/// Starts the receiver, and tells the stack's secrets where it is.
///
/// # Errors
/// No port is free, or a secret cannot be written.
pub async fn start(stack: &LocalStack, project: &Project) -> Result<Receiver> {
    let receiver = Receiver::start().await?;
    let url = receiver.url().trim_end_matches('/').to_owned();
    let steps = project.triggers.values().flat_map(trigger::Trigger::steps);
    let endpoints: BTreeMap<_, _> = steps
        .filter_map(|step| match step.action() {
            Action::Webhook(webhook) => Some(webhook.endpoint().as_str()),
            Action::Email(_) | Action::Sms(_) | Action::Crm(_) => None,
        })
        .map(|name| (name, json!({ "url": format!("{url}{ENDPOINTS}{name}"), "secret": SIGNING_KEY })))
        .collect();
    let crm = json!({ "base_url": format!("{url}{CRM}"), "token": "local" });
    let client = aws_sdk_secretsmanager::Client::new(stack.sdk_config());
    for (output, value) in [("CrmAccessSecret", crm), ("WebhookEndpointsSecret", json!(endpoints))] {
        let put = client.put_secret_value().secret_id(stack.outputs().get(output)?).secret_string(value.to_string());
        put.send().await.with_context(|| format!("cannot write the secret {output}"))?;
    }
    Ok(receiver)
}

/// What a request was about, as one of the run's messages.
pub fn message(request: &Received) -> Message {
    let endpoint = request.path.strip_prefix(ENDPOINTS);
    let text = serde_json::from_slice::<Value>(&request.body)
        .map_or_else(|_| String::from_utf8_lossy(&request.body).into_owned(), |value| format!("{value:#}"));
    Message {
        channel: if endpoint.is_some() { "webhook" } else { "crm" },
        // Both carry the delivery's id: webhooks as Standard Webhooks has it, the CRM as its idempotency key.
        id: request.header("webhook-id").or_else(|| request.header("idempotency-key")).unwrap_or_default().to_owned(),
        title: format!("{} {}", request.method, endpoint.unwrap_or(&request.path)),
        to: endpoint.unwrap_or("the CRM").to_owned(),
        text,
        html: None,
        from: String::new(),
    }
}
