//! The rules of the code map, held against the workspace itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Each crate may use those before it.
const ORDER: [&str; 22] = [
    "blob",
    "event",
    "pattern",
    "trigger",
    "decision",
    "customer",
    "delivery",
    "aws",
    "lambda",
    "sender",
    "https",
    "router",
    "email",
    "sms",
    "crm",
    "webhook",
    "feedback",
    "event-source",
    "cloud",
    "fuzz-targets",
    "testkit",
    "triggers",
];

/// No I/O, no async, no clock, no environment.
const CORE: [&str; 7] = ["blob", "event", "pattern", "trigger", "decision", "customer", "delivery"];

const LONGEST_FILE: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// The normal dependencies of each package of the workspace and of the registry, by name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output =
        Command::new(cargo).args(["metadata", "--format-version", "1", "--locked"]).current_dir(root()).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("packages are a list");
    let names: BTreeMap<&str, &str> =
        packages.iter().filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?))).collect();
    let nodes = metadata["resolve"]["nodes"].as_array().expect("nodes are a list");
    let normal =
        |dependency: &&Value| dependency["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()));
    let mut graph = BTreeMap::<String, BTreeSet<String>>::new();
    for node in nodes {
        let name = names[node["id"].as_str().expect("a node has an id")];
        let of = node["deps"].as_array().expect("deps are a list").iter().filter(normal);
        let of = of.map(|dependency| names[dependency["pkg"].as_str().expect("a dependency has a package")].to_owned());
        graph.entry(name.to_owned()).or_default().extend(of);
    }
    graph
}

fn reachable(graph: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![from.to_owned()];
    while let Some(name) = waiting.pop() {
        for next in graph.get(&name).into_iter().flatten() {
            if found.insert(next.clone()) {
                waiting.push(next.clone());
            }
        }
    }
    found
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty());
    files
}

#[test]
fn crates_use_only_what_stands_before_them() {
    let graph = dependencies();
    for (position, name) in ORDER.iter().enumerate() {
        let own: Vec<_> = graph[*name].iter().filter(|used| ORDER.contains(&used.as_str())).collect();
        for used in own {
            let at = ORDER.iter().position(|other| other == used);
            assert!(at < Some(position), "{name} uses {used}, which stands behind it");
        }
    }
}

#[test]
fn core_crates_know_no_runtime_and_no_cloud() {
    let graph = dependencies();
    for name in CORE {
        let forbidden = |used: &&String| {
            used.starts_with("aws") || used.starts_with("lambda") || ["tokio", "futures", "hyper", "reqwest"].contains(&used.as_str())
        };
        let used: Vec<_> = reachable(&graph, name).into_iter().filter(|used| forbidden(&used)).collect();
        assert!(used.is_empty(), "{name} reaches {used:?}");
    }
}

#[test]
fn core_crates_ban_the_clock_and_the_environment() {
    for name in CORE {
        let fence =
            std::fs::read_to_string(root().join("shared").join(name).join("clippy.toml")).expect("each core crate has its own clippy.toml");
        for banned in ["std::time::SystemTime::now", "std::time::Instant::now", "std::env::var"] {
            assert!(fence.contains(banned), "{name} does not ban {banned}");
        }
        for file in sources(&root().join("shared").join(name).join("src")) {
            let text = std::fs::read_to_string(&file).expect("a source can be read");
            assert!(!text.contains("async fn"), "{} has an async function", file.display());
        }
    }
}

#[test]
fn no_source_is_longer_than_can_be_read_at_once() {
    for folder in ["shared", "functions", "cli"] {
        for file in sources(&root().join(folder)) {
            let lines = std::fs::read_to_string(&file).expect("a source can be read").lines().count();
            assert!(lines <= LONGEST_FILE, "{} has {lines} lines, split it by concept at {LONGEST_FILE}", file.display());
        }
    }
}

#[test]
fn nothing_is_allowed_without_being_expected() {
    for folder in ["shared", "functions", "cli", "tests"] {
        for file in sources(&root().join(folder)) {
            let text = std::fs::read_to_string(&file).expect("a source can be read");
            let attribute = ["#[", "allow("].concat();
            assert!(!text.contains(&attribute), "{} has an allow; write an expect with its reason", file.display());
        }
    }
}

/// `tests/mutants/run` takes too long for every change; that its patches still fit does not.
#[test]
fn every_mutant_can_still_be_made() {
    let mut mutants = 0;
    for entry in std::fs::read_dir(root().join("tests/mutants")).expect("the folder of mutants").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "patch") {
            let fits = Command::new("git").args(["apply", "--check"]).arg(entry.path()).current_dir(root()).output().expect("git runs");
            assert!(fits.status.success(), "{}: {}", entry.path().display(), String::from_utf8_lossy(&fits.stderr));
            mutants += 1;
        }
    }
    assert!(mutants >= 12, "{mutants} mutants");
}

#[test]
fn the_command_line_is_what_cargo_run_runs() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    assert!(manifest.contains("default-members = [\"cli\"]"));
}
