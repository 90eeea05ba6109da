//! `triggers dead-letters redrive`: back onto the queues, and only then off the dead letters.
//!
//! At least once: whatever ends this program, each letter is on its queue or among the dead letters, at worst on both, and
//! the ledger makes one delivery of two messages.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::Result;
use delivery::Message;
use event::Time;

use super::letter::{Filter, Letter, UNREADABLE};
use super::look::{Found, Held, Place};
use super::tell::{Tally, forecast, summary};
use crate::interrupt::Interrupt;
use crate::pace::{Pace, Rate};
use crate::screen::{self, Activity, NOTHING_MATCHED, count};

/// A batch of messages has no more of them, and no more bytes in all.
const LARGEST_BATCH: usize = 10;
const LARGEST_BYTES: usize = 1_000_000;

/// What is to be redriven, and how.
pub struct Redrive<'r> {
    pub places: &'r [Place],
    pub filter: &'r Filter,
    pub rate: Rate,
    /// Without it nothing is done.
    pub really: bool,
    pub now: Time,
    pub interrupt: &'r Interrupt,
}

impl Redrive<'_> {
    /// Says what would be redriven, and redrives it where that is wanted.
    ///
    /// # Errors
    /// A channel whose queue is not known. A call that failed is told of, and is no error here: the others go on.
    pub async fn run(&self, found: &mut Found) -> Result<ExitCode> {
        let meant = |held: &&Held| self.filter.means(&held.letter, self.now);
        let letters: Vec<&Letter> = found.held.iter().filter(meant).map(|held| &held.letter).collect();
        let others = found.held.len() - letters.len();
        let unreadable = found.held.iter().filter(|held| !meant(held) && held.letter.cause == UNREADABLE).count();
        if unreadable > 0 {
            found.notes.push(format!("unreadable: {unreadable}; --cause {UNREADABLE} redrives these as they stand"));
        }
        found.notes.iter().for_each(|note| screen::note(note));
        if letters.is_empty() {
            screen::line(&match others {
                0 => "there are no dead letters".to_owned(),
                others => format!("none of {} matches; dead-letters list shows them", count(others, "dead letter")),
            });
            return Ok(ExitCode::from(NOTHING_MATCHED));
        }
        let number = letters.len();
        summary(letters.iter().copied(), self.now).iter().for_each(|line| screen::line(line));
        screen::line("");
        forecast(letters.iter().copied(), self.now).iter().for_each(|line| screen::line(line));
        if others > 0 {
            screen::line(&format!("not meant, and left where they are: {others}"));
        }
        if !self.really {
            screen::line(&format!(
                "{} would be redriven at {}, in about {}s; nothing was changed, --yes does it",
                count(number, "dead letter"),
                self.rate,
                self.rate.time_for(number).as_secs() + 1,
            ));
            return Ok(ExitCode::SUCCESS);
        }
        self.perform(found, number).await
    }

    async fn perform(&self, found: &mut Found, number: usize) -> Result<ExitCode> {
        for place in self.places.iter().zip(0..).filter(|(_, at)| found.held.iter().any(|held| held.place == *at)).map(|(place, _)| place) {
            if let Err(error) = &place.queue {
                anyhow::bail!("{error}");
            }
        }
        self.give_back_others(found).await;
        let activity = Activity::start();
        let mut pace = Pace::start(self.rate);
        let mut tally = Tally::default();
        let mut interrupted = false;
        for (place, at) in self.places.iter().zip(0..) {
            let mut meant: Vec<&mut Held> =
                found.held.iter_mut().filter(|held| held.place == at && self.filter.means(&held.letter, self.now)).collect();
            let mut rest = meant.as_mut_slice();
            while !rest.is_empty() && !interrupted {
                let sizes: Vec<_> = rest.iter().map(|held| held.raw.body.len()).collect();
                let (chunk, others) = std::mem::take(&mut rest).split_at_mut(fitting(&sizes, self.rate.at_once(LARGEST_BATCH)));
                if pace.go_on(chunk.len(), self.interrupt).await {
                    redrive(place, chunk, &mut tally).await;
                    activity.detail(&format!("{} of {number} redriven", tally.redriven));
                } else {
                    interrupted = true;
                }
                rest = others;
            }
        }
        activity.done();
        tally.lines().iter().for_each(|line| screen::line(line));
        Ok(if interrupted {
            screen::note("interrupted; the others are still among the dead letters");
            Interrupt::exit_code()
        } else if tally.refused.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// What is not meant need not stay hidden for as long as the redrive takes. What is not given back now is at the end.
    async fn give_back_others(&self, found: &mut Found) {
        for (place, at) in self.places.iter().zip(0..) {
            let mut others: Vec<_> =
                found.held.iter_mut().filter(|held| held.place == at && !self.filter.means(&held.letter, self.now)).collect();
            if place.letters.give_back(others.iter().map(|held| &held.raw)).await.is_ok_and(|kept| kept == 0) {
                others.iter_mut().for_each(|held| held.done_with = true);
            }
        }
    }
}

/// Sends one batch, and deletes of it what the queue took.
async fn redrive(place: &Place, chunk: &mut [&mut Held], tally: &mut Tally) {
    let Ok(queue) = &place.queue else { return };
    for held in chunk.iter_mut() {
        // What shares a queue fairly is the trigger, as when the router enqueued it.
        if let Ok(message) = &held.letter.message {
            held.raw.group.get_or_insert_with(|| message.trigger.as_str().to_owned());
        }
    }
    let letters: Vec<_> = chunk.iter().map(|held| (&held.raw, Message::redriven(&held.raw.body))).collect();
    let answers = match queue.redrive(&letters).await {
        Ok(answers) => answers,
        Err(error) => {
            *tally.refused.entry(error.to_string()).or_default() += chunk.len();
            return;
        }
    };
    let mut taken = BTreeSet::new();
    for (number, answer) in answers.into_iter().enumerate() {
        match answer {
            None => _ = taken.insert(number),
            Some(code) => *tally.refused.entry(code).or_default() += 1,
        }
    }
    let taken: Vec<&mut &mut Held> =
        chunk.iter_mut().enumerate().filter(|(number, _)| taken.contains(number)).map(|(_, held)| held).collect();
    match place.letters.delete(taken.iter().map(|held| &held.raw)).await {
        Ok(0) => {
            tally.redriven += taken.len();
            taken.into_iter().for_each(|held| held.done_with = true);
        }
        // Which of them are left is not worth telling apart: a second message of a delivery sends nothing.
        Ok(_) | Err(_) => tally.doubled += taken.len(),
    }
}

/// How many of the first messages, of these sizes, one batch can carry.
fn fitting(sizes: &[usize], most: usize) -> usize {
    let mut bytes = 0;
    let fits = sizes.iter().take(most).take_while(|size| {
        bytes += **size;
        bytes <= LARGEST_BYTES
    });
    // One that is too large for any batch goes alone, and is refused by itself.
    fits.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_no_more_messages_and_bytes_than_the_queue_takes() {
        assert_eq!(fitting(&[100; 25], 10), 10);
        assert_eq!(fitting(&[100; 25], 1), 1);
        assert_eq!(fitting(&[400_000, 400_000, 400_000], 10), 2);
        assert_eq!(fitting(&[2_000_000, 1], 10), 1);
    }
}
