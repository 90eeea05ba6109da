//! The tags of a message: they lead back to its delivery, whatever the customer's id.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

use std::collections::BTreeMap;

use delivery::Tags;
use event::CustomerId;
use proptest::prelude::*;
use trigger::TriggerName;

fn tags(customer: &str) -> Option<Tags> {
    Some(Tags {
        delivery: "50b73ebcbb711ef86ab856bbde2833bb".parse().expect("an id"),
        trigger: TriggerName::parse("welcome").expect("a name"),
        customer: CustomerId::parse(customer).ok()?,
    })
}

fn read(pairs: &BTreeMap<&str, String>) -> Option<Tags> {
    Tags::read(|name| pairs.get(name).map(String::as_str))
}

#[test]
fn tags_never_change() {
    let pairs = tags("c-1").unwrap().pairs();
    let expected = [("delivery", "50b73ebcbb711ef86ab856bbde2833bb"), ("trigger", "welcome"), ("customer", "Yy0x")];
    assert_eq!(pairs, expected.map(|(name, value)| (name, value.to_owned())));
}

#[test]
fn the_longest_id_of_a_customer_takes_two_tags() {
    for (length, tags_needed) in [(192, 3), (193, 4), (256, 4)] {
        let tags = tags(&"x".repeat(length)).unwrap();
        let pairs: BTreeMap<_, _> = tags.pairs().into_iter().collect();
        assert_eq!(pairs.len(), tags_needed, "{length}");
        assert_eq!(read(&pairs), Some(tags));
    }
}

#[test]
fn what_others_write_into_tags_is_none_of_ours() {
    let ours: BTreeMap<_, _> = tags("c-1").unwrap().pairs().into_iter().collect();
    for (name, value) in [
        ("delivery", None),
        ("trigger", None),
        ("customer", None),
        ("delivery", Some("express")),
        ("trigger", Some("Welcome")),
        ("customer", Some("Yy0x=")),
        ("customer", Some("_w")),
        ("customer", Some("")),
        ("customer-rest", Some("?")),
    ] {
        let mut others = ours.clone();
        match value {
            Some(value) => others.insert(name, value.to_owned()),
            None => others.remove(name),
        };
        assert_eq!(read(&others), None, "{name} {value:?}");
    }
}

proptest! {
    #[test]
    fn every_id_comes_back_from_what_a_provider_takes(customer in ".{1,256}") {
        let Some(tags) = tags(&customer) else { return Ok(()) };
        let pairs: BTreeMap<_, _> = tags.pairs().into_iter().collect();
        for value in pairs.values() {
            prop_assert!((1..=256).contains(&value.len()));
            prop_assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
        }
        prop_assert_eq!(read(&pairs), Some(tags));
    }

    #[test]
    fn no_tag_panics(values in prop::collection::vec(prop::option::of(".{0,40}"), 4)) {
        let values: BTreeMap<_, _> = ["delivery", "trigger", "customer", "customer-rest"].into_iter().zip(values).collect();
        let _ = Tags::read(|name| values.get(name)?.as_deref());
    }
}
