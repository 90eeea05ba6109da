//! How long a delivery waits.

use std::collections::BTreeSet;

use decision::DeliveryId;
use delivery::{Jitter, Message, back_off, bounded_wait};
use event::Time;
use proptest::prelude::*;

#[path = "support/message.rs"]
mod message;

fn jitter(number: u128) -> Jitter {
    Jitter::new(message::delivery(number), 0)
}

fn any_delivery() -> impl Strategy<Value = DeliveryId> {
    any::<u128>().prop_map(message::delivery)
}

#[test]
fn a_number_is_named_by_the_delivery_and_its_waits() {
    // Computed apart from this code: eight bytes of sha256 over both behind their lengths, as a fraction of the range.
    let delivery = message::delivery(0x0909_0909_0909_0909_0909_0909_0909_0909);
    for (waits, expected) in [(0, 691), (3, 5_656)] {
        assert_eq!(back_off(waits, Jitter::new(delivery, waits)), expected, "{waits}");
    }
}

#[test]
fn a_back_off_doubles_from_a_second_to_fifteen_minutes_and_is_shortened_by_half_at_most() {
    for (waits, longest) in [(0, 1_000), (1, 2_000), (2, 4_000), (9, 512_000), (10, 900_000), (63, 900_000), (u32::MAX, 900_000)] {
        let waited: BTreeSet<_> = (0..4_000).map(|number| back_off(waits, jitter(number))).collect();
        let (first, last) = (waited.first().copied().unwrap_or_default(), waited.last().copied().unwrap_or_default());
        assert!((longest / 2..longest * 51 / 100).contains(&first) && (longest * 99 / 100..=longest).contains(&last), "{first} {last}");
    }
}

#[test]
fn a_backlog_does_not_come_back_in_one_second() {
    let mut by_second = [0_u32; 900];
    for number in 0..9_000 {
        let second = usize::try_from(jitter(number).within(0, 899_999) / 1_000).unwrap_or_default();
        by_second[second] += 1;
    }
    assert!(by_second.iter().all(|count| (1..40).contains(count)), "ten each, more or less: {by_second:?}");
}

proptest! {
    #[test]
    fn a_number_lies_within_its_range(delivery in any_delivery(), waits: u32, one: i64, other: i64) {
        let (low, high) = (one.min(other), one.max(other));
        let jitter = Jitter::new(delivery, waits);
        prop_assert!((low..=high).contains(&jitter.within(low, high)));
        prop_assert_eq!(jitter.within(low, low), low);
        prop_assert!(low == high || jitter.within(high, low) == high, "an empty range has its beginning only");
    }

    #[test]
    fn who_waited_more_waits_no_shorter(waits in 0..40_u32, delivery in any_delivery()) {
        let [sooner, later] = [waits, waits + 1].map(|waits| back_off(waits, Jitter::new(delivery, waits)));
        prop_assert!(sooner <= later || later >= 450_000, "{sooner} {later}");
    }

    #[test]
    fn nobody_waits_longer_than_until_right_after_the_end(
        now in -2_000_000..2_000_000_i64,
        not_after in prop_oneof![4 => -2_000_000..2_000_000_i64, 1 => any::<i64>()],
        millis in prop_oneof![4 => 0..2_000_000_i64, 1 => any::<i64>()],
    ) {
        let message = Message { not_after: Time::from_millis(not_after), ..message::message(1) };
        let waited = bounded_wait(&message, Time::from_millis(now), millis);
        prop_assert!((0..=900_000).contains(&waited) && waited <= millis.max(0));
        if now <= not_after {
            prop_assert!(waited <= not_after.saturating_sub(now).saturating_add(1_000));
        } else {
            prop_assert_eq!(waited, millis.clamp(0, 900_000), "beyond the end nothing hurries it");
        }
    }
}
