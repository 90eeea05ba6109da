//! Where things lie: the workspace that is built and the directory that the local stack keeps under `target/`.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result};

/// The root of the workspace, known since this crate was compiled.
pub(crate) fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().and_then(Path::parent).unwrap_or(manifest)
}

/// Where Cargo puts what it builds.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The directory of everything that the local stack keeps between runs, made when absent.
pub(crate) fn state_dir() -> Result<PathBuf> {
    let dir = target().join("local-stack");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}

/// The binary of a package in the dev profile, which the local stack built.
pub(crate) fn binary(package: &str) -> Result<PathBuf> {
    let path = target().join("debug").join(package);
    path.canonicalize().with_context(|| format!("{package} is not built"))
}

/// Removes files of former runs. What was used within the last two hours may be in use.
pub(crate) fn tidy(dir: &Path, extensions: &[&str]) {
    const TWO_HOURS: Duration = Duration::from_secs(2 * 60 * 60);
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = path.extension().and_then(|extension| extension.to_str()).is_some_and(|extension| extensions.contains(&extension));
        let age = entry.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|modified| modified.elapsed().ok());
        if ours && age.is_some_and(|age| age > TWO_HOURS) {
            let _another_process_was_faster = fs::remove_file(path);
        }
    }
}
