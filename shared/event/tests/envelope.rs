//! Bytes to events, and to reasons why they are none.

#![expect(clippy::unwrap_used, reason = "a helper of a test may fail the test")]

use event::{Event, LARGEST_EVENT, MOST_HOPS, QuarantineReason, Time, readdressed, replayed};
use proptest::prelude::*;

const VALID: &str = r#"{"specversion":"1.0","id":"e1","source":"/shop","type":"order.completed","time":"2026-03-01T10:00:00Z","subject":"c-1","data":{"total":300.0}}"#;

fn reason(text: &str) -> QuarantineReason {
    Event::parse(text.as_bytes()).unwrap_err().reason
}

#[test]
fn a_valid_envelope_is_an_event() {
    let event = Event::parse(VALID.as_bytes()).unwrap();
    assert_eq!((event.id().as_str(), event.kind().as_str(), event.subject().as_str()), ("e1", "order.completed", "c-1"));
    assert_eq!(event.data_text(), r#"{"total":300.0}"#);
}

#[test]
fn an_event_is_shown_without_its_data() {
    let event = Event::parse(VALID.as_bytes()).unwrap();
    assert_eq!(format!("{event:?}"), "Event(order.completed e1 of /shop about c-1 at 2026-03-01T10:00:00.000Z)");
}

#[test]
fn attributes_that_are_not_ours_are_let_through() {
    let text = VALID.replace("\"id\"", "\"dataschema\":\"https://example.com/s\",\"traceparent\":\"00-x\",\"id\"");
    assert!(Event::parse(text.as_bytes()).is_ok());
}

#[test]
fn without_data_it_is_empty() {
    let event = Event::parse(VALID.replace(r#","data":{"total":300.0}"#, "").as_bytes()).unwrap();
    assert!(event.data().is_empty());
}

#[test]
fn each_kind_of_broken_record_has_its_reason() {
    use QuarantineReason as Q;
    for (text, expected) in [
        ("", Q::NotJson),
        ("nonsense", Q::NotJson),
        ("[]", Q::NotJson),
        ("\"text\"", Q::NotJson),
        ("{\"id\":", Q::NotJson),
        (&VALID.replace("{\"total\"", "{\"a\":1e999,\"total\""), Q::NotJson),
        (&VALID.replace("{\"total\":300.0}", &format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200))), Q::NotJson),
        (&VALID.replace("\"id\":\"e1\"", "\"id\":\"e1\",\"id\":\"e2\""), Q::NotJson),
        (&VALID.replace("\"id\":\"e1\",", ""), Q::MissingField),
        (&VALID.replace("\"e1\"", "null"), Q::MissingField),
        (&VALID.replace("\"specversion\":\"1.0\",", ""), Q::MissingField),
        (&VALID.replace(",\"subject\":\"c-1\"", ""), Q::MissingField),
        (&VALID.replace("\"1.0\"", "\"0.3\""), Q::InvalidField),
        (&VALID.replace("\"e1\"", "7"), Q::InvalidField),
        (&VALID.replace("\"e1\"", "\"\""), Q::InvalidField),
        (&VALID.replace("{\"total\":300.0}", "[1]"), Q::InvalidField),
        (&VALID.replace("{\"total\":300.0}", "null"), Q::InvalidField),
        (&VALID.replace("T10:00:00Z", ""), Q::InvalidTime),
        (&VALID.replace("\"c-1\"", "\"undefined\""), Q::InvalidSubject),
        (&VALID.replace("\"c-1\"", "\"ana@example.com\""), Q::InvalidSubject),
        (&VALID.replace("\"id\"", "\"hops\":9,\"id\""), Q::TooManyHops),
        (&VALID.replace("\"e1\"", &format!("\"{}\"", "x".repeat(70_000))), Q::TooLarge),
    ] {
        assert_eq!(reason(text), expected, "{text:.200}");
    }
    assert_eq!(Event::parse(b"\xF3\x89\x9A\xC2rest").unwrap_err().reason, Q::Aggregated);
    assert_eq!(Event::parse(b"{\"id\":\"\xFF\"}").unwrap_err().reason, Q::NotJson);
}

#[test]
fn every_problem_is_named_and_no_value() {
    let refusal = Event::parse(br#"{"specversion":"1.0","type":"x","time":"secret","subject":"ana@example.com"}"#).unwrap_err();
    insta::assert_snapshot!(refusal, @"missing_field: id is missing; source is missing; time is no RFC 3339 time; write it as 2026-03-01T10:00:00Z or 2026-03-01T12:00:00.250+02:00; subject is shaped like an email address; send an opaque id, and the address as data.customer.email");
}

#[test]
fn the_largest_event_is_still_one_when_it_was_put_again() {
    let largest = VALID.replace("300.0", &format!("\"{}\"", "x".repeat(LARGEST_EVENT - VALID.len() + 3)));
    assert_eq!(largest.len(), LARGEST_EVENT);
    assert!(Event::parse(largest.as_bytes()).is_ok());
    let mut bytes = largest.clone().into_bytes();
    for _ in 0..MOST_HOPS {
        bytes = readdressed(&bytes, Time::from_millis(1_764_000_000_000)).unwrap();
        assert!(Event::parse(&bytes).is_ok(), "{} bytes", bytes.len());
    }
    assert_eq!(reason(&largest.replace("\"id\"", " \"id\"")), QuarantineReason::TooLarge);
}

#[test]
fn an_optional_attribute_may_be_null() {
    let text = VALID.replace("\"id\"", "\"hops\":null,\"originalarrival\":null,\"cause\":null,\"id\"");
    let event = Event::parse(text.as_bytes()).unwrap();
    assert_eq!((event.hops(), event.original_arrival(), event.cause()), (0, None, None));
    let again = Event::parse(&readdressed(text.as_bytes(), Time::from_millis(1_000)).unwrap()).unwrap();
    assert_eq!((again.hops(), again.original_arrival()), (1, Some(Time::from_millis(1_000))));
}

#[test]
fn a_record_under_the_wrong_key_keeps_its_first_arrival_and_its_text() {
    let first = readdressed(VALID.as_bytes(), Time::from_millis(1_000)).unwrap();
    let second = readdressed(&first, Time::from_millis(2_000)).unwrap();
    let event = Event::parse(&second).unwrap();
    assert_eq!((event.hops(), event.original_arrival()), (2, Some(Time::from_millis(1_000))));
    assert_eq!(event.data_text(), r#"{"total":300.0}"#);
}

#[test]
fn an_event_that_a_person_puts_again_keeps_its_first_arrival_and_gets_no_hop() {
    let first = replayed(VALID.as_bytes(), Time::from_millis(1_000)).unwrap();
    let second = replayed(&first, Time::from_millis(2_000)).unwrap();
    let event = Event::parse(&second).unwrap();
    assert_eq!((event.hops(), event.original_arrival()), (0, Some(Time::from_millis(1_000))));
    assert_eq!(event.data_text(), r#"{"total":300.0}"#);
    assert_eq!(replayed(b"[]", Time::from_millis(1)).unwrap_err().reason, QuarantineReason::NotJson);
    // However often, it is not refused for what was added.
    let largest = VALID.replace("300.0", &format!("\"{}\"", "x".repeat(LARGEST_EVENT - VALID.len() + 3)));
    assert!(Event::parse(&replayed(largest.as_bytes(), Time::from_millis(1_764_000_000_000)).unwrap()).is_ok());
}

#[test]
fn a_reason_is_read_as_it_is_written() {
    for reason in QuarantineReason::ALL {
        assert_eq!(QuarantineReason::parse(reason.code()), Ok(reason));
    }
    let refused = QuarantineReason::parse("Stuck").unwrap_err().to_string();
    assert!(refused.starts_with("there is no such reason; there are: too_large, aggregated, not_json") && refused.ends_with("stuck"));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, text: String) {
        let _ = Event::parse(&bytes);
        let _ = Event::parse(text.as_bytes());
        let _ = Event::parse(VALID.replace("e1", &text).as_bytes());
    }
}
