//! The call of a function, through Lambda's own API.

use std::error::Error;
use std::sync::Arc;

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::sync::Semaphore;

use event_source::Returned;

/// A function, and the role under which it and its pollers work.
#[derive(Debug, Clone)]
pub(super) struct Function {
    client: aws_sdk_lambda::Client,
    permits: Arc<Semaphore>,
    pub(super) arn: String,
    pub(super) role_arn: String,
}

/// What came back from a function that ran.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    payload: Vec<u8>,
    /// `Unhandled` and the like.
    pub(super) function_error: Option<String>,
    pub(super) request_id: String,
    pub(super) version: String,
    /// The last 4 KiB of what the function wrote.
    log: String,
}

impl Invocation {
    pub(super) fn returned(&self) -> Returned<'_> {
        Returned { payload: &self.payload, function_error: self.function_error.is_some() }
    }

    /// What the function said when it failed, if it did.
    pub(super) fn failure(&self) -> Option<String> {
        let error = self.function_error.as_ref()?;
        Some(format!("{error}: {}\n{}", String::from_utf8_lossy(&self.payload), self.log.trim_end()))
    }
}

impl Function {
    pub(super) async fn read(sdk: &SdkConfig, arn: &str, concurrency: usize) -> Result<Self> {
        // The driver decides about every retry itself.
        let config = aws_sdk_lambda::config::Builder::from(sdk).retry_config(RetryConfig::disabled()).build();
        let client = aws_sdk_lambda::Client::from_conf(config);
        let function = client
            .get_function_configuration()
            .function_name(arn)
            .send()
            .await
            .with_context(|| format!("cannot read the function {arn}"))?;
        let role_arn = function.role().with_context(|| format!("the function {arn} has no role"))?.to_owned();
        let permits = Arc::new(Semaphore::new(concurrency.max(1)));
        Ok(Self { client, permits, arn: arn.to_owned(), role_arn })
    }

    /// Calls the function and waits for its answer. An error means that it was not called, or that nobody knows: a
    /// throttled or broken call, which is no answer of the function.
    pub(super) async fn invoke(&self, event: &Value) -> Result<Invocation> {
        let _permit = self.permits.acquire().await.context("the driver is gone")?;
        let payload = Blob::new(event.to_string());
        let output = self
            .client
            .invoke()
            .function_name(&self.arn)
            .payload(payload)
            .log_type(LogType::Tail)
            .send()
            .await
            .map_err(|error| anyhow::anyhow!(in_full(&error)))?;
        Ok(Invocation {
            log: output
                .log_result()
                .and_then(|log| STANDARD.decode(log).ok())
                .map(|log| String::from_utf8_lossy(&log).into_owned())
                .unwrap_or_default(),
            request_id: aws_request_id(&output),
            payload: output.payload().map(|payload| payload.as_ref().to_vec()).unwrap_or_default(),
            function_error: output.function_error().map(str::to_owned),
            version: output.executed_version().unwrap_or("$LATEST").to_owned(),
        })
    }
}

fn aws_request_id(output: &aws_sdk_lambda::operation::invoke::InvokeOutput) -> String {
    use aws_sdk_lambda::operation::RequestId;
    output.request_id().unwrap_or_default().to_owned()
}

/// An error of the SDK with all its causes: its own text says only which kind of error it is.
pub(super) fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
