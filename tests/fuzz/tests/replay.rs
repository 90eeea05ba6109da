//! Every input of the corpus, the grown ones, and mutations of each, with every test run.

mod allocations;
mod mutation;

use std::path::{Path, PathBuf};

use fuzz_targets::{TARGETS, Target};

use allocations::held_by;
use mutation::Mutator;

/// Mutations of each input of the corpus.
const MUTATIONS: usize = 24;

/// The corpus stays small enough for git.
const LARGEST_CORPUS: usize = 1 << 20;
const MOST_FILES: usize = 50;

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("each target has a corpus").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let named = |path: PathBuf| {
        (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), std::fs::read(&path).expect("a file can be read"))
    };
    files.into_iter().map(named).collect()
}

fn replay(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of this name");
    // The first run makes what lives as long as the process.
    (target.check)(b"");
    for (name, bytes) in corpus(target.name) {
        run(target, &name, &bytes);
        let mut mutator = Mutator::new(&bytes);
        for _ in 0..MUTATIONS {
            let mutated = mutator.mutated();
            run(target, &format!("a mutation of {name}"), &mutated);
        }
    }
    for (name, bytes) in (target.grown)() {
        run(target, name, &bytes);
    }
}

fn run(target: &Target, input: &str, bytes: &[u8]) {
    let outcome = std::panic::catch_unwind(|| held_by(|| (target.check)(bytes)));
    let Ok(held) = outcome else {
        let kept = std::env::temp_dir().join(format!("{}-broken", target.name));
        std::fs::write(&kept, bytes).expect("the input can be kept");
        panic!("{}: {input} breaks a law; it is kept as {}", target.name, kept.display());
    };
    assert!(held <= target.most_held, "{}: {input} ({} bytes) holds {held} bytes", target.name, bytes.len());
}

macro_rules! replays {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })+

        #[test]
        fn no_target_is_left_out() {
            assert_eq!(TARGETS.iter().map(|target| target.name).collect::<Vec<_>>(), [$(stringify!($name)),+]);
        }
    };
}

replays! { event state trigger pattern template payload stored message answer batch feedback quarantined }

#[test]
fn the_corpus_is_small() {
    let mut bytes = 0;
    for target in TARGETS {
        let files = corpus(target.name);
        assert!((1..=MOST_FILES).contains(&files.len()), "{} has {} files", target.name, files.len());
        bytes += files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    }
    assert!(bytes <= LARGEST_CORPUS, "{bytes} bytes");
}
