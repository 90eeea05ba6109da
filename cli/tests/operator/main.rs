//! The operator's commands against a local stack: what did not get through, and how it gets through after all.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod dead_letters;
mod quarantine;
mod replay;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use aws::{Item, get_text, read_record};
use decision::Recorded;
use testkit::{Checkpoints, Driver, LocalStack, Options, Pace, REGION};
use tokio::sync::Mutex;

/// A local stack, and a shell in a folder of its own.
struct World {
    stack: LocalStack,
    folder: tempfile::TempDir,
    /// How far the streams were read: no record goes through twice for a second look.
    checkpoints: Cell<Checkpoints>,
}

/// What a command said, and its exit code.
struct Said {
    out: String,
    note: String,
    code: Option<i32>,
}

impl World {
    /// With one trigger in force, which thanks for an order by mail.
    async fn start() -> Self {
        // One after another: a start packs the functions into files that are named by the process alone.
        static STARTS: Mutex<()> = Mutex::const_new(());
        let starting = STARTS.lock().await;
        let stack = LocalStack::start(Options::default(), &mut |_| ()).await.expect("the local stack starts");
        drop(starting);
        let world = Self { stack, folder: tempfile::tempdir().expect("a folder can be made"), checkpoints: Cell::default() };
        world.write("triggers/templates/thanks/subject.txt", "Thanks");
        world.write("triggers/templates/thanks/body.txt", "Thank you for {{ event.data.order }}");
        world.write(
            "triggers/thanks.yaml",
            "trigger: thanks\non: order.completed\nmax_age: 30d\nthen:\n  - email: { template: thanks, class: transactional, valid_for: 7d }\n",
        );
        let applied = world.triggers("apply");
        assert_eq!(applied.code, Some(0), "{}", applied.note);
        world
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_triggers"));
        command.args(line.split_whitespace()).args(["--stack", &Options::default().stack_name]).current_dir(self.folder.path());
        command.env("AWS_ENDPOINT_URL", self.stack.endpoint()).env("AWS_REGION", REGION);
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command
    }

    fn triggers(&self, line: &str) -> Said {
        said(self.command(line).output().expect("the binary runs"))
    }

    fn begin(&self, line: &str) -> Child {
        self.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
    }

    fn output(&self, name: &str) -> &str {
        self.stack.outputs().get(name).expect("the template has the output")
    }

    /// Lets the functions do everything that there is to do.
    async fn settle(&self) {
        let driver = Driver::start_with(&self.stack, Pace::default(), self.checkpoints.take()).await.expect("the driver starts");
        driver.nudge();
        driver.wait_until_idle(Duration::from_millis(700), Duration::from_secs(60)).await.expect("everything gets done");
        self.checkpoints.set(driver.stop().await);
    }

    async fn mails(&self) -> Vec<String> {
        let mails = self.stack.captured_emails().await.expect("mails can be read");
        mails.into_iter().map(|mail| mail.to.join(",")).collect()
    }

    async fn items(&self, table: &str) -> Vec<Item> {
        let client = aws_sdk_dynamodb::Client::new(self.stack.sdk_config());
        client.scan().table_name(self.output(table)).send().await.expect("a table can be read").items.unwrap_or_default()
    }

    /// The archive, by customer.
    async fn archive(&self) -> BTreeMap<String, Vec<Recorded>> {
        let mut archive = BTreeMap::<String, Vec<Recorded>>::new();
        for item in self.items("EventsTable").await {
            let customer = get_text(&item, "customer").expect("an item has a customer").to_owned();
            archive.entry(customer).or_default().push(read_record(&item).expect("a record can be read"));
        }
        archive
    }

    /// How the ledger's deliveries ended, by delivery.
    async fn ledger(&self) -> BTreeMap<String, String> {
        let items = self.items("DeliveriesTable").await;
        items.iter().filter_map(|item| Some((get_text(item, "delivery")?.to_owned(), get_text(item, "status")?.to_owned()))).collect()
    }
}

fn said(output: Output) -> Said {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Said { out: text(output.stdout), note: text(output.stderr), code: output.status.code() }
}

/// An order that was completed now, of somebody with an address.
fn order(id: &str, subject: &str) -> String {
    let time = aws::Clock::system().now();
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/s","type":"order.completed","time":"{time}","subject":"{subject}","data":{{"order":"{id}","customer":{{"email":"{subject}@example.com"}}}}}}"#
    )
}
