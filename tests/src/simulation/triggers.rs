//! The triggers of a run, which an operator changes while records are under way.

use std::collections::BTreeMap;

use aws::{StoredTemplate, Triggers};
use event::Time;
use trigger::{Bundle, BundleEntry, Exposure, Mode, Published, Version};

/// What is in force at first.
const FIRST: [&str; 8] = [
    "trigger: thanks\non: order.completed\nthen:\n  - email: { template: mail, class: transactional, valid_for: 30m }\n",
    "trigger: offer\non: order.completed\nwhen:\n  event: { total: [{ numeric: [\">=\", 50] }] }\nthen:\n  - email: { template: mail, class: marketing, valid_for: 25m }\n",
    "trigger: welcome\non: customer.signed_up\nthen:\n  - id: mail\n    email: { template: mail, class: marketing, valid_for: 40m }\n  - id: text\n    sms: { template: text, class: marketing, valid_for: 30m }\n",
    "trigger: code\non: login.succeeded\nthen:\n  - sms: { template: text, class: transactional, valid_for: 2m }\n",
    "trigger: contact\non: [customer.updated, customer.signed_up]\nthen:\n  - crm: { contact: { by: email, properties: { n: \"{{ customer.traits.n | default(0) }}\" } }, valid_for: 1h }\n",
    "trigger: loyal\non: order.completed\nwhen:\n  history: [{ event: order.completed, within: 30d, at_least: 3 }]\nthen:\n  - email: { template: mail, class: transactional, valid_for: 30m }\n",
    "trigger: made-up-for\non: [email.failed, email.expired, email.bounced]\nthen:\n  - sms: { template: text, class: transactional, valid_for: 30m }\n",
    "trigger: doubtful\non: [email.unknown, email.opened]\nthen:\n  - crm: { contact: { by: email, properties: { n: \"1\" } }, valid_for: 45m }\n",
];

/// What an operator makes of them: another threshold, another step, another priority, another type.
const SECOND: [&str; 8] = [
    "trigger: thanks\non: order.completed\npriority: 90\nthen:\n  - email: { template: mail, class: transactional, valid_for: 30m }\n",
    "trigger: offer\non: order.completed\nwhen:\n  event: { total: [{ numeric: [\">=\", 10] }] }\nthen:\n  - email: { template: mail, class: marketing, valid_for: 25m }\n",
    "trigger: welcome\non: customer.signed_up\nthen:\n  - id: mail\n    email: { template: mail, class: marketing, valid_for: 40m }\n",
    "trigger: code\non: [login.succeeded, order.completed]\nthen:\n  - sms: { template: text, class: transactional, valid_for: 3m }\n",
    FIRST[4],
    "trigger: loyal\non: order.completed\nwhen:\n  history: [{ event: order.completed, within: 30d, at_least: 2 }]\nthen:\n  - email: { template: mail, class: transactional, valid_for: 30m }\n",
    FIRST[6],
    FIRST[7],
];

/// One set of definitions and how each stands.
#[derive(Debug, Clone)]
pub struct Edition {
    /// Whether the definitions are the second ones.
    pub second: bool,
    /// Triggers that are paused, by their place.
    pub paused: Option<usize>,
    pub marketing_stopped: bool,
}

/// Puts an edition into force, as `triggers apply` does.
pub async fn apply(triggers: &Triggers, edition: &Edition, now: Time, margin_millis: i64) -> Result<(), aws::StoreError> {
    let mail =
        StoredTemplate { subject: Some("Hello".to_owned()), text: Some("Hi {{ customer.id }}".to_owned()), ..StoredTemplate::default() };
    let text = StoredTemplate { sms: Some("Hi {{ customer.id }}".to_owned()), ..StoredTemplate::default() };
    for template in [&mail, &text] {
        triggers.put_template(template).await?;
    }
    let mut entries = Vec::new();
    for (place, source) in if edition.second { SECOND } else { FIRST }.into_iter().enumerate() {
        let trigger = trigger::parse(
            &format!("{}.yaml", source.lines().next().and_then(|line| line.strip_prefix("trigger: ")).unwrap_or_default()),
            source,
        )
        .unwrap_or_else(|problems| panic!("{problems:?}"));
        let hash = |name: &trigger::TemplateName| if name.as_str() == "mail" { mail.hash() } else { text.hash() };
        let templates: BTreeMap<_, _> = trigger.templates().into_iter().map(|name| (name.clone(), hash(name))).collect();
        let changed = edition.second && source != FIRST[place];
        let version = Version::new(if changed { 2 } else { 1 }).expect("a version");
        triggers.publish(&Published { trigger: trigger.clone(), version, templates: templates.clone() }).await?;
        let mut exposure = Exposure::FULL;
        if edition.paused == Some(place) {
            exposure.mode = Mode::Paused;
        }
        entries.push(BundleEntry { trigger, version, exposure, declared: Exposure::FULL, templates });
    }
    let head = triggers.head().await?;
    let bundle = triggers.put_bundle(&entries.into_iter().collect::<Bundle>()).await?;
    let next = head.with_next(bundle, "", now, margin_millis);
    let next = if next.newest().is_some_and(|newest| newest.marketing_stopped) == edition.marketing_stopped {
        next
    } else {
        next.with_marketing(edition.marketing_stopped, now, margin_millis).unwrap_or(next)
    };
    triggers.flip(&head, &next).await
}
