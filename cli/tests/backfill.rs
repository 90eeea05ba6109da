//! `triggers backfill`: a condition on the past sees what the archive has, once it was brought in.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::{Driver, LocalStack, Options, REGION};

struct Shell<'a> {
    stack: &'a LocalStack,
    driver: &'a Driver,
    folder: &'a Path,
}

impl Shell<'_> {
    /// Runs a command, waits until everything that it led to is done, and gives its answer.
    async fn triggers(&self, line: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_triggers"));
        command.args(line.split_whitespace()).args(["--stack", &Options::default().stack_name]).current_dir(self.folder);
        command.env("AWS_ENDPOINT_URL", self.stack.endpoint()).env("AWS_REGION", REGION);
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        let output = command.output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.driver.nudge();
        self.driver.wait_until_idle(Duration::from_millis(700), Duration::from_secs(60)).await.expect("everything gets done");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Puts one order, as of now.
    async fn order(&self, id: &str, subject: &str) {
        let event = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"/s","type":"order.completed","time":"2026-01-01T00:00:00Z","subject":"{subject}","data":{{"customer":{{"email":"ana@example.com"}}}}}}"#
        );
        fs::write(self.folder.join("order.jsonl"), event).expect("a file can be written");
        self.triggers("put order.jsonl --now").await;
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    async fn mails(&self) -> usize {
        self.stack.captured_emails().await.expect("mails").len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_counts_once_it_was_brought_in() {
    let stack = LocalStack::start(Options::default(), &mut |_| ()).await.expect("the local stack starts");
    let driver = Driver::start(&stack).await.expect("the driver starts");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let shell = Shell { stack: &stack, driver: &driver, folder: folder.path() };
    shell.write("triggers/templates/thanks/subject.txt", "Thanks");
    shell.write("triggers/templates/thanks/body.txt", "Thank you");
    let trigger = |when: &str| {
        format!("trigger: thanks\non: order.completed\n{when}then:\n  - email: {{ template: thanks, class: transactional }}\n")
    };

    // Nobody asks for the past yet: two orders are archived, and not counted.
    shell.write("triggers/thanks.yaml", &trigger("when: { event: { never: [true] } }\n"));
    shell.triggers("apply").await;
    assert!(shell.triggers("backfill").await.contains("there is nothing to bring in"));
    shell.order("1", "c-1").await;
    shell.order("2", "c-1").await;
    // It has no history: it is about no customer.
    shell.order("1", "shop:7").await;

    shell.write("triggers/thanks.yaml", &trigger("when: { history: [{ event: order.completed, at_least: 4 }] }\n"));
    shell.triggers("apply").await;
    // A router looks for a new generation every 15 seconds.
    tokio::time::sleep(Duration::from_secs(16)).await;
    shell.order("3", "c-1").await;
    for (line, answer) in [
        ("backfill --dry-run", "1 history event would be put"),
        ("backfill", "1 history event put onto the stream"),
        ("backfill", "0 history events put onto the stream"),
    ] {
        let said = shell.triggers(line).await;
        assert!(said.starts_with(answer), "{line}: {said}");
    }
    assert_eq!(shell.mails().await, 0);
    shell.order("4", "c-1").await;
    assert_eq!(shell.mails().await, 1);
    driver.stop().await;
    stack.stop();
}
