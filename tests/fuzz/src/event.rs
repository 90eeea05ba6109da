//! A record of the stream: `event::Event::parse`, `event::readdressed`, `customer::Input::new`.

use customer::Input;
use event::{Event, MOST_HOPS, NoEvent, QuarantineReason, SequenceNumber, ShardId, Subject, Time, readdressed};
use pattern::Json;
use serde_json::Value;

use crate::laws;

/// 2026-03-01T10:00:00Z.
pub const ARRIVAL: Time = Time::from_millis(1_772_359_200_000);

const ARRIVALS: [Time; 5] =
    [ARRIVAL, Time::from_millis(0), Time::from_millis(-1), Time::from_millis(i64::MIN), Time::from_millis(i64::MAX)];

const MOST_PROBLEMS: usize = 12;
const LONGEST_PROBLEM: usize = 300;

/// What is refused says why, in bounded words without a value; what is taken means the same to every reader, and outlives
/// being put again.
pub fn check(bytes: &[u8]) {
    let event = match Event::parse(bytes) {
        Ok(event) => event,
        Err(refusal) => return is_a_good_refusal(&refusal),
    };
    shows_no_data(&event);
    let text = Json::parse(event.data_text()).expect("data was read before");
    assert!(laws::is_same(&text, &Value::Object(event.data().clone())), "two readers of data disagree");
    assert_eq!(event.time().to_string().parse(), Ok(event.time()), "a time is not read as it is printed");
    is_put_again(bytes, &event);
    for arrival in ARRIVALS {
        let again = readdressed(bytes, arrival).expect("what was read is JSON");
        if let Err(refusal) = Event::parse(&again) {
            is_a_good_refusal(&refusal);
        }
        becomes_an_input(&event, arrival);
    }
}

/// The reason and the words of a refusal.
#[track_caller]
pub fn is_a_good_refusal(refusal: &NoEvent) {
    assert!((1..=MOST_PROBLEMS).contains(&refusal.problems.len()), "{} problems", refusal.problems.len());
    refusal.problems.iter().for_each(|problem| laws::is_fit_for_a_log(problem, LONGEST_PROBLEM));
}

fn shows_no_data(event: &Event) {
    let named = [event.id().as_str(), event.source().as_str(), event.kind().as_str(), event.subject().as_str()];
    if !named.iter().any(|name| laws::has_personal(name)) {
        laws::is_fit_for_a_log(&format!("{event:?}"), 4_096);
    }
}

fn is_put_again(bytes: &[u8], event: &Event) {
    let again = readdressed(bytes, ARRIVAL).expect("what was read is JSON");
    let read = Event::parse(&again);
    if event.hops() == MOST_HOPS {
        return assert!(read.is_err_and(|refusal| refusal.reason == QuarantineReason::TooManyHops));
    }
    let read = read.unwrap_or_else(|refusal| panic!("put again, it is refused: {refusal}"));
    assert_eq!(read.hops(), event.hops() + 1);
    assert_eq!(read.original_arrival(), event.original_arrival().or(Some(ARRIVAL)), "the first arrival counts");
    assert_eq!((read.id(), read.source(), read.kind()), (event.id(), event.source(), event.kind()));
    assert_eq!((read.time(), read.subject(), read.cause()), (event.time(), event.subject(), event.cause()));
    assert_eq!((read.data(), read.data_text()), (event.data(), event.data_text()));
}

fn becomes_an_input(event: &Event, arrival: Time) {
    let Subject::Customer(customer) = event.subject() else { return };
    let shard = ShardId::new("shardId-000000000000");
    match Input::new(customer.clone(), event.clone(), arrival, shard, SequenceNumber::new("1")) {
        Err(refusal) => is_a_good_refusal(&refusal),
        Ok(input) => {
            assert!(input.original_arrival() <= arrival, "arrived before it was put");
            assert!(input.event_time() <= input.original_arrival().plus(300_000), "a producer's clock counts for more than ours");
            assert!(!laws::has_personal(input.position().as_str()));
        }
    }
}

/// An envelope with this data.
pub fn envelope(kind: &str, data: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"e1","source":"/shop","type":"{kind}","time":"2026-03-01T10:00:00Z","subject":"c-1","data":{data}}}"#
    )
}

/// JSON inside a text inside JSON, under the key by which a library marks what it has not parsed yet. So a reader that
/// obeys the key meets nesting without a bound.
pub fn nested_texts(levels: usize, arrays: usize) -> String {
    let mut quotes = 0;
    let mut text = "0".to_owned();
    for _ in 0..levels {
        let escaped: String = text
            .chars()
            .map(|c| match c {
                '"' => "\\u0022".to_owned(),
                '\\' => "\\u005c".to_owned(),
                other => other.to_string(),
            })
            .collect();
        quotes += 1;
        text = format!("{}{{\"$serde_json::private::RawValue\":\"{escaped}\"}}{}", "[".repeat(arrays), "]".repeat(arrays));
    }
    debug_assert_eq!(quotes, levels);
    text
}

/// Events up to the largest size that is taken.
pub fn grown() -> Vec<(&'static str, Vec<u8>)> {
    let data = |data: String| envelope("order.completed", &data).into_bytes();
    let nested = |levels, arrays| data(format!("{{\"a\":{}}}", nested_texts(levels, arrays)));
    vec![
        ("arrays in arrays to the end of the record", data(format!("{{\"a\":{}", "[".repeat(60_000)))),
        ("arrays in arrays, closed", data(format!("{{\"a\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000)))),
        ("objects in objects", data(format!("{}1{}", "{\"a\":".repeat(9_000), "}".repeat(9_000)))),
        ("JSON in texts in JSON", nested(12, 120)),
        ("many texts in one another", nested(40, 60)),
        ("a number of sixty thousand digits", data(format!("{{\"a\":{}}}", "9".repeat(60_000)))),
        ("a huge exponent", data(format!("{{\"a\":0e{}}}", "9".repeat(60_000)))),
        ("sixty thousand empty objects", data(format!("{{\"a\":[{}{{}}]}}", "{},".repeat(20_000)))),
        ("one key again and again", data(format!("{{{}\"a\":1}}", "\"a\":0,".repeat(10_000)))),
        ("many attributes", format!("{{{}\"a\":0}}", (0..6_000).map(|n| format!("\"a{n}\":0,")).collect::<String>()).into_bytes()),
        (
            "purposes that are none",
            data(format!(
                "{{\"customer\":{{\"consent\":{{{}\"A\":[]}}}}}}",
                (0..4_000).map(|n| format!("\"P{n}\":0,")).collect::<String>()
            )),
        ),
        ("larger than an event may be", data(format!("{{\"a\":\"{}\"}}", "x".repeat(70_000)))),
        ("a subject without end", envelope("a", "{}").replace("c-1", &"x".repeat(60_000)).into_bytes()),
        ("a time without end", envelope("a", "{}").replace(":00Z", &format!(":00.{}Z", "1".repeat(60_000))).into_bytes()),
    ]
}
