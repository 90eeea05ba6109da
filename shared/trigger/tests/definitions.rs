//! What a valid definition gives.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use trigger::{Action, Channel, Class, SendPolicy, Trigger, from_definition, parse};

fn parsed(file: &str, text: &str) -> Trigger {
    parse(file, text).unwrap()
}

fn with_action(action: &str) -> Trigger {
    let text = format!("{{trigger: t, on: a.happened, then: [{{{action}}}]}}");
    parsed("t.yaml", &text)
}

const FULL: &str = r#"
# Comments and layout are free.
trigger: order-confirmation
description: >
  Confirms an order
  at once.
on: [order.completed, order.paid, order.completed]
when:
  event:
    total: [{ numeric: [">", 0.0] }]
  customer:
    traits: { country: [DE, "NO"] }
priority: 80
max_age: 2h
then:
  - id: mail
    email:
      template: order-confirmation
      class: transactional
      valid_for: 30m
      send: at_most_once
      from: Corner Shop <orders@example.com>
      reply_to: help@example.com
  - email: { template: tips, class: marketing, purpose: product_news }
"#;

#[test]
fn every_field_is_read() {
    let trigger = parsed("triggers/order-confirmation.yaml", FULL);
    assert_eq!(trigger.name().as_str(), "order-confirmation");
    assert_eq!(trigger.description(), Some("Confirms an order at once.\n"));
    let on: Vec<&str> = trigger.on().iter().map(|name| name.as_str()).collect();
    assert_eq!(on, ["order.completed", "order.paid"]);
    assert!(trigger.when_event().is_some());
    assert!(trigger.when_customer().is_some());
    assert_eq!(trigger.priority().get(), 80);
    assert_eq!(trigger.max_age().to_string(), "2h");
    let [first, second] = trigger.steps() else {
        panic!("two steps");
    };
    let action = first.action();
    let Action::Email(mail) = action else { panic!("the first step is a mail") };
    assert_eq!(mail.template().as_str(), "order-confirmation");
    assert_eq!(action.class(), Class::Transactional);
    assert_eq!(action.purpose(), None);
    assert_eq!(action.valid_for().to_string(), "30m");
    assert_eq!(action.send(), SendPolicy::AtMostOnce);
    assert_eq!(mail.from().unwrap().address(), "orders@example.com");
    assert_eq!(mail.reply_to().unwrap().address(), "help@example.com");
    assert_eq!(second.action().purpose().unwrap().as_str(), "product_news");
    let templates: Vec<&str> = trigger.templates().iter().map(|name| name.as_str()).collect();
    assert_eq!(templates, ["order-confirmation", "tips"]);
}

#[test]
fn what_is_left_out_has_its_default() {
    let trigger = with_action("email: { template: a, class: marketing }");
    assert_eq!(trigger.description(), None);
    assert!(trigger.when_event().is_none());
    assert!(trigger.when_customer().is_none());
    assert_eq!(trigger.priority().get(), 50);
    assert_eq!(trigger.max_age().to_string(), "24h");
    let action = trigger.steps()[0].action();
    assert_eq!(action.channel(), Channel::Email);
    assert_eq!(action.valid_for().to_string(), "24h");
}

#[test]
fn the_class_decides_the_purpose_and_the_send_policy() {
    let marketing = with_action("email: { template: a, class: marketing }");
    let action = marketing.steps()[0].action();
    assert_eq!(action.purpose().unwrap().as_str(), "marketing");
    assert_eq!(action.send(), SendPolicy::AtMostOnce);
    let transactional = with_action("email: { template: a, class: transactional }");
    let action = transactional.steps()[0].action();
    assert_eq!(action.purpose(), None);
    assert_eq!(action.send(), SendPolicy::AtLeastOnce);
}

#[test]
fn a_step_stands_at_its_id_or_its_position() {
    let trigger = parsed("triggers/order-confirmation.yaml", FULL);
    let places: Vec<String> = trigger.steps().iter().enumerate().map(|(position, step)| step.place(position)).collect();
    assert_eq!(places, ["mail", "1"]);
    assert_eq!(trigger.step_at("mail"), Some(&trigger.steps()[0]));
    assert_eq!(trigger.step_at("1"), Some(&trigger.steps()[1]));
    assert_eq!(trigger.step_at("0"), None);
}

#[test]
fn the_canonical_text_keeps_order_and_numbers_and_gives_an_equal_trigger() {
    let trigger = parsed("triggers/order-confirmation.yaml", FULL);
    insta::assert_snapshot!(trigger.definition(), @r#"{"trigger":"order-confirmation","description":"Confirms an order at once.\n","on":["order.completed","order.paid","order.completed"],"when":{"event":{"total":[{"numeric":[">",0.0]}]},"customer":{"traits":{"country":["DE","NO"]}}},"priority":80,"max_age":"2h","then":[{"id":"mail","email":{"template":"order-confirmation","class":"transactional","valid_for":"30m","send":"at_most_once","from":"Corner Shop <orders@example.com>","reply_to":"help@example.com"}},{"email":{"template":"tips","class":"marketing","purpose":"product_news"}}]}"#);
    let again = from_definition(trigger.definition()).unwrap();
    assert_eq!(again, trigger);
    assert_eq!(again.steps(), trigger.steps());
    assert_eq!(again.on(), trigger.on());
}

#[test]
fn layout_and_comments_do_not_change_the_canonical_text() {
    let one = parsed("t.yaml", "trigger: t\non: a.happened\nthen:\n  - email: { template: a, class: marketing } # now\n");
    let other = parsed("t.json", r#"{"trigger": "t", "on": "a.happened", "then": [{"email": {"template": "a", "class": "marketing"}}]}"#);
    assert_eq!(one, other);
}

#[test]
fn a_byte_order_mark_and_line_ends_of_windows_do_no_harm() {
    let plain = parsed("t.yaml", "trigger: t\non: a.happened\nthen:\n  - email: { template: a, class: marketing }\n");
    let windows = parsed("t.yaml", "\u{feff}trigger: t\r\non: a.happened\r\nthen:\r\n  - email: { template: a, class: marketing }\r\n");
    assert_eq!(plain, windows);
}
