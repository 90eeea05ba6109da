//! The triggers: immutable leaves, and one head that is flipped on a condition.

use std::collections::BTreeMap;

use aws::{StoreError, StoredTemplate};
use blob::ContentHash;
use event::Time;
use trigger::{Bundle, BundleEntry, Exposure, Head, Published, Trigger, TriggerName, Version};

use crate::local::{now, run, triggers};

fn welcome(name: &str, description: &str) -> Trigger {
    let text = format!(
        "trigger: {name}\ndescription: {description}\non: customer.signed_up\nthen:\n  - email: {{ template: welcome, class: transactional }}\n"
    );
    trigger::parse(&format!("{name}.yaml"), &text).expect("a valid trigger")
}

fn published(trigger: Trigger, version: u32) -> Published {
    Published { trigger, version: Version::new(version).expect("a version"), templates: BTreeMap::new() }
}

/// A description that does not compress.
fn noise(seed: u32) -> String {
    (0..30_u32).map(|part| ContentHash::of(&[&seed.to_be_bytes(), &part.to_be_bytes()]).to_string()).collect()
}

#[test]
fn the_head_is_flipped_by_whoever_comes_first() {
    run(async |stack| {
        let triggers = triggers(stack).await;
        let next = |head: &Head, note| head.with_next(ContentHash::of(&[b"bundle"]), note, Time::from_millis(1), 0);
        let nothing = triggers.head().await.unwrap();
        assert_eq!(nothing, Head::default());
        let first = next(&nothing, "first");
        triggers.flip(&nothing, &first).await.unwrap();
        assert!(matches!(triggers.flip(&nothing, &next(&nothing, "late")).await, Err(StoreError::Conflict { .. })));
        triggers.flip(&first, &next(&first, "second")).await.unwrap();
        assert!(matches!(triggers.flip(&first, &next(&first, "late")).await, Err(StoreError::Conflict { .. })));
        assert_eq!(triggers.head().await.unwrap().newest().unwrap().note, "second");
    });
}

#[test]
fn a_flip_whose_answer_was_lost_is_no_conflict_when_it_is_tried_again() {
    run(async |stack| {
        let triggers = triggers(stack).await;
        let head = Head::default().with_next(ContentHash::of(&[b"bundle"]), "first", now(), 0);
        triggers.flip(&Head::default(), &head).await.unwrap();
        triggers.flip(&Head::default(), &head).await.unwrap();
    });
}

#[test]
fn a_bundle_is_one_whatever_the_number_of_its_pieces() {
    run(async |stack| {
        let triggers = triggers(stack).await;
        let entry = |number| BundleEntry {
            trigger: welcome(&format!("welcome-{number}"), &noise(number)),
            version: Version::FIRST,
            exposure: Exposure::FULL,
            declared: Exposure::FULL,
            templates: BTreeMap::new(),
        };
        for count in [0, 1, 800] {
            let bundle: Bundle = (0..count).map(entry).collect();
            let pieces = bundle.seal().1.len();
            assert_eq!(pieces > 1, count == 800, "{pieces}");
            let hash = triggers.put_bundle(&bundle).await.unwrap();
            triggers.put_bundle(&bundle).await.unwrap();
            assert!(triggers.bundle(hash).await.unwrap() == bundle, "{count}");
        }
        let error = triggers.bundle(ContentHash::of(&[b"other"])).await.unwrap_err().to_string();
        assert_eq!(error, "a bundle of triggers cannot be read: chunk 0 is missing");
    });
}

#[test]
fn a_version_is_never_written_over() {
    run(async |stack| {
        let triggers = triggers(stack).await;
        let name = TriggerName::parse("welcome").unwrap();
        assert_eq!(triggers.version(&name, Version::FIRST).await.unwrap(), None);
        assert_eq!(triggers.newest(&name).await.unwrap(), None);
        let first = published(welcome("welcome", "first"), 1);
        triggers.publish(&first).await.unwrap();
        triggers.publish(&first).await.unwrap();
        let other = published(welcome("welcome", "other"), 1);
        assert!(matches!(triggers.publish(&other).await, Err(StoreError::Conflict { .. })));
        assert_eq!(triggers.version(&name, Version::FIRST).await.unwrap().as_ref(), Some(&first));
    });
}

#[test]
fn the_newest_version_is_the_highest_number() {
    run(async |stack| {
        let triggers = triggers(stack).await;
        for version in [2, 10, 9] {
            triggers.publish(&published(welcome("welcome", &format!("version {version}")), version)).await.unwrap();
        }
        triggers.publish(&published(welcome("welcome-2", "another"), 11)).await.unwrap();
        let newest = triggers.newest(&TriggerName::parse("welcome").unwrap()).await.unwrap().unwrap();
        assert_eq!((newest.version.get(), newest.trigger.description()), (10, Some("version 10")));
    });
}

#[test]
fn a_template_is_found_by_its_content() {
    run(async |stack| {
        let triggers = triggers(stack).await;
        let template = StoredTemplate { subject: Some("Hello".to_owned()), text: Some("Hi".to_owned()), ..StoredTemplate::default() };
        triggers.put_template(&template).await.unwrap();
        assert_eq!(triggers.template(template.hash()).await.unwrap(), template);
        let error = triggers.template(ContentHash::of(&[b"other"])).await.unwrap_err().to_string();
        assert_eq!(error, "a template cannot be read: it is missing");
    });
}
