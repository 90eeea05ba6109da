//! The local stack: the emulator with the template deployed into it.
//!
//! Guarantee: it is gone when it is dropped: nothing that it started stays behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use tokio::sync::mpsc;

use crate::bootstraps::{self, Binary, Package};
use crate::deploy::{self, Deployment};
use crate::emails::{self, CapturedEmail};
use crate::ministack::Ministack;
use crate::outputs::Outputs;
use crate::progress::Progress;
use crate::texts::CapturedSms;
use crate::workspace;
use crate::{REGION, loopback, python, template, texts};

/// What a local stack is made of.
#[derive(Debug, Clone)]
pub struct Options {
    /// The SAM template.
    pub template: PathBuf,
    /// The sender of every mail: it becomes a verified identity, and the template's parameter `EmailFrom`.
    pub email_from: String,
    /// Values of the template's parameters, over those of the local stack. A parameter that the template does not
    /// declare is left out.
    pub parameters: BTreeMap<String, String>,
    /// The binary of each function folder of the template (`CodeUri`). A folder that is not named here is built from
    /// the package of its own name.
    pub binaries: BTreeMap<String, Binary>,
    /// The name of the CloudFormation stack.
    pub stack_name: String,
}

impl Default for Options {
    /// This workspace's own template and functions.
    fn default() -> Self {
        Self {
            template: workspace::root().join("template.yaml"),
            email_from: "hello@example.com".to_owned(),
            parameters: BTreeMap::new(),
            binaries: BTreeMap::new(),
            stack_name: "local".to_owned(),
        }
    }
}

/// A running local AWS with the template deployed.
#[derive(Debug)]
pub struct LocalStack {
    options: Options,
    packages: BTreeMap<String, Package>,
    outputs: Outputs,
    sdk: SdkConfig,
    endpoint: String,
    ministack: Ministack,
}

impl LocalStack {
    /// Builds the functions, starts the local AWS and deploys the template; `progress` hears of every step.
    ///
    /// Its event source mappings are disabled: [`Driver`](crate::Driver) does their work.
    ///
    /// # Errors
    /// No Python 3.10, no network for the first installation, functions that do not compile, a template that does not
    /// deploy. Each error has what the tool in question said.
    pub async fn start(options: Options, progress: &mut dyn FnMut(Progress)) -> Result<Self> {
        let template = fs::read_to_string(&options.template).with_context(|| format!("cannot read {}", options.template.display()))?;
        let mut binaries = BTreeMap::new();
        for folder in template::function_folders(&template) {
            let binary = options.binaries.get(&folder).cloned().unwrap_or_else(|| Binary::Package(folder.clone()));
            binaries.insert(folder, binary);
        }

        let python = blocking(progress, |report| python::environment(report)).await?;
        progress(Progress::StartingAws);
        let ministack = Ministack::start(&python).await?;
        let to_build: Vec<Binary> = binaries.values().cloned().collect();
        let built = blocking(progress, move |report| bootstraps::pack(&to_build, report)).await?;
        let packages = binaries.into_iter().filter_map(|(folder, binary)| Some((folder, built.get(&binary)?.clone()))).collect();

        let endpoint = format!("http://{}", ministack.address());
        let sdk = sdk_config(&endpoint);
        let mut stack = Self { options, packages, outputs: Outputs::default(), sdk, endpoint, ministack };
        stack.deploy(progress).await?;
        progress(Progress::Ready { endpoint: stack.endpoint.clone() });
        Ok(stack)
    }

    async fn deploy(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        deploy::verify_sender(&self.sdk, &self.options.email_from).await?;
        let mut parameters: BTreeMap<String, String> = [
            ("AllowedRecipients", "*"),
            ("Architecture", deploy::host_architecture()),
            ("DeletionProtection", "false"),
            ("EmailFrom", self.options.email_from.as_str()),
            ("EndpointUrl", self.endpoint.as_str()),
            ("GenerationMarginSeconds", "0"),
            ("PollEventSources", "false"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        parameters.extend(self.options.parameters.clone());
        let deployment = Deployment {
            stack_name: &self.options.stack_name,
            template: &self.options.template,
            parameters: &parameters,
            packages: &self.packages,
        };
        self.outputs = deployment.run(&self.sdk, progress).await?;
        Ok(())
    }

    /// Where the local AWS listens, as a URL.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn name(&self) -> &str {
        &self.options.stack_name
    }

    /// The configuration of SDK clients that act as the account's root.
    #[must_use]
    pub fn sdk_config(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The outputs of the deployed stack.
    #[must_use]
    pub fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// The mails that the functions have sent so far, oldest first.
    ///
    /// # Errors
    /// The local AWS does not answer.
    pub async fn captured_emails(&self) -> Result<Vec<CapturedEmail>> {
        emails::captured(self.ministack.address()).await
    }

    /// The text messages that the functions have sent so far.
    ///
    /// # Errors
    /// The local AWS does not answer.
    pub async fn captured_texts(&self) -> Result<Vec<CapturedSms>> {
        texts::captured(self.ministack.address()).await
    }

    /// Empties the local AWS and deploys the template again. Any driver must be stopped before, and started anew.
    ///
    /// # Errors
    /// The local AWS does not answer, or the deployment fails.
    pub async fn reset(&mut self) -> Result<()> {
        loopback::request(self.ministack.address(), "POST", "/_ministack/reset").await?;
        self.deploy(&mut |_| ()).await
    }

    /// Where the local AWS writes its own log. The functions' lines are in their log groups.
    #[must_use]
    pub fn log_file(&self) -> &Path {
        self.ministack.log()
    }

    /// Ends the local AWS and every function process. Dropping the stack does the same.
    pub fn stop(self) {}
}

/// Built by hand, not loaded: nothing of this machine's profiles and variables may reach the local AWS, and nothing
/// that is meant for it may reach AWS.
fn sdk_config(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static(REGION))
        .time_source(SharedTimeSource::new(SystemTimeSource::new()))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "local-stack")))
        .build()
}

/// Runs work that blocks on its own thread, while its reports reach `progress` on this one.
async fn blocking<T: Send + 'static>(
    progress: &mut dyn FnMut(Progress),
    work: impl FnOnce(&dyn Fn(Progress)) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, mut reports) = mpsc::unbounded_channel();
    let running = tokio::task::spawn_blocking(move || {
        work(&|step| {
            let _nobody_listens = sender.send(step);
        })
    });
    while let Some(step) = reports.recv().await {
        progress(step);
    }
    running.await.context("the work was interrupted")?
}
