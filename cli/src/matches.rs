//! `triggers match`.

use std::io::{BufRead, BufReader, Read, stdin};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::screen;

pub fn run(cases: &Path) -> anyhow::Result<ExitCode> {
    let input: Box<dyn Read> = if cases == Path::new("-") {
        Box::new(stdin())
    } else {
        Box::new(std::fs::File::open(cases).with_context(|| format!("cannot open {}", cases.display()))?)
    };
    for line in BufReader::new(input).lines() {
        let line = line.with_context(|| format!("cannot read {}", cases.display()))?;
        if !line.trim().is_empty() {
            screen::line(&pattern::case::answer(&line));
        }
    }
    Ok(ExitCode::SUCCESS)
}
