//! A secret of the stack.

use aws_sdk_secretsmanager::Client;

use crate::Passing;

/// A secret's text. It has no `Display`, and its `Debug` shows nothing.
#[derive(Clone)]
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

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}
