//! The payload that a mapping of the stream hands to the router: `lambda::records_of`.

use event::{Event, NoEvent, Position, QuarantineReason};
use lambda::{failed_from, records_of};

use crate::laws;

/// A payload is refused without a word of what is in it, or every record of it is named as the mapping named it.
pub fn check(bytes: &[u8]) {
    let Ok(payload) = serde_json::from_slice(bytes) else { return };
    let records = match records_of(payload) {
        Ok(records) => records,
        Err(error) => return laws::is_fit_for_a_log(&error.to_string(), 300),
    };
    for record in &records {
        let answer = serde_json::to_value(failed_from(Some(record))).expect("an answer is JSON");
        assert_eq!(answer["batchItemFailures"][0]["itemIdentifier"], record.identifier.as_str());
        let _ = (Event::parse(&record.data), Position::new(record.arrival, &record.sequence), record.arrival.to_string());
        let refusal = NoEvent::new(QuarantineReason::Stuck, "stuck");
        let put = aws::Quarantined::new(&refusal, &record.shard, &record.sequence, &record.partition_key, record.arrival, &record.data);
        let text = serde_json::to_string(&put).expect("it has a JSON form");
        assert_eq!(serde_json::from_str::<aws::Quarantined>(&text).ok(), Some(put));
    }
}

/// Payloads with one thing in them that is large.
pub fn grown() -> Vec<(&'static str, Vec<u8>)> {
    let record = |sequence: &str, arrival: &str, data: &str| {
        format!(
            r#"{{"eventID":"shardId-000000000000:{sequence}","kinesis":{{"sequenceNumber":"{sequence}","partitionKey":"c-1","approximateArrivalTimestamp":{arrival},"data":"{data}"}}}}"#
        )
    };
    let payload = |records: String| format!("{{\"Records\":[{records}]}}").into_bytes();
    vec![
        ("many records", payload(vec![record("1", "1772359200.5", "e30="); 2_000].join(","))),
        ("a sequence number without end", payload(record(&"9".repeat(100_000), "1", ""))),
        ("an arrival without end", payload(record("1", &"9".repeat(300), ""))),
        ("data that is no base64", payload(record("1", "1", &"?".repeat(100_000)))),
    ]
}
