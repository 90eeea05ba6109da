//! The events that SES publishes of a mail.
//! <https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>

use decision::FeedbackKind;
use delivery::{SuppressionKind, Tags};
use serde_json::Value;
use trigger::{Channel, Purpose};

use crate::fields::Fields;
use crate::{About, Said, Unreadable};

/// A link that goes on into an event is no longer than this; browsers take little more.
const LONGEST_LINK: usize = 2_048;

pub(crate) fn of(value: &Value, kind: &str) -> Result<Said, Unreadable> {
    match kind {
        "Send" => said(Fields::new(value, "Send"), FeedbackKind::Sent, "/mail/timestamp"),
        "Delivery" => delivery(Fields::new(value, "Delivery")),
        "DeliveryDelay" => {
            let fields = Fields::new(value, "DeliveryDelay");
            let said = said(fields, FeedbackKind::Delayed, "/deliveryDelay/timestamp")?;
            Ok(said.with_word("delay_type", fields.word("/deliveryDelay/delayType")))
        }
        "Bounce" => bounce(Fields::new(value, "Bounce")),
        "Complaint" => complaint(Fields::new(value, "Complaint")),
        "Open" => said(Fields::new(value, "Open"), FeedbackKind::Opened, "/open/timestamp"),
        "Click" => click(Fields::new(value, "Click")),
        "Subscription" => subscription(Fields::new(value, "Subscription")),
        "Reject" => {
            let fields = Fields::new(value, "Reject");
            let said = said(fields, FeedbackKind::Rejected, "/mail/timestamp")?;
            Ok(Said { cause: Some("rejected_by_ses"), ..said.with_word("reason", fields.word("/reject/reason")) })
        }
        "Rendering Failure" => {
            let said = said(Fields::new(value, "Rendering Failure"), FeedbackKind::Rejected, "/mail/timestamp")?;
            Ok(Said { cause: Some("rendering_failure"), ..said.with("reason", "Rendering failure") })
        }
        _ => Err(Unreadable::UnknownKind),
    }
}

fn said(fields: Fields<'_>, kind: FeedbackKind, at: &'static str) -> Result<Said, Unreadable> {
    let tag = |name: &str| fields.get("/mail/tags")?.get(name)?.get(0)?.as_str();
    let about = Tags::read(tag).map_or(About::Nobody, About::Delivery);
    Ok(Said::new(about, Channel::Email, kind, fields.time(at)?, fields.text("/mail/messageId")?))
}

fn delivery(fields: Fields<'_>) -> Result<Said, Unreadable> {
    let said = said(fields, FeedbackKind::Delivered, "/delivery/timestamp")?;
    let millis = fields.get("/delivery/processingTimeMillis").and_then(Value::as_i64);
    Ok(match millis {
        Some(millis) => said.with("processing_ms", millis),
        None => said,
    })
}

/// Only what is permanent says something of the address. Automatic answers come as transient bounces, too.
fn bounce(fields: Fields<'_>) -> Result<Said, Unreadable> {
    let is_permanent = match fields.text("/bounce/bounceType")? {
        "Permanent" => true,
        "Transient" | "Undetermined" => false,
        _ => return Err(fields.missing("/bounce/bounceType")),
    };
    let kind = if is_permanent { FeedbackKind::Bounced } else { FeedbackKind::SoftBounced };
    let mut said = said(fields, kind, "/bounce/timestamp")?
        .with_word("bounce_type", fields.word("/bounce/bounceType"))
        .with_word("bounce_sub_type", fields.word("/bounce/bounceSubType"))
        .with_word("status", fields.word("/bounce/bouncedRecipients/0/status"));
    if is_permanent {
        said.suppresses.push(SuppressionKind::Bounce);
        said.addresses = addresses(fields, "/bounce/bouncedRecipients");
    }
    Ok(said)
}

/// Somebody who takes a mail out of the spam complains of nothing: that says no more than that there is such a mail.
fn complaint(fields: Fields<'_>) -> Result<Said, Unreadable> {
    if fields.word("/complaint/complaintFeedbackType") == Some("not-spam") {
        return said(fields, FeedbackKind::Sent, "/complaint/timestamp");
    }
    let mut said = said(fields, FeedbackKind::Complained, "/complaint/timestamp")?
        .with_word("complaint_type", fields.word("/complaint/complaintFeedbackType"))
        .with_word("complaint_sub_type", fields.word("/complaint/complaintSubType"));
    said.suppresses.push(SuppressionKind::Complaint);
    said.addresses = addresses(fields, "/complaint/complainedRecipients");
    Ok(said)
}

fn click(fields: Fields<'_>) -> Result<Said, Unreadable> {
    let link = fields.text("/click/link")?;
    let said = said(fields, FeedbackKind::Clicked, "/click/timestamp")?;
    // What stands behind the path is where shops put who somebody is.
    let shown = link.split(['?', '#']).next().filter(|shown| shown.len() <= LONGEST_LINK);
    let said = said.with_word("link", shown);
    let tags = fields.get("/click/linkTags").filter(|tags| tags.is_object() && tags.to_string().len() <= LONGEST_LINK);
    let said = if let Some(tags) = tags { said.with("link_tags", tags.clone()) } else { said };
    Ok(Said { link: Some(link.to_owned()), ..said })
}

/// What somebody opted out of, and was in before. Opting in is no consent here: that is for the company to ask for.
fn subscription(fields: Fields<'_>) -> Result<Said, Unreadable> {
    let said = said(fields, FeedbackKind::Unsubscribed, "/subscription/timestamp")?;
    let preferences = fields.get("/subscription/newTopicPreferences").filter(|preferences| preferences.is_object());
    let preferences = preferences.ok_or_else(|| fields.missing("/subscription/newTopicPreferences"))?;
    let withdrawn = if preferences.get("unsubscribeAll").and_then(Value::as_bool) == Some(true) {
        vec![None]
    } else {
        let before = opted_out(fields.get("/subscription/oldTopicPreferences"));
        let topics = opted_out(Some(preferences)).into_iter().filter(|topic| !before.contains(topic));
        let mut purposes: Vec<_> = topics.map(|topic| Purpose::parse(topic).ok()).collect();
        purposes.sort();
        purposes.dedup();
        // A topic that is no name of a purpose may be any of them.
        if purposes.contains(&None) { vec![None] } else { purposes }
    };
    if withdrawn.is_empty() {
        return Ok(Said { kind: FeedbackKind::Sent, ..said });
    }
    let named: Vec<_> = withdrawn.iter().flatten().map(Purpose::as_str).map(str::to_owned).collect();
    Ok(Said { withdrawn, addresses: addresses(fields, ""), ..said.with("purposes", named) })
}

fn opted_out(preferences: Option<&Value>) -> Vec<&str> {
    let topics = preferences.and_then(|preferences| preferences.get("topicSubscriptionStatus")).and_then(Value::as_array);
    let topics = topics.map(Vec::as_slice).unwrap_or_default();
    let is_out = |topic: &&Value| topic.get("subscriptionStatus").and_then(Value::as_str) == Some("OptOut");
    topics.iter().filter(is_out).filter_map(|topic| topic.get("topicName")?.as_str()).collect()
}

/// Whom the mail went to. A mail of this system has one recipient, and the address as it was sent is the one that the next
/// mail would go to; a report may name another, to which that one forwards.
fn addresses(fields: Fields<'_>, reported: &str) -> Vec<String> {
    let sent_to = fields.texts("/mail/destination", None);
    let addresses = if sent_to.len() == 1 { sent_to } else { fields.texts(reported, Some("emailAddress")) };
    addresses.into_iter().map(bare).filter(|address| !address.is_empty()).map(str::to_owned).collect()
}

/// `ana@example.com` of `Ana <ana@example.com>`.
fn bare(address: &str) -> &str {
    let address = address.rsplit_once('<').map_or(address, |(_, address)| address);
    address.split('>').next().unwrap_or(address).trim()
}
