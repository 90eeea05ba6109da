//! `triggers marketing`: the stack's one switch for all marketing.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::screen;
use crate::target::Stack;

#[derive(Args)]
pub struct Arguments {
    /// What is to be done.
    switch: Switch,
    #[command(flatten)]
    stack: Stack,
}

#[derive(Clone, Copy, ValueEnum)]
enum Switch {
    /// Hold back every marketing message until it expires or marketing goes out again.
    Stop,
    /// Let marketing go out again.
    Resume,
}

pub async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let target = arguments.stack.find().await?;
    let head = target.triggers.head().await?;
    let newest = head.newest().context("nothing was ever applied to this stack, so nothing is sent")?;
    let stop = matches!(arguments.switch, Switch::Stop);
    if newest.marketing_stopped == stop {
        screen::line(if stop { "all marketing is stopped already" } else { "marketing goes out already" });
        return Ok(ExitCode::SUCCESS);
    }
    let next =
        head.with_marketing(stop, target.clock.now(), target.margin_millis).context("a head with a newest generation has a next one")?;
    target.triggers.flip(&head, &next).await.context("nothing was changed; look at what is there now, and try again")?;
    screen::line(if stop {
        "all marketing is stopped, within 15 seconds; messages wait until they expire or it goes out again"
    } else {
        "marketing goes out again, within 15 seconds"
    });
    Ok(ExitCode::SUCCESS)
}
