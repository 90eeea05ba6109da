//! The fault simulation, over its first seeds.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use system_tests::simulation::{run, run_with_history};

const SEEDS: u64 = 200;

#[test]
fn every_invariant_holds_under_faults() {
    let (next, broken) = (AtomicU64::new(1), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > SEEDS {
                        break;
                    }
                    let report = run(seed);
                    if !report.violations.is_empty() {
                        broken.lock().unwrap().push((seed, report.violations));
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "look at a seed with fault-simulation --history SEED: {broken:#?}");
}

#[test]
fn a_seed_is_a_run() {
    for seed in [7, 42, 4_711] {
        let (once, again) = (run_with_history(seed), run_with_history(seed));
        assert_eq!((once.faults, once.counted, once.violations), (again.faults, again.counted, again.violations));
        assert_eq!(once.history.len(), again.history.len());
        // What stands in a request, and in which order, is the client's; when it is sent is the run's.
        let times = |lines: &[String]| lines.iter().map(|line| line.split("  ").next().unwrap_or_default().to_owned()).collect::<Vec<_>>();
        assert_eq!(times(&once.history), times(&again.history));
    }
}
