//! The Python environment of the local AWS.
//!
//! Guarantee: an environment that is there is complete. It is built under a temporary name and renamed, under a lock
//! that concurrent processes wait for; its name says which packages it holds, so that a new pin makes a new one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use crate::digest::hex;
use crate::progress::Progress;
use crate::workspace;

/// The local AWS, and what its CloudFormation needs to read a SAM template.
const REQUIREMENTS: [&str; 2] = ["ministack==1.5.33", "aws-sam-translator==1.115.0"];

/// Asked for in this order: `python3` may be older than what else is installed.
const INTERPRETERS: [&str; 6] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

const IS_RECENT: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";

/// The Python of an environment with the local AWS in it, installed when absent. Blocks.
///
/// # Errors
/// No Python 3.10 or newer is installed, or `pip` fails; its own words are in the error.
pub(crate) fn environment(report: &dyn Fn(Progress)) -> Result<PathBuf> {
    let state = workspace::state_dir()?;
    let name = format!("venv-{}", hex(REQUIREMENTS.join("\n").as_bytes(), 12));
    let ready = state.join(&name);
    if let Some(python) = python_of(&ready) {
        return Ok(python);
    }

    report(Progress::InstallingPython); // Or waiting for the process that does.
    let lock = File::create(state.join("venv.lock")).context("cannot make the lock file of the Python environment")?;
    lock.lock().context("cannot lock the Python environment")?;
    if let Some(python) = python_of(&ready) {
        return Ok(python); // Another process made it while this one waited.
    }

    let interpreter = interpreter()?;
    // An environment works under its new name as long as it is called through its interpreter, never its scripts.
    let making = state.join(format!("{name}.making"));
    remove_if_there(&making)?;
    run(Command::new(interpreter).args(["-m", "venv"]).arg(&making), "python3 -m venv")?;
    let python = making.join("bin/python");
    run(
        Command::new(&python).args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]).args(REQUIREMENTS),
        "pip install",
    )?;
    remove_if_there(&ready)?;
    fs::rename(&making, &ready).with_context(|| format!("cannot move {} into place", making.display()))?;
    python_of(&ready).with_context(|| format!("{} has no Python", ready.display()))
}

/// A package as it is published, without what it depends on, downloaded when absent. Blocks.
///
/// # Errors
/// `pip` fails; its own words are in the error.
pub(crate) fn wheel(requirement: &str) -> Result<PathBuf> {
    let state = workspace::state_dir()?;
    let folder = state.join(format!("wheel-{}", hex(requirement.as_bytes(), 12)));
    let found =
        || fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "whl"));
    if let Some(wheel) = found() {
        return Ok(wheel);
    }
    let python = environment(&|_| ())?;
    let making = state.join(format!("wheel-{}.making", std::process::id()));
    remove_if_there(&making)?;
    run(
        Command::new(python)
            .args(["-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--disable-pip-version-check", "--dest"])
            .arg(&making)
            .arg(requirement),
        "pip download",
    )?;
    // Another process may have been faster; what it moved into place is the same.
    if fs::rename(&making, &folder).is_err() {
        remove_if_there(&making)?;
    }
    found().with_context(|| format!("pip downloaded no wheel of {requirement}"))
}

fn python_of(environment: &Path) -> Option<PathBuf> {
    let python = environment.join("bin/python");
    python.exists().then_some(python)
}

fn interpreter() -> Result<&'static str> {
    INTERPRETERS
        .into_iter()
        .find(|name| {
            let check = Command::new(name).args(["-c", IS_RECENT]).stdin(Stdio::null()).output();
            check.is_ok_and(|output| output.status.success())
        })
        .context(
            "the local AWS needs Python 3.10 or newer with its venv module: install it (Debian and Ubuntu: \
             `apt install python3 python3-venv`; macOS: `brew install python`) so that `python3` is on the PATH",
        )
}

fn run(command: &mut Command, name: &str) -> Result<()> {
    // Variables of an environment that is active in the caller's shell would be taken for this one's.
    command.env_remove("PYTHONHOME").env_remove("PYTHONPATH").env_remove("VIRTUAL_ENV").stdin(Stdio::null());
    let Output { status, stdout, stderr } = command.output().with_context(|| format!("cannot run {name}"))?;
    if !status.success() {
        bail!("{name} failed ({status}):\n{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    }
    Ok(())
}

fn remove_if_there(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot remove {}", dir.display())),
    }
}
