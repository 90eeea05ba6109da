//! Calls that never reach their service, as if the process had ended or the network had failed before them.

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

/// Fails each call of one operation whose request contains a text.
#[derive(Debug, Clone)]
pub struct Fails {
    pub operation: &'static str,
    pub containing: String,
}

impl Intercept for Fails {
    fn name(&self) -> &'static str {
        "fails"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
        if operation == self.operation && body.contains(&self.containing) { Err("a fault of the test".into()) } else { Ok(()) }
    }
}
