//! `triggers quarantine`: the records that could not be events.

mod release;
mod tell;

use std::io::{IsTerminal, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use aws::{Clock, Quarantine, Stream, object_store};
use clap::{Args, Subcommand};
use event::{QuarantineReason, Time};
use trigger::Duration;

use self::release::{Release, mended};
use crate::interrupt::Interrupt;
use crate::put_again::Again;
use crate::screen::{self, Activity, NOTHING_MATCHED};
use crate::target::Stack;

#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the quarantined records by their arrival, with their reasons.
    #[command(after_help = "Examples:
  triggers quarantine list --stack shop-prod
  triggers quarantine list --reason stuck --since 2d
  triggers quarantine list --json | jq -r .key")]
    List {
        /// A line of JSON for each record.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        stack: Stack,
    },
    /// Show why a record was quarantined, and what a release would do now.
    #[command(after_help = "Examples:
  triggers quarantine show shardId-000000000000/49671…
  triggers quarantine show shardId-000000000000/49671… --data > record.json")]
    Show {
        /// The record, as the list names it.
        #[arg(value_name = "KEY")]
        key: String,
        /// Write the record's bytes, and what else is known beside the answer. They may be personal.
        #[arg(long)]
        data: bool,
        #[command(flatten)]
        stack: Stack,
    },
    /// Put records onto the stream again; without --yes only say which.
    #[command(after_help = "A record that would be quarantined again is refused. Mend it, or mend the code and deploy it first.

Examples:
  triggers quarantine release --reason stuck               what would be released
  triggers quarantine release --reason stuck --yes
  triggers quarantine release shardId-000000000000/49671… --file mended.json --yes")]
    Release {
        /// The records, as the list names them.
        #[arg(value_name = "KEY", required_unless_present = "reason", conflicts_with_all = ["reason", "since"])]
        keys: Vec<String>,
        #[command(flatten)]
        filter: Filter,
        /// A mended record, which takes the place of the one that is released.
        #[arg(long, value_name = "FILE", conflicts_with = "reason")]
        file: Option<PathBuf>,
        /// Put also what would be quarantined again.
        #[arg(long)]
        force: bool,
        /// Do it.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        stack: Stack,
    },
}

/// Which records are meant.
#[derive(Args)]
struct Filter {
    /// Those of one reason.
    #[arg(long, value_name = "REASON", value_parser = QuarantineReason::parse)]
    reason: Option<QuarantineReason>,
    /// Those that were put aside within this time, as in 12h or 2d.
    #[arg(long, value_name = "DURATION", value_parser = Duration::parse)]
    since: Option<Duration>,
    /// Look at this many at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

pub async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (Action::List { stack, .. } | Action::Show { stack, .. } | Action::Release { stack, .. }) = &arguments.action;
    let (sdk, outputs) = stack.outputs().await?;
    let quarantine = Quarantine::new(object_store(&sdk), outputs.get("QuarantineBucket")?);
    let now = Clock::system().now();
    match &arguments.action {
        Action::List { json, filter, .. } => list(&quarantine, filter, *json, now).await,
        Action::Show { key, data, .. } => show(&quarantine, key, *data).await,
        Action::Release { keys, filter, file, force, yes, .. } => {
            if file.is_some() && keys.len() != 1 {
                bail!("--file takes the place of one record; name one KEY with it");
            }
            let interrupt = Interrupt::listen();
            let stream = Stream::new(aws_sdk_kinesis::Client::new(&sdk), outputs.get("StreamName")?);
            let mended = file.as_deref().map(mended).transpose()?;
            let release = Release { quarantine: &quarantine, stream: &stream, mended, force: *force, really: *yes, interrupt: &interrupt };
            let listed;
            let keys = if keys.is_empty() {
                listed = filter.records(&quarantine, now).await?.into_iter().map(|record| record.key).collect();
                &listed
            } else {
                keys
            };
            release.run(keys).await
        }
    }
}

impl Filter {
    /// The records that are meant; those beyond the limit are told of.
    async fn records(&self, quarantine: &Quarantine, now: Time) -> Result<Vec<aws::QuarantinedObject>> {
        let activity = Activity::start();
        activity.detail("looking at the quarantine");
        let since = self.since.map(|since| now.plus(-since.as_millis()));
        let listing = quarantine.list(usize::try_from(self.limit).unwrap_or(usize::MAX), since).await;
        activity.done();
        let mut listing = listing?;
        if listing.more {
            screen::looked_at_the_first(listing.records.len());
        }
        listing.records.retain(|record| self.reason.is_none_or(|reason| tell::reason(record) == reason.code()));
        Ok(listing.records)
    }
}

async fn list(quarantine: &Quarantine, filter: &Filter, json: bool, now: Time) -> Result<ExitCode> {
    let records = filter.records(quarantine, now).await?;
    if json {
        records.iter().for_each(|record| screen::line(&tell::json(record).to_string()));
    } else if records.is_empty() {
        screen::line("nothing that is asked for is in the quarantine");
    } else {
        tell::listing(&records, now).iter().for_each(|line| screen::line(line));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(quarantine: &Quarantine, key: &str, data: bool) -> Result<ExitCode> {
    let Some(record) = quarantine.read(key).await? else {
        screen::note(&format!("{key} is not in the quarantine: it was released, or it expired; quarantine list shows what is"));
        return Ok(ExitCode::from(NOTHING_MATCHED));
    };
    let bytes = record.bytes()?;
    let again = Again::of(&record.partition_key, record.arrived()?, &bytes);
    let details = tell::details(key, &record, &bytes, &again);
    if !data {
        details.iter().for_each(|line| screen::line(line));
        return Ok(ExitCode::SUCCESS);
    }
    details.iter().for_each(|line| screen::note(line));
    screen::note(&format!("partition key, perhaps personal: {}", tell::harmless(record.partition_key.as_bytes())));
    screen::note("its data, perhaps personal:");
    if stdout().is_terminal() {
        screen::line(&tell::harmless(&bytes));
    } else {
        screen::bytes(&bytes)?;
    }
    Ok(ExitCode::SUCCESS)
}
