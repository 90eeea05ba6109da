//! The mails that the local AWS took in the place of SES.
//!
//! Tags, headers, the reply-to address and the configuration set are not kept there: whoever wants to see those looks
//! at the request that the function makes.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::loopback;

/// A mail that would have been sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CapturedEmail {
    /// The id that SES gave it.
    pub message_id: String,
    /// The sender.
    pub source: String,
    /// The recipients.
    #[serde(default)]
    pub to: Vec<String>,
    /// The subject.
    #[serde(default)]
    pub subject: String,
    /// The plain text.
    #[serde(default)]
    pub body_text: Option<String>,
    /// The HTML.
    #[serde(default)]
    pub body_html: Option<String>,
    /// When it was taken, in seconds since 1970.
    #[serde(default)]
    pub timestamp: f64,
}

#[derive(Deserialize)]
struct Page {
    messages: BTreeMap<String, Vec<CapturedEmail>>,
}

pub(crate) async fn captured(address: SocketAddr) -> Result<Vec<CapturedEmail>> {
    let body = loopback::request(address, "GET", "/_ministack/ses/messages").await?;
    let page: Page = serde_json::from_slice(&body).context("the local AWS lists its mails in an unknown form")?;
    Ok(page.messages.into_values().flatten().collect())
}
