//! A system of the company with a real server, and the service that keeps the secret for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws::{CachedSecret, Clock};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use event::Time;
use https::{Caller, Client};
use serde_json::{Value, json};
use testkit::{Behaviour, Receiver};

/// 2026-03-01T10:01:00Z, when every test begins.
const BEGINS: i64 = 1_772_359_260_000;

pub struct Peer {
    pub system: Receiver,
    secrets: Receiver,
    ahead: Arc<AtomicI64>,
}

impl Peer {
    /// `secret` is told where the system listens.
    pub async fn start(secret: impl Fn(&str) -> Value) -> Self {
        let [system, secrets] = [Receiver::start().await, Receiver::start().await].map(|receiver| receiver.expect("a port is free"));
        let peer = Self { system, secrets, ahead: Arc::default() };
        peer.set_secret(&secret(peer.system.url()));
        peer
    }

    pub fn set_secret(&self, value: &Value) {
        let body = json!({ "ARN": "arn", "Name": "name", "SecretString": value.to_string() });
        self.secrets.answer("/", Behaviour::status(200, &body.to_string()));
    }

    pub fn times_read(&self) -> usize {
        self.secrets.requests().len()
    }

    pub fn pass(&self, millis: i64) {
        self.ahead.fetch_add(millis, Ordering::Relaxed);
    }

    pub fn clock(&self) -> Clock {
        let ahead = Arc::clone(&self.ahead);
        Clock::new(move || Time::from_millis(BEGINS).plus(ahead.load(Ordering::Relaxed)))
    }

    pub async fn caller(&self) -> Caller {
        let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("eu-central-1"))
            .endpoint_url(self.secrets.url())
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .load()
            .await;
        let secret = CachedSecret::new(aws_sdk_secretsmanager::Client::new(&sdk), "arn".to_owned(), self.clock());
        Caller::new(Client::new().expect("the system has certificates"), secret)
    }
}
