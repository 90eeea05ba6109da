//! Secrets Manager: texts by name.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::answer::Refusal;
use crate::shape::text;

#[derive(Debug, Default)]
pub(crate) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    pub(crate) fn call(&mut self, operation: &str, input: &Value) -> Result<Value, Refusal> {
        match operation {
            "CreateSecret" => {
                let name = text(input, "Name")?;
                if self.0.contains_key(name) {
                    return Err(Refusal::sender("ResourceExistsException", "a secret of that name exists"));
                }
                self.0.insert(name.to_owned(), text(input, "SecretString")?.to_owned());
                Ok(json!({ "ARN": name, "Name": name, "VersionId": "1" }))
            }
            "PutSecretValue" => {
                let secret = self.0.get_mut(text(input, "SecretId")?).ok_or_else(absent)?;
                text(input, "SecretString")?.clone_into(secret);
                Ok(json!({ "VersionId": "1" }))
            }
            "GetSecretValue" => {
                let name = text(input, "SecretId")?;
                let secret = self.0.get(name).ok_or_else(absent)?;
                Ok(json!({ "ARN": name, "Name": name, "SecretString": secret, "VersionId": "1" }))
            }
            other => Err(Refusal::unknown(&format!("the operation {other} of Secrets Manager"))),
        }
    }
}

fn absent() -> Refusal {
    Refusal::sender("ResourceNotFoundException", "there is no such secret")
}
