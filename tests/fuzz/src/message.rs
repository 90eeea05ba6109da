//! The body of a queue's message: `delivery::Message`.

use std::error::Error;

use delivery::Message;

use crate::laws;

/// What is read is written and read again as the same; an error quotes nothing of the message.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Message::parse(text) {
        Ok(message) => {
            assert!(Message::parse(&message.to_text()).is_ok_and(|again| again == message));
            assert!(Message::parse(&message.waiting().to_text()).is_ok_and(|waiting| waiting.waits >= message.waits));
        }
        Err(error) => {
            laws::is_fit_for_a_log(&error.to_string(), 200);
            if let Some(cause) = error.source() {
                laws::is_fit_for_a_log(&cause.to_string(), 200);
            }
        }
    }
}

/// Messages of the size that a queue takes.
pub fn grown() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("lists in lists", laws::grown("{\"format\":", "[", 250_000, "")),
        ("a format that is a text without end", laws::grown("{\"format\":\"", "hunter2", 250_000, "\"}")),
        ("a field that nobody knows", laws::grown("{\"x\":", "[[],", 250_000, "")),
        ("a field without end", laws::grown("{\"", "x", 250_000, "\":1}")),
    ]
}
