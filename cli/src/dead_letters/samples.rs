//! What the tests of dead letters are made of.

use aws::{DeadLetter, LedgerEntry, LedgerSummary};
use delivery::Message;
use event::Time;

pub const NOW: Time = Time::from_millis(1_772_400_000_000);

/// Good for another 40 minutes.
pub fn message() -> Message {
    let text = concat!(
        r#"{"format":1,"delivery":"50b73ebcbb711ef86ab856bbde2833bb","customer":"c-1","#,
        r#""position":"001772359200000#00000000000000000000000000000000000000000000000000004967","#,
        r#""shard":"shardId-000000000001","sequence":"4967","trigger":"welcome","version":3,"run":"5283f484829c1f39d2a87b7d789e870d","#,
        r#""step":"0","channel":"email","not_before":1772359200000,"not_after":1772402400000}"#
    );
    Message::parse(text).expect("the sample is a message")
}

/// A dead letter of this age.
pub fn raw(body: &str, age_millis: i64) -> DeadLetter {
    let mut raw = DeadLetter::default();
    raw.body = body.to_owned();
    raw.sent = NOW.plus(-age_millis);
    raw.receives = 6;
    raw
}

pub fn record(entry: LedgerEntry, cause: Option<&str>) -> LedgerSummary {
    LedgerSummary { entry, attempts: 5, cause: cause.map(str::to_owned), claimed_at: Some(NOW.plus(-60_000)), settled_at: None }
}
