//! A stored blob, with its header or as the content behind one: `blob`, and every record that is made of it.

use blob::{OpenError, open, seal};
use customer::{Customer, document};
use decision::Recorded;
use event::{SequenceNumber, ShardId, Time};
use trigger::{Bundle, Head, Published};

use crate::event::ARRIVAL;
use crate::laws;

const LIMIT: usize = 1 << 20;
const LONGEST_ERROR: usize = 16 * 1024;

/// What opens is written and opened again as the same; what does not says why, in bounded words.
pub fn check(bytes: &[u8]) {
    match open(bytes, 1, LIMIT) {
        Ok((format, content)) => {
            assert!(format <= 1 && content.len() <= LIMIT);
            assert_eq!(open(&seal(format, &content), 1, LIMIT), Ok((format, content)));
        }
        Err(error) => laws::is_bounded(&error.to_string(), LONGEST_ERROR),
    }
    opens(bytes);
    // A mutation of what is compressed is mostly not compressed any more.
    let mut bare = vec![1, 0, 1, 0, 0, 0, 0];
    bare.extend_from_slice(bytes);
    opens(&bare);
}

fn opens(blob: &[u8]) {
    match Customer::open(blob) {
        Ok(customer) => is_usable(&customer),
        Err(error) => is_a_good_error(&error),
    }
    match Recorded::open(blob) {
        Ok(recorded) => {
            assert_eq!(Recorded::open(&recorded.seal()).as_ref(), Ok(&recorded));
            let _ = (format!("{recorded:?}"), recorded.codes());
        }
        Err(error) => laws::is_bounded(&error.to_string(), LONGEST_ERROR),
    }
    match Head::open(blob) {
        Ok(head) => {
            assert_eq!(Head::open(&head.seal()).as_ref(), Ok(&head));
            for time in [ARRIVAL, Time::from_millis(i64::MIN), Time::from_millis(i64::MAX)] {
                let _ = (head.in_force(time), head.with_marketing(true, time, 30_000));
            }
        }
        Err(error) => is_a_good_error(&error),
    }
    match Bundle::open(blob) {
        Ok(bundle) => {
            let (_, chunks) = bundle.seal();
            assert!(Bundle::open(&chunks.concat()).is_ok_and(|again| again == bundle));
        }
        Err(error) => laws::is_bounded(&error.to_string(), 4 << 20),
    }
    match Published::open(blob) {
        Ok(published) => assert!(Published::open(&published.seal()).is_ok_and(|again| again == published)),
        Err(error) => laws::is_bounded(&error.to_string(), 4 << 20),
    }
    #[cfg(feature = "shell")]
    if let Err(error) = <aws::StoredTemplate as blob::Record>::open(blob, 1, LIMIT) {
        is_a_good_error(&error);
    }
}

#[track_caller]
fn is_a_good_error(error: &OpenError) {
    laws::is_bounded(&error.to_string(), LONGEST_ERROR);
}

fn is_usable(customer: &Customer) {
    // Floats that are no number are equal to nothing, and no field is one.
    assert_eq!(Customer::open(&customer.seal()).as_ref(), Ok(customer));
    let (shard, sequence) = (ShardId::new("shardId-000000000000"), SequenceNumber::new("1"));
    for time in [ARRIVAL, Time::from_millis(i64::MIN), Time::from_millis(i64::MAX)] {
        let _ = customer.seen(&shard, &sequence, time);
    }
    let _ = (document(customer), customer.traits(), customer.is_committed(&shard, &sequence, Time::default()), customer.counted("a"));
}

/// Blobs that are small, and say that they are large.
pub fn grown() -> Vec<(&'static str, Vec<u8>)> {
    // A record with one field, a list of many empty records.
    let list = |field: u8, count: u32, element: &[u8]| {
        let mut content = vec![0xa1, field, 0x9a];
        content.extend(count.to_be_bytes());
        content.extend(element.repeat(count as usize));
        content
    };
    let claimed = |count: u64| {
        let mut content = vec![0xa1, 0x06, 0x9b];
        content.extend(count.to_be_bytes());
        content
    };
    let unknown: Vec<u8> = {
        let count = 100_000_u32;
        let mut content = vec![0xba];
        content.extend(count.to_be_bytes());
        for number in 0..count {
            content.push(0x1a);
            content.extend((number + 1_000).to_be_bytes());
            content.push(0xf6);
        }
        content
    };
    vec![
        ("a megabyte of nothing", seal(1, &vec![0; 1 << 20])),
        ("a hundred megabytes of nothing", seal(1, &vec![0; 100 << 20])),
        ("consents that say nothing", seal(1, &list(6, 1_000_000, &[0xa0]))),
        ("consents with a field that nobody knows", seal(1, &list(6, 300_000, &[0xa1, 0x14, 0x00]))),
        ("generations that say nothing", seal(1, &list(1, 4_000_000, &[0xa0]))),
        ("decisions that say nothing", seal(1, &list(10, 4_000_000, &[0xa0]))),
        ("triggers that say nothing", seal(1, &list(1, 30_000_000, &[0xa0]))),
        ("events that are remembered without end", seal(1, &list(8, 1_000_000, &[0x00]))),
        ("fields that nobody knows", seal(1, &unknown)),
        ("a list that claims to be endless", claimed(u64::MAX)),
        ("a list that claims to be large", claimed(1 << 40)),
        ("lists in lists that nobody knows", {
            let mut content = vec![0xa1, 0x18, 0x63];
            content.extend(vec![0x81; 1_000_000]);
            content.push(0);
            seal(1, &content)
        }),
        ("lists of unknown length in lists", {
            let mut content = vec![0xa1, 0x18, 0x63];
            content.extend(vec![0x9f; 500_000]);
            content.extend(vec![0xff; 500_000]);
            seal(1, &content)
        }),
        ("tags on tags", {
            let mut content = vec![0xa1, 0x18, 0x63];
            content.extend(vec![0xc1; 1_000_000]);
            content.push(0);
            seal(1, &content)
        }),
    ]
}
