//! Who operates the system while it runs, and the applications that put events.

use std::rc::Rc;

use aws::Triggers;
use event::Time;

use super::plan::{BEGIN, Operation, Put};
use super::triggers::{Edition, apply};
use super::world::{STREAM, World, queue_url, queues};

/// Puts the first triggers into force, before anything arrives.
pub async fn found(world: &Rc<World>) {
    let secrets = aws_sdk_secretsmanager::Client::new(&world.quiet_sdk());
    secrets.create_secret().name("address-key").secret_string("a key of the simulation").send().await.expect("a secret is made");
    apply_edition(world, &Edition { second: false, paused: None, marketing_stopped: false }).await;
}

async fn apply_edition(world: &Rc<World>, edition: &Edition) {
    let triggers = Triggers::new(aws_sdk_dynamodb::Client::new(&world.quiet_sdk()), "triggers".to_owned());
    apply(&triggers, edition, Time::from_millis(world.clockwork.now()), world.plan.margin).await.expect("triggers are applied");
}

/// Puts events, each at its time after `from`.
pub async fn put_all(world: Rc<World>, puts: Vec<Put>, from: i64) {
    for put in puts {
        world.clockwork.sleep_until(from + put.at).await;
        world.history.say(|| format!("put for {}: {}", put.key, String::from_utf8_lossy(&put.data).chars().take(200).collect::<String>()));
        world.cloud().put_record(STREAM, &put.key, put.data).expect("a record is put");
        world.network.arrivals.raise();
    }
    world.to_come.set(world.to_come.get() - 1);
}

/// Does what an operator does, each at its time.
pub async fn operate(world: Rc<World>, operations: Vec<(i64, Operation)>) {
    for (at, operation) in operations {
        world.clockwork.sleep_until(BEGIN + at).await;
        world.history.fault(name_of(&operation), || format!("{operation:?}"));
        match operation {
            Operation::Apply(edition) => apply_edition(&world, &edition).await,
            Operation::Split(choice) => world.cloud().split_shard(STREAM, choice),
            Operation::Merge(choice) => world.cloud().merge_shards(STREAM, choice),
            Operation::Recreate => world.mapping.raise(),
        }
        world.network.arrivals.raise();
        world.progress.raise();
    }
    world.to_come.set(world.to_come.get() - 1);
}

fn name_of(operation: &Operation) -> &'static str {
    match operation {
        Operation::Apply(_) => "triggers applied",
        Operation::Split(_) => "shard split",
        Operation::Merge(_) => "shards merged",
        Operation::Recreate => "mapping made anew",
    }
}

/// Redrives all dead letters, and says how many there were.
pub fn redrive(world: &World) -> usize {
    let moved = queues().map(|queue| world.cloud().move_messages(&queue_url(&format!("{queue}-dead-letters")), &queue_url(queue))).sum();
    world.network.arrivals.raise();
    moved
}

/// Replaces the stream by an empty one. What was on the old one is kept for the comparison.
pub fn replace_stream(world: &World) {
    let records = records(world);
    world.past_records.borrow_mut().extend(records);
    world.cloud().create_stream(STREAM, world.plan.shards);
    world.history.fault("stream replaced", String::new);
    world.mapping.raise();
    world.network.arrivals.raise();
    world.progress.raise();
}

/// What is on the stream now, with its shards, in the order in which it was put.
pub fn records(world: &World) -> Vec<(String, cloud::Record)> {
    let mut records = Vec::new();
    for shard in world.cloud().shards(STREAM) {
        let of_shard = world.cloud().records(STREAM, &shard.id, 0, usize::MAX);
        records.extend(of_shard.into_iter().map(|record| (shard.id.clone(), record)));
    }
    records.sort_by(|a, b| a.1.sequence.get(40..).cmp(&b.1.sequence.get(40..)));
    records
}
