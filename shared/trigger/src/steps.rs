//! The steps of a trigger's `then`.

use crate::action::{Action, EmailAction, MessageAction, SmsAction};
use crate::choice::{Channel, Class, SendPolicy};
use crate::definition::Step;
use crate::fields::{Fields, parsed};
use crate::mailbox::Mailbox;
use crate::names::{Purpose, SenderId, StepId, TemplateName};
use crate::problem::{Path, Problems, quoted};
use crate::quantity::Duration;
use crate::systems::{crm, webhook};
use crate::yaml::{Entry, Kind, Node};

const MAX_STEPS: usize = 20;
const EMAIL_FIELDS: &[&str] = &["template", "class", "purpose", "valid_for", "send", "from", "reply_to"];
const SMS_FIELDS: &[&str] = &["template", "class", "purpose", "valid_for", "send", "sender_id"];
const LONGEST_VALID_FOR: Duration = Duration::minutes(7 * 24 * 60);

/// The steps, each with its line.
pub(crate) fn steps(node: &Node, path: &Path, problems: &mut Problems) -> Option<Vec<(Step, usize)>> {
    let Kind::List(items) = &node.kind else {
        if node.kind != Kind::Refused {
            let message = format!("is {}; write a list of steps, each after a -", node.noun());
            problems.add(node.line, path, message);
        }
        return None;
    };
    if items.is_empty() {
        problems.add(node.line, path, "is empty; write at least one step");
        return None;
    }
    if items.len() > MAX_STEPS {
        let message = format!("has {} steps; {MAX_STEPS} is the limit, so split the trigger", items.len());
        problems.add(node.line, path, message);
    }
    let mut steps: Vec<(Step, usize)> = Vec::new();
    for (position, item) in items.iter().enumerate().take(MAX_STEPS) {
        let path = path.index(position);
        let Some(step) = step(item, &path, problems) else {
            continue;
        };
        if let Some(id) = &step.id
            && steps.iter().any(|(other, _)| other.id.as_ref() == Some(id))
        {
            let message = format!("{} names another step too; give each its own id", quoted(id.as_str()));
            problems.add(item.line, &path.field("id"), message);
        }
        steps.push((step, item.line));
    }
    (!steps.is_empty()).then_some(steps)
}

fn step(node: &Node, path: &Path, problems: &mut Problems) -> Option<Step> {
    let fields = Fields::open_any(node, path, "email, sms, crm or webhook and, if wanted, id", problems)?;
    let id = fields.parsed("id", StepId::parse, problems);
    let mut actions = Vec::new();
    for entry in fields.entries() {
        if entry.name == "id" {
            continue;
        }
        if let Some(action) = action(entry, path, problems) {
            actions.push((entry, action));
        }
    }
    let asked = fields.entries().iter().filter(|entry| entry.name != "id").count();
    if asked == 0 {
        problems.add(node.line, path, "does nothing; write an action, as in email: { … }");
    }
    if asked > 1 {
        problems.add(node.line, path, "has more than one field beside id; write one action in each step, each after a - of its own");
    }
    let action = actions.into_iter().next()?.1;
    Some(Step { id, action })
}

fn action(entry: &Entry, path: &Path, problems: &mut Problems) -> Option<Action> {
    let path = path.field(&entry.name);
    match Channel::parse(&entry.name) {
        Ok(Channel::Email) => email(&entry.value, &path, problems).map(Action::Email),
        Ok(Channel::Sms) => sms(&entry.value, &path, problems).map(Action::Sms),
        Ok(Channel::Crm) => crm(&entry.value, &path, problems).map(Action::Crm),
        Ok(Channel::Webhook) => webhook(&entry.value, &path, problems).map(Action::Webhook),
        Ok(Channel::Push) => {
            problems.add(entry.line, &path, "the channel push is not available yet; use email or sms");
            None
        }
        Err(_) => {
            let message = crate::problem::unknown("field", &entry.name, &["email", "sms", "crm", "webhook", "id"]);
            problems.add(entry.line, &path, message);
            None
        }
    }
}

fn email(node: &Node, path: &Path, problems: &mut Problems) -> Option<EmailAction> {
    let fields = Fields::open(node, path, EMAIL_FIELDS, problems)?;
    let message = message(&fields, problems);
    let from = fields.parsed("from", Mailbox::parse, problems);
    let reply_to = fields.parsed("reply_to", Mailbox::parse, problems);
    Some(EmailAction { message: message?, from, reply_to })
}

fn sms(node: &Node, path: &Path, problems: &mut Problems) -> Option<SmsAction> {
    let fields = Fields::open(node, path, SMS_FIELDS, problems)?;
    let message = message(&fields, problems);
    let sender_id = fields.parsed("sender_id", SenderId::parse, problems);
    Some(SmsAction { message: message?, sender_id })
}

fn message(fields: &Fields<'_>, problems: &mut Problems) -> Option<MessageAction> {
    let template = fields
        .required("template", "name the folder of a template, as in template: welcome", problems)
        .and_then(|node| parsed(node, &fields.path.field("template"), TemplateName::parse, problems));
    let class = fields
        .required(
            "class",
            "write class: marketing (advertising: sent only with the customer's consent) \
             or class: transactional (part of a service that was asked for: needs no consent)",
            problems,
        )
        .and_then(|node| parsed(node, &fields.path.field("class"), Class::parse, problems));
    let purpose = purpose(fields, class, problems);
    let valid_for = fields.parsed("valid_for", valid_for, problems);
    let send = fields.parsed("send", SendPolicy::parse, problems);
    let class = class?;
    Some(MessageAction {
        template: template?,
        class,
        purpose,
        valid_for: valid_for.unwrap_or(MessageAction::DEFAULT_VALID_FOR),
        send: send.unwrap_or(class.default_send()),
    })
}

fn purpose(fields: &Fields<'_>, class: Option<Class>, problems: &mut Problems) -> Option<Purpose> {
    let stated = fields.parsed("purpose", Purpose::parse, problems);
    match class {
        None => None,
        Some(Class::Marketing) => Some(stated.unwrap_or_else(Purpose::marketing)),
        Some(Class::Transactional) => {
            if let Some(entry) = fields.entry("purpose") {
                problems.add(
                    entry.line,
                    &fields.path.field("purpose"),
                    "a transactional message asks for no consent and so has no purpose; remove it, or make it class: marketing",
                );
            }
            None
        }
    }
}

pub(crate) fn valid_for(text: &str) -> Result<Duration, String> {
    let duration = Duration::parse(text).map_err(|error| error.to_string())?;
    if duration < Duration::minutes(1) || duration > LONGEST_VALID_FOR {
        return Err(format!("{} is out of bounds; write 1m to {LONGEST_VALID_FOR}", quoted(text)));
    }
    Ok(duration)
}
