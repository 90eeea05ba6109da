//! A provider that is in trouble for an hour, in virtual time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use decision::{DeliveryId, Outcome};
use delivery::{Message, WaitCause};
use event::Time;
use futures::future::join_all;
use lambda::Metrics;
use sender::{Breakers, Failure, Handled, SendError};
use serde_json::{Value, json};

use crate::local::{Place, run};
use crate::virtual_queue::{PutBack, VirtualQueue};
use crate::world::World;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// What came of all deliveries.
struct Outage {
    began: Time,
    world: World,
    put_back: PutBack,
    queue: VirtualQueue,
    ended: Vec<(DeliveryId, Outcome, Time)>,
    /// The receives that were used up, each with whether the breaker was open when the attempt began.
    receives: Vec<bool>,
}

impl Outage {
    /// So many deliveries at once.
    async fn of(stack: &'static Place, deliveries: u128, valid_for: i64) -> Self {
        let (mut world, put_back) = (World::new(stack, "marketing").await, PutBack::default());
        world.watch_queue(put_back.clone());
        let (mut queue, began) = (VirtualQueue::default(), world.now());
        for number in 0..deliveries {
            let delivery = DeliveryId::from_bytes(&number.to_be_bytes()).expect("an id");
            queue.put(Message { delivery, not_after: began.plus(valid_for), ..world.message.clone() }, 0, began);
        }
        Self { began, world, put_back, queue, ended: Vec::new(), receives: Vec::new() }
    }

    /// Handles batch after batch until this much later, or until the queue is empty.
    async fn run(&mut self, until: i64) {
        let until = self.began.plus(until);
        while let Some(next) = self.queue.next().filter(|next| *next < until) {
            self.world.pass(next.since(self.world.now()).max(0));
            let batch = self.queue.receive(self.world.now());
            let was_open = self.world.sender.breakers.is_open(self.world.message.channel);
            let handled = join_all(batch.iter().map(|received| self.world.handle_message(&received.message))).await;
            let now = self.world.now();
            for (received, handled) in batch.into_iter().zip(handled) {
                match handled {
                    Ok(Handled::Ended(outcome)) => self.ended.push((received.message.delivery, outcome, now)),
                    Ok(Handled::Waits(_)) => (),
                    Err(Failure::NotSent { .. }) => {
                        self.receives.push(was_open);
                        self.queue.failed(received, now);
                    }
                    other => unreachable!("{other:?}"),
                }
            }
            for (message, seconds) in self.put_back.take() {
                assert!((1..=900).contains(&seconds), "{seconds}");
                self.queue.put(message, 0, now.plus(seconds * 1_000));
            }
        }
        self.world.pass(until.since(self.world.now()).max(0));
    }

    fn sent(&self) -> usize {
        let sent: BTreeSet<_> =
            self.ended.iter().filter(|(_, outcome, _)| matches!(outcome, Outcome::Sent { .. })).map(|ended| ended.0).collect();
        sent.len()
    }
}

fn troubles() -> [SendError; 5] {
    let cause = || "a code".to_owned();
    [
        SendError::Unavailable { cause: cause() },
        SendError::NotSent { cause: cause() },
        SendError::Stopped { cause: cause() },
        SendError::Throttled { cause: cause(), retry_after_millis: None },
        SendError::Throttled { cause: cause(), retry_after_millis: Some(40_000) },
    ]
}

#[test]
fn whoever_waits_for_an_hour_uses_up_no_receive_and_is_sent_when_it_is_over() {
    run(async |stack| {
        for trouble in troubles() {
            let mut outage = Outage::of(stack, 20, 6 * HOUR).await;
            outage.world.sender.provider.always(Some(trouble.clone()));
            outage.run(HOUR).await;
            assert!(outage.ended.is_empty(), "{trouble:?}");
            let may_fail = if matches!(trouble, SendError::NotSent { .. }) { 4 } else { 0 };
            assert_eq!(outage.receives, vec![false; may_fail], "{trouble:?}: only what failed before it opened");
            // The first batch, then a probe after each pause: 10 until it is five minutes, then one in two and a half to five.
            assert!(outage.world.calls() <= 10 + 10 + 24, "{trouble:?}: {} calls", outage.world.calls());

            outage.world.sender.provider.always(None);
            outage.run(2 * HOUR).await;
            let last = outage.ended.iter().map(|ended| ended.2.since(outage.began)).max();
            assert_eq!((outage.sent(), outage.ended.len(), outage.queue.dead_letters.len()), (20, 20, 0), "{trouble:?}");
            assert!(last < Some(HOUR + 15 * MINUTE), "{trouble:?}: the last {last:?} after it began");
        }
    });
}

#[test]
fn whoever_waits_too_long_ends_as_expired() {
    run(async |stack| {
        let mut outage = Outage::of(stack, 12, 30 * MINUTE).await;
        outage.world.sender.provider.always(Some(SendError::Unavailable { cause: "not_connected".to_owned() }));
        outage.run(HOUR).await;
        assert_eq!((outage.queue.next(), outage.queue.dead_letters.len(), outage.receives.len()), (None, 0, 0));
        assert_eq!(outage.ended.len(), 12);
        for (_, outcome, at) in &outage.ended {
            let after = at.since(outage.began) - 30 * MINUTE;
            assert!(*outcome == Outcome::Expired && (1..=3_000).contains(&after), "{outcome:?} {after} ms after its end");
        }
    });
}

#[test]
fn one_message_on_which_the_provider_fails_ends_among_the_dead_letters_and_stops_no_other() {
    run(async |stack| {
        let mut outage = Outage::of(stack, 1, 6 * HOUR).await;
        outage.world.sender.provider.always(Some(SendError::NotSent { cause: "http_500".to_owned() }));
        outage.run(HOUR).await;
        assert_eq!((outage.queue.dead_letters.len(), outage.world.calls(), &outage.receives[..]), (1, 5, &[false; 5][..]));
        assert!(!outage.world.sender.breakers.is_open(outage.world.message.channel));
    });
}

#[test]
fn an_answer_that_does_not_tell_opens_it_before_everything_is_unknown() {
    run(async |stack| {
        let mut outage = Outage::of(stack, 40, 6 * HOUR).await;
        outage.world.sender.provider.always(Some(SendError::Ambiguous { cause: "timeout".to_owned() }));
        outage.run(10 * MINUTE).await;
        let unknown = outage.ended.len();
        assert!((10..=25).contains(&unknown), "the first batch and the probes: {unknown}");
        outage.world.sender.provider.always(None);
        outage.run(HOUR).await;
        assert_eq!((outage.sent(), outage.ended.len()), (40 - unknown, 40));
    });
}

#[test]
fn a_batch_is_one_line_of_the_metric() {
    run(async |stack| {
        let mut outage = Outage::of(stack, 0, HOUR).await;
        let lines = Arc::<Mutex<Vec<Value>>>::default();
        outage.world.sender.breakers = {
            let lines = Arc::clone(&lines);
            Breakers::new(Metrics::new(move |line| {
                lines.lock().expect("no test panicked").push(serde_json::from_str(line).expect("a line is JSON"));
            }))
        };
        let told = || {
            let lines = std::mem::take(&mut *lines.lock().expect("no test panicked"));
            let told = |line: &Value| (line["channel"].clone(), line["BreakerOpen"].clone(), line["DeliveriesWaiting"].clone());
            lines.iter().map(told).collect::<Vec<_>>()
        };
        let email = |open: u32, waiting: u32| (json!("email"), json!(open), json!(waiting));
        let world = &outage.world;
        let batch = async |first: u128| {
            let messages = (first..first + 10).map(|number| DeliveryId::from_bytes(&number.to_be_bytes()).expect("an id"));
            let bodies: Vec<_> = messages.map(|delivery| Message { delivery, ..world.message.clone() }.to_text()).collect();
            let (now, owner) = (world.now().plus(30_000), |at: usize| format!("{first}/{at}"));
            join_all(bodies.iter().enumerate().map(async |(at, body)| world.sender.is_done_with(body, &owner(at), now).await)).await
        };

        assert!(batch(0).await.into_iter().all(|done| done));
        assert_eq!(told(), [], "there is nothing to say while it is closed");
        world.sender.provider.always(Some(SendError::NotSent { cause: "http_500".to_owned() }));
        assert_eq!(batch(10).await.into_iter().filter(|done| !done).count(), 4);
        assert_eq!(told(), [email(1, 6)]);
        assert!(batch(20).await.into_iter().all(|done| done));
        assert_eq!(told(), [email(1, 10)]);
        world.sender.provider.always(None);
        world.pass(MINUTE);
        assert!(batch(30).await.into_iter().all(|done| done));
        let told = told();
        assert!(told.len() == 1 && told[0].1 == json!(0), "it closed: {told:?}");
    });
}

#[test]
fn a_probe_whose_delivery_was_done_before_leaves_its_place_to_the_next() {
    run(async |stack| {
        let world = World::new(stack, "marketing").await;
        assert!(matches!(world.handle().await, Ok(Handled::Ended(Outcome::Sent { .. }))));
        world.sender.provider.answer(SendError::Stopped { cause: "paused".to_owned() });
        let other =
            |number: u128| Message { delivery: DeliveryId::from_bytes(&number.to_be_bytes()).expect("an id"), ..world.message.clone() };
        assert_eq!(world.handle_message(&other(1)).await.unwrap(), Handled::Waits(WaitCause::BreakerOpen));
        assert_eq!(world.handle_message(&other(2)).await.unwrap(), Handled::Waits(WaitCause::BreakerOpen));
        world.pass(5 * MINUTE);
        assert!(matches!(world.handle().await, Ok(Handled::EndedBefore(_))), "it passes as the probe and makes no call");
        assert!(matches!(world.handle_message(&other(2)).await, Ok(Handled::Ended(Outcome::Sent { .. }))));
        assert!(matches!(world.handle_message(&other(1)).await, Ok(Handled::Ended(Outcome::Sent { .. }))));
    });
}
