//! The SDK's clients, connected to an AWS in this process.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::answer::encode;
use crate::call::{Service, decode};
use crate::services::{Cloud, REGION};

impl Cloud {
    /// What the SDK's clients are made from, to talk to this AWS without delay and without faults.
    #[must_use]
    pub fn sdk_config(self: &Arc<Self>) -> SdkConfig {
        sdk_config(SharedHttpClient::new(Door(SharedHttpConnector::new(Direct(Arc::clone(self))))))
    }
}

/// What the SDK's clients are made from, to talk to this AWS through a connector.
#[must_use]
pub fn sdk_config_through(connector: impl HttpConnector + 'static) -> SdkConfig {
    sdk_config(SharedHttpClient::new(Door(SharedHttpConnector::new(connector))))
}

fn sdk_config(door: SharedHttpClient) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static(REGION))
        .endpoint_url("http://cloud")
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "cloud")))
        .http_client(door)
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(SharedTimeSource::new(SystemTimeSource::new()))
        .build()
}

#[derive(Debug)]
struct Door(SharedHttpConnector);

impl HttpClient for Door {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.0.clone()
    }
}

#[derive(Debug)]
struct Direct(Arc<Cloud>);

impl HttpConnector for Direct {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let cloud = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            others_first().await;
            let answer = match decode(&request) {
                Ok(call) => encode(call.service, &cloud.call(&call)),
                Err(refusal) => encode(Service::DynamoDb, &Err(refusal)),
            };
            answer.map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// An answer takes its time on any network: whoever else is ready goes on meanwhile.
async fn others_first() {
    let mut waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
