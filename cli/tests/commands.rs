//! The commands that need nothing running.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("cli/ lies in the workspace").to_owned()
}

fn triggers(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_triggers")).args(arguments).current_dir(root()).output().expect("the binary runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A folder of files, removed afterwards.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }
    folder
}

const WELCOME: &str = "trigger: welcome\non: customer.signed_up\nthen:\n  - email: { template: welcome, class: transactional }\n";

#[test]
fn the_samples_have_no_problem() {
    let output = triggers(&["check"]);
    insta::assert_snapshot!(stdout(&output), @"18 triggers, 14 templates: no problem");
    assert!(output.status.success());
}

#[test]
fn check_names_every_problem_of_every_file() {
    let folder = folder(&[
        ("triggers/welcome.yaml", WELCOME),
        (
            "triggers/late.yaml",
            "trigger: late\non: []\nthen:\n  - email: { template: none, class: marketing, valid_for: 6 hours }\nwhen: { event: { total: 5 } }\n",
        ),
        ("triggers/manifest.yaml", "triggers:\n  welcom: { mode: on }\n"),
        ("triggers/templates/welcome/subject.txt", "Hello {{ customer.traits.first_name }}"),
        ("triggers/templates/welcome/body.txt", "{{ event.data.nothing }} {{ who }}"),
        (
            "events/customer.signed_up.json",
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"customer.signed_up","time":"2026-01-01T00:00:00Z","subject":"c-1","data":{}}"#,
        ),
    ]);
    let at = folder.path().join("triggers");
    let output = triggers(&["check", "--triggers", &at.display().to_string()]);
    let text = stdout(&output).replace(&at.display().to_string(), "triggers");
    insta::assert_snapshot!(text);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn check_renders_each_template_with_the_samples() {
    let folder = folder(&[
        ("triggers/welcome.yaml", WELCOME),
        ("triggers/templates/welcome/subject.txt", "Hello"),
        ("triggers/templates/welcome/body.txt", "Your number is\n{{ event.data.number }}"),
        (
            "events/customer.signed_up.json",
            r#"{"specversion":"1.0","id":"1","source":"/s","type":"customer.signed_up","time":"2026-01-01T00:00:00Z","subject":"c-1","data":{}}"#,
        ),
    ]);
    let at = folder.path().join("triggers");
    let output = triggers(&["check", "--triggers", &at.display().to_string()]);
    let text = stdout(&output).replace(&at.display().to_string(), "triggers");
    insta::assert_snapshot!(text);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn match_answers_each_case_on_its_line() {
    let cases = concat!(
        r#"{"name":"fits","pattern":{"a":[{"numeric":[">=",50]}]},"event":{"a":80}}"#,
        "\n",
        r#"{"name":"does not","pattern":{"a":["x"]},"event":{"a":"y"}}"#,
        "\n\n",
        r#"{"name":"no pattern","pattern":{"a":[]},"event":{}}"#,
        "\n",
        "nonsense\n",
    );
    let folder = folder(&[("cases.jsonl", cases)]);
    let output = triggers(&["match", "--cases", &folder.path().join("cases.jsonl").display().to_string()]);
    insta::assert_snapshot!(stdout(&output));
    assert!(output.status.success());
}

#[test]
fn a_folder_that_is_not_there_is_named_with_the_remedy() {
    let output = triggers(&["check", "--triggers", "nowhere"]);
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr), @"error: nowhere is no folder; name the folder of your triggers with --triggers");
    assert_eq!(output.status.code(), Some(1));
}

const ORDER_TRIGGER: &str = "trigger: thanks\non: order.completed\nwhen: { history: [{ event: order.completed, within: 30d, at_least: 2 }] }\nthen:\n  - sms: { template: thanks, class: marketing }\n  - webhook: { endpoint: shop, payload: { total: \"{{ event.data.total }}\" } }\n";

fn order(id: &str, time: &str, data: &str) -> String {
    format!(r#"{{"specversion":"1.0","id":"{id}","source":"/s","type":"order.completed","time":"{time}","subject":"c-1","data":{data}}}"#)
}

#[test]
fn simulate_prints_a_line_for_each_decision() {
    let events = [
        order("1", "2026-03-01T10:00:00Z", r#"{"total":1,"customer":{"phone":"+491511234567"}}"#),
        order("2", "2026-03-31T10:00:00Z", r#"{"total":2}"#),
        order("3", "2026-05-30T10:00:00Z", r#"{"total":3}"#),
        "no json".to_owned(),
    ];
    let folder = folder(&[
        ("triggers/thanks.yaml", ORDER_TRIGGER),
        ("triggers/templates/thanks/sms.txt", "Thank you"),
        ("events.jsonl", &events.join("\n")),
    ]);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let output = triggers(&["simulate", "--triggers", &at("triggers"), "--events", &at("events.jsonl")]);
    insta::assert_snapshot!(stdout(&output));
    insta::assert_snapshot!("simulate notes", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success());
}

#[test]
fn preview_renders_each_step_into_a_file() {
    let event = order("1", "2026-03-01T10:00:00Z", r#"{"total":12.50}"#);
    let folder = folder(&[
        ("triggers/thanks.yaml", ORDER_TRIGGER),
        ("triggers/templates/thanks/sms.txt", "Thank you, {{ customer.traits.name }}"),
        ("event.json", &event),
        ("customer.json", r#"{"traits":{"name":"Ana"}}"#),
        ("broken.json", r#"{"email":5}"#),
    ]);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (dir, event, out) = (at("triggers"), at("event.json"), at("out"));
    let run = |customer: &str| {
        triggers(&["preview", "thanks", "--triggers", &dir, "--event", &event, "--customer", &at(customer), "--out", &out])
    };
    let output = run("customer.json");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_to_string(folder.path().join("out/thanks-0-sms.txt")).expect("a text message was rendered"), "Thank you, Ana");
    assert_eq!(
        fs::read_to_string(folder.path().join("out/thanks-1-payload.json")).expect("a payload was rendered"),
        "{\n  \"total\": 12.5\n}\n"
    );
    let output = run("broken.json");
    assert!(String::from_utf8_lossy(&output.stderr).contains("data.email must be an email address"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn check_finds_what_can_never_be_sent() {
    let trigger = |name: &str, step: &str| format!("trigger: {name}\non: order.completed\nthen:\n  - {step}\n");
    let folder = folder(&[
        ("triggers/a.yaml", &trigger("a", "email: { template: text-only, class: transactional }")),
        ("triggers/b.yaml", &trigger("b", "sms: { template: nowhere, class: transactional }")),
        ("triggers/c.yaml", &trigger("c", "webhook: { endpoint: x, payload: { a: \"{{ custmer.id }}\", b: [\"{% if %}\"] } }")),
        ("triggers/d.yaml", &trigger("d", "crm: { contact: { properties: { total: \"{{ event.data.nothing }}\" } } }")),
        ("triggers/e.yaml", "trigger: e\n"),
        ("triggers/manifest.yml", "triggers: {}\n"),
        ("triggers/templates/text-only/sms.txt", "Hi"),
        ("events/order.completed.json", &order("1", "2026-03-01T10:00:00Z", "{}")),
    ]);
    let at = folder.path().join("triggers");
    let output = triggers(&["check", "--triggers", &at.display().to_string()]);
    insta::assert_snapshot!(stdout(&output).replace(&at.display().to_string(), "triggers"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_folder_without_triggers_is_refused() {
    let folder = folder(&[("triggers/welcome.yaml", WELCOME)]);
    let output = triggers(&["check", "--triggers", &folder.path().display().to_string()]);
    let text = String::from_utf8_lossy(&output.stderr).replace(&folder.path().display().to_string(), "here");
    insta::assert_snapshot!(text, @"error: here has no trigger in it; did you mean here/triggers?");
    assert_eq!(output.status.code(), Some(1));
}
