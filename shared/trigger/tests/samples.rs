//! The repository's own triggers, manifest, templates and events fit together.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use trigger::{Manifest, Trigger, parse};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

fn triggers() -> Vec<Trigger> {
    files("triggers", "yaml")
        .iter()
        .filter(|path| !path.ends_with("manifest.yaml"))
        .map(|path| parse(path.to_str().unwrap(), &fs::read_to_string(path).unwrap()).unwrap())
        .collect()
}

#[test]
fn the_sample_manifest_names_sample_triggers() {
    let triggers = triggers();
    let names: Vec<_> = triggers.iter().map(Trigger::name).collect();
    let text = fs::read_to_string(root().join("triggers/manifest.yaml")).unwrap();
    Manifest::parse("manifest.yaml", &text, &names).unwrap();
}

#[test]
fn each_event_type_that_starts_a_sample_trigger_has_a_sample_event_of_one_customer() {
    let mut types = BTreeSet::new();
    let mut subjects = BTreeSet::new();
    for file in files("events", "json") {
        let event: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let kind = event["type"].as_str().unwrap().to_owned();
        assert_eq!(file.file_stem().unwrap().to_str(), Some(kind.as_str()));
        subjects.insert(event["subject"].as_str().unwrap().to_owned());
        types.insert(kind);
    }
    assert_eq!(subjects.len(), 1);
    for trigger in triggers() {
        for kind in trigger.on() {
            assert!(types.contains(kind.as_str()), "events/{kind}.json is missing");
        }
    }
}
