//! The services, and the one door to them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::answer::Refusal;
use crate::call::{Call, Service};
use crate::objects::Objects;
use crate::providers::Providers;
use crate::queues::Queues;
use crate::secrets::Secrets;
use crate::streams::Streams;
use crate::tables::Tables;

/// The region of this AWS.
pub const REGION: &str = "eu-central-1";

/// An AWS inside this process.
pub struct Cloud {
    services: Mutex<Services>,
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
}

#[derive(Debug, Default)]
pub(crate) struct Services {
    pub(crate) tables: Tables,
    pub(crate) queues: Queues,
    pub(crate) streams: Streams,
    pub(crate) objects: Objects,
    pub(crate) secrets: Secrets,
    pub(crate) providers: Providers,
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cloud")
    }
}

impl Cloud {
    /// An AWS with nothing in it. `now` is its clock, in milliseconds since 1970.
    pub fn new(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self { services: Mutex::default(), now: Arc::new(now) }
    }

    /// The time by its clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        (self.now)()
    }

    /// Makes a call, in one step.
    ///
    /// # Errors
    /// The refusal of the service.
    pub fn call(&self, call: &Call) -> Result<Value, Refusal> {
        let now = self.now();
        let mut services = self.services();
        let Call { operation, input, .. } = call;
        match call.service {
            Service::DynamoDb => services.tables.call(operation, input),
            Service::Sqs => services.queues.call(operation, input, now),
            Service::Kinesis => services.streams.call(operation, input, now),
            Service::S3 => services.objects.call(operation, input),
            Service::SecretsManager => services.secrets.call(operation, input),
            Service::Ses | Service::Sns => services.providers.call(operation, input),
        }
    }

    pub(crate) fn services(&self) -> MutexGuard<'_, Services> {
        // A call that panicked changed nothing by halves: each looks before it writes.
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
