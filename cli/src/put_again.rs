//! A record that was put aside, to be put onto the stream once more.

use aws::Put;
use customer::Input;
use event::{Event, NoEvent, SequenceNumber, ShardId, Subject, Time, replayed};

/// What a router will make of a record that is put again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// It takes it as an event: under its subject, with the arrival of its first record.
    Event(Put),
    /// It quarantines it once more: as it stands, under the key that it had.
    NoEvent { put: Put, refusal: NoEvent },
}

impl Again {
    pub fn of(partition_key: &str, arrival: Time, data: &[u8]) -> Self {
        match event(arrival, data) {
            Ok(put) => Self::Event(put),
            Err(refusal) => Self::NoEvent { put: Put { partition_key: partition_key.to_owned(), data: data.to_vec() }, refusal },
        }
    }
}

/// Parsed as a router does it, from the record alone: what it refuses for a customer's state is not seen here.
fn event(arrival: Time, data: &[u8]) -> Result<Put, NoEvent> {
    let event = Event::parse(data)?;
    let partition_key = event.subject().as_str().to_owned();
    if let Subject::Customer(customer) = event.subject().clone() {
        Input::new(customer, event, arrival, ShardId::default(), SequenceNumber::default())?;
    }
    Ok(Put { partition_key, data: replayed(data, arrival)? })
}

#[cfg(test)]
mod tests {
    use event::QuarantineReason;

    use super::*;

    fn text(subject: &str, data: &str) -> String {
        format!(
            r#"{{"specversion":"1.0","id":"e","source":"/s","type":"a.b","time":"2026-03-01T10:00:00Z","subject":"{subject}","data":{data}}}"#
        )
    }

    #[test]
    fn a_record_is_put_as_the_router_will_take_it() {
        let arrival = Time::from_millis(1_772_359_200_123);
        let again = |text: &str| Again::of("key", arrival, text.as_bytes());
        for subject in ["c-1", "product:7"] {
            let Again::Event(put) = again(&text(subject, r#"{"n":1.50}"#)) else { panic!("{subject} is an event") };
            let event = Event::parse(&put.data).unwrap();
            assert_eq!((put.partition_key.as_str(), event.original_arrival()), (subject, Some(arrival)));
            assert_eq!((event.hops(), event.data_text()), (0, r#"{"n":1.50}"#));
        }
        for (record, reason) in [
            ("no json".to_owned(), QuarantineReason::NotJson),
            (text("ana@example.com", "{}"), QuarantineReason::InvalidSubject),
            (text("c-1", r#"{"customer":{"email":5}}"#), QuarantineReason::InvalidProfile),
        ] {
            let Again::NoEvent { put, refusal } = again(&record) else { panic!("{record} is no event") };
            assert_eq!((put.partition_key.as_str(), put.data, refusal.reason), ("key", record.into_bytes(), reason));
        }
    }
}
