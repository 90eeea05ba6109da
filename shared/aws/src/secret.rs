//! The secrets of the stack.

use aws_sdk_secretsmanager::Client;
use event::Time;
use tokio::sync::Mutex;

use crate::{Clock, Passing};

/// A secret's text. It has no `Display`, and its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// # Errors
    /// A call that failed, or a secret that is no text.
    pub async fn read(client: &Client, arn: &str) -> Result<Self, Passing> {
        let what = "reading a secret";
        let answer = client.get_secret_value().secret_id(arn).send().await.map_err(|error| Passing::new(what, &error))?;
        answer.secret_string.map(Self).ok_or_else(|| Passing::because(what, "the secret is no text"))
    }

    /// The text itself, for whoever it opens something.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A new value is in use after five minutes at the latest.
const KEPT_MILLIS: i64 = 300_000;

/// Many calls that are refused at once lead to one reading.
const FRESH_MILLIS: i64 = 1_000;

/// A secret that may change while the process runs: read when it is needed, and kept for a while.
#[derive(Debug)]
pub struct CachedSecret {
    client: Client,
    arn: String,
    clock: Clock,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug, Clone)]
struct Kept {
    secret: Secret,
    read_at: Time,
}

impl CachedSecret {
    #[must_use]
    pub fn new(client: Client, arn: String, clock: Clock) -> Self {
        Self { client, arn, clock, kept: Mutex::new(None) }
    }

    /// The value, five minutes old at most.
    ///
    /// # Errors
    /// As [`Secret::read`].
    pub async fn get(&self) -> Result<Secret, Passing> {
        self.kept_for(KEPT_MILLIS).await
    }

    /// The value of now, where it is not the one that was just refused.
    ///
    /// # Errors
    /// As [`Secret::read`].
    pub async fn other_than(&self, refused: &Secret) -> Result<Option<Secret>, Passing> {
        Ok(Some(self.kept_for(FRESH_MILLIS).await?).filter(|secret| secret != refused))
    }

    async fn kept_for(&self, millis: i64) -> Result<Secret, Passing> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        if let Some(Kept { secret, read_at }) = kept.as_ref()
            && (0..millis).contains(&now.since(*read_at))
        {
            return Ok(secret.clone());
        }
        let secret = Secret::read(&self.client, &self.arn).await?;
        *kept = Some(Kept { secret: secret.clone(), read_at: now });
        Ok(secret)
    }
}
