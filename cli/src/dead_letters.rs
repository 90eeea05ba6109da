//! `triggers dead-letters`: the deliveries that used up their attempts.

mod foresee;
mod letter;
mod look;
mod redrive;
#[cfg(test)]
mod samples;
mod show;
mod tell;

use std::process::ExitCode;

use anyhow::Result;
use aws::{Clock, LedgerReads};
use clap::{Args, Subcommand};
use decision::DeliveryId;
use trigger::{Duration, TriggerName};

use self::letter::Filter;
use self::look::{Look, places};
use self::redrive::Redrive;
use self::show::Foresight;
use crate::interrupt::Interrupt;
use crate::pace::Rate;
use crate::screen::{self, NOTHING_MATCHED};
use crate::target::Stack;

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Count the dead letters by channel, trigger and cause.
    #[command(after_help = "Examples:
  triggers dead-letters list --stack shop-prod
  triggers dead-letters list --channel email
  triggers dead-letters list --json | jq -r .delivery      each by its id")]
    List {
        /// A line of JSON for each dead letter.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        range: Range,
    },
    /// Show all that is known of one dead letter, and what a redrive would do now.
    #[command(after_help = "Examples:
  triggers dead-letters show 50b73ebcbb711ef86ab856bbde2833bb --channel email")]
    Show {
        /// The delivery.
        #[arg(value_name = "DELIVERY_ID")]
        delivery: DeliveryId,
        #[command(flatten)]
        range: Range,
    },
    /// Put dead letters back onto their queues; without --yes only say which.
    #[command(after_help = "Each passes the gate again: consent, suppressions, pauses and not_after count as they are then.

Examples:
  triggers dead-letters redrive                            what would be redriven
  triggers dead-letters redrive --channel crm --cause http_503 --since 2d --yes
  triggers dead-letters redrive --trigger welcome --rate 2/s --yes")]
    Redrive {
        /// Those of one trigger.
        #[arg(long, value_name = "TRIGGER", value_parser = TriggerName::parse)]
        trigger: Option<TriggerName>,
        /// Those of one cause, as the list names it.
        #[arg(long, value_name = "CAUSE")]
        cause: Option<String>,
        /// Those that were put onto their queue within this time, as in 12h or 2d.
        #[arg(long, value_name = "DURATION", value_parser = Duration::parse)]
        since: Option<Duration>,
        /// How many a second.
        #[arg(long, value_name = "N/s", default_value = "10/s", value_parser = Rate::parse)]
        rate: Rate,
        /// Do it.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        range: Range,
    },
}

/// Where to look, and how far.
#[derive(Args)]
struct Range {
    /// The channel: email, sms, crm, webhook [default: all].
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// Look at this many of each channel at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=40_000))]
    limit: u16,
    #[command(flatten)]
    stack: Stack,
}

pub async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (range, rate) = match &arguments.action {
        Action::List { range, .. } | Action::Show { range, .. } => (range, None),
        Action::Redrive { range, rate, .. } => (range, Some(*rate)),
    };
    let interrupt = Interrupt::listen();
    let (sdk, outputs) = range.stack.outputs().await?;
    let clock = Clock::system();
    let places = places(&sdk, &outputs, range.channel.as_deref())?;
    let look = Look {
        places: &places,
        ledger: LedgerReads::new(aws_sdk_dynamodb::Client::new(&sdk), outputs.get("DeliveriesTable")?),
        limit: usize::from(range.limit),
        hidden_seconds: hidden_seconds(range.limit, places.len(), rate),
        clock: clock.clone(),
        interrupt: interrupt.clone(),
    };
    let now = clock.now();
    match &arguments.action {
        Action::List { json, .. } => {
            look.at(async |found| {
                found.notes.iter().for_each(|note| screen::note(note));
                let letters = found.held.iter().map(|held| &held.letter);
                if *json {
                    letters.for_each(|letter| screen::line(&letter.json().to_string()));
                } else if found.held.is_empty() {
                    screen::line("there are no dead letters");
                } else {
                    tell::summary(letters, now).iter().for_each(|line| screen::line(line));
                }
                Ok(ExitCode::SUCCESS)
            })
            .await
        }
        Action::Show { delivery, .. } => {
            let foresight = Foresight::new(&sdk, &outputs, clock)?;
            look.at(async |found| {
                found.notes.iter().for_each(|note| screen::note(note));
                let mut shown = 0;
                for held in &found.held {
                    let Some(message) = held.letter.message.as_ref().ok().filter(|message| message.delivery == *delivery) else { continue };
                    if shown > 0 {
                        screen::line("\nthere is another message of it, which is harmless: the ledger makes one delivery of both\n");
                    }
                    foresight.tell(&held.letter, message).await.iter().for_each(|line| screen::line(line));
                    shown += 1;
                }
                if shown > 0 {
                    return Ok(ExitCode::SUCCESS);
                }
                screen::note(&format!("{delivery} is not among the {} that were looked at", found.held.len()));
                Ok(ExitCode::from(NOTHING_MATCHED))
            })
            .await
        }
        Action::Redrive { trigger, cause, since, rate, yes, .. } => {
            let filter = Filter { trigger: trigger.clone(), cause: cause.clone(), since: *since };
            let redrive = Redrive { places: &places, filter: &filter, rate: *rate, really: *yes, now, interrupt: &interrupt };
            look.at(async |found| redrive.run(found).await).await
        }
    }
}

/// Longer than a look takes with calls of half a second, and a redrive at its rate; never above the twelve hours that a
/// queue allows. It matters only to who is killed: everybody else gives back.
fn hidden_seconds(limit: u16, places: usize, rate: Option<Rate>) -> i32 {
    let most = usize::from(limit).saturating_mul(places);
    let redriving = rate.map_or(0, |rate| rate.time_for(most).as_secs());
    let seconds = u64::from(limit / 20).saturating_add(redriving).saturating_add(60);
    i32::try_from(seconds.min(12 * 60 * 60)).unwrap_or(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_hides_messages_for_as_long_as_it_may_take() {
        let rate = |text| Some(Rate::parse(text).unwrap());
        assert_eq!(hidden_seconds(1_000, 4, None), 110);
        assert_eq!(hidden_seconds(1_000, 4, rate("10/s")), 510);
        assert_eq!(hidden_seconds(40_000, 5, rate("1/s")), 43_200);
    }
}
