//! Takes what providers say of deliveries after they took them: SES of mails, SNS and AWS End User Messaging of text messages.
//!
//! Guarantees: every step is harmless to repeat and none depends on the order in which events come; what cannot be read stays
//! on its queue and ends among the dead letters; no log line and no error has an address.

mod fields;
mod payload;
mod said;
mod ses;
mod settlement;
mod shell;
mod telling;
mod text;

pub use payload::{Payload, Unreadable};
pub use said::{About, Said};
pub use shell::{Failure, Feedback, Handled};
