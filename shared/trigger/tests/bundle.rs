//! What is stored of checked triggers, and read again.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

use std::collections::BTreeMap;

use blob::{ContentHash, Fields};
use proptest::prelude::*;
use serde_json::json;
use trigger::{
    Bundle, BundleEntry, BundleError, Exposure, Mode, Published, Rollout, TemplateName, Trigger, TriggerName, Version, from_definition,
    parse,
};

const GOLDEN: &[u8] = include_bytes!("data/bundle-format-1.bin");
const GOLDEN_PUBLISHED: &[u8] = include_bytes!("data/published-format-1.bin");
const LARGEST: usize = 128 << 20;

fn trigger(name: &str, description: &str) -> Trigger {
    let definition = json!({
        "trigger": name, "description": description, "on": "order.completed",
        "when": {"event": {"total": [{"numeric": [">=", 50.0]}]}},
        "then": [{"email": {"template": "thanks", "class": "marketing"}}, {"email": {"template": "receipt", "class": "transactional"}}],
    });
    from_definition(&definition.to_string()).unwrap()
}

fn templates(trigger: &Trigger, content: u8) -> BTreeMap<TemplateName, ContentHash> {
    trigger.templates().into_iter().map(|name| (name.clone(), ContentHash::of(&[&[content]]))).collect()
}

fn exposure(mode: Mode, basis_points: u16) -> Exposure {
    Exposure { mode, rollout: Rollout::from_basis_points(basis_points).unwrap() }
}

fn entry(name: &str, version: u32, exposure: Exposure, declared: Exposure) -> BundleEntry {
    let trigger = trigger(name, "Says thanks.");
    let templates = templates(&trigger, 1);
    BundleEntry { trigger, version: Version::new(version).unwrap(), exposure, declared, templates }
}

fn known() -> Bundle {
    let other = entry("offer", 3, exposure(Mode::Paused, 0), exposure(Mode::Shadow, 1_050));
    Bundle::from_iter([entry("thanks", 1, Exposure::FULL, Exposure::FULL), other])
}

fn published() -> Published {
    let trigger = trigger("thanks", "Says thanks.");
    Published { version: Version::new(2).unwrap(), templates: templates(&trigger, 1), trigger }
}

/// The stored form, its pieces joined.
fn sealed(bundle: &Bundle) -> Vec<u8> {
    bundle.seal().1.concat()
}

#[test]
fn the_first_formats_are_read_for_ever() {
    assert_eq!(Bundle::open(GOLDEN).unwrap(), known());
    assert_eq!(Published::open(GOLDEN_PUBLISHED).unwrap(), published());
}

#[test]
fn the_first_formats_are_written_as_they_were() {
    // Unpacked, since another version of the compressor may pack it otherwise.
    let content = |blob: &[u8]| blob::open(blob, 1, LARGEST).unwrap();
    assert_eq!(content(&sealed(&known())), content(GOLDEN));
    assert_eq!(content(&published().seal()), content(GOLDEN_PUBLISHED));
    assert_eq!(known().seal().0.to_string(), "c5cd73d2d05cc93966b57e3042152361");
}

#[test]
fn what_a_newer_version_added_outlives_a_change_of_mode() {
    let (format, content) = blob::open(GOLDEN, 1, LARGEST).unwrap();
    let mut fields = Fields::parse(&content).unwrap();
    let mut entries: Vec<Fields> = fields.take(1).unwrap();
    entries.iter_mut().for_each(|entry| entry.put(99, &"of one".to_owned()));
    fields.put(1, &entries);
    fields.put(98, &"of all".to_owned());

    let mut bundle = Bundle::open(&blob::seal(format, &fields.to_bytes())).unwrap();
    bundle.get_mut(&TriggerName::parse("thanks").unwrap()).unwrap().exposure = exposure(Mode::Shadow, 1);
    let (_, content) = blob::open(&sealed(&bundle), 1, LARGEST).unwrap();
    let mut fields = Fields::parse(&content).unwrap();
    assert_eq!(fields.take::<String>(98), Ok("of all".to_owned()));
    let entries: Vec<Fields> = fields.take(1).unwrap();
    for mut entry in entries {
        let name: String = entry.take(1).unwrap();
        assert_eq!(entry.take::<String>(99), Ok("of one".to_owned()), "{name}");
        assert_eq!(entry.take::<String>(4).as_deref(), Ok(if name == "thanks" { "shadow" } else { "paused" }));
    }
}

#[test]
fn a_field_that_cannot_be_read_is_named() {
    let refused = |number: u32, value: &str| {
        let (_, content) = blob::open(GOLDEN, 1, LARGEST).unwrap();
        let mut fields = Fields::parse(&content).unwrap().take::<Vec<Fields>>(1).unwrap().remove(0);
        fields.put(number, &value.to_owned());
        let mut bundle = Fields::default();
        bundle.put(1, &vec![fields]);
        Bundle::open(&blob::seal(1, &bundle.to_bytes())).unwrap_err()
    };
    assert!(matches!(refused(3, "{}"), BundleError::Definition(_)));
    assert!(matches!(refused(4, "asleep"), BundleError::Field { field: "mode" }));
    assert!(matches!(refused(6, "asleep"), BundleError::Field { field: "mode" }));
    assert!(matches!(refused(5, "all"), BundleError::Blob(_)));
}

#[test]
fn a_large_bundle_comes_in_pieces_that_fit_an_item_each() {
    // Hexadecimal digests pack to half: a thousand descriptions of 900 of them need two pieces.
    let description =
        |number: u32| -> String { (0..28).map(|part| ContentHash::of(&[&number.to_be_bytes(), &[part]]).to_string()).collect() };
    let bundle: Bundle = (0..1_000)
        .map(|number| BundleEntry {
            trigger: trigger(&format!("t-{number}"), &description(number)),
            ..entry("t", 1, Exposure::FULL, Exposure::FULL)
        })
        .collect();
    let (hash, pieces) = bundle.seal();
    let sizes: Vec<usize> = pieces.iter().map(Vec::len).collect();
    assert!(sizes.len() >= 2, "{sizes:?}");
    assert!(sizes.iter().rev().skip(1).all(|size| *size == 350_000) && sizes.last() <= Some(&350_000), "{sizes:?}");
    assert_eq!(Bundle::open(&pieces.concat()).unwrap(), bundle);
    assert_eq!(bundle.seal().0, hash);
    assert!(Bundle::open(&pieces[0]).is_err());
}

#[test]
fn a_version_is_made_by_the_definition_and_the_content_of_its_templates_alone() {
    let yaml = "# A comment.\ntrigger: thanks\non: order.completed\nthen:\n  - email: { template: thanks, class: marketing }\n";
    let json = r#"{"trigger":"thanks","on":"order.completed","then":[{"email":{"template":"thanks","class":"marketing"}}]}"#;
    let other = yaml.replace("marketing", "transactional");
    let [yaml, json, other] = [yaml, json, &other].map(|text| parse("thanks.yaml", text).unwrap());
    let content = |trigger: &Trigger, templates: &[(&str, u8)]| {
        let templates = templates.iter().map(|(name, content)| (TemplateName::parse(name).unwrap(), ContentHash::of(&[&[*content]])));
        Published::content(trigger, &templates.collect())
    };
    let first = content(&yaml, &[("thanks", 1)]);
    assert_eq!(content(&json, &[("thanks", 1)]), first);
    assert_eq!(content(&json, &[("b", 2), ("a", 1)]), content(&yaml, &[("a", 1), ("b", 2)]));
    assert_ne!(content(&other, &[("thanks", 1)]), first);
    assert_ne!(content(&yaml, &[("thanks", 2)]), first);
    assert_ne!(content(&yaml, &[("thank", 1)]), first);
    assert_ne!(content(&yaml, &[("thanks", 1), ("more", 1)]), first);
    assert_ne!(content(&yaml, &[]), first);
}

fn entries() -> impl Strategy<Value = Vec<BundleEntry>> {
    let exposures = || (prop::sample::select(Mode::ALL.to_vec()), 0..=10_000_u16).prop_map(|(mode, share)| exposure(mode, share));
    let entry = (1..u32::MAX, exposures(), exposures(), ".{0,30}", any::<u8>());
    prop::collection::btree_map("[a-z][a-z0-9-]{0,12}", entry, 0..8).prop_map(|entries| {
        let entry = |(name, (version, exposure, declared, description, content)): (String, (u32, Exposure, Exposure, String, u8))| {
            let trigger = trigger(&name, &format!("x{}", description.escape_default()));
            BundleEntry { version: Version::new(version).unwrap(), exposure, declared, templates: templates(&trigger, content), trigger }
        };
        entries.into_iter().map(entry).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_triggers_are_read_as_they_were_sealed(entries in entries(), turn in 0..8_usize) {
        let bundle = Bundle::from_iter(entries.clone());
        prop_assert_eq!(&Bundle::open(&sealed(&bundle)).unwrap(), &bundle);
        for entry in &entries {
            let published = Published { trigger: entry.trigger.clone(), version: entry.version, templates: entry.templates.clone() };
            prop_assert_eq!(Published::open(&published.seal()).unwrap(), published);
        }
        let mut turned = entries;
        let middle = turn.min(turned.len());
        turned.rotate_left(middle);
        prop_assert_eq!(Bundle::from_iter(turned).seal().0, bundle.seal().0);
    }

    #[test]
    fn two_bundles_of_one_hash_are_one(some in entries(), others in entries()) {
        let (some, others) = (Bundle::from_iter(some), Bundle::from_iter(others));
        prop_assert_eq!(some == others, some.seal().0 == others.seal().0);
    }

    #[test]
    fn no_blob_panics(bytes: Vec<u8>) {
        let _ = Bundle::open(&bytes);
        let _ = Bundle::open(&blob::seal(1, &bytes));
        let _ = Published::open(&blob::seal(1, &bytes));
    }
}
