//! The system as a whole, under faults: see [`simulation`].

pub mod simulation;
