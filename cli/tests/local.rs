//! The main job, as a person runs it: the real template, the real functions, the local AWS.

#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a helper that fails is a test that fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("cli/ lies in the workspace").to_owned()
}

fn local(arguments: &[&str], out: &Path) -> (Value, Output) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_triggers"));
    let output = command.args(["local", "--json", "--out"]).arg(out).args(arguments).current_dir(root()).output().expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    let summary = serde_json::from_str(last).unwrap_or_else(|_| panic!("no summary; {}", String::from_utf8_lossy(&output.stderr)));
    (summary, output)
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("a folder can be listed")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Deliveries by channel and refusals by reason, as `simulate` counts them.
fn simulated() -> (Value, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_triggers")).arg("simulate").current_dir(root()).output().expect("the binary runs");
    let mut deliveries = BTreeMap::<String, u64>::new();
    let mut refusals = BTreeMap::<String, u64>::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let decision: Value = serde_json::from_str(line).expect("each line is JSON");
        let counts = if decision["decision"] == "deliver" { &mut deliveries } else { &mut refusals };
        let name = decision[if decision["decision"] == "deliver" { "channel" } else { "reason" }].as_str().unwrap_or_default();
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    (json!(deliveries), json!(refusals))
}

#[test]
fn the_samples_end_in_mails_refusals_and_a_quarantine() {
    let out = tempfile::tempdir().expect("a folder can be made");
    let (mut summary, output) = local(&[], out.path());
    assert!(output.status.success());
    for latency in ["p50_ms", "p99_ms"] {
        assert!(summary[latency].take().as_i64().is_some_and(|millis| millis > 0), "{latency}");
    }
    // 322 lines, one of which is put again under its right key.
    assert_eq!(
        summary,
        json!({
            "events": 323, "archived": 315, "quarantined": 7, "matches": 619,
            "deliveries": { "email": 185, "sms": 29, "crm": 140, "webhook": 210 },
            "refused": 234,
            "refusals": {
                "erased": 7, "no_address": 17, "no_consent": 29, "no_match": 143, "paused": 6, "rollout": 8, "shadow": 18, "too_old": 6,
            },
            "failed": 0, "unknown": 0, "dead_letters": 0, "p50_ms": null, "p99_ms": null,
        })
    );
    assert_eq!(files(&out.path().join("mails")).len(), 185);
    assert_eq!(files(&out.path().join("customers")).len(), 48);
    let simulated = simulated();
    assert_eq!((&simulated.0, &simulated.1), (&summary["deliveries"], &summary["refusals"]), "simulate and local decide alike");
    let page = fs::read_to_string(out.path().join("index.html")).expect("the results are on one page");
    for text in ["loyalty-reward", "sms", "POST inventory", "invalid_profile"] {
        assert!(page.contains(text), "{text}");
    }
    let mail = fs::read_to_string(out.path().join("mails").join(&files(&out.path().join("mails"))[0])).expect("a mail can be read");
    assert!(mail.contains("@example."), "{mail}");
}

#[test]
fn ones_own_triggers_and_events_run_the_same_way() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    };
    write(
        "triggers/thanks.yaml",
        "trigger: thanks\non: [order.completed]\nwhen: { event: { total: [{ numeric: [\">=\", 50] }] } }\nthen:\n  - email: { template: thanks, class: transactional }\n  - id: second\n    email: { template: thanks, class: marketing }\n",
    );
    write("triggers/templates/thanks/subject.txt", "{{ event.data.total }}\nBcc: x@example.com");
    write("triggers/templates/thanks/body.html", "<p>{{ customer.traits.name }}</p>");
    let order = |id: &str, customer: &str, total: u32, traits: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"/s","type":"order.completed","time":"2026-03-01T10:00:00Z","subject":"{customer}","data":{{"total":{total},"customer":{{"email":"{customer}@example.com"{traits}}}}}}}"#
        )
    };
    let named = r#","traits":{"name":"<b>Ana & Bo</b>"}"#;
    let lines = [
        order("1", "a", 80, named),
        order("2", "b", 40, named),
        order("3", "c", 60, ""),
        order("1", "a", 80, named),
        "{\"half\":".to_owned(),
    ];
    write("events.jsonl", &lines.join("\n"));
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (summary, output) = local(&["--triggers", &at("triggers"), "--events", &at("events.jsonl")], &folder.path().join("out"));
    assert!(output.status.success());
    // Five records, and the system's own word that c's mail could not be rendered.
    assert_eq!((&summary["events"], &summary["archived"], &summary["quarantined"]), (&json!(6), &json!(5), &json!(1)));
    assert_eq!(summary["deliveries"], json!({ "email": 1, "sms": 0, "crm": 0, "webhook": 0 }));
    assert_eq!(summary["refusals"], json!({ "no_consent": 2, "template_error": 1 }));
    let mails = files(&folder.path().join("out/mails"));
    assert_eq!(mails, ["001-thanks-a.html"]);
    let mail = fs::read_to_string(folder.path().join("out/mails").join(&mails[0])).expect("a mail can be read");
    assert!(mail.contains("<b>80 Bcc: x@example.com</b>") && mail.contains("<p>&lt;b&gt;Ana &amp; Bo&lt;&#x2f;b&gt;</p>"), "{mail}");
    let timeline = fs::read_to_string(folder.path().join("out/customers/a.txt")).expect("a timeline can be read");
    assert!(timeline.contains("a repeat by its producer"), "{timeline}");
}

#[test]
fn triggers_with_problems_start_nothing() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::write(folder.path().join("x.yaml"), "trigger: y\n").expect("a file can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_triggers"));
    let output = command.args(["local", "--triggers"]).arg(folder.path()).current_dir(root()).output().expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("x.yaml:1: ") && text.contains("nothing was done"), "{text}");
}
