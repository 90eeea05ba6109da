//! The emulator's process.
//!
//! Guarantee: it ends with its owner, and with it every function process that it started, whether the owner stops it,
//! drops it, panics, is interrupted or is killed. The emulator runs in a process group of its own, and a thread in it
//! reads a pipe whose other end only this process holds: when the pipe closes, the group ends. Nothing else is ended.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, process};

use anyhow::{Context, Result, bail};

use crate::workspace;
use crate::{REGION, loopback};

const LAUNCHER: &str = "\
import os, runpy, shutil, threading
def end_with_the_owner():
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    shutil.rmtree(os.environ['TMPDIR'], ignore_errors=True)
    os.killpg(0, 9)
threading.Thread(target=end_with_the_owner, daemon=True).start()
runpy.run_module('ministack', run_name='__main__')
";

/// What the emulator, and through it the functions, may see of this process's environment.
const INHERITED: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "RUST_BACKTRACE", "RUST_LOG"];

const ATTEMPTS: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(60);

/// A running emulator.
#[derive(Debug)]
pub(crate) struct Ministack {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
    scratch: PathBuf,
}

impl Ministack {
    /// Starts the emulator on a free port of the loopback interface and waits until it answers.
    ///
    /// # Errors
    /// It ends by itself or does not answer in time; the error has the end of its log.
    pub(crate) async fn start(python: &Path) -> Result<Self> {
        let mut attempt = 1;
        loop {
            // Another process may take the port between the choice and the start.
            match Self::start_once(python).await {
                Ok(ministack) => return Ok(ministack),
                Err(error) if attempt == ATTEMPTS => return Err(error),
                Err(_) => attempt += 1,
            }
        }
    }

    async fn start_once(python: &Path) -> Result<Self> {
        let port = free_port()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let state = workspace::state_dir()?;
        workspace::tidy(&state, &["log"]);
        let scratch = state.join(format!("run-{}-{port}", process::id()));
        fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
        let log = state.join(format!("ministack-{}-{port}.log", process::id()));
        let output = File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;

        let mut command = Command::new(python);
        command
            .args(["-u", "-c", LAUNCHER])
            .current_dir(&scratch)
            .env_clear()
            .envs(INHERITED.into_iter().filter_map(|name| env::var_os(name).map(|value| (name, value))))
            .env("TMPDIR", &scratch)
            .env("AUTH", "true")
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("MINISTACK_REGION", REGION)
            .env("IOT_MTLS_ENABLED", "0")
            .env("AWS_ENDPOINT_URL", format!("http://{address}"))
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::piped())
            .stdout(output.try_clone().context("cannot share the log file")?)
            .stderr(output)
            .process_group(0);
        let child = command.spawn().context("cannot start the local AWS")?;
        let mut started = Self { child, address, log, scratch };
        started.wait_until_ready().await?;
        Ok(started)
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let began = Instant::now();
        loop {
            let ready = loopback::request(self.address, "GET", "/_ministack/ready").await;
            // Asked after the page: a page that another emulator served does not count for a child that has ended.
            if let Some(status) = self.child.try_wait().context("cannot ask for the state of the local AWS")? {
                bail!("the local AWS ended at once ({status}):\n{}", self.log_tail());
            }
            match ready {
                Ok(_) => return Ok(()),
                Err(error) if began.elapsed() > PATIENCE => {
                    return Err(error).with_context(|| format!("the local AWS does not answer:\n{}", self.log_tail()));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    fn log_tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        drop(self.child.stdin.take()); // Ends the group.
        let patience = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > patience {
                // It never came as far as reading its pipe, so it has no children either.
                let _ended_already = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _only_scratch = fs::remove_dir_all(&self.scratch);
    }
}

pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr().context("cannot find a free port")?.port())
}
