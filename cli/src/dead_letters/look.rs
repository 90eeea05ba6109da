//! A look at the dead letters: what is received is given back, however the look ends.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use aws::{Clock, DeadLetter, DeadLetters, Depth, LedgerReads, Passing, Queue};
use aws_config::SdkConfig;
use event::Time;
use futures::future::join_all;

use super::letter::{Known, Letter};
use crate::interrupt::Interrupt;
use crate::screen::{self, Activity, count};
use crate::target::Outputs;

/// The dead letters of a channel, and the queue that they are from.
pub struct Place {
    pub channel: String,
    pub letters: DeadLetters,
    /// Or which output is missing.
    pub queue: Result<Queue>,
}

/// The queues of dead letters that the stack has, or the one of the channel that is asked for.
///
/// # Errors
/// The stack has none of that channel, or none at all.
pub fn places(sdk: &SdkConfig, outputs: &Outputs, channel: Option<&str>) -> Result<Vec<Place>> {
    let client = aws_sdk_sqs::Client::new(sdk);
    let all: Vec<_> = outputs.ending_with("DeadLettersUrl").map(|(name, url)| (name.to_lowercase(), name, url)).collect();
    let names: Vec<_> = all.iter().map(|(channel, ..)| channel.clone()).collect();
    let wanted = all.into_iter().filter(|(name, ..)| channel.is_none_or(|channel| channel == name));
    let places: Vec<_> = wanted
        .map(|(channel, name, url)| Place {
            channel,
            letters: DeadLetters::new(client.clone(), url.to_owned()),
            queue: outputs.get(&format!("{name}QueueUrl")).map(|url| Queue::new(client.clone(), url)),
        })
        .collect();
    ensure!(
        !places.is_empty(),
        "the stack has no dead letters of {}; it has those of: {}",
        channel.unwrap_or("any channel"),
        names.join(", ")
    );
    Ok(places)
}

/// A letter that was received and is hidden from others.
pub struct Held {
    /// Its place, as an index of the look's.
    pub place: usize,
    pub raw: DeadLetter,
    pub letter: Letter,
    /// Whether it was deleted or given back already.
    pub done_with: bool,
}

/// What a look found.
#[derive(Default)]
pub struct Found {
    pub held: Vec<Held>,
    /// What the numbers do not show, one line each.
    pub notes: Vec<String>,
}

/// How to look.
pub struct Look<'p> {
    pub places: &'p [Place],
    pub ledger: LedgerReads,
    /// At most so many of each place.
    pub limit: usize,
    /// How long what is received stays hidden, should nobody give it back.
    pub hidden_seconds: i32,
    pub clock: Clock,
    pub interrupt: Interrupt,
}

impl Look<'_> {
    /// Receives the dead letters, has them worked on, and gives back what was not deleted: also after an error or an
    /// interruption. The work begins only when all were received.
    ///
    /// # Errors
    /// A call that failed, or the work's own error.
    pub async fn at<W>(&self, work: W) -> Result<ExitCode>
    where
        W: AsyncFnOnce(&mut Found) -> Result<ExitCode>,
    {
        let mut found = Found::default();
        let received = self.receive(&mut found).await;
        let result = match received {
            Err(error) => Err(error),
            Ok(()) if self.interrupt.is_asked() => {
                screen::note("interrupted; nothing was changed");
                Ok(Interrupt::exit_code())
            }
            Ok(()) => work(&mut found).await,
        };
        self.give_back(&found).await;
        result
    }

    async fn receive(&self, found: &mut Found) -> Result<()> {
        let activity = Activity::start();
        let count = Cell::new(0);
        let received = join_all(self.places.iter().map(|place| self.receive_all(place, &activity, &count))).await;
        let now = self.clock.now();
        let mut failed = None;
        for (place, (name, (letters, depth))) in self.places.iter().map(|place| &place.channel).zip(received).enumerate() {
            let reached = letters.len() >= self.limit;
            found.held.extend(letters.into_iter().map(|raw| {
                let letter = Letter::new(name, &raw, Known::Nothing, now);
                Held { place, raw, letter, done_with: false }
            }));
            match depth {
                Err(error) => failed = failed.or(Some(error)),
                Ok(depth) => found.notes.extend(beyond(name, depth, self.limit, reached, self.hidden_seconds)),
            }
        }
        let read = match failed {
            Some(error) => Err(error.into()),
            None => self.read_ledger(found, now).await,
        };
        activity.done();
        read
    }

    /// What was received before a failure is kept beside it, to be given back.
    async fn receive_all(&self, place: &Place, activity: &Activity, count: &Cell<usize>) -> (Vec<DeadLetter>, Result<Depth, Passing>) {
        let mut letters = BTreeMap::new();
        let depth = place.letters.depth().await;
        if depth.is_err() {
            return (Vec::new(), depth);
        }
        while letters.len() < self.limit && !self.interrupt.is_asked() {
            let received = match place.letters.receive(self.limit - letters.len(), self.hidden_seconds).await {
                Ok(received) => received,
                Err(error) => return (letters.into_values().collect(), Err(error)),
            };
            let before = letters.len();
            // One that comes again is known by its id; only the newest receipt gives it back.
            letters.extend(received.into_iter().map(|letter| (letter.id.clone(), letter)));
            if letters.len() == before {
                break;
            }
            count.set(count.get() + letters.len() - before);
            activity.detail(&format!("looking at the dead letters: {}", count.get()));
        }
        (letters.into_values().collect(), depth)
    }

    async fn read_ledger(&self, found: &mut Found, now: Time) -> Result<()> {
        let readable = found.held.iter().filter_map(|held| held.letter.message.as_ref().ok());
        // Two letters can be of one delivery, so that a record is looked up and not taken out.
        let records = self.ledger.read(readable.map(|message| (&message.customer, message.delivery))).await?;
        for held in &mut found.held {
            let delivery = held.letter.message.as_ref().ok().map(|message| message.delivery);
            let known = match delivery.and_then(|delivery| records.get(&delivery)) {
                None => Known::Nothing,
                Some(Err(_)) => Known::Unreadable,
                Some(Ok(record)) => Known::Record(record.clone()),
            };
            held.letter = Letter::new(&held.letter.channel, &held.raw, known, now);
        }
        Ok(())
    }

    /// What cannot be given back comes again by itself.
    async fn give_back(&self, found: &Found) {
        let mut kept = 0;
        for (place, at) in self.places.iter().zip(0..) {
            let held: Vec<_> = found.held.iter().filter(|held| held.place == at && !held.done_with).map(|held| &held.raw).collect();
            let number = held.len();
            kept += place.letters.give_back(held).await.unwrap_or(number);
        }
        if kept > 0 {
            screen::note(&format!(
                "{} could not be given back, and stay hidden for up to {}",
                count(kept, "dead letter"),
                count(usize::try_from(self.hidden_seconds).unwrap_or_default(), "second")
            ));
        }
    }
}

/// What lies beyond a look: letters that somebody else holds, and those above the limit.
fn beyond(channel: &str, depth: Depth, limit: usize, reached: bool, hidden_seconds: i32) -> Vec<String> {
    let mut notes = Vec::new();
    if depth.hidden > 0 {
        notes.push(format!(
            "{channel}: {} more hidden by another look, or by one that was killed (then for up to {hidden_seconds}s)",
            depth.hidden
        ));
    }
    if reached {
        let more = match depth.visible.saturating_sub(limit) {
            0 => "there may be more".to_owned(),
            more => format!("there are about {more} more"),
        };
        notes.push(format!("{channel}: looked at {limit}, {more}; --limit looks at more"));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_look_did_not_see_is_said() {
        let depth = |visible, hidden| Depth { visible, hidden };
        assert!(beyond("email", depth(5, 0), 10, false, 80).is_empty());
        assert_eq!(
            beyond("email", depth(1_500, 3), 1_000, true, 80),
            [
                "email: 3 more hidden by another look, or by one that was killed (then for up to 80s)",
                "email: looked at 1000, there are about 500 more; --limit looks at more"
            ]
        );
        // The queue's own number lags behind.
        assert_eq!(beyond("sms", depth(0, 0), 10, true, 80), ["sms: looked at 10, there may be more; --limit looks at more"]);
    }
}
