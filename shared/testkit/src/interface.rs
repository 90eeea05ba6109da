//! A function under AWS's own Runtime Interface Emulator: the way in which `sam local invoke` runs it, without a container.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::ministack::free_port;
use crate::{LocalStack, REGION, loopback, python, workspace};

/// Where the emulator takes invocations.
const INVOCATIONS: &str = "/2015-03-31/functions/function/invocations";

/// Looks for the emulator's port before it counts as not started.
const PATIENCE: u32 = 200;

/// One function, ready to be invoked. It ends when it is dropped.
#[derive(Debug)]
pub struct EmulatedFunction {
    child: Child,
    address: SocketAddr,
}

impl EmulatedFunction {
    /// Starts the binary of a package with the environment that the stack gives the function of that output.
    ///
    /// # Errors
    /// The emulator cannot be installed or started, or the stack has no such function.
    pub async fn start(stack: &LocalStack, package: &str, output: &str) -> Result<Self> {
        let emulator = tokio::task::spawn_blocking(emulator).await.context("the installation was interrupted")??;
        let variables = variables(stack, output).await?;
        let (front, runtime) = (free_port()?, free_port()?);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, front));
        let log = workspace::state_dir()?.join(format!("{package}-{front}.log"));
        let file = fs::File::create(&log).with_context(|| format!("cannot make {}", log.display()))?;
        let child = Command::new(emulator)
            .args(["--runtime-interface-emulator-address", &address.to_string()])
            .args(["--runtime-api-address", &SocketAddr::from((Ipv4Addr::LOCALHOST, runtime)).to_string()])
            .arg(workspace::binary(package)?)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(variables)
            .env("AWS_ENDPOINT_URL", stack.endpoint())
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", "60")
            .stdin(Stdio::null())
            .stdout(file.try_clone().context("cannot share the log file")?)
            .stderr(file)
            .spawn()
            .context("cannot start the Runtime Interface Emulator")?;
        let started = Self { child, address };
        for _ in 0..PATIENCE {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return Ok(started);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        bail!("the Runtime Interface Emulator does not answer; its log: {}", log.display())
    }

    /// Invokes the function with a payload and gives its answer.
    ///
    /// # Errors
    /// The function ended or failed, or its answer is no JSON.
    pub async fn invoke(&self, payload: &str) -> Result<Value> {
        let body = loopback::call(self.address, "POST", INVOCATIONS, payload.as_bytes()).await?;
        let answer: Value = serde_json::from_slice(&body).context("the function's answer is no JSON")?;
        if answer.get("errorType").is_some() {
            bail!("the function failed: {answer}");
        }
        Ok(answer)
    }
}

impl Drop for EmulatedFunction {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The variables that the template gives a function.
async fn variables(stack: &LocalStack, output: &str) -> Result<BTreeMap<String, String>> {
    let client = aws_sdk_lambda::Client::new(stack.sdk_config());
    let function = client.get_function_configuration().function_name(stack.outputs().get(output)?).send().await;
    let environment = function.with_context(|| format!("cannot read the function {output}"))?.environment;
    Ok(environment.and_then(|environment| environment.variables).unwrap_or_default().into_iter().collect())
}

/// The emulator's binary, taken out of the SAM CLI's package when absent. Blocks.
fn emulator() -> Result<PathBuf> {
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let ready = workspace::state_dir()?.join(format!("aws-lambda-rie-{machine}"));
    if ready.exists() {
        return Ok(ready);
    }
    let wheel = python::wheel("aws-sam-cli==1.167.0")?;
    let mut archive = zip::ZipArchive::new(fs::File::open(&wheel)?).context("the SAM CLI's package is no archive")?;
    let mut member =
        archive.by_name(&format!("samcli/local/rapid/aws-lambda-rie-{machine}")).context("the SAM CLI has no emulator in it")?;
    let making = ready.with_extension(format!("{}.making", std::process::id()));
    std::io::copy(&mut member, &mut fs::File::create(&making)?).context("cannot unpack the emulator")?;
    fs::set_permissions(&making, fs::Permissions::from_mode(0o755))?;
    // Whoever renames last wins: the content is the same.
    fs::rename(&making, &ready).context("cannot move the emulator into place")?;
    Ok(ready)
}
