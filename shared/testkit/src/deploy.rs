//! The deployment of a SAM template through CloudFormation's own API.
//!
//! Guarantee: what is deployed is the template as it stands, with the place of the code filled in and what `template`
//! says about permissions; and no event source mapping polls afterwards.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs};

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_cloudformation::types::{Capability, ChangeSetStatus, ChangeSetType, Parameter, Stack};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_sdk_sesv2::error::ProvideErrorMetadata;

use crate::REGION;
use crate::bootstraps::Package;
use crate::mappings;
use crate::outputs::Outputs;
use crate::progress::Progress;
use crate::template;

const BUCKET: &str = "local-stack-code";
const POLL: Duration = Duration::from_millis(50);
/// CloudFormation takes a longer template only from S3.
const LONGEST_INLINE: usize = 51_200;

/// What is deployed.
pub(crate) struct Deployment<'a> {
    pub(crate) stack_name: &'a str,
    pub(crate) template: &'a Path,
    pub(crate) parameters: &'a BTreeMap<String, String>,
    pub(crate) packages: &'a BTreeMap<String, Package>,
}

/// The architecture of this machine, in Lambda's words.
pub(crate) fn host_architecture() -> &'static str {
    if env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" }
}

impl Deployment<'_> {
    /// Creates the stack, or changes it to what the template says now.
    ///
    /// # Errors
    /// CloudFormation refuses the template, or a resource fails: the error has the reason of each.
    pub(crate) async fn run(&self, sdk: &SdkConfig, report: &mut dyn FnMut(Progress)) -> Result<Outputs> {
        report(Progress::Deploying { resources: 0 });
        self.upload(sdk).await?;
        let text = fs::read_to_string(self.template).with_context(|| format!("cannot read {}", self.template.display()))?;
        let keys = self.packages.iter().map(|(name, package)| (name.clone(), package.key.clone())).collect();
        let text = template::with_mail_from_anybody(&template::with_batch_calls(&template::with_code_at(&text, BUCKET, &keys)?));

        let client = CloudFormation::new(sdk);
        if self.create_change_set(sdk, &client, text).await? {
            self.wait_for_stack(&client, report).await?;
        }
        mappings::switch_off(sdk).await?;
        let stack = self.describe(&client).await?.context("the stack is gone")?;
        Ok(stack.outputs().iter().filter_map(|output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))).collect())
    }

    async fn upload(&self, sdk: &SdkConfig) -> Result<()> {
        let s3 = aws_sdk_s3::Client::new(sdk);
        let exists = s3.head_bucket().bucket(BUCKET).send().await.is_ok();
        if !exists {
            let here = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(REGION)).build();
            s3.create_bucket()
                .bucket(BUCKET)
                .create_bucket_configuration(here)
                .send()
                .await
                .context("cannot make the bucket for the code")?;
        }
        for package in self.packages.values() {
            if s3.head_object().bucket(BUCKET).key(&package.key).send().await.is_ok() {
                continue; // The key is the hash of the content.
            }
            let body = ByteStream::from(fs::read(&package.file).with_context(|| format!("cannot read {}", package.file.display()))?);
            s3.put_object()
                .bucket(BUCKET)
                .key(&package.key)
                .body(body)
                .send()
                .await
                .with_context(|| format!("cannot upload {}", package.key))?;
        }
        Ok(())
    }

    /// Whether there is something to wait for.
    async fn create_change_set(&self, sdk: &SdkConfig, client: &CloudFormation, text: String) -> Result<bool> {
        let kind = if self.describe(client).await?.is_some() { ChangeSetType::Update } else { ChangeSetType::Create };
        let name = format!("change-{}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis());
        let declared = template::parameters(&text);
        let parameters = self
            .parameters
            .iter()
            .filter(|(name, _)| declared.contains(*name))
            .map(|(name, value)| Parameter::builder().parameter_key(name).parameter_value(value).build())
            .collect();
        let mut request = client
            .create_change_set()
            .stack_name(self.stack_name)
            .change_set_name(&name)
            .change_set_type(kind)
            .set_parameters(Some(parameters))
            .capabilities(Capability::CapabilityIam)
            .capabilities(Capability::CapabilityNamedIam)
            .capabilities(Capability::CapabilityAutoExpand);
        if text.len() > LONGEST_INLINE {
            let key = format!("{name}.yaml");
            let s3 = aws_sdk_s3::Client::new(sdk);
            s3.put_object()
                .bucket(BUCKET)
                .key(&key)
                .body(ByteStream::from(text.into_bytes()))
                .send()
                .await
                .context("cannot upload the template")?;
            request = request.template_url(format!("{}/{BUCKET}/{key}", sdk.endpoint_url().unwrap_or_default()));
        } else {
            request = request.template_body(text);
        }
        request.send().await.context("CloudFormation refuses the template")?;

        loop {
            let change_set = client
                .describe_change_set()
                .stack_name(self.stack_name)
                .change_set_name(&name)
                .send()
                .await
                .context("cannot describe the change set")?;
            let reason = change_set.status_reason().unwrap_or_default();
            match change_set.status() {
                Some(ChangeSetStatus::CreateComplete) => break,
                Some(ChangeSetStatus::Failed)
                    if ["didn't contain changes", "No updates"].iter().any(|nothing| reason.contains(nothing)) =>
                {
                    return Ok(false);
                }
                Some(ChangeSetStatus::Failed) => bail!("CloudFormation cannot make a change set: {reason}"),
                _ => tokio::time::sleep(POLL).await,
            }
        }
        client
            .execute_change_set()
            .stack_name(self.stack_name)
            .change_set_name(&name)
            .send()
            .await
            .context("cannot execute the change set")?;
        Ok(true)
    }

    async fn wait_for_stack(&self, client: &CloudFormation, report: &mut dyn FnMut(Progress)) -> Result<()> {
        loop {
            let stack = self.describe(client).await?.context("the stack is gone")?;
            let status = stack.stack_status().map_or_else(String::new, |status| status.as_str().to_owned());
            match status.as_str() {
                "CREATE_COMPLETE" | "UPDATE_COMPLETE" => return Ok(()),
                working if working.ends_with("_IN_PROGRESS") => {
                    let resources = self.created(client).await;
                    report(Progress::Deploying { resources });
                    tokio::time::sleep(POLL).await;
                }
                failed => {
                    let reasons = self.reasons(client).await?;
                    bail!("the stack is {failed}: {}\n{reasons}", stack.stack_status_reason().unwrap_or("no reason given"));
                }
            }
        }
    }

    async fn created(&self, client: &CloudFormation) -> usize {
        let resources = client.describe_stack_resources().stack_name(self.stack_name).send().await;
        resources.map_or(0, |page| {
            page.stack_resources()
                .iter()
                .filter(|one| one.resource_status().is_some_and(|status| status.as_str().ends_with("_COMPLETE")))
                .count()
        })
    }

    async fn reasons(&self, client: &CloudFormation) -> Result<String> {
        let events = client.describe_stack_events().stack_name(self.stack_name).send().await.context("cannot read why the stack failed")?;
        let lines: Vec<String> = events
            .stack_events()
            .iter()
            .filter(|event| event.resource_status().is_some_and(|status| status.as_str().ends_with("_FAILED")))
            .map(|event| {
                let text = |text: Option<&str>| text.unwrap_or("?").to_owned();
                format!(
                    "  {} ({}): {}",
                    text(event.logical_resource_id()),
                    text(event.resource_type()),
                    text(event.resource_status_reason())
                )
            })
            .collect();
        Ok(lines.join("\n"))
    }

    async fn describe(&self, client: &CloudFormation) -> Result<Option<Stack>> {
        match client.describe_stacks().stack_name(self.stack_name).send().await {
            // A stack that only has a change set so far does not exist for the next one.
            Ok(page) => Ok(page
                .stacks()
                .first()
                .filter(|stack| stack.stack_status().is_none_or(|status| status.as_str() != "REVIEW_IN_PROGRESS"))
                .cloned()),
            Err(error)
                if error.as_service_error().and_then(|error| error.message()).is_some_and(|text| text.contains("does not exist")) =>
            {
                Ok(None)
            }
            Err(error) => Err(error).context("cannot describe the stack"),
        }
    }
}

/// Makes an address a verified sender.
pub(crate) async fn verify_sender(sdk: &SdkConfig, address: &str) -> Result<()> {
    let ses = aws_sdk_sesv2::Client::new(sdk);
    let identities = [address, address.rsplit('@').next().unwrap_or(address)];
    for identity in identities {
        match ses.create_email_identity().email_identity(identity).send().await {
            Ok(_) => (),
            Err(error) if error.as_service_error().is_some_and(|error| error.code() == Some("AlreadyExistsException")) => (),
            Err(error) => return Err(error).with_context(|| format!("cannot verify {identity} as a sender")),
        }
    }
    Ok(())
}
