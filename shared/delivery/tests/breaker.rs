//! When a provider is called, and when it is left alone.

#![expect(clippy::expect_used, reason = "a helper that fails is a test that fails")]

use delivery::{Admission, Breaker, Change, Held, Jitter, Message, Permit, Sign};
use event::Time;
use proptest::prelude::*;

#[path = "support/message.rs"]
mod message;

use message::message;

const LONGEST_PAUSE: i64 = 300_000;

fn at(millis: i64) -> Time {
    Time::from_millis(millis)
}

fn admit(breaker: &mut Breaker, now: i64) -> Result<Permit, Held> {
    match breaker.admit(at(now)) {
        Admission::Call(permit) => Ok(permit),
        Admission::Wait(held) => Err(held),
    }
}

/// One call of one delivery, made and answered at once.
fn call(breaker: &mut Breaker, sign: Sign, delivery: u128, now: i64) -> Option<Change> {
    let permit = admit(breaker, now).ok()?;
    breaker.answered(permit, sign, &message(delivery), at(now))
}

/// When the pause is over that begins now.
fn over(change: Option<Change>, now: i64) -> i64 {
    match change {
        Some(Change::Opened { pause_millis } | Change::StaysOpen { pause_millis }) => now + pause_millis,
        other => unreachable!("{other:?} is no pause"),
    }
}

#[test]
fn it_opens_as_stated_and_not_before() {
    for (signs, opens) in [
        (&[Sign::Fails; 5][..], true),
        (&[Sign::Fails; 4], false),
        (&[Sign::Fails, Sign::Fails, Sign::Fails, Sign::Fails, Sign::Works, Sign::Fails, Sign::Fails, Sign::Fails, Sign::Fails], false),
        (&[Sign::Doubtful; 5], true),
        (&[Sign::Fails, Sign::Doubtful, Sign::Fails, Sign::Doubtful, Sign::Fails], true),
        (&[Sign::Asks { millis: 1 }], true),
        (&[Sign::Stopped], true),
        (&[Sign::Works; 9], false),
    ] {
        let mut breaker = Breaker::default();
        let changes: Vec<_> = (0..).zip(signs).map(|(delivery, sign)| call(&mut breaker, *sign, delivery, 0)).collect();
        let (last, before) = changes.split_last().expect("somebody called");
        assert!(before.iter().all(Option::is_none), "{signs:?}: {changes:?}");
        assert_eq!((matches!(last, Some(Change::Opened { .. })), breaker.is_open()), (opens, opens), "{signs:?}");
    }
}

#[test]
fn one_message_that_cannot_be_sent_opens_nothing() {
    let mut breaker = Breaker::default();
    for now in 0..99 {
        assert_eq!(call(&mut breaker, Sign::Doubtful, 1, now), None);
    }
    for delivery in 2..5 {
        assert_eq!(call(&mut breaker, Sign::Doubtful, delivery, 100), None);
    }
    assert!(matches!(call(&mut breaker, Sign::Doubtful, 5, 100), Some(Change::Opened { .. })), "four others fail as well");
}

#[test]
fn a_pause_doubles_with_each_probe_that_fails_and_begins_small_again() {
    for _again in 0..2 {
        let mut breaker = Breaker::default();
        (0..4).for_each(|delivery| assert_eq!(call(&mut breaker, Sign::Fails, delivery, 0), None));
        let (mut now, mut change) = (0, call(&mut breaker, Sign::Fails, 4, 0));
        for longest in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000, 300_000] {
            let due = over(change, now);
            assert!((longest / 2..=longest).contains(&(due - now)), "{} of {longest}", due - now);
            assert!(call(&mut breaker, Sign::Works, 9, due - 1).is_none() && breaker.is_open(), "nobody calls before the pause is over");
            (now, change) = (due, call(&mut breaker, Sign::Doubtful, 5, due));
        }
        now = over(change, now);
        assert_eq!(call(&mut breaker, Sign::Works, 6, now), Some(Change::Closed));
        assert!(!breaker.is_open() && (0..9).all(|delivery| call(&mut breaker, Sign::Works, delivery, now).is_none()));
    }
}

#[test]
fn a_provider_is_left_alone_for_as_long_as_it_says() {
    for (asked, shortest) in [(i64::MIN, 1_000), (0, 1_000), (100_000, 100_000), (i64::MAX, 900_000)] {
        let mut breaker = Breaker::default();
        let pause = over(call(&mut breaker, Sign::Asks { millis: asked }, 1, 0), 0);
        assert_eq!(pause, shortest, "{asked}");
    }
    let mut breaker = Breaker::default();
    let pause = over(call(&mut breaker, Sign::Stopped, 1, 0), 0);
    assert!((LONGEST_PAUSE / 2..=LONGEST_PAUSE).contains(&pause), "{pause}");
}

#[test]
fn an_answer_from_before_the_last_change_is_no_news() {
    let mut breaker = Breaker::default();
    let [early, late, lost] = [(); 3].map(|()| admit(&mut breaker, 0).expect("it is closed"));
    let due = over(call(&mut breaker, Sign::Stopped, 1, 0), 0);
    assert_eq!(breaker.answered(early, Sign::Works, &message(2), at(1)), None);
    assert!(breaker.is_open());
    let probe = admit(&mut breaker, due).expect("the pause is over");
    assert_eq!(breaker.answered(late, Sign::Works, &message(3), at(due)), None);
    assert!(breaker.is_open() && admit(&mut breaker, due).is_err());
    assert_eq!(breaker.answered(probe, Sign::Works, &message(4), at(due)), Some(Change::Closed));
    assert_eq!(breaker.answered(lost, Sign::Stopped, &message(5), at(due)), None);
    assert!(!breaker.is_open());
}

#[test]
fn a_probe_that_was_not_made_leaves_its_place_to_the_next() {
    let mut breaker = Breaker::default();
    let due = over(call(&mut breaker, Sign::Stopped, 1, 0), 0);
    let probe = admit(&mut breaker, due).expect("the pause is over");
    assert!(admit(&mut breaker, due + LONGEST_PAUSE).is_err(), "one at a time, however long it takes");
    breaker.returned(probe);
    let next = admit(&mut breaker, due).expect("the next is the probe");
    assert_eq!(breaker.answered(next, Sign::Works, &message(2), at(due)), Some(Change::Closed));
}

#[test]
fn a_clock_that_goes_back_makes_no_pause_longer() {
    let mut breaker = Breaker::default();
    let pause = over(call(&mut breaker, Sign::Asks { millis: 60_000 }, 1, 10_000_000), 0);
    assert!(admit(&mut breaker, 1_000).is_err());
    assert!(admit(&mut breaker, 1_000 + pause - 1).is_err());
    assert!(admit(&mut breaker, 1_000 + pause).is_ok());
}

fn held(left: i64, pause: i64) -> Held {
    let mut breaker = Breaker::default();
    call(&mut breaker, Sign::Asks { millis: pause }, 1, 0);
    breaker.held(at(pause - left)).expect("it is open")
}

#[test]
fn who_meets_it_open_comes_back_within_a_pause_after_it_and_within_five_minutes() {
    for (left, pause, from, to) in [
        (1_000, 1_000, 1_000, 2_000),
        (0, 1_000, 1_000, 1_000),
        (0, 60_000, 1_000, 60_000),
        (100_000, 100_000, 100_000, 200_000),
        (200_000, 240_000, 150_000, 300_000),
        (900_000, 900_000, 150_000, 300_000),
    ] {
        let held = held(left, pause);
        let waits: Vec<_> = (0..2_000).map(|number| held.spread_millis(Jitter::new(message::delivery(number), 3))).collect();
        let (first, last) = (waits.iter().min().copied().unwrap_or_default(), waits.iter().max().copied().unwrap_or_default());
        let near = (to - from) / 50;
        assert!((from..=from + near).contains(&first) && (to - near..=to).contains(&last), "{left} of {pause}: {first} to {last}");
    }
}

#[test]
fn whom_the_provider_sent_away_comes_back_no_sooner_than_it_asked_for() {
    for (asked, latest) in [(1_000, 2_000), (100_000, 200_000), (600_000, 900_000), (900_000, 900_000)] {
        let held = held(asked, asked);
        let waits = (0..500).map(|number| held.asked_millis(Jitter::new(message::delivery(number), 0)));
        assert!(waits.into_iter().all(|wait| (asked..=latest).contains(&wait)), "{asked}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Asks,
    Answers { which: usize, sign: Sign },
    GivesUp { which: usize },
    Passes { millis: i64 },
}

fn any_sign() -> impl Strategy<Value = Sign> {
    prop_oneof![
        3 => Just(Sign::Works),
        4 => Just(Sign::Doubtful),
        4 => Just(Sign::Fails),
        1 => any::<i64>().prop_map(|millis| Sign::Asks { millis }),
        1 => Just(Sign::Stopped),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Asks),
        5 => (any::<usize>(), any_sign()).prop_map(|(which, sign)| Step::Answers { which, sign }),
        1 => any::<usize>().prop_map(|which| Step::GivesUp { which }),
        3 => (0..400_000_i64).prop_map(|millis| Step::Passes { millis }),
        1 => any::<i64>().prop_map(|millis| Step::Passes { millis }),
    ]
}

/// A call under way: who makes it, whether the breaker was open when it began, so that it is a probe, and how often it had
/// opened or closed by then.
struct Call {
    permit: Permit,
    message: Message,
    is_probe: bool,
    changes: u32,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn its_laws_hold_whatever_happens(steps in prop::collection::vec(any_step(), 0..80)) {
        let (mut breaker, mut now, mut calls) = (Breaker::default(), 0_i64, Vec::<Call>::new());
        let (mut changes, mut failures) = (0, 0);
        for (number, step) in (0_u128..).zip(steps) {
            match step {
                Step::Passes { millis } => now = now.saturating_add(millis),
                Step::Asks => {
                    let is_probe = breaker.is_open();
                    match breaker.admit(at(now)) {
                        Admission::Call(permit) => calls.push(Call { permit, message: message(number % 7), is_probe, changes }),
                        Admission::Wait(held) => {
                            prop_assert!(is_probe, "nobody waits while it is closed");
                            let jitter = Jitter::new(message::delivery(number), 0);
                            prop_assert!((1_000..=LONGEST_PAUSE).contains(&held.spread_millis(jitter)));
                            prop_assert!((1_000..=900_000).contains(&held.asked_millis(jitter)));
                        }
                    }
                    prop_assert!(calls.iter().filter(|call| call.is_probe).count() <= 1, "never two probes at once");
                }
                Step::GivesUp { which } if !calls.is_empty() => {
                    let call = calls.swap_remove(which % calls.len());
                    let was = breaker.is_open();
                    breaker.returned(call.permit);
                    prop_assert_eq!(breaker.is_open(), was);
                }
                Step::Answers { which, sign } if !calls.is_empty() => {
                    let call = calls.swap_remove(which % calls.len());
                    let was_open = breaker.is_open();
                    let change = breaker.answered(call.permit, sign, &call.message, at(now));
                    match change {
                        Some(Change::Closed) => prop_assert!(call.is_probe && sign == Sign::Works),
                        Some(Change::StaysOpen { pause_millis }) => {
                            prop_assert!(call.is_probe && sign != Sign::Works && (500..=900_000).contains(&pause_millis));
                        }
                        Some(Change::Opened { pause_millis }) => {
                            let at_once = matches!(sign, Sign::Asks { .. } | Sign::Stopped);
                            prop_assert!(!was_open && sign != Sign::Works && (at_once || failures >= 4), "{failures} before it");
                            prop_assert!((500..=900_000).contains(&pause_millis));
                        }
                        None => prop_assert!(!call.is_probe, "a probe's answer always says something"),
                    }
                    prop_assert_eq!(breaker.is_open(), match change { Some(Change::Closed) => false, Some(_) => true, None => was_open });
                    // No less than it counts: it knows a delivery that is doubted again. An answer from before is no news.
                    let is_news = call.changes == changes;
                    if matches!(change, Some(Change::Opened { .. } | Change::Closed)) {
                        (changes, failures) = (changes + 1, 0);
                    } else if is_news && !was_open {
                        failures = if sign == Sign::Works { 0 } else { failures + 1 };
                    }
                }
                Step::GivesUp { .. } | Step::Answers { .. } => (),
            }
        }
        // It comes out by itself: when all calls have ended and the longest pause is over, the next call passes, and its success closes it.
        calls.drain(..).for_each(|call| breaker.returned(call.permit));
        match breaker.admit(at(now)) {
            Admission::Call(permit) => breaker.returned(permit),
            Admission::Wait(_) => now = now.saturating_add(900_000),
        }
        if now < i64::MAX && breaker.is_open() {
            let permit = admit(&mut breaker, now);
            prop_assert!(permit.is_ok(), "{breaker:?} at {now}");
            permit.into_iter().for_each(|permit| { breaker.answered(permit, Sign::Works, &message(1), at(now)); });
            prop_assert!(!breaker.is_open());
        }
    }
}
