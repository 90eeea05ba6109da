//! The actions for the company's own systems: crm and webhook.

use pattern::Json;

use crate::action::{ContactKey, CrmAction, CrmEntry, DEFAULT_SYSTEM_VALID_FOR, WebhookAction};
use crate::fields::{Fields, parsed, text_of};
use crate::names::EndpointName;
use crate::problem::{Path, Problems};
use crate::steps::valid_for;
use crate::yaml::{Kind, Node};

const MOST_PROPERTIES: usize = 100;

pub(crate) fn crm(node: &Node, path: &Path, problems: &mut Problems) -> Option<CrmAction> {
    let fields = Fields::open(node, path, &["contact", "timeline", "valid_for"], problems)?;
    let valid_for = fields.parsed("valid_for", valid_for, problems).unwrap_or(DEFAULT_SYSTEM_VALID_FOR);
    let contact = fields.get("contact").map(|node| contact(node, &path.field("contact"), problems));
    let timeline = fields.get("timeline").map(|node| timeline(node, &path.field("timeline"), problems));
    match (contact, timeline) {
        (Some(entry), None) | (None, Some(entry)) => Some(CrmAction { entry: entry?, valid_for }),
        (None, None) | (Some(_), Some(_)) => {
            problems.add(
                node.line,
                path,
                "write contact (the customer's contact, brought up to date) or timeline (an event on it), one in each step",
            );
            None
        }
    }
}

fn contact(node: &Node, path: &Path, problems: &mut Problems) -> Option<CrmEntry> {
    let fields = Fields::open(node, path, &["by", "properties"], problems)?;
    let by = fields.parsed("by", contact_key, problems).unwrap_or(ContactKey::Email);
    let properties = fields
        .required("properties", "name what is written, as in properties: { firstname: \"{{ customer.traits.first_name }}\" }", problems)
        .and_then(|node| values(node, &path.field("properties"), problems));
    Some(CrmEntry::Contact { by, properties: properties? })
}

/// `email`, or the name of the property that holds the customer's id.
fn contact_key(text: &str) -> Result<ContactKey, String> {
    let good = !text.is_empty()
        && text.len() <= 100
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    match text {
        "email" => Ok(ContactKey::Email),
        property if good => Ok(ContactKey::Property(property.to_owned())),
        other => Err(format!(
            "{} is neither email nor the name of a property with unique values, such as customer_id",
            crate::problem::quoted(other)
        )),
    }
}

fn timeline(node: &Node, path: &Path, problems: &mut Problems) -> Option<CrmEntry> {
    let fields = Fields::open(node, path, &["template", "tokens"], problems)?;
    let template = fields
        .required("template", "name the id of the event template, as in template: \"1001298\"", problems)
        .and_then(|node| text_of(node, &path.field("template"), problems));
    let tokens = match fields.get("tokens") {
        Some(node) => values(node, &path.field("tokens"), problems)?,
        None => Json::Object(Vec::new()),
    };
    Some(CrmEntry::Timeline { template: template?.to_owned(), tokens })
}

pub(crate) fn webhook(node: &Node, path: &Path, problems: &mut Problems) -> Option<WebhookAction> {
    let fields = Fields::open(node, path, &["endpoint", "payload", "valid_for"], problems)?;
    let endpoint = fields
        .required("endpoint", "name one of the stack's endpoints, as in endpoint: inventory", problems)
        .and_then(|node| parsed(node, &path.field("endpoint"), EndpointName::parse, problems));
    let payload = fields.get("payload").and_then(|node| values(node, &path.field("payload"), problems));
    let valid_for = fields.parsed("valid_for", valid_for, problems).unwrap_or(DEFAULT_SYSTEM_VALID_FOR);
    Some(WebhookAction { endpoint: endpoint?, payload, valid_for })
}

/// A mapping whose texts are templates.
fn values(node: &Node, path: &Path, problems: &mut Problems) -> Option<Json> {
    match &node.kind {
        Kind::Mapping(entries) if entries.len() <= MOST_PROPERTIES => Some(node.to_json()),
        Kind::Mapping(entries) => {
            problems.add(node.line, path, format!("has {} entries; {MOST_PROPERTIES} is the limit", entries.len()));
            None
        }
        Kind::Refused => None,
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) => {
            problems.add(
                node.line,
                path,
                format!("is {}; write a mapping, as in {{ total: \"{{{{ event.data.total }}}}\" }}", node.noun()),
            );
            None
        }
    }
}
