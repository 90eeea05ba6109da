//! The command line: `triggers`.
//!
//! Exit codes: 0 done, 1 a problem in what was given or in what was asked for, 2 a command that was not understood,
//! 3 nothing there that was asked for, 130 interrupted.

mod apply;
mod backfill;
mod check;
mod columns;
mod dead_letters;
mod event_file;
mod interrupt;
mod local;
mod marketing;
mod matches;
mod pace;
mod plan;
mod preview;
mod project;
mod put;
mod put_again;
mod quarantine;
mod replay;
mod rollback;
mod samples;
mod screen;
mod set_mode;
mod simulate;
mod tables;
mod target;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Customer triggers: decide on customer events, and send what follows, from files in git.
#[derive(Parser)]
#[command(name = "triggers", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "Examples:
  triggers local                     run everything here, with the sample events
  triggers check                     find every problem in triggers/
  triggers apply --stack shop-prod   put triggers/ into force in a deployed stack
  triggers mode welcome paused --stack shop-prod";

#[derive(Subcommand)]
enum Action {
    /// Run the whole system on this machine: deploy it, apply the triggers, send events through it.
    #[command(after_help = "Examples:
  triggers local
  triggers local --triggers my-triggers --events my-events.jsonl
  triggers local --json | tail -n 1
  triggers local --keep              leave it running, and print how to talk to it")]
    Local(local::Arguments),
    /// Find every problem in the triggers, their templates and their manifest.
    #[command(after_help = "Examples:
  triggers check
  triggers check --triggers my-triggers --samples my-events
  triggers check --explain           say what each trigger does, in plain words")]
    Check(check::Arguments),
    /// Put the triggers into force in a deployed stack.
    #[command(after_help = "Examples:
  triggers apply --stack shop-prod
  triggers apply --dry-run           print what would change, change nothing")]
    Apply(apply::Arguments),
    /// Change a trigger's mode or rollout in a deployed stack, without a new version.
    #[command(after_help = "Examples:
  triggers mode welcome paused
  triggers mode welcome live --rollout 10%")]
    Mode(set_mode::Arguments),
    /// Put an earlier generation of the triggers into force again; modes and rollouts stay as they are.
    #[command(after_help = "Examples:
  triggers rollback                  to the newest earlier definitions
  triggers rollback --to 12")]
    Rollback(rollback::Arguments),
    /// Bring the archive into the histories that the triggers in force ask for.
    #[command(after_help = "A condition on a customer's past sees what came since a trigger in force first asked for it.
Run this after an apply that asks for an event type anew, or for a larger count.

Examples:
  triggers backfill --stack shop-prod --dry-run
  triggers backfill --stack shop-prod")]
    Backfill(backfill::Arguments),
    /// Stop all marketing of a deployed stack at once, or let it go out again.
    #[command(after_help = "Examples:
  triggers marketing stop --stack shop-prod
  triggers marketing resume --stack shop-prod")]
    Marketing(marketing::Arguments),
    /// Decide on a file of events, with no store and no network: one JSON line for each decision.
    #[command(after_help = "Examples:
  triggers simulate
  triggers simulate --triggers my-triggers --events my-events.jsonl | jq -r .decision")]
    Simulate(simulate::Arguments),
    /// Render a trigger's messages into files.
    #[command(after_help = "Examples:
  triggers preview welcome
  triggers preview welcome --customer ana.json --event sign-up.json")]
    Preview(preview::Arguments),
    /// Put events onto the stream of a deployed stack.
    #[command(after_help = "Examples:
  triggers put my-events.jsonl --stack shop-dev
  cat my-events.jsonl | triggers put - --stack shop-dev")]
    Put(put::Arguments),
    /// Look at the deliveries that used up their attempts, and redrive them.
    #[command(name = "dead-letters")]
    DeadLetters(dead_letters::Arguments),
    /// Look at the records that could not be events, and release them.
    Quarantine(quarantine::Arguments),
    /// Put the batches onto the stream again that the router failed on for a day; without --yes only say which.
    #[command(after_help = "Each record keeps its first arrival: what is too late by now is refused or expires.

Examples:
  triggers replay --failed                                 what would be replayed
  triggers replay --failed --since 2d --rate 50/s --yes")]
    Replay(replay::Arguments),
    /// Match events against EventBridge patterns, one case a line.
    #[command(after_help = "A case is a line such as
  {\"name\": \"a\", \"pattern\": {\"total\": [{\"numeric\": [\">=\", 50]}]}, \"event\": {\"total\": 80}}
and its answer
  {\"name\":\"a\",\"match\":true}")]
    Match {
        /// A file of cases, or - for standard input.
        #[arg(long, value_name = "FILE")]
        cases: PathBuf,
    },
}

/// Where triggers lie.
#[derive(Args)]
struct Folder {
    /// The folder of triggers, with templates/ and manifest.yaml in it.
    #[arg(long, value_name = "DIR", default_value = "triggers")]
    triggers: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let result = match Command::parse().action {
        Action::Local(arguments) => local::run(arguments).await,
        Action::Check(arguments) => check::run(&arguments),
        Action::Apply(arguments) => apply::run(&arguments).await,
        Action::Mode(arguments) => set_mode::run(&arguments).await,
        Action::Rollback(arguments) => rollback::run(&arguments).await,
        Action::Backfill(arguments) => backfill::run(&arguments).await,
        Action::Marketing(arguments) => marketing::run(&arguments).await,
        Action::Simulate(arguments) => simulate::run(&arguments),
        Action::Preview(arguments) => preview::run(&arguments),
        Action::Put(arguments) => put::run(&arguments).await,
        Action::DeadLetters(arguments) => dead_letters::run(&arguments).await,
        Action::Quarantine(arguments) => quarantine::run(&arguments).await,
        Action::Replay(arguments) => replay::run(&arguments).await,
        Action::Match { cases } => matches::run(&cases),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            screen::error(&error);
            ExitCode::FAILURE
        }
    }
}
