//! The command line: `triggers`.
//!
//! Exit codes: 0 done, 1 a problem in what was given or in what was asked for, 2 a command that was not understood.

mod apply;
mod check;
mod local;
mod matches;
mod plan;
mod project;
mod rollback;
mod samples;
mod screen;
mod set_mode;
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
  triggers rollback                  to the generation before the newest
  triggers rollback --to 12")]
    Rollback(rollback::Arguments),
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
