//! One run, from its seed to its violations.

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::check::{Counted, check};
use super::executor::{Executor, Stalled};
use super::functions::Function;
use super::history::Tally;
use super::operator::{found, operate, put_all, redrive, replace_stream};
use super::plan::{BEGIN, Plan};
use super::reports::FEEDBACK;
use super::world::{CHANNELS, World, queue_url, queues};
use super::{queues, shards};

/// Nothing may happen for so long before a run counts as quiet.
const QUIET_MILLIS: i64 = 120_000;

/// A run that is not quiet after so long never will be: the longest delivery is valid for two hours.
const LONGEST_MILLIS: i64 = 12 * 60 * 60 * 1_000;

/// More messages on a queue than any run has.
const MOST_QUEUED: usize = 500;

/// A stream is replaced so long after the last record of the old one.
const REPLACED_AFTER_MILLIS: i64 = 11 * 60 * 1_000;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub seed: u64,
    pub violations: Vec<String>,
    pub counted: Counted,
    pub faults: Tally,
    /// The history, where it was kept.
    pub history: Vec<String>,
}

/// Runs a seed.
fn run(seed: u64) -> Report {
    start(seed, false)
}

/// Runs a seed, and keeps its history.
#[must_use]
pub fn run_with_history(seed: u64) -> Report {
    start(seed, true)
}

/// Runs so many seeds, in any order, on so many threads. Each report is handed over; who answers `false` wants no more.
pub fn run_many(seeds: std::ops::Range<u64>, threads: usize, take: impl FnMut(Report) -> bool + Send) {
    let (next, take) = (AtomicU64::new(seeds.start), Mutex::new(take));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let report = run(seed);
                    if !take.lock().expect("no thread panicked")(report) {
                        next.store(seeds.end, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}

/// As many threads as there are processors.
#[must_use]
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn start(seed: u64, keeps_history: bool) -> Report {
    // The SDK draws the jitter of its retries from here.
    fastrand::seed(seed);
    let world = World::new(seed, Plan::of(seed), keeps_history);
    world.history.say(|| format!("{:?}", Plan { puts: Vec::new(), ..world.plan.clone() }));
    let mut executor = Executor::new(Arc::clone(&world.clockwork), world.spawner.clone(), seed);
    let ended = executor.run(play(Rc::clone(&world)));
    let (counted, violations) = match ended {
        Ok(result) => result,
        Err(Stalled::Deadlock) => (Counted::default(), vec!["nobody has anything to do, and the run is not over".to_owned()]),
        Err(Stalled::TooManySteps) => (Counted::default(), vec!["the run goes round in circles".to_owned()]),
    };
    Report { seed, violations, counted, faults: world.history.tally(), history: world.history.lines() }
}

async fn play(world: Rc<World>) -> (Counted, Vec<String>) {
    found(&world).await;
    world.spawner.spawn(shards::drive(Rc::clone(&world), Function::router(&world)));
    for channel in CHANNELS {
        let sender = Function::sender(&world, channel);
        for _ in 0..world.plan.senders {
            world.spawner.spawn(queues::drive(Rc::clone(&world), channel.as_str(), Rc::clone(&sender)));
        }
    }
    let feedback = Function::feedback(&world);
    for _ in 0..world.plan.senders {
        world.spawner.spawn(queues::drive(Rc::clone(&world), FEEDBACK, Rc::clone(&feedback)));
    }
    world.to_come.set(2);
    world.spawner.spawn(put_all(Rc::clone(&world), world.plan.puts.clone(), BEGIN));
    world.spawner.spawn(operate(Rc::clone(&world), world.plan.operations.clone()));
    let mut quiet = until_quiet(&world).await;
    if quiet && world.plan.redrives && redrive(&world) > 0 {
        world.history.fault("dead letters redriven", String::new);
        quiet = until_quiet(&world).await;
    }
    if let (true, Some(puts)) = (quiet, &world.plan.replaced) {
        world.clockwork.sleep(REPLACED_AFTER_MILLIS).await;
        replace_stream(&world);
        world.to_come.set(1);
        world.spawner.spawn(put_all(Rc::clone(&world), puts.clone(), world.clockwork.now()));
        quiet = until_quiet(&world).await;
    }
    let (counted, mut violations) = check(&world).await;
    if !quiet {
        violations.insert(0, "it never became quiet".to_owned());
    }
    (counted, violations)
}

/// Waits until nothing happens any more; false where that takes too long.
async fn until_quiet(world: &World) -> bool {
    let began = world.clockwork.now();
    let mut quiet_since = None;
    let mut arrivals = 0;
    while world.clockwork.now() - began < LONGEST_MILLIS {
        if queues().any(|queue| world.cloud().bodies(&queue_url(queue)).len() > MOST_QUEUED) {
            world.wrong("messages multiply".to_owned());
            return false;
        }
        let queued =
            queues().any(|queue| world.cloud().next_visible_at(&queue_url(queue)).is_some()) || world.network.reports.on_the_way() > 0;
        let at_work = world.to_come.get() > 0 || world.at_work.get() > 0 || world.busy_lanes.get() > 0 || queued;
        let now = world.clockwork.now();
        if at_work || world.network.arrivals.count() != arrivals {
            arrivals = world.network.arrivals.count();
            quiet_since = None;
        } else if now - *quiet_since.get_or_insert(now) >= QUIET_MILLIS {
            return true;
        }
        world.clockwork.sleep(10_000).await;
    }
    false
}
