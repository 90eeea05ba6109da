#![doc = include_str!("../README.md")]
#![warn(clippy::wildcard_enum_match_arm)]

mod json;
mod problem;

mod operator;
mod parse;

mod address;
mod letters;
mod number;
mod wildcard;

mod condition;
mod leaf;
mod matches;
mod place;

pub mod case;

pub use json::{Json, JsonError};
pub use parse::Pattern;
pub use problem::Problem;
