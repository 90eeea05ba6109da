//! The commands that change a deployed stack: apply, mode, rollback.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use testkit::{LocalStack, Options, REGION};

struct Shell<'a> {
    stack: &'a LocalStack,
    folder: &'a Path,
}

impl Shell<'_> {
    fn triggers(&self, line: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_triggers"));
        command.args(line.split_whitespace()).args(["--stack", &Options::default().stack_name]).current_dir(self.folder);
        command.env("AWS_ENDPOINT_URL", self.stack.endpoint()).env("AWS_REGION", REGION);
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.output().expect("the binary runs")
    }

    /// What a command answered, without the times in it.
    fn answer(&self, line: &str) -> String {
        let output = self.triggers(line);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let no_times = text.split(' ').map(|word| if word.len() > 20 && word.starts_with("20") { "TIME" } else { word });
        no_times.collect::<Vec<_>>().join(" ").lines().filter(|line| !line.starts_with("comparing")).collect::<Vec<_>>().join("\n")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }
}

fn trigger(name: &str, valid_for: &str) -> String {
    format!(
        "trigger: {name}\non: order.completed\nthen:\n  - email: {{ template: thanks, class: transactional, valid_for: {valid_for} }}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn triggers_are_applied_paused_and_rolled_back() {
    let stack = LocalStack::start(Options::default(), &mut |_| ()).await.expect("the local stack starts");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let shell = Shell { stack: &stack, folder: folder.path() };
    shell.write("triggers/templates/thanks/subject.txt", "Thanks");
    shell.write("triggers/templates/thanks/body.txt", "Thank you");
    shell.write("triggers/one.yaml", &trigger("one", "1h"));
    shell.write("triggers/two.yaml", &trigger("two", "1h"));

    insta::assert_snapshot!("a dry run", shell.answer("apply --dry-run"));
    insta::assert_snapshot!("the first apply", shell.answer("apply"));
    insta::assert_snapshot!("nothing changed", shell.answer("apply"));

    // Comments and spaces are no change; the content of a template is.
    shell.write("triggers/one.yaml", &format!("# a comment\n{}", trigger("one", "1h")));
    insta::assert_snapshot!("a comment", shell.answer("apply"));
    shell.write("triggers/templates/thanks/body.txt", "Thank you!");
    fs::remove_file(folder.path().join("triggers/two.yaml")).expect("a file can be removed");
    insta::assert_snapshot!("a template changed and a trigger removed", shell.answer("apply"));

    insta::assert_snapshot!("paused", shell.answer("mode one paused"));
    insta::assert_snapshot!("paused already", shell.answer("mode one paused"));
    insta::assert_snapshot!("no such trigger", shell.answer("mode ones paused"));
    insta::assert_snapshot!("no such mode", shell.answer("mode one off"));
    shell.write("triggers/one.yaml", &trigger("one", "2h"));
    insta::assert_snapshot!("an apply does not let loose what was paused by hand", shell.answer("apply"));
    shell.write("triggers/manifest.yaml", "triggers: { one: { mode: shadow, rollout: 10% } }\n");
    insta::assert_snapshot!("a manifest that says something new wins", shell.answer("apply"));

    insta::assert_snapshot!("rolled back past the modes", shell.answer("rollback"));
    insta::assert_snapshot!("rolled back under the mode of today", shell.answer("rollback --to 1"));
    insta::assert_snapshot!("rolled back once more", shell.answer("rollback"));
    insta::assert_snapshot!("no such generation", shell.answer("rollback --to 99"));
    insta::assert_snapshot!(
        "the generations",
        shell
            .answer("rollback --list")
            .lines()
            .map(|line| line.split("  ").filter(|part| !part.contains("TIME") && !part.starts_with("20")).collect::<Vec<_>>().join("  "))
            .collect::<Vec<_>>()
            .join("\n")
    );
    insta::assert_snapshot!("marketing stopped", shell.answer("marketing stop"));
    insta::assert_snapshot!("marketing stopped already", shell.answer("marketing stop"));
    insta::assert_snapshot!("marketing resumed", shell.answer("marketing resume"));
    shell.write(
        "one.json",
        r#"{"specversion": "1.0", "id": "1", "source": "/s", "type": "order.completed",
        "time": "2026-01-01T00:00:00Z", "subject": "c-1", "data": {"total": 1.50}}"#,
    );
    insta::assert_snapshot!("put", shell.answer("put one.json --now"));
    shell.write("broken.jsonl", "{\"id\":\nnonsense\n");
    insta::assert_snapshot!("put refused", shell.answer("put broken.jsonl"));
    shell.write("triggers/broken.yaml", "trigger: broken\n");
    let output = shell.triggers("apply");
    assert_eq!(output.status.code(), Some(1));
    stack.stop();
}
