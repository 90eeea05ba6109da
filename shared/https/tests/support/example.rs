//! What an example of the table of answers (`docs/operations.md`) makes of a company's own system.

use testkit::Behaviour;

/// How the system behaves that gives such an answer.
pub fn behaviour(example: &str) -> Behaviour {
    match example {
        "no answer in time" => Behaviour::Hangs,
        "connection lost" => Behaviour::Closes,
        "no HTTP" => Behaviour::Babbles,
        answer => {
            let (status, header) = answer.split_once(' ').unwrap_or((answer, ""));
            let behaviour = Behaviour::status(status.parse().expect("a status"), "{}");
            if header.is_empty() { behaviour } else { behaviour.with(header, "60") }
        }
    }
}
