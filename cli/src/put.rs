//! `triggers put`: events onto the stream of a deployed stack.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use aws::{Clock, Stream};
use clap::Args;
use customer::ProfileChange;
use event::Event;

use crate::event_file;
use crate::screen::{self, Activity};
use crate::target::Stack;

/// Records put in one go, between two looks of the progress line.
const AT_ONCE: usize = 500;

#[derive(Args)]
pub struct Arguments {
    /// The events: one a line, or - for standard input.
    #[arg(value_name = "FILE")]
    events: PathBuf,
    /// Move the events in time, so that the last one happens now. Otherwise what is older than a day starts nothing.
    #[arg(long)]
    now: bool,
    /// Put what is no event, too; it will be quarantined.
    #[arg(long)]
    unchecked: bool,
    #[command(flatten)]
    stack: Stack,
}

pub async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let lines = event_file::read(&arguments.events)?;
    if !arguments.unchecked {
        let mut refused = 0;
        for (number, line) in lines.iter().enumerate() {
            if let Err(refusal) = Event::parse(&line.data).and_then(|event| ProfileChange::of(&event)) {
                screen::note(&format!("line {}: {refusal}", number + 1));
                refused += 1;
            }
        }
        if refused > 0 {
            bail!("nothing was put: {} cannot be an event, above (--unchecked puts them all the same)", screen::count(refused, "line"));
        }
    }
    let (sdk, outputs) = arguments.stack.outputs().await?;
    let stream = Stream::new(aws_sdk_kinesis::Client::new(&sdk), outputs.get("StreamName")?);
    let last = lines.iter().filter_map(event_file::Line::arrival).max();
    let shift = last.filter(|_| arguments.now).map(|last| Clock::system().now().since(last));
    let record = |line: &event_file::Line| shift.map_or_else(|| line.put(), |millis| line.later(millis));
    let activity = Activity::start();
    let mut put = 0;
    for chunk in lines.chunks(AT_ONCE) {
        let result = stream.put_all(chunk.iter().map(record).collect()).await;
        if let Err(error) = result {
            activity.done();
            bail!("{error}; at least {put} of {} were put, and putting all of them again is harmless", lines.len());
        }
        put += chunk.len();
        activity.detail(&format!("{put} of {} put", lines.len()));
    }
    activity.done();
    screen::line(&format!("{} put onto the stream", screen::count(put, "event")));
    Ok(ExitCode::SUCCESS)
}
