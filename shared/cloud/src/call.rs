//! A request of an SDK client, as the call that it is.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::answer::Refusal;

/// Whose operation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    DynamoDb,
    Kinesis,
    Sqs,
    S3,
    Ses,
    Sns,
    SecretsManager,
}

/// One call: an operation of a service, with its parameters in the form of its JSON protocol. Services that have none get
/// one here: S3 as `Bucket`, `Key`, `Body` in base64, `Metadata`, and SNS as the flat fields of its form.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub service: Service,
    pub operation: String,
    pub input: Value,
}

/// Reads a request.
///
/// # Errors
/// A request of a service or protocol that is not known here.
pub fn decode(request: &HttpRequest) -> Result<Call, Refusal> {
    let body = request.body().bytes().ok_or_else(|| Refusal::unknown("a streaming body"))?;
    if let Some(target) = request.headers().get("x-amz-target") {
        let (service, operation) = target.split_once('.').ok_or_else(|| Refusal::unknown(target))?;
        let service = match service {
            "DynamoDB_20120810" => Service::DynamoDb,
            "Kinesis_20131202" => Service::Kinesis,
            "AmazonSQS" => Service::Sqs,
            "secretsmanager" => Service::SecretsManager,
            other => return Err(Refusal::unknown(other)),
        };
        let input = serde_json::from_slice(body).map_err(|_| Refusal::sender("SerializationException", "the body is no JSON"))?;
        return Ok(Call { service, operation: operation.to_owned(), input });
    }
    let path = path_of(request.uri());
    if path.starts_with("/v2/email/") {
        let input = serde_json::from_slice(body).map_err(|_| Refusal::sender("BadRequestException", "the body is no JSON"))?;
        let operation = if path == "/v2/email/outbound-emails" { "SendEmail" } else { path };
        return Ok(Call { service: Service::Ses, operation: operation.to_owned(), input });
    }
    if request.headers().get("content-type") == Some("application/x-www-form-urlencoded") {
        let fields = form(&String::from_utf8_lossy(body));
        let operation = fields.get("Action").and_then(Value::as_str).unwrap_or_default().to_owned();
        return Ok(Call { service: Service::Sns, operation, input: Value::Object(fields) });
    }
    Ok(object_call(request, path, body))
}

/// The path of an address, without its query.
fn path_of(uri: &str) -> &str {
    let behind_host = uri.split_once("://").map_or(uri, |(_, rest)| rest.find('/').map_or("/", |at| rest.get(at..).unwrap_or("/")));
    behind_host.split(['?', '#']).next().unwrap_or("/")
}

fn query_of(uri: &str) -> Map<String, Value> {
    uri.split_once('?').map(|(_, query)| form(query)).unwrap_or_default()
}

/// Objects are addressed by path: `/bucket/key`.
fn object_call(request: &HttpRequest, path: &str, body: &[u8]) -> Call {
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let metadata: Map<String, Value> =
        request.headers().iter().filter_map(|(name, value)| Some((name.strip_prefix("x-amz-meta-")?.to_owned(), json!(value)))).collect();
    let query = query_of(request.uri());
    let operation = match (request.method(), key) {
        ("PUT", "") => "CreateBucket",
        ("PUT", _) => "PutObject",
        ("GET", "") if query.contains_key("list-type") => "ListObjectsV2",
        ("GET", _) => "GetObject",
        ("HEAD", _) => "HeadObject",
        ("DELETE", _) => "DeleteObject",
        _ => "?",
    };
    let input =
        json!({ "Bucket": unescaped(bucket), "Key": unescaped(key), "Body": STANDARD.encode(body), "Metadata": metadata, "Query": query });
    Call { service: Service::S3, operation: operation.to_owned(), input }
}

/// `a=b&c=d`, each part percent-encoded.
fn form(text: &str) -> Map<String, Value> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescaped(&name.replace('+', " ")), json!(unescaped(&value.replace('+', " "))))
        })
        .collect()
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex =
            behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_is_sent() {
        let fields = form("Action=Publish&Message=a%26b+c%C3%BC&Odd=100%&");
        assert_eq!(Value::Object(fields), json!({ "Action": "Publish", "Message": "a&b cü", "Odd": "100%" }));
    }

    #[test]
    fn an_address_has_its_path_behind_the_host() {
        for (uri, path) in [("http://cloud/b/k?x=1", "/b/k"), ("http://cloud", "/"), ("/v2/email", "/v2/email")] {
            assert_eq!(path_of(uri), path);
        }
    }
}
