//! The event source mappings after a deployment: switched off, and readable.
//!
//! Guarantee: none of them polls, whatever the template's parameter did; and their numbers are numbers. The emulator
//! keeps a number that a template parameter gave as text, which the SDK refuses to read.

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::types::ScalingConfig;
use serde_json::Value;

/// Disables every mapping of the account.
pub(crate) async fn switch_off(sdk: &SdkConfig) -> Result<()> {
    let client = Client::new(sdk);
    for mapping in list(&client).await? {
        let uuid = mapping.get("UUID").and_then(Value::as_str).context("an event source mapping has no UUID")?;
        let number = |name: &str| mapping.get(name).and_then(number);
        let concurrency = mapping.pointer("/ScalingConfig/MaximumConcurrency").and_then(self::number);
        client
            .update_event_source_mapping()
            .uuid(uuid)
            .enabled(false)
            .set_batch_size(number("BatchSize"))
            .set_maximum_batching_window_in_seconds(number("MaximumBatchingWindowInSeconds"))
            .set_parallelization_factor(number("ParallelizationFactor"))
            .set_maximum_retry_attempts(number("MaximumRetryAttempts"))
            .set_maximum_record_age_in_seconds(number("MaximumRecordAgeInSeconds"))
            .set_scaling_config(concurrency.map(|most| ScalingConfig::builder().maximum_concurrency(most).build()))
            .send()
            .await
            .with_context(|| format!("cannot disable the event source mapping {uuid}"))?;
    }
    Ok(())
}

/// The mappings whose numbers came as text, with all their fields; of the others the UUID is enough.
async fn list(client: &Client) -> Result<Vec<Value>> {
    match client.list_event_source_mappings().send().await {
        Ok(page) => {
            let uuids = page.event_source_mappings().iter().filter_map(|mapping| mapping.uuid());
            Ok(uuids.map(|uuid| serde_json::json!({ "UUID": uuid })).collect())
        }
        Err(error) => {
            let body = error.raw_response().filter(|response| response.status().is_success()).and_then(|response| response.body().bytes());
            let mut page: Value = match body.map(serde_json::from_slice) {
                Some(Ok(page)) => page,
                Some(Err(_)) | None => return Err(error).context("cannot list the event source mappings"),
            };
            let mappings = page.get_mut("EventSourceMappings").map(Value::take);
            mappings.and_then(|mappings| mappings.as_array().cloned()).context("the list of event source mappings has none")
        }
    }
}

fn number(value: &Value) -> Option<i32> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64().and_then(|number| i32::try_from(number).ok()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::number;

    #[test]
    fn a_number_is_one_as_text_as_well() {
        assert_eq!([json!(-1), json!("10"), json!("x"), json!(null)].map(|value| number(&value)), [Some(-1), Some(10), None, None]);
    }
}
