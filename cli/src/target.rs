//! The deployed stack that a command is about.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use aws::{Clock, Triggers};
use aws_config::SdkConfig;
use aws_sdk_cloudformation::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudformation::operation::describe_stacks::DescribeStacksError;
use clap::Args;
use event::Time;
use trigger::{Bundle, Head};

#[derive(Args)]
pub struct Stack {
    /// The CloudFormation stack.
    #[arg(long, value_name = "NAME", default_value = "customer-triggers-dev", env = "TRIGGERS_STACK")]
    stack: String,
}

/// Where the triggers of a stack lie.
pub struct Target {
    pub triggers: Triggers,
    pub margin_millis: i64,
    pub clock: Clock,
}

impl Stack {
    /// Reads the stack's outputs, by the region and the credentials of the environment.
    ///
    /// # Errors
    /// No such stack, no credentials.
    pub async fn outputs(&self) -> Result<(SdkConfig, Outputs)> {
        let sdk = aws::connect().await;
        let client = aws_sdk_cloudformation::Client::new(&sdk);
        let answer = client.describe_stacks().stack_name(&self.stack).send().await;
        let stacks = answer.map_err(|error| self.explained(&error))?;
        let outputs = stacks.stacks.unwrap_or_default().into_iter().next().and_then(|stack| stack.outputs).unwrap_or_default();
        let outputs = outputs.into_iter().filter_map(|output| Some((output.output_key?, output.output_value?))).collect();
        Ok((sdk, Outputs { stack: self.stack.clone(), outputs }))
    }

    /// Why the stack cannot be read, and what to do about it.
    fn explained(&self, error: &SdkError<DescribeStacksError>) -> anyhow::Error {
        let stack = &self.stack;
        let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
        if code == Some("ValidationError") {
            return anyhow!(
                "there is no stack {stack} in this account and region; name yours with --stack or TRIGGERS_STACK, and check AWS_REGION"
            );
        }
        anyhow!(
            "cannot read the stack {stack}: {}; check AWS_REGION and your credentials (aws sts get-caller-identity)",
            aws::cause_of(error)
        )
    }

    /// Finds where the stack's triggers lie.
    ///
    /// # Errors
    /// As [`Stack::outputs`], and an output that the stack does not have.
    pub async fn find(&self) -> Result<Target> {
        let (sdk, outputs) = self.outputs().await?;
        let margin: i64 = outputs.get("GenerationMarginSeconds")?.parse().context("the stack's GenerationMarginSeconds is no number")?;
        Ok(Target::new(&sdk, outputs.get("TriggersTable")?, margin))
    }
}

/// What a deployed stack calls its parts.
pub struct Outputs {
    stack: String,
    outputs: BTreeMap<String, String>,
}

impl Outputs {
    /// The outputs whose names end so: what stands before it in the name, and the value.
    pub fn ending_with<'o>(&'o self, end: &'o str) -> impl Iterator<Item = (&'o str, &'o str)> {
        self.outputs.iter().filter_map(move |(name, value)| Some((name.strip_suffix(end)?, value.as_str())))
    }

    /// # Errors
    /// The stack has no such output.
    pub fn get(&self, name: &str) -> Result<String> {
        let missing = || format!("the stack {} has no output {name}; was it deployed from this project's template.yaml?", self.stack);
        self.outputs.get(name).cloned().with_context(missing)
    }
}

impl Target {
    pub fn new(sdk: &SdkConfig, table: String, margin_seconds: i64) -> Self {
        let triggers = Triggers::new(aws_sdk_dynamodb::Client::new(sdk), table);
        Self { triggers, margin_millis: margin_seconds.saturating_mul(1_000), clock: Clock::system() }
    }

    /// The head and the triggers of its newest generation.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn current(&self) -> Result<(Head, Bundle)> {
        let head = self.triggers.head().await?;
        let bundle = match head.newest() {
            None => Bundle::default(),
            Some(newest) => self.triggers.bundle(newest.bundle).await?,
        };
        Ok((head, bundle))
    }

    /// Puts a bundle into force as the next generation, and says from when on.
    ///
    /// # Errors
    /// A write that failed, or somebody else who applied in the meantime: then nothing changed.
    pub async fn put_into_force(&self, head: &Head, bundle: &Bundle, note: &str, back_to: Option<u64>) -> Result<(u64, Time)> {
        let hash = self.triggers.put_bundle(bundle).await?;
        let next = head.with_next(hash, note, self.clock.now(), self.margin_millis);
        let next = match back_to {
            None => next,
            Some(number) => next.going_back_to(number),
        };
        self.triggers.flip(head, &next).await.context("nothing was changed; look at what is there now, and try again")?;
        let newest = next.newest().context("a head with a next generation has a newest one")?;
        Ok((newest.number, newest.effective_from))
    }
}
