//! The fault simulation, over its first seeds.

use system_tests::simulation::{run_many, run_with_history, threads};

const SEEDS: u64 = 200;

#[test]
fn every_invariant_holds_under_faults() {
    let mut broken = Vec::new();
    run_many(1..SEEDS + 1, threads(), |report| {
        if !report.violations.is_empty() {
            broken.push((report.seed, report.violations));
        }
        true
    });
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
