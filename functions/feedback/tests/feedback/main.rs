//! What is made of the payloads that AWS documents, alone and over the stores and the stream of a local AWS.

#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a helper that fails is a test that fails")]

#[path = "../../../../tests/tests/local/faults.rs"]
mod faults;
#[path = "../../../../tests/tests/local/mod.rs"]
mod local;
#[path = "../../../../tests/tests/local/deployed.rs"]
mod local_deployed;

mod deployed;
mod effects;
mod order;
mod payloads;
mod settling;
mod texts;
mod world;

use serde_json::Value;

/// A payload out of `tests/data`.
fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("a fixture is JSON")
}
