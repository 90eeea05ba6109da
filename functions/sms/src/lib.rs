//! Sends text messages through SNS.

mod answer;
mod segments;
mod sns;

pub use segments::{Encoding, Segments, segments};
pub use sns::{Sns, TextMessage};
