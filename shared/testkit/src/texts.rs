//! The text messages that the local AWS took in the place of SNS.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::loopback;

/// A text message that would have been sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CapturedSms {
    /// The id that SNS gave it.
    pub message_id: String,
    /// The number.
    pub phone_number: String,
    /// The text.
    pub message: String,
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "sms_messages")]
    messages: BTreeMap<String, Vec<CapturedSms>>,
}

pub(crate) async fn captured(address: SocketAddr) -> Result<Vec<CapturedSms>> {
    let body = loopback::request(address, "GET", "/_ministack/sns/sms-messages").await?;
    let page: Page = serde_json::from_slice(&body).context("the local AWS lists its text messages in an unknown form")?;
    Ok(page.messages.into_values().flatten().collect())
}
