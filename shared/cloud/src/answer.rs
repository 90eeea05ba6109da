//! What a call is answered with, in the form of its protocol.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::{HttpError, StatusCode};
use aws_smithy_types::body::SdkBody;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::call::Service;

/// A call that was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
    /// Further fields of the error, such as the `Item` that stood in the way of a conditional write.
    pub more: Box<Map<String, Value>>,
}

impl Refusal {
    /// A mistake of the caller.
    #[must_use]
    pub fn sender(code: &str, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.to_owned(), message: message.into(), more: Box::default() }
    }

    /// A service in trouble.
    #[must_use]
    pub fn service(status: u16, code: &str) -> Self {
        Self { status, code: code.to_owned(), message: String::new(), more: Box::default() }
    }

    /// What this AWS does not do.
    #[must_use]
    pub fn unknown(what: &str) -> Self {
        Self::sender("UnknownOperationException", format!("the AWS in this process does not know {what}"))
    }

    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }
}

/// Writes an answer as the service's protocol has it.
///
/// # Errors
/// A refusal whose status is none of HTTP's.
pub fn encode(service: Service, answer: &Result<Value, Refusal>) -> Result<HttpResponse, HttpError> {
    let (status, headers, body) = match service {
        Service::DynamoDb | Service::Kinesis | Service::Sqs | Service::SecretsManager | Service::Ses => json_form(answer),
        Service::Sns => sns_form(answer),
        Service::S3 => s3_form(answer),
    };
    let mut response = HttpResponse::new(StatusCode::try_from(status)?, SdkBody::from(body));
    response.headers_mut().try_insert("x-amzn-requestid", "in-process")?;
    for (name, value) in headers {
        response.headers_mut().try_append(name, value)?;
    }
    Ok(response)
}

type Form = (u16, Vec<(String, String)>, Vec<u8>);

fn json_form(answer: &Result<Value, Refusal>) -> Form {
    match answer {
        Ok(value) => (200, Vec::new(), value.to_string().into_bytes()),
        Err(refusal) => {
            let mut body = (*refusal.more).clone();
            body.insert("__type".to_owned(), json!(refusal.code));
            body.insert("message".to_owned(), json!(refusal.message));
            (refusal.status, vec![("x-amzn-errortype".to_owned(), refusal.code.clone())], Value::Object(body).to_string().into_bytes())
        }
    }
}

fn sns_form(answer: &Result<Value, Refusal>) -> Form {
    let body = match answer {
        Ok(value) => {
            let id = value.get("MessageId").and_then(Value::as_str).unwrap_or_default();
            format!(
                "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>{id}</MessageId>\
                 </PublishResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></PublishResponse>"
            )
        }
        Err(refusal) => format!(
            "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message>\
             </Error><RequestId>1</RequestId></ErrorResponse>",
            refusal.code, refusal.message
        ),
    };
    (answer.as_ref().map_or_else(|refusal| refusal.status, |_| 200), Vec::new(), body.into_bytes())
}

fn s3_form(answer: &Result<Value, Refusal>) -> Form {
    match answer {
        Err(refusal) => {
            let body =
                format!("<Error><Code>{}</Code><Message>{}</Message><RequestId>1</RequestId></Error>", refusal.code, refusal.message);
            (refusal.status, Vec::new(), body.into_bytes())
        }
        Ok(Value::String(xml)) => (200, Vec::new(), xml.clone().into_bytes()),
        Ok(value) => {
            let body = value.get("Body").and_then(Value::as_str).and_then(|body| STANDARD.decode(body).ok()).unwrap_or_default();
            let mut headers = vec![("etag".to_owned(), "\"1\"".to_owned())];
            for (name, value) in value.get("Metadata").and_then(Value::as_object).into_iter().flatten() {
                headers.push((format!("x-amz-meta-{name}"), value.as_str().unwrap_or_default().to_owned()));
            }
            (200, headers, body)
        }
    }
}
