//! `triggers local`: the whole system on this machine, deployed from the same template, with events sent through it.

mod page;
mod pages;
mod results;
mod serve;
mod summary;
mod systems;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use aws::Stream;
use clap::Args;
use event::Time;
use testkit::{Arrivals, Checkpoints, Driver, LocalStack, Options, Pace, Progress, Receiver};

use self::results::Results;
use crate::event_file::{self, Line};
use crate::project::Project;
use crate::screen::{self, Activity};
use crate::target::Target;
use crate::{Folder, apply};

/// Nothing may have happened for so long before everything counts as done.
const QUIET: Duration = Duration::from_millis(700);

/// Small files are sent at the pace of a busy shop, so that the latencies mean something; large ones as fast as it goes.
const PACED_UP_TO: usize = 500;
const PACE: Duration = Duration::from_millis(130);
const PACED_AT_ONCE: usize = 4;
const UNPACED_AT_ONCE: usize = 250;

#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    folder: Folder,
    /// The events: one a line, put onto the stream as they stand, broken ones too.
    #[arg(long, value_name = "FILE", default_value = "events/samples.jsonl")]
    events: PathBuf,
    /// Leave the times of the events as they are. By default the file is moved in time, so that its first event happens
    /// now; the days of a file are then played in seconds.
    #[arg(long)]
    keep_times: bool,
    /// Where mails and timelines are written.
    #[arg(long, value_name = "DIR", default_value = "target/local")]
    out: PathBuf,
    /// Leave it running until Ctrl-C, and print how to talk to it.
    #[arg(long)]
    keep: bool,
    /// Print the summary as one JSON object on the last line.
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let began = Instant::now();
    let project = Project::sound(&arguments.folder.triggers)?;
    let lines = event_file::read(&arguments.events)?;
    let activity = Activity::start();
    let ran = tokio::select! {
        ran = send(&arguments, &project, &lines, &activity) => ran,
        signal = tokio::signal::ctrl_c() => {
            signal.context("cannot listen for Ctrl-C")?;
            activity.done();
            bail!("interrupted; everything that was started is ended");
        }
    };
    activity.done();
    let Run { stack, driver, receiver, results } = ran?;
    pages::write(&arguments.out, &results).with_context(|| format!("cannot write into {}", arguments.out.display()))?;
    if arguments.json {
        screen::line(&summary::json(&results).to_string());
    } else {
        summary::print(&results, &arguments.out, began.elapsed());
    }
    if arguments.keep {
        let url = serve::serve(arguments.out.clone()).await?;
        screen::note(&how_to_talk_to(&stack, &url)?);
        tokio::signal::ctrl_c().await.context("cannot listen for Ctrl-C")?;
    }
    driver.stop().await;
    drop(receiver);
    stack.stop();
    Ok(ExitCode::SUCCESS)
}

/// A run that is through, with everything still there.
struct Run {
    stack: LocalStack,
    driver: Driver,
    receiver: Receiver,
    results: Results,
}

async fn send(arguments: &Arguments, project: &Project, lines: &[Line], activity: &Activity) -> Result<Run> {
    let stack = LocalStack::start(Options::default(), &mut |progress| match &progress {
        Progress::Building { .. } | Progress::Deploying { .. } => activity.detail(&progress.to_string()),
        Progress::InstallingPython | Progress::StartingAws | Progress::Packing { .. } | Progress::Ready { .. } => {
            activity.step(&progress.to_string())
        }
    })
    .await?;
    let (sdk, outputs) = (stack.sdk_config(), stack.outputs());
    activity.step("applying the triggers");
    let target = Target::new(sdk, outputs.get("TriggersTable")?.to_owned(), 0);
    apply::apply(&target, project).await?;
    let receiver = systems::start(&stack, project).await?;
    let pace = Pace { arrivals: Arrivals::AsTheyClaim, ..Pace::default() };
    let driver = Driver::start_with(&stack, pace, Checkpoints::default()).await?;

    let stream = Stream::new(aws_sdk_kinesis::Client::new(sdk), outputs.get("StreamName")?.to_owned());
    let paced = lines.len() <= PACED_UP_TO;
    let shift = shift(lines, target.clock.now());
    let mut sent = 0;
    for chunk in lines.chunks(if paced { PACED_AT_ONCE } else { UNPACED_AT_ONCE }) {
        let puts = chunk.iter().map(|line| line.later(if arguments.keep_times { 0 } else { shift }));
        stream.put_all(puts.collect()).await?;
        driver.nudge();
        sent += chunk.len();
        activity.detail(&format!("putting events onto the stream: {sent} of {}", lines.len()));
        if paced {
            tokio::time::sleep(PACE).await;
        }
    }
    activity.step(&format!("{} put onto the stream; waiting until all of it is done", screen::count(sent, "record")));
    let limit = Duration::from_secs(120).saturating_add(Duration::from_millis(lines.len() as u64 * 50));
    let done = driver.wait_until_idle(QUIET, limit).await;
    done.with_context(|| format!("not everything was done; the log of the local AWS and its functions: {}", relative(stack.log_file())))?;
    activity.step("reading the archive and the ledger");
    let mut results = Results::read(&stack).await?;
    results.messages.extend(receiver.requests().iter().map(systems::message));
    Ok(Run { stack, driver, receiver, results })
}

/// By how much a file is moved, so that its first event arrives now.
fn shift(lines: &[Line], now: Time) -> i64 {
    lines.iter().filter_map(Line::arrival).min().map_or(0, |first| now.since(first))
}

fn how_to_talk_to(stack: &LocalStack, url: &str) -> Result<String> {
    Ok(format!(
        "\nThe results: {url}
It goes on running; Ctrl-C ends it. In another terminal:
  export AWS_ENDPOINT_URL={} AWS_REGION={} \\
    AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  cargo run -- put events/customer.signed_up.json --now --stack {}
  cargo run -- mode welcome paused --stack {}
The functions' log: {}",
        stack.endpoint(),
        testkit::REGION,
        Options::default().stack_name,
        Options::default().stack_name,
        relative(stack.log_file()),
    ))
}

/// A path as short as it can be shown.
fn relative(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
