//! What a function's answer says about its batch, as Lambda reads it.
//!
//! Guarantee: an answer that Lambda would not understand never counts as success, with the one exception that AWS
//! makes: an object without `batchItemFailures` is a success there, and so it is here.

use std::collections::BTreeSet;

use serde_json::Value;

/// What an invocation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned<'a> {
    pub payload: &'a [u8],
    /// The function threw, crashed or ran out of time.
    pub function_error: bool,
}

/// The items that an answer names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    None,
    Items(BTreeSet<String>),
    /// An identifier that is empty, null or missing, or an answer in another form.
    Malformed,
}

fn named(payload: &[u8]) -> Named {
    if payload.is_empty() {
        return Named::None;
    }
    let items = match serde_json::from_slice::<Value>(payload) {
        Ok(Value::Null) => return Named::None,
        Ok(Value::String(text)) if text.is_empty() => return Named::None,
        Ok(Value::Object(answer)) => match answer.get("batchItemFailures") {
            None | Some(Value::Null) => return Named::None,
            Some(Value::Array(items)) => items.clone(),
            Some(_) => return Named::Malformed,
        },
        Ok(_) | Err(_) => return Named::Malformed,
    };
    let identifiers: Option<BTreeSet<String>> = items
        .iter()
        .map(|item| item.get("itemIdentifier").and_then(Value::as_str).filter(|identifier| !identifier.is_empty()).map(str::to_owned))
        .collect();
    match identifiers {
        None => Named::Malformed,
        Some(identifiers) if identifiers.is_empty() => Named::None,
        Some(identifiers) => Named::Items(identifiers),
    }
}

/// What became of a batch of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamAnswer {
    /// All of it is done.
    Done,
    /// The records before this one are done; this one and all after it are not, whatever the function did with them.
    FailedFrom(usize),
    /// None of it is done.
    Failed,
}

/// Reads the answer to records of a stream with these sequence numbers, in the order of the batch.
pub fn of_stream(returned: Returned<'_>, reports_failures: bool, sequences: &[&str]) -> StreamAnswer {
    if returned.function_error {
        return StreamAnswer::Failed;
    }
    if !reports_failures {
        return StreamAnswer::Done;
    }
    match named(returned.payload) {
        Named::None => StreamAnswer::Done,
        Named::Malformed => StreamAnswer::Failed,
        // The first of them in the order of the batch is the lowest. A number that is not of this batch says nothing
        // about where to go on, so everything is tried again.
        Named::Items(items) if items.iter().any(|item| !sequences.contains(&item.as_str())) => StreamAnswer::Failed,
        Named::Items(items) => {
            sequences.iter().position(|sequence| items.contains(*sequence)).map_or(StreamAnswer::Failed, StreamAnswer::FailedFrom)
        }
    }
}

/// Which messages of a queue's batch are done, by their places in it. The others stay in the queue.
pub fn of_queue(returned: Returned<'_>, reports_failures: bool, ids: &[&str]) -> Vec<usize> {
    let all = (0..ids.len()).collect();
    if returned.function_error {
        return Vec::new();
    }
    if !reports_failures {
        return all;
    }
    match named(returned.payload) {
        Named::None => all,
        Named::Malformed => Vec::new(),
        Named::Items(items) if items.iter().any(|item| !ids.contains(&item.as_str())) => Vec::new(),
        Named::Items(items) => ids.iter().enumerate().filter(|(_, id)| !items.contains(**id)).map(|(at, _)| at).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 3] = ["11", "12", "13"];

    fn answer(payload: &str) -> (StreamAnswer, Vec<usize>) {
        let returned = Returned { payload: payload.as_bytes(), function_error: false };
        (of_stream(returned, true, &IDS), of_queue(returned, true, &IDS))
    }

    #[test]
    fn answers_mean_what_they_mean_in_aws() {
        let (done, failed) = (|| (StreamAnswer::Done, vec![0, 1, 2]), || (StreamAnswer::Failed, vec![]));
        let cases = [
            ("", done()),
            ("null", done()),
            (r#""""#, done()),
            ("{}", done()),
            (r#"{"batchItemFailures":null}"#, done()),
            (r#"{"batchItemFailures":[]}"#, done()),
            (r#"{"BatchItemFailures":[{"itemIdentifier":"12"}]}"#, done()),
            (r#"{"batchItemFailures":[{"itemIdentifier":"12"}]}"#, (StreamAnswer::FailedFrom(1), vec![0, 2])),
            (r#"{"batchItemFailures":[{"itemIdentifier":"13"},{"itemIdentifier":"12"}]}"#, (StreamAnswer::FailedFrom(1), vec![0])),
            (r#"{"batchItemFailures":[{"itemIdentifier":"11"}]}"#, (StreamAnswer::FailedFrom(0), vec![1, 2])),
            (r#"{"batchItemFailures":[{"itemIdentifier":"12"},{"itemIdentifier":""}]}"#, failed()),
            (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, failed()),
            (r#"{"batchItemFailures":[{"identifier":"12"}]}"#, failed()),
            (r#"{"batchItemFailures":[{"itemIdentifier":"99"}]}"#, failed()),
            (r#"{"batchItemFailures":"12"}"#, failed()),
            ("[]", failed()),
            ("{", failed()),
        ];
        for (payload, expected) in cases {
            assert_eq!(answer(payload), expected, "{payload}");
        }
    }

    #[test]
    fn without_the_response_type_only_an_error_is_a_failure() {
        let named = br#"{"batchItemFailures":[{"itemIdentifier":"12"}]}"#;
        let returned = Returned { payload: named, function_error: false };
        assert_eq!(of_stream(returned, false, &IDS), StreamAnswer::Done);
        assert_eq!(of_queue(returned, false, &IDS), [0, 1, 2]);
        let thrown = Returned { payload: b"{}", function_error: true };
        assert_eq!(of_stream(thrown, false, &IDS), StreamAnswer::Failed);
        assert_eq!(of_queue(thrown, true, &IDS), [] as [usize; 0]);
    }
}
