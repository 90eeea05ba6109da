//! The event source mappings of the stack, with AWS's defaults for what they leave open.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use aws_sdk_lambda::types::{EventSourceMappingConfiguration, EventSourcePosition, FunctionResponseType};

use super::name_of;
use event_source::Policy;

/// A mapping, and what it asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mapping {
    /// The mapping's UUID.
    pub(super) id: String,
    /// What the template calls it.
    pub(super) name: String,
    pub(super) function_arn: String,
    pub(super) source_arn: String,
    pub(super) batch_size: usize,
    pub(super) window: Duration,
    /// Whether answers may name the items that failed.
    pub(super) reports_failures: bool,
    pub(super) source: Source,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    Stream(StreamSettings),
    Queue(QueueSettings),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct StreamSettings {
    pub(super) start: Start,
    /// Concurrent batches of one shard.
    pub(super) lanes: usize,
    pub(super) policy: Policy,
    pub(super) on_failure: Option<Destination>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct QueueSettings {
    pub(super) concurrency: Option<usize>,
}

/// Where a shard is read from that was never read before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Start {
    Oldest,
    Latest,
    At(f64),
}

/// Where batches go that are given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    Bucket(String),
    Queue { arn: String },
}

/// All mappings of the account; those of the stack under the names that its template gives them.
pub(super) async fn read(sdk: &SdkConfig, stack_name: &str) -> Result<Vec<Mapping>> {
    let names = names(sdk, stack_name).await?;
    let client = aws_sdk_lambda::Client::new(sdk);
    let mut pages = client.list_event_source_mappings().into_paginator().items().send();
    let mut mappings = Vec::new();
    while let Some(mapping) = pages.next().await {
        let mut mapping = with_defaults(&mapping.context("cannot list the event source mappings")?)?;
        if let Some(name) = names.get(&mapping.id) {
            mapping.name.clone_from(name);
        }
        mappings.push(mapping);
    }
    Ok(mappings)
}

async fn names(sdk: &SdkConfig, stack_name: &str) -> Result<BTreeMap<String, String>> {
    let client = aws_sdk_cloudformation::Client::new(sdk);
    let resources =
        client.describe_stack_resources().stack_name(stack_name).send().await.context("cannot list the resources of the stack")?;
    Ok(resources
        .stack_resources()
        .iter()
        .filter_map(|resource| Some((resource.physical_resource_id()?.to_owned(), resource.logical_resource_id()?.to_owned())))
        .collect())
}

fn with_defaults(mapping: &EventSourceMappingConfiguration) -> Result<Mapping> {
    let id = mapping.uuid().context("a mapping has no UUID")?;
    let function_arn = mapping.function_arn().context("a mapping has no function")?;
    let source_arn = mapping.event_source_arn().context("a mapping has no source")?;
    let name = format!("{} -> {}", name_of(source_arn), name_of(function_arn));
    if mapping.filter_criteria().is_some_and(|criteria| !criteria.filters().is_empty()) {
        bail!("{name} filters its events: the driver does not, and the stack's archive must not");
    }
    if mapping.tumbling_window_in_seconds().unwrap_or_default() > 0 {
        bail!("{name} has a tumbling window, which the driver does not know");
    }
    let (source, batch_size) = match source_arn.split(':').nth(2) {
        Some("kinesis") => (Source::Stream(stream(mapping)?), 100),
        Some("sqs") => (Source::Queue(queue(mapping)?), 10),
        _ => bail!("{name} has a source that the driver does not know"),
    };
    Ok(Mapping {
        id: id.to_owned(),
        name,
        function_arn: function_arn.to_owned(),
        source_arn: source_arn.to_owned(),
        batch_size: positive(mapping.batch_size()).unwrap_or(batch_size),
        window: seconds(mapping.maximum_batching_window_in_seconds()).unwrap_or_default(),
        reports_failures: mapping.function_response_types().contains(&FunctionResponseType::ReportBatchItemFailures),
        source,
    })
}

fn stream(mapping: &EventSourceMappingConfiguration) -> Result<StreamSettings> {
    let start = match mapping.starting_position() {
        Some(EventSourcePosition::Latest) => Start::Latest,
        Some(EventSourcePosition::AtTimestamp) => {
            Start::At(mapping.starting_position_timestamp().context("a mapping that starts AT_TIMESTAMP has no time")?.as_secs_f64())
        }
        _ => Start::Oldest,
    };
    Ok(StreamSettings {
        start,
        lanes: positive(mapping.parallelization_factor()).unwrap_or(1),
        policy: Policy {
            bisect: mapping.bisect_batch_on_function_error().unwrap_or(false),
            // -1: until the record expires.
            retries: mapping.maximum_retry_attempts().and_then(|retries| u32::try_from(retries).ok()),
            record_age: seconds(mapping.maximum_record_age_in_seconds()).filter(|age| !age.is_zero()),
        },
        on_failure: destination(mapping)?,
    })
}

fn queue(mapping: &EventSourceMappingConfiguration) -> Result<QueueSettings> {
    Ok(QueueSettings {
        concurrency: positive(mapping.scaling_config().and_then(aws_sdk_lambda::types::ScalingConfig::maximum_concurrency)),
    })
}

fn destination(mapping: &EventSourceMappingConfiguration) -> Result<Option<Destination>> {
    let arn = mapping.destination_config().and_then(|config| config.on_failure()).and_then(|on_failure| on_failure.destination());
    let Some(arn) = arn.filter(|arn| !arn.is_empty()) else { return Ok(None) };
    match arn.split(':').nth(2) {
        Some("s3") => Ok(Some(Destination::Bucket(name_of(arn).to_owned()))),
        Some("sqs") => Ok(Some(Destination::Queue { arn: arn.to_owned() })),
        _ => bail!("the driver does not know the on-failure destination {arn}"),
    }
}

fn positive(number: Option<i32>) -> Option<usize> {
    number.and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0)
}

fn seconds(number: Option<i32>) -> Option<Duration> {
    number.and_then(|number| u64::try_from(number).ok()).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stream_mapping_leaves_open_is_as_in_aws() {
        let mapping = EventSourceMappingConfiguration::builder()
            .uuid("u")
            .function_arn("arn:aws:lambda:eu-central-1:1:function:router")
            .event_source_arn("arn:aws:kinesis:eu-central-1:1:stream/events")
            .build();
        let mapping = with_defaults(&mapping).unwrap();
        assert_eq!((mapping.name.as_str(), mapping.batch_size, mapping.window), ("events -> router", 100, Duration::ZERO));
        assert!(!mapping.reports_failures);
        let expected = StreamSettings {
            start: Start::Oldest,
            lanes: 1,
            policy: Policy { bisect: false, retries: None, record_age: None },
            on_failure: None,
        };
        assert_eq!(mapping.source, Source::Stream(expected));
    }

    #[test]
    fn minus_one_means_without_limit() {
        let mapping = EventSourceMappingConfiguration::builder().maximum_retry_attempts(-1).maximum_record_age_in_seconds(-1).build();
        assert_eq!(stream(&mapping).unwrap().policy, Policy { bisect: false, retries: None, record_age: None });
    }

    #[test]
    fn a_filter_is_refused_and_not_ignored() {
        use aws_sdk_lambda::types::{Filter, FilterCriteria};
        let criteria = FilterCriteria::builder().filters(Filter::builder().pattern("{}").build()).build();
        let mapping = EventSourceMappingConfiguration::builder()
            .uuid("u")
            .function_arn("f")
            .event_source_arn("arn:aws:sqs:eu-central-1:1:mails")
            .filter_criteria(criteria)
            .build();
        assert!(with_defaults(&mapping).unwrap_err().to_string().contains("filters its events"));
    }
}
