//! Deployments of templates without functions.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use testkit::{LocalStack, Options};

fn template(name: &str, resources: &str) -> Result<PathBuf> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let text = format!("AWSTemplateFormatVersion: \"2010-09-09\"\nTransform: AWS::Serverless-2016-10-31\n{resources}");
    fs::write(&file, text).context("cannot write the template")?;
    Ok(file)
}

async fn start(template: PathBuf) -> Result<LocalStack> {
    LocalStack::start(Options { template, ..Options::default() }, &mut |_| ()).await
}

#[tokio::test]
async fn a_template_too_long_for_a_request_is_deployed_all_the_same() -> Result<()> {
    let padding = "# A comment, one of many.\n".repeat(2_500);
    let resources = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\nOutputs:\n  Url: { Value: !Ref Queue }\n";
    let stack = start(template("long.yaml", &format!("{padding}{resources}"))?).await?;
    assert!(stack.outputs().get("Url")?.starts_with(stack.endpoint()));
    let error = stack.outputs().get("Other").map_or_else(|error| error.to_string(), str::to_owned);
    assert_eq!(error, "the template has no output `Other`, only Url");
    Ok(())
}

#[tokio::test]
async fn a_deployment_that_fails_names_the_resource_and_the_reason() -> Result<()> {
    let resources = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties:\n      RedrivePolicy: { deadLetterTargetArn: nothing, maxReceiveCount: 5000 }\n";
    let error = start(template("broken.yaml", resources)?).await.map_or_else(|error| format!("{error:#}"), |_| String::new());
    assert!(error.contains("Queue (AWS::SQS::Queue): "), "{error}");
    Ok(())
}
