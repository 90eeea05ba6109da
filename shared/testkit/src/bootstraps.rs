//! The functions' binaries: built by Cargo, stripped, and zipped as Lambda wants them.
//!
//! Guarantee: a package's name says its content, so that an unchanged function deploys as unchanged. A binary that did
//! not change since it was packed last is not packed again.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, process, thread};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::digest::hex;
use crate::progress::Progress;
use crate::workspace;

/// A binary that Cargo builds for a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binary {
    /// The binary of the package of this name.
    Package(String),
    /// An example of a package.
    Example {
        /// The package.
        package: String,
        /// The example.
        name: String,
    },
}

impl Binary {
    fn name(&self) -> &str {
        match self {
            Self::Package(name) | Self::Example { name, .. } => name,
        }
    }
}

/// A function's package, ready to be uploaded.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// `name-hash.zip`, the hash taken from the content.
    pub(crate) key: String,
    pub(crate) file: PathBuf,
}

/// Builds and packs `binaries`. Blocks.
///
/// # Errors
/// Cargo fails (what it printed is in the error), or a file cannot be read or written.
pub(crate) fn pack(binaries: &[Binary], report: &dyn Fn(Progress)) -> Result<BTreeMap<Binary, Package>> {
    let mut packages = BTreeMap::new();
    for (binary, executable) in build(binaries, report)? {
        let package = pack_one(binary.name(), &executable, report).with_context(|| format!("cannot pack {}", binary.name()))?;
        packages.insert(binary, package);
    }
    Ok(packages)
}

/// One line of Cargo's JSON messages, as far as it is read.
#[derive(Deserialize)]
struct Message {
    reason: String,
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn build(binaries: &[Binary], report: &dyn Fn(Progress)) -> Result<BTreeMap<Binary, PathBuf>> {
    if binaries.is_empty() {
        return Ok(BTreeMap::new()); // Cargo would build what it builds by default.
    }
    let mut command = cargo();
    command.args(["build", "--message-format=json-render-diagnostics"]);
    if binaries.iter().any(|binary| matches!(binary, Binary::Package(_))) {
        // Built together with the command line, so that both ask for the same features of what they share.
        command.args(["-p", "triggers"]);
    }
    for binary in binaries {
        match binary {
            Binary::Package(name) => command.args(["-p", name]),
            Binary::Example { package, name } => command.args(["-p", package, "--example", name]),
        };
    }
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().context("cannot run cargo")?;
    let messages = child.stdout.take().context("cargo has no output")?;
    let progress = child.stderr.take().context("cargo has no error output")?;

    // Cargo fills both pipes at once; one of them is emptied on the side.
    let reader = thread::spawn(move || executables(messages));
    let mut printed = Vec::new();
    for line in BufReader::new(progress).lines() {
        let line = line.context("cannot read what cargo prints")?;
        report(Progress::Building { line: line.trim().to_owned() });
        printed.push(line);
    }
    let status = child.wait().context("cannot wait for cargo")?;
    let built = reader.join().map_err(|_| anyhow::anyhow!("the reader of cargo's messages panicked"))??;
    if !status.success() {
        bail!("cargo build failed ({status}):\n{}", printed.join("\n"));
    }
    binaries
        .iter()
        .map(|binary| {
            let executable = built.get(binary.name()).with_context(|| format!("cargo built no binary `{}`", binary.name()))?;
            Ok((binary.clone(), executable.clone()))
        })
        .collect()
}

fn executables(messages: impl Read) -> Result<BTreeMap<String, PathBuf>> {
    let mut built = BTreeMap::new();
    for line in BufReader::new(messages).lines() {
        let line = line.context("cannot read cargo's messages")?;
        let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
        if let (true, Some(target), Some(executable)) = (message.reason == "compiler-artifact", message.target, message.executable) {
            built.insert(target.name, executable);
        }
    }
    Ok(built)
}

/// Cargo as this process was started by it, in the workspace, without what it says to the program that it runs:
/// build scripts that read such variables would run again.
fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(workspace::root());
    for (name, _) in env::vars_os() {
        let said_by_cargo = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix))
                || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name)
        });
        if said_by_cargo {
            command.env_remove(name);
        }
    }
    command
}

fn pack_one(name: &str, executable: &Path, report: &dyn Fn(Progress)) -> Result<Package> {
    let dir = workspace::state_dir()?.join("packages");
    fs::create_dir_all(&dir)?;
    let metadata = fs::metadata(executable)?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let version = format!("{} {} {}", executable.display(), metadata.len(), modified.as_nanos());
    // What was packed of this very file the last time; written last, so that what it names is complete.
    let note = dir.join(format!("{name}-{}.key", hex(version.as_bytes(), 16)));
    if let Ok(key) = fs::read_to_string(&note) {
        let file = dir.join(&key);
        if file.exists() {
            // Said to be in use, to whoever tidies up.
            let _not_ours_to_touch = File::options().append(true).open(&file).and_then(|file| file.set_modified(SystemTime::now()));
            return Ok(Package { key, file });
        }
    }

    workspace::tidy(&dir, &["zip", "key", "stripped", "writing"]);
    report(Progress::Packing { function: name.to_owned() });
    let stripped = dir.join(format!("{name}.{}.stripped", process::id()));
    strip(executable, &stripped)?;
    let content = fs::read(&stripped)?;
    fs::remove_file(&stripped)?;
    let key = format!("{name}-{}.zip", hex(&content, 16));
    let file = dir.join(&key);
    let writing = dir.join(format!("{key}.{}.writing", process::id()));
    zip(&content, &writing)?;
    fs::rename(&writing, &file)?;
    fs::write(&note, &key)?;
    Ok(Package { key, file })
}

/// Copies a binary without its debug information, or with it where no `strip` is installed: larger, and as good.
fn strip(executable: &Path, stripped: &Path) -> Result<()> {
    let status = Command::new("strip")
        .arg("-o")
        .arg(stripped)
        .arg(executable)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !status.is_ok_and(|status| status.success()) {
        fs::copy(executable, stripped)?;
    }
    Ok(())
}

fn zip(content: &[u8], file: &Path) -> Result<()> {
    // Not compressed: it travels over the loopback interface only, and an unoptimised deflate takes longer than that.
    // No time of change: equal content makes equal packages.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o755);
    let mut archive = ZipWriter::new(File::create(file)?);
    archive.start_file("bootstrap", options)?;
    archive.write_all(content)?;
    archive.finish()?;
    Ok(())
}
