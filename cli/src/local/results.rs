//! What came of the events, read from where the functions put it: archive, ledger, quarantine, dead letters, mails.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use aws::{Item, Quarantined};
use aws_sdk_sqs::types::QueueAttributeName;
use decision::{Recorded, Verdict};
use event::{Event, Time};
use testkit::{CapturedEmail, CapturedSms, LocalStack};

use crate::tables::{scan, text};

/// Everything that a run left.
#[derive(Debug, Default)]
pub struct Results {
    /// By customer, each customer's in the order of the stream.
    pub archive: BTreeMap<String, Vec<Archived>>,
    /// By delivery.
    pub ledger: BTreeMap<String, Settled>,
    pub quarantined: Vec<Quarantined>,
    pub dead_letters: usize,
    /// What the providers took, channel by channel.
    pub messages: Vec<Message>,
    /// When each record was put, by its sequence number; the system's own records are among them.
    pub records: BTreeMap<String, Time>,
}

/// Something that a provider took.
#[derive(Debug)]
pub struct Message {
    pub channel: &'static str,
    /// The provider's id, or the delivery's.
    pub id: String,
    pub title: String,
    pub to: String,
    pub text: String,
    pub html: Option<String>,
    /// Whom it is from; empty where that is not said.
    pub from: String,
}

/// A record of the archive.
#[derive(Debug)]
pub struct Archived {
    pub position: String,
    pub kind: String,
    pub time: Time,
    pub recorded: Recorded,
}

/// An entry of the ledger.
#[derive(Debug)]
pub struct Settled {
    pub customer: String,
    pub trigger: String,
    pub channel: String,
    pub status: String,
    pub reason: String,
    pub provider_id: String,
    pub position: String,
    pub settled_at: Option<Time>,
}

impl Results {
    pub async fn read(stack: &LocalStack) -> Result<Self> {
        let (sdk, outputs) = (stack.sdk_config(), stack.outputs());
        let dynamodb = aws_sdk_dynamodb::Client::new(sdk);
        let mut results = Self::default();
        scan(&dynamodb, outputs.get("EventsTable")?, |items| {
            for item in &items {
                results.archive.entry(text(item, "customer")).or_default().push(archived(item)?);
            }
            Ok(())
        })
        .await?;
        for events in results.archive.values_mut() {
            events.sort_by(|a, b| a.position.cmp(&b.position));
        }
        scan(&dynamodb, outputs.get("DeliveriesTable")?, |items| {
            results.ledger.extend(items.iter().map(|item| (text(item, "delivery"), settled(item))));
            Ok(())
        })
        .await?;
        results.quarantined = quarantined(stack, outputs.get("QuarantineBucket")?).await?;
        for queue in ["EmailDeadLettersUrl", "SmsDeadLettersUrl", "CrmDeadLettersUrl", "WebhookDeadLettersUrl", "FeedbackDeadLettersUrl"] {
            results.dead_letters += depth(sdk, outputs.get(queue)?).await?;
        }
        results.messages = stack.captured_emails().await?.into_iter().map(mail).collect();
        results.messages.extend(stack.captured_texts().await?.into_iter().map(text_message));
        results.records = records(sdk, outputs.get("StreamName")?).await?;
        Ok(results)
    }

    /// The ledger's entry of something that a provider took.
    pub fn settled_as(&self, message: &Message) -> Option<&Settled> {
        self.ledger
            .get(&message.id)
            .or_else(|| self.ledger.values().find(|settled| !message.id.is_empty() && settled.provider_id == message.id))
    }

    /// Deliveries of a channel that a provider accepted.
    pub fn sent(&self, channel: &str) -> usize {
        self.ledger.values().filter(|settled| settled.status == "sent" && settled.channel == channel).count()
    }

    pub fn archived(&self) -> usize {
        self.archive.values().map(Vec::len).sum()
    }

    /// Every record of the archive, with its customer.
    pub fn events(&self) -> impl Iterator<Item = (&String, &Archived)> {
        self.archive.iter().flat_map(|(customer, events)| events.iter().map(move |event| (customer, event)))
    }

    /// Refusals by reason: those that the router decided and those at the gate of a sender.
    pub fn refusals(&self) -> BTreeMap<String, usize> {
        let decided =
            self.events().flat_map(|(_, event)| &event.recorded.decided.decisions).filter_map(|decision| match &decision.verdict {
                Verdict::Refuse(reason) => Some(reason.code().to_owned()),
                Verdict::Deliver(_) => None,
            });
        let at_the_gate = self.ledger.values().filter(|settled| settled.status == "refused").map(|settled| settled.reason.clone());
        let expired = self.ledger.values().filter(|settled| settled.status == "expired").map(|_| "expired".to_owned());
        let mut reasons = BTreeMap::new();
        for reason in decided.chain(at_the_gate).chain(expired) {
            *reasons.entry(reason).or_default() += 1;
        }
        reasons
    }

    /// From the put onto the stream to the provider's accept, in milliseconds, shortest first.
    pub fn latencies(&self) -> Vec<i64> {
        let latency = |settled: &Settled| {
            let (_, sequence) = settled.position.split_once('#')?;
            Some(settled.settled_at?.since(*self.records.get(sequence.trim_start_matches('0'))?))
        };
        let mut latencies: Vec<_> = self.ledger.values().filter(|settled| settled.status == "sent").filter_map(latency).collect();
        latencies.sort_unstable();
        latencies
    }
}

/// The value below which this share of the sorted values lies.
pub fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

fn mail(mail: CapturedEmail) -> Message {
    Message {
        channel: "email",
        id: mail.message_id,
        title: mail.subject,
        to: mail.to.join(", "),
        text: mail.body_text.unwrap_or_default(),
        html: mail.body_html.filter(|html| !html.is_empty()),
        from: mail.source,
    }
}

fn text_message(sms: CapturedSms) -> Message {
    let title = sms.message.chars().take(60).collect();
    Message { channel: "sms", id: sms.message_id, title, to: sms.phone_number, text: sms.message, html: None, from: String::new() }
}

fn archived(item: &Item) -> Result<Archived> {
    let recorded = aws::read_record(item)?;
    let time = Event::parse(&recorded.input).map_or(recorded.arrival, |event| event.time());
    Ok(Archived { position: text(item, "position"), kind: text(item, "type"), time, recorded })
}

fn settled(item: &Item) -> Settled {
    Settled {
        customer: text(item, "customer"),
        trigger: text(item, "trigger"),
        channel: text(item, "channel"),
        status: text(item, "status"),
        reason: text(item, "reason"),
        provider_id: text(item, "provider_id"),
        position: text(item, "position"),
        settled_at: aws::get_number(item, "settled_at").map(Time::from_millis),
    }
}

async fn quarantined(stack: &LocalStack, bucket: &str) -> Result<Vec<Quarantined>> {
    let client = aws::object_store(stack.sdk_config());
    let mut records = Vec::new();
    let mut token = None;
    loop {
        let page =
            client.list_objects_v2().bucket(bucket).set_continuation_token(token).send().await.context("cannot list the quarantine")?;
        for key in page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key) {
            let object = client.get_object().bucket(bucket).key(&key).send().await.with_context(|| format!("cannot read {key}"))?;
            let bytes = object.body.collect().await.with_context(|| format!("cannot read {key}"))?.into_bytes();
            records.push(serde_json::from_slice(&bytes).with_context(|| format!("{key} is no quarantined record"))?);
        }
        token = page.next_continuation_token;
        if token.is_none() {
            return Ok(records);
        }
    }
}

async fn depth(sdk: &aws_config::SdkConfig, url: &str) -> Result<usize> {
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    let answer = aws_sdk_sqs::Client::new(sdk).get_queue_attributes().queue_url(url).attribute_names(name.clone()).send().await;
    let attributes = answer.context("cannot read the queue of dead letters")?.attributes.unwrap_or_default();
    Ok(attributes.get(&name).and_then(|depth| depth.parse().ok()).unwrap_or_default())
}

/// What is on the stream, by reading all of it once more.
async fn records(sdk: &aws_config::SdkConfig, stream: &str) -> Result<BTreeMap<String, Time>> {
    let client = aws_sdk_kinesis::Client::new(sdk);
    let shards = client.list_shards().stream_name(stream).send().await.context("cannot list the stream's shards")?;
    let mut records = BTreeMap::new();
    for shard in shards.shards.unwrap_or_default() {
        let start = aws_sdk_kinesis::types::ShardIteratorType::TrimHorizon;
        let iterator = client.get_shard_iterator().stream_name(stream).shard_id(&shard.shard_id).shard_iterator_type(start).send().await;
        let mut next = iterator.context("cannot read the stream")?.shard_iterator;
        while let Some(iterator) = next {
            let page = client.get_records().shard_iterator(iterator).send().await.context("cannot read the stream")?;
            let at_tip = page.records.is_empty();
            for record in page.records {
                let put = record.approximate_arrival_timestamp.and_then(|time| time.to_millis().ok()).unwrap_or_default();
                records.insert(record.sequence_number.trim_start_matches('0').to_owned(), Time::from_millis(put));
            }
            next = page.next_shard_iterator.filter(|_| !at_tip);
        }
    }
    Ok(records)
}
