//! An object of the quarantine, as `triggers local` and a redrive read it: `aws::Quarantined`.

use aws::Quarantined;

use crate::laws;

/// What is read is written and read again as the same, and its record can be looked at.
pub fn check(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<Quarantined>(bytes) else { return };
    let text = serde_json::to_string(&read).expect("it has a JSON form");
    assert_eq!(serde_json::from_str::<Quarantined>(&text).ok().as_ref(), Some(&read));
    assert!(read.text().len() <= read.data.len() * 3, "more text than data");
}

/// Objects of a size that no record has.
pub fn grown() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (
            "data without end",
            laws::grown(
                r#"{"reason":"not_json","problems":[],"shard":"s","sequence":"1","partition_key":"c","arrival":"","data":""#,
                "////",
                400_000,
                "\"}",
            ),
        ),
        ("problems without end", laws::grown(r#"{"reason":"not_json","problems":["#, "\"\",", 400_000, "\"\"]}")),
    ]
}
