//! Runs many seeds of the fault simulation, or one with its history.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use mimalloc::MiMalloc;
use system_tests::simulation::{Report, Tally, run_many, run_with_history, threads};

/// A run is mostly requests put together and taken apart: a quarter of its time went into the allocator of the C library.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Runs the whole system in virtual time under faults, and compares what comes out with a model.
///
/// A seed decides everything about its run, so that it can be run again.
#[derive(Parser)]
#[command(after_help = "Examples:
  fault-simulation --seeds 100000 --first-seed 1
  fault-simulation --history 4711          one seed, with everything that happened in it

Exit status: 0 where every invariant held, 1 where one did not.")]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Print the history of this seed instead.
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seeds", "first_seed"])]
    history: Option<u64>,
    /// Threads; by default as many as there are processors.
    #[arg(long)]
    threads: Option<usize>,
    /// Stop at the first violation.
    #[arg(long)]
    fail_fast: bool,
}

/// Violations are printed up to so many seeds.
const MOST_SHOWN: usize = 20;

/// What all runs came to.
#[derive(Default)]
struct Sum {
    faults: Tally,
    counts: BTreeMap<&'static str, u64>,
    broken: Vec<Report>,
}

impl Sum {
    fn add(&mut self, report: Report) {
        for (fault, count) in &report.faults {
            *self.faults.entry(fault).or_default() += count;
        }
        let counted = &report.counted;
        for (name, count) in [
            ("events", counted.events),
            ("deliveries decided", counted.deliveries),
            ("sent", counted.sent),
            ("unknown: at most once, and the answer was lost", counted.unknown),
            ("sent again: at least once, and the answer was lost", counted.sent_again),
            ("dead letters", counted.dead_letters),
        ] {
            *self.counts.entry(name).or_default() += count as u64;
        }
        if !report.violations.is_empty() {
            self.broken.push(report);
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.history {
        let report = run_with_history(seed);
        report.history.iter().for_each(|line| println!("{line}"));
        report.violations.iter().for_each(|violation| println!("VIOLATION {violation}"));
        println!("seed {seed}: {:?}, {} violations", report.counted, report.violations.len());
        return if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let (sum, took) = run_all(&arguments);
    print(&arguments, &sum, took);
    if sum.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_all(arguments: &Arguments) -> (Sum, Duration) {
    let began = Instant::now();
    let (mut sum, mut done, mut told) = (Sum::default(), 0, began);
    let seeds = arguments.first_seed..arguments.first_seed.saturating_add(arguments.seeds);
    run_many(seeds, arguments.threads.unwrap_or_else(threads), |report| {
        sum.add(report);
        done += 1;
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            eprintln!("{done} of {} seeds", arguments.seeds);
        }
        !arguments.fail_fast || sum.broken.is_empty()
    });
    (sum, began.elapsed())
}

fn print(arguments: &Arguments, sum: &Sum, took: Duration) {
    let mut broken: Vec<_> = sum.broken.iter().collect();
    broken.sort_by_key(|report| report.seed);
    for report in broken.iter().take(MOST_SHOWN) {
        println!("seed {}", report.seed);
        report.violations.iter().take(5).for_each(|violation| println!("  {violation}"));
    }
    println!("faults");
    sum.faults.iter().for_each(|(fault, count)| println!("  {count:>10}  {fault}"));
    println!("what came out");
    sum.counts.iter().for_each(|(name, count)| println!("  {count:>10}  {name}"));
    #[expect(clippy::cast_precision_loss, reason = "a rate to be read")]
    let rate = arguments.seeds as f64 / took.as_secs_f64();
    println!("{} seeds from {} on in {:.1} s: {rate:.0} seeds/s", arguments.seeds, arguments.first_seed, took.as_secs_f64());
    match broken.first() {
        None => println!("no violation"),
        Some(first) => println!("violations in {} seeds; look at one with --history {}", broken.len(), first.seed),
    }
}
