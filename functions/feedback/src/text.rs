//! What is said of a text message: by the delivery log of SNS, and by the events of AWS End User Messaging SMS.
//! <https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html>
//! <https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html>

use decision::FeedbackKind::{self, Bounced, Delivered, Rejected, Sent, SoftBounced, Unsubscribed};
use delivery::{SuppressionKind, Tags};
use event::Time;
use serde_json::Value;
use trigger::Channel;

use crate::fields::Fields;
use crate::{About, Said, Unreadable};

/// A carrier reports for three days at the longest.
const LONGEST_DWELL_MILLIS: i64 = 3 * 24 * 60 * 60 * 1000;

/// What SNS writes as `providerResponse` of a failure, what it says of the number, and its code in events.
const RESPONSES: [(&str, FeedbackKind, &str); 14] = [
    ("Blocked as spam by phone carrier", SoftBounced, "spam"),
    ("Destination is on a blocked list", Bounced, "blocked"),
    ("Invalid phone number", Bounced, "invalid"),
    ("Message body is invalid", Rejected, "invalid_message"),
    ("Phone carrier has blocked this message", SoftBounced, "carrier_blocked"),
    ("Phone carrier is currently unreachable/unavailable", SoftBounced, "carrier_unreachable"),
    ("Phone has blocked SMS", Bounced, "blocked"),
    ("Phone is on a blocked list", Bounced, "blocked"),
    ("Phone is currently unreachable/unavailable", SoftBounced, "unreachable"),
    ("Phone number is opted out", Unsubscribed, "opted_out"),
    ("This delivery would exceed max price", Rejected, "max_price"),
    ("No quota left for account", Rejected, "no_quota"),
    ("Unknown error attempting to reach phone", SoftBounced, "unknown"),
    // What it said of lists in earlier years.
    ("Phone is blacklisted", Bounced, "blocked"),
];

/// The event types of a text message, in the same way. What a carrier took and no phone confirmed counts as delivered once
/// it is final: many carriers confirm nothing.
const EVENTS: [(&str, FeedbackKind, &str); 16] = [
    ("TEXT_QUEUED", Sent, "queued"),
    ("TEXT_PENDING", Sent, "pending"),
    ("TEXT_SENT", Sent, "sent"),
    ("TEXT_SUCCESSFUL", Delivered, "successful"),
    ("TEXT_DELIVERED", Delivered, "delivered"),
    ("TEXT_INVALID", Bounced, "invalid"),
    ("TEXT_BLOCKED", Bounced, "blocked"),
    ("TEXT_CARRIER_BLOCKED", SoftBounced, "carrier_blocked"),
    ("TEXT_CARRIER_UNREACHABLE", SoftBounced, "carrier_unreachable"),
    ("TEXT_UNREACHABLE", SoftBounced, "unreachable"),
    ("TEXT_SPAM", SoftBounced, "spam"),
    ("TEXT_TTL_EXPIRED", SoftBounced, "ttl_expired"),
    ("TEXT_UNKNOWN", SoftBounced, "unknown"),
    ("TEXT_FAILED", SoftBounced, "unknown"),
    ("TEXT_INVALID_MESSAGE", Rejected, "invalid_message"),
    ("TEXT_PROTECT_BLOCKED", Rejected, "protect_blocked"),
];

/// A line of `sns/<region>/<account>/DirectPublishToPhoneNumber` or its `/Failure`.
pub(crate) fn of_sns(value: &Value) -> Result<Said, Unreadable> {
    let fields = Fields::new(value, "SNS delivery status");
    let provider_id = fields.text("/notification/messageId")?;
    let (kind, code) = match fields.text("/status")? {
        "SUCCESS" => (Delivered, None),
        "FAILURE" => {
            let response = fields.text("/delivery/providerResponse")?;
            let known = RESPONSES.iter().find(|(words, ..)| response.eq_ignore_ascii_case(words));
            // Words that are new say nothing of the number, so they suppress nothing.
            let (_, kind, code) = known.copied().unwrap_or(("", SoftBounced, "other"));
            (kind, Some(code))
        }
        _ => return Err(fields.missing("/status")),
    };
    // `2026-03-01 10:00:00.000`, when it was published; how long it took stands beside it.
    let published = fields.text("/notification/timestamp")?.replacen(' ', "T", 1);
    let published: Time = format!("{published}Z").parse().map_err(|_| fields.missing("/notification/timestamp"))?;
    let dwell = fields.get("/delivery/dwellTimeMs").and_then(Value::as_i64).unwrap_or_default();
    let at = published.plus(dwell.clamp(0, LONGEST_DWELL_MILLIS));
    Ok(said(About::TextMessage, kind, code, at, provider_id, fields.text("/delivery/destination")?))
}

/// An event of a configuration set of AWS End User Messaging. Its context has what the sender gave it.
pub(crate) fn of_end_user_messaging(value: &Value, kind: &str) -> Result<Said, Unreadable> {
    let (name, kind, code) = EVENTS.iter().find(|(name, ..)| kind == *name).copied().ok_or(Unreadable::UnknownKind)?;
    let fields = Fields::new(value, name);
    let is_final = fields.get("/isFinal").and_then(Value::as_bool).unwrap_or(true);
    let kind = if name == "TEXT_SUCCESSFUL" && !is_final { Sent } else { kind };
    let about = Tags::read(|name| fields.get("/context")?.get(name)?.as_str()).map_or(About::TextMessage, About::Delivery);
    let at = fields.get("/eventTimestamp").and_then(Value::as_i64).ok_or_else(|| fields.missing("/eventTimestamp"))?;
    let (provider_id, destination) = (fields.text("/messageId")?, fields.text("/destinationPhoneNumber")?);
    Ok(said(about, kind, Some(code), Time::from_millis(at), provider_id, destination))
}

fn said(about: About, kind: FeedbackKind, code: Option<&'static str>, at: Time, provider_id: &str, destination: &str) -> Said {
    let mut said = Said::new(about, Channel::Sms, kind, at, provider_id).with_word("response", code);
    match kind {
        Bounced => said.suppresses.push(SuppressionKind::Bounce),
        // AWS delivers nothing to a number that opted out, transactional messages included.
        Unsubscribed => {
            said.suppresses.push(SuppressionKind::Bounce);
            said.withdrawn.push(None);
        }
        Rejected => said.cause = code,
        _ => (),
    }
    if !said.suppresses.is_empty() {
        said.addresses.push(destination.to_owned());
    }
    said
}
