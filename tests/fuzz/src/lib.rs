//! What hostile input must not do: one function of bytes for each way into the system.
//!
//! A target panics where a law is broken. `tests/replay.rs` runs all of them over the corpus with every test run; `fuzz/` at the
//! root of the repository lets libFuzzer look for more.

pub mod laws;

pub mod event;
pub mod message;
pub mod pattern;
pub mod payload;
pub mod state;
pub mod stored;
pub mod template;
pub mod trigger;

#[cfg(feature = "shell")]
pub mod answer;
#[cfg(feature = "shell")]
pub mod batch;
#[cfg(feature = "shell")]
pub mod feedback;
#[cfg(feature = "shell")]
pub mod quarantined;

/// A way into the system.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of its module and of its folder in the corpus.
    pub name: &'static str,
    /// Panics where a law is broken.
    pub check: fn(&[u8]),
    /// Inputs that are too large for a corpus in git, by what they attack.
    pub grown: fn() -> Vec<(&'static str, Vec<u8>)>,
    /// What one input may hold in memory at a time, in bytes.
    pub most_held: usize,
}

macro_rules! targets {
    ($($(#[$meta:meta])* $name:ident: $most_held:expr,)+) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[
            $($(#[$meta])* Target { name: stringify!($name), check: $name::check, grown: $name::grown, most_held: $most_held },)+
        ];
    };
}

const MIB: usize = 1 << 20;

targets! {
    event: 16 * MIB,
    state: 16 * MIB,
    trigger: 128 * MIB,
    pattern: 128 * MIB,
    template: 64 * MIB,
    payload: 64 * MIB,
    stored: 128 * MIB,
    message: 16 * MIB,
    #[cfg(feature = "shell")]
    answer: 16 * MIB,
    #[cfg(feature = "shell")]
    batch: 16 * MIB,
    #[cfg(feature = "shell")]
    feedback: 384 * MIB,
    #[cfg(feature = "shell")]
    quarantined: 16 * MIB,
}
