//! S3: objects in buckets, addressed by path.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::answer::Refusal;
use crate::services::Cloud;
use crate::shape::text;

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// In base64.
    pub body: String,
    pub metadata: Map<String, Value>,
}

#[derive(Debug, Default)]
pub(crate) struct Objects(BTreeMap<String, BTreeMap<String, Object>>);

impl Objects {
    pub(crate) fn call(&mut self, operation: &str, input: &Value) -> Result<Value, Refusal> {
        let (bucket, key) = (text(input, "Bucket")?, text(input, "Key")?);
        if operation == "CreateBucket" {
            self.0.entry(bucket.to_owned()).or_default();
            return Ok(json!({}));
        }
        let objects = self.0.get_mut(bucket).ok_or_else(|| absent("NoSuchBucket"))?;
        match operation {
            "PutObject" => {
                let metadata = input.get("Metadata").and_then(Value::as_object).cloned().unwrap_or_default();
                objects.insert(key.to_owned(), Object { body: text(input, "Body")?.to_owned(), metadata });
                Ok(json!({}))
            }
            "GetObject" | "HeadObject" => {
                let object = objects.get(key).ok_or_else(|| absent("NoSuchKey"))?;
                let body = if operation == "GetObject" { object.body.as_str() } else { "" };
                Ok(json!({ "Body": body, "Metadata": object.metadata }))
            }
            "DeleteObject" => {
                objects.remove(key);
                Ok(json!({}))
            }
            "ListObjectsV2" => Ok(Value::String(listed(objects, input))),
            other => Err(Refusal::unknown(&format!("the operation {other} of S3"))),
        }
    }
}

fn absent(code: &str) -> Refusal {
    Refusal { status: 404, ..Refusal::sender(code, "it does not exist") }
}

/// One page has everything.
fn listed(objects: &BTreeMap<String, Object>, input: &Value) -> String {
    let prefix = input.pointer("/Query/prefix").and_then(Value::as_str).unwrap_or_default();
    let contents: String = objects
        .iter()
        .filter(|(key, _)| key.starts_with(prefix))
        .map(|(key, object)| {
            let key = key.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            format!("<Contents><Key>{key}</Key><Size>{}</Size></Contents>", object.body.len() / 4 * 3)
        })
        .collect();
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>")
}

impl Cloud {
    /// Makes a bucket.
    pub fn create_bucket(&self, name: &str) {
        self.services().objects.0.entry(name.to_owned()).or_default();
    }

    /// Everything that lies in a bucket.
    #[must_use]
    pub fn objects(&self, bucket: &str) -> BTreeMap<String, Object> {
        self.services().objects.0.get(bucket).cloned().unwrap_or_default()
    }
}
