//! `triggers dead-letters`: a look changes nothing, a redrive loses nothing.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use aws::{DeadLetters, Depth};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::QueueAttributeName;
use delivery::Message;
use event::Position;
use trigger::TriggerName;

use crate::{World, order, said};

/// A queue and its dead letters, as a test looks at them.
impl World {
    fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(self.stack.sdk_config())
    }

    async fn dead(&self, channel: &str, body: &str) {
        let url = self.output(&format!("{channel}DeadLettersUrl"));
        self.sqs().send_message().queue_url(url).message_body(body).send().await.expect("a message can be sent");
    }

    async fn depth(&self, output: &str) -> Depth {
        DeadLetters::new(self.sqs(), self.output(output).to_owned()).depth().await.expect("a queue can be counted")
    }

    /// What can be received from a queue now; it is visible again at once.
    async fn bodies(&self, output: &str) -> Vec<String> {
        let queue = DeadLetters::new(self.sqs(), self.output(output).to_owned());
        let mut received = Vec::new();
        loop {
            let more = queue.receive(10, 60).await.expect("a queue can be read");
            if more.is_empty() {
                break;
            }
            received.extend(more);
        }
        assert_eq!(queue.give_back(&received).await.expect("messages can be given back"), 0);
        received.into_iter().map(|message| message.body).collect()
    }

    async fn deliveries(&self, output: &str) -> BTreeSet<String> {
        let bodies = self.bodies(output).await;
        bodies.iter().filter_map(|body| Some(Message::parse(body).ok()?.delivery.to_string())).collect()
    }

    async fn released(&self, message: &Message, cause: &str) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = aws_sdk_dynamodb::Client::new(self.stack.sdk_config()).put_item().table_name(self.output("DeliveriesTable"));
        let put = put.item("customer", text(message.customer.as_str())).item("delivery", text(&message.delivery.to_string()));
        let put = put.item("status", text("released")).item("cause", text(cause)).item("attempts", AttributeValue::N("5".to_owned()));
        put.send().await.expect("an entry can be written");
    }

    /// A message that a sender would send: that of the order which is archived, under another id.
    async fn message(&self, delivery: u8) -> Message {
        let archive = self.archive().await;
        let recorded = archive.values().flatten().next().expect("an order is archived");
        let (decision, deliver) = recorded.decided.deliveries().next().expect("it was decided to thank for it");
        let ids = if delivery == 0 { deliver.id.to_string() } else { format!("{delivery:032x}") };
        Message {
            delivery: ids.parse().expect("an id"),
            customer: event::CustomerId::parse("c-1").expect("an id"),
            position: Position::new(recorded.arrival, &recorded.sequence),
            shard: recorded.shard.clone(),
            sequence: recorded.sequence.clone(),
            trigger: decision.trigger.clone(),
            version: decision.version,
            run: decision.run,
            step: decision.step.clone().unwrap_or_default(),
            channel: deliver.channel,
            not_before: deliver.not_before,
            not_after: deliver.not_after,
            waits: 0,
        }
    }
}

/// Without what is another one at each run.
fn stable(text: &str) -> String {
    let ages = text.lines().map(|line| line.trim_end_matches(|letter: char| letter == 's' || letter.is_ascii_digit()).trim_end());
    ages.collect::<Vec<_>>().join("\n")
}

fn id(number: u8) -> String {
    format!("{number:032x}")
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_looked_at_and_redriven() {
    let world = World::start().await;
    let none = world.triggers("dead-letters list");
    assert_eq!((none.out.as_str(), none.code), ("there are no dead letters\n", Some(0)), "{}", none.note);
    world.write("order.jsonl", &order("1", "c-1"));
    assert_eq!(world.triggers("put order.jsonl").code, Some(0));
    world.settle().await;
    assert_eq!(world.mails().await, ["c-1@example.com"]);

    // What was sent before; what never came to a claim; what the provider did not take; what is too late.
    let sent = world.message(0).await;
    let fresh = Message { waits: 9, ..world.message(1).await };
    let refused = world.message(2).await;
    world.released(&refused, "http_503").await;
    let late = Message { not_after: sent.not_before.plus(-1), ..world.message(3).await };
    let other = Message { trigger: TriggerName::parse("other").expect("a name"), ..world.message(4).await };
    for message in [&sent, &fresh, &refused, &late, &other] {
        world.dead("Email", &message.to_text()).await;
    }
    // Two messages of one delivery are one key of the ledger.
    world.dead("Email", &refused.to_text()).await;
    world.dead("Sms", r#"{"Type":"Notification","Message":"to ana@example.com"}"#).await;

    look(&world, &sent).await;
    dry_run(&world).await;

    let one = world.triggers("dead-letters redrive --cause http_503 --channel email --yes");
    assert_eq!((one.code, one.out.lines().last()), (Some(0), Some("2 dead letters redriven")), "{}{}", one.out, one.note);
    assert_eq!(world.deliveries("EmailQueueUrl").await, [id(2)].into());
    assert_eq!(world.depth("EmailDeadLettersUrl").await, Depth { visible: 4, hidden: 0 });

    interrupted(&world).await;
    killed(&world).await;

    // What was killed has left messages hidden for a while; a test does not wait for them, but lets the functions go on
    // with what there is, and puts the rest again, as a second message is harmless.
    for message in [&sent, &fresh, &late] {
        world.dead("Email", &message.to_text()).await;
    }
    let rest = world.triggers("dead-letters redrive --trigger thanks --rate 1000/s --yes");
    assert_eq!(rest.code, Some(0), "{}{}", rest.out, rest.note);
    let bodies = world.bodies("EmailQueueUrl").await;
    let waits = bodies.iter().map(|body| Message::parse(body).expect("a message").waits);
    assert!(waits.into_iter().all(|waits| waits == 0), "{bodies:?}");

    let unreadable = world.triggers("dead-letters redrive --cause unreadable --yes");
    assert!(unreadable.out.ends_with("1 dead letter redriven\n"), "{}{}", unreadable.out, unreadable.note);
    assert_eq!(world.bodies("SmsQueueUrl").await, [r#"{"Type":"Notification","Message":"to ana@example.com"}"#]);
    let url = world.output("SmsQueueUrl");
    world.sqs().purge_queue().queue_url(url).send().await.expect("a queue can be emptied");

    // Nothing is sent twice, nothing late, and nothing is left out.
    world.settle().await;
    assert_eq!(world.mails().await.len(), 3, "the first, the fresh one, and the one that the provider had not taken");
    let ledger = world.ledger().await;
    let ended = |message: &Message| ledger[&message.delivery.to_string()].as_str();
    assert_eq!([&sent, &fresh, &refused, &late].map(ended), ["sent", "sent", "sent", "expired"]);
    moved_by_hand(&world, &sent).await;
    not_taken(&world).await;
    world.stack.stop();
}

async fn look(world: &World, sent: &Message) {
    let before = (world.depth("EmailDeadLettersUrl").await, world.depth("SmsDeadLettersUrl").await);
    insta::assert_snapshot!("dead letters", stable(&world.triggers("dead-letters list").out));
    let lines = world.triggers("dead-letters list --json").out;
    assert_eq!((lines.lines().count(), lines.contains("ana@")), (7, false), "{lines}");
    let few = world.triggers("dead-letters list --channel email --limit 2");
    assert!(few.note.contains("email: looked at 2, there are about 4 more"), "{}", few.note);
    let unknown = world.triggers("dead-letters list --channel mail");
    assert!(unknown.note.starts_with("error: the stack has no dead letters of mail; it has those of: crm, email,"), "{}", unknown.note);
    assert_eq!(unknown.code, Some(1));

    for (delivery, foreseen) in [
        (sent.delivery.to_string(), "nothing is sent: it ended before, as sent"),
        (id(1), "it is tried again"),
        (id(2), "it is tried again"),
        (id(3), "nothing is sent: it ends as expired"),
        (id(4), "nothing is sent: it ends as failed, trigger_missing"),
    ] {
        let shown = world.triggers(&format!("dead-letters show {delivery}"));
        let line = shown.out.lines().find(|line| line.starts_with("redriven"));
        assert_eq!(line, Some(format!("redriven    {foreseen}").as_str()), "{}{}", shown.out, shown.note);
        assert!(!shown.out.contains('@'), "{}", shown.out);
    }
    world.triggers("mode thanks paused");
    let shown = world.triggers(&format!("dead-letters show {}", id(1)));
    assert!(shown.out.contains("redriven    it waits, at most until its not_after: its trigger is paused"), "{}", shown.out);
    world.triggers("mode thanks live");
    let nobody = world.triggers(&format!("dead-letters show {}", id(99)));
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(3), ""), "{}", nobody.note);
    assert_eq!(world.triggers("dead-letters show ana@example.com").code, Some(2));
    let after = (world.depth("EmailDeadLettersUrl").await, world.depth("SmsDeadLettersUrl").await);
    assert_eq!(before, after, "a look changes nothing");
}

async fn dry_run(world: &World) {
    let said = world.triggers("dead-letters redrive");
    insta::assert_snapshot!("what would be redriven", stable(&format!("{}{}", said.note, said.out)));
    assert_eq!(said.code, Some(0));
    for line in ["redrive --trigger nobody --yes", "redrive --cause http_500 --yes", "redrive --channel crm --yes"] {
        let nothing = world.triggers(&format!("dead-letters {line}"));
        assert_eq!(nothing.code, Some(3), "{line}: {}{}", nothing.out, nothing.note);
    }
    assert_eq!(world.depth("EmailDeadLettersUrl").await, Depth { visible: 6, hidden: 0 });
    assert_eq!(world.depth("EmailQueueUrl").await, Depth::default());
}

/// Waits until a redrive has moved more onto the queue than there was.
async fn until_more_than(world: &World, messages: usize) {
    for _ in 0..600 {
        if world.depth("EmailQueueUrl").await.visible > messages {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    unreachable!("a redrive moves something");
}

async fn interrupted(world: &World) {
    let both = async || world.deliveries("EmailQueueUrl").await.union(&world.deliveries("EmailDeadLettersUrl").await).cloned().collect();
    let before: BTreeSet<String> = both().await;
    let queued = world.depth("EmailQueueUrl").await.visible;
    let child = world.begin("dead-letters redrive --channel email --rate 1/s --yes");
    until_more_than(world, queued).await;
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    let said = said(child.wait_with_output().expect("the command ends"));
    assert_eq!(said.code, Some(130), "{}{}", said.out, said.note);
    assert!(said.note.contains("interrupted; the others are still among the dead letters"), "{}", said.note);
    let left = world.depth("EmailDeadLettersUrl").await;
    assert!(left.hidden == 0 && left.visible > 0, "what was not redriven is visible: {left:?}");
    assert_eq!(both().await, before, "nothing is lost");
}

async fn killed(world: &World) {
    let count = async || {
        let (queue, dead) = (world.depth("EmailQueueUrl").await, world.depth("EmailDeadLettersUrl").await);
        queue.visible + queue.hidden + dead.visible + dead.hidden
    };
    let (before, queued) = (count().await, world.depth("EmailQueueUrl").await.visible);
    let mut child = world.begin("dead-letters redrive --channel email --rate 1/s --yes");
    until_more_than(world, queued).await;
    child.kill().expect("a process can be killed");
    child.wait().expect("the command ends");
    assert!(count().await >= before, "nothing is lost");
    let left = world.depth("EmailDeadLettersUrl").await;
    let hint = world.triggers("dead-letters list --channel email");
    assert!(hint.note.contains(&format!("email: {} more hidden by another look", left.hidden)), "{left:?}: {}", hint.note);
}

/// What `start-message-move-task` does: each message as it is onto the queue, and then off the dead letters.
async fn moved_by_hand(world: &World, sent: &Message) {
    let mails = world.mails().await.len();
    let fresh = Message { waits: 3, ..world.message(5).await };
    for message in [sent, &fresh] {
        world.dead("Email", &message.to_text()).await;
        world.dead("Email", &message.to_text()).await;
    }
    let (dead, queue) = (world.output("EmailDeadLettersUrl"), world.output("EmailQueueUrl"));
    loop {
        let received = world.sqs().receive_message().queue_url(dead).max_number_of_messages(10).send().await.expect("a queue can be read");
        let messages = received.messages.unwrap_or_default();
        if messages.is_empty() {
            break;
        }
        for message in messages {
            let body = message.body.expect("a message has a body");
            world.sqs().send_message().queue_url(queue).message_body(body).send().await.expect("a message can be sent");
            let handle = message.receipt_handle.expect("a received message has a receipt");
            world.sqs().delete_message().queue_url(dead).receipt_handle(handle).send().await.expect("a message can be deleted");
        }
    }
    world.settle().await;
    assert_eq!(world.mails().await.len(), mails + 1, "the one that was sent is not sent again, the fresh one is sent once");
}

/// A queue that takes some entries of a batch, and refuses others.
async fn not_taken(world: &World) {
    let limit = world.sqs().set_queue_attributes().queue_url(world.output("EmailQueueUrl"));
    limit.attributes(QueueAttributeName::MaximumMessageSize, "1024").send().await.expect("a queue can be changed");
    let large = "x".repeat(2_000);
    world.dead("Email", "small").await;
    world.dead("Email", &large).await;
    let said = world.triggers("dead-letters redrive --channel email --cause unreadable --yes");
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.note);
    assert!(said.out.contains("1 dead letter redriven\nnot taken by the queue, and still among the dead letters: 1, "), "{}", said.out);
    assert_eq!(world.bodies("EmailQueueUrl").await, ["small"]);
    assert_eq!(world.bodies("EmailDeadLettersUrl").await, [large]);
}
