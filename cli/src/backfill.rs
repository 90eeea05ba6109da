//! `triggers backfill`: the archive into the histories that the triggers in force ask for.
//!
//! It puts events onto the stream, and the router writes the states. States are read before the archive, so that a
//! customer of whom something came in between is left as they are, and found again by the next run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::process::ExitCode;

use anyhow::{Context, Result};
use aws::{Put, Stream};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use clap::Args;
use customer::{BACKFILLED, Backfill, Customer};
use decision::Recorded;
use event::{Event, Time};
use serde_json::json;
use trigger::MOST_COUNTED;

use crate::screen::{self, Activity};
use crate::target::{Stack, Target};

#[derive(Args)]
pub struct Arguments {
    /// Say what would be put, and put nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    stack: Stack,
}

type Item = HashMap<String, AttributeValue>;

/// The past of each customer, by event type, in seconds.
type Pasts = BTreeMap<String, BTreeMap<String, Vec<u32>>>;

pub async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (sdk, outputs) = arguments.stack.outputs().await?;
    let target = Target::new(&sdk, outputs.get("TriggersTable")?, 0);
    let (_, bundle) = target.current().await?;
    let kinds: BTreeSet<String> =
        bundle.entries().flat_map(|entry| entry.trigger.when_history()).map(|fact| fact.event().to_string()).collect();
    if kinds.is_empty() {
        screen::line("no trigger in force asks for a history; there is nothing to bring in");
        return Ok(ExitCode::SUCCESS);
    }
    let client = Client::new(&sdk);
    let activity = Activity::start();
    let read = async {
        activity.step("reading the states");
        let states = states(&client, &outputs.get("CustomersTable")?, &activity).await?;
        activity.step("reading the archive");
        let pasts = pasts(&client, &outputs.get("EventsTable")?, &kinds, &activity).await?;
        Ok::<_, anyhow::Error>((states, pasts))
    };
    let read = read.await;
    activity.done();
    let (states, pasts) = read?;
    let nobody = Customer::default();
    let mut puts = Vec::new();
    for (customer, past) in &pasts {
        let state = states.get(customer).unwrap_or(&nobody);
        puts.extend(past.iter().filter_map(|(kind, times)| backfill(customer, kind, times, state, target.clock.now())));
    }
    let (count, customers) = (puts.len(), pasts.len());
    if !arguments.dry_run {
        Stream::new(aws_sdk_kinesis::Client::new(&sdk), outputs.get("StreamName")?).put_all(puts).await?;
    }
    let done = if arguments.dry_run { "would be put" } else { "put onto the stream" };
    screen::line(&format!(
        "{} {done}, for {customers} customers with a past of {}",
        screen::count(count, "history event"),
        kinds.iter().cloned().collect::<Vec<_>>().join(", ")
    ));
    if count > 0 && !arguments.dry_run {
        screen::line("run it once more in a minute: it then finds only customers of whom something came in between");
    }
    Ok(ExitCode::SUCCESS)
}

/// The event that brings one customer's past of one type; none where the state has all of it.
fn backfill(customer: &str, kind: &str, times: &[u32], state: &Customer, now: Time) -> Option<Put> {
    let (counted, complete) = state.counted(kind);
    if complete && counted == times.len() as u64 {
        return None;
    }
    let mut times = times.to_vec();
    times.sort_unstable();
    let kept = times.len().saturating_sub(MOST_COUNTED as usize + 1);
    let backfill = Backfill {
        event: kind.to_owned(),
        counted,
        count: times.len() as u64,
        first: times.first().copied()?,
        last: times.split_off(kept),
    };
    let event = json!({
        "specversion": "1.0",
        "id": format!("{kind}-{counted}-{}", backfill.count),
        "source": "customer-triggers",
        "type": BACKFILLED,
        "time": now.to_string(),
        "subject": customer,
        "data": backfill,
    });
    Some(Put { partition_key: customer.to_owned(), data: event.to_string().into_bytes() })
}

async fn states(client: &Client, table: &str, activity: &Activity) -> Result<BTreeMap<String, Customer>> {
    let mut states = BTreeMap::new();
    let mut start = None;
    loop {
        let (items, next) = page(client, table, start).await?;
        for item in items {
            let blob = item.get("state").and_then(|value| value.as_b().ok()).context("a customer's state is missing")?;
            states.insert(text(&item, "customer"), Customer::open(blob.as_ref())?);
        }
        activity.detail(&format!("reading the states: {}", states.len()));
        start = next;
        if start.is_none() {
            return Ok(states);
        }
    }
}

async fn pasts(client: &Client, table: &str, kinds: &BTreeSet<String>, activity: &Activity) -> Result<Pasts> {
    let mut pasts = Pasts::new();
    let (mut start, mut read) = (None, 0);
    loop {
        let (items, next) = page(client, table, start).await?;
        read += items.len();
        for item in items.iter().filter(|item| kinds.contains(&text(item, "type"))) {
            let blob = item.get("record").and_then(|value| value.as_b().ok()).context("a record of the archive has no content")?;
            let recorded = Recorded::open(blob.as_ref())?;
            let Ok(event) = Event::parse(&recorded.input) else { continue };
            if recorded.decided.repeat {
                continue;
            }
            // As the router judges it: a producer's clock that runs ahead does not count.
            let arrival = event.original_arrival().map_or(recorded.arrival, |original| original.min(recorded.arrival));
            let seconds = customer::event_time(event.time(), arrival).millis().div_euclid(1_000);
            let past = pasts.entry(text(item, "customer")).or_default().entry(text(item, "type")).or_default();
            past.push(u32::try_from(seconds).unwrap_or_default());
        }
        activity.detail(&format!("reading the archive: {read} events"));
        start = next;
        if start.is_none() {
            return Ok(pasts);
        }
    }
}

async fn page(client: &Client, table: &str, start: Option<Item>) -> Result<(Vec<Item>, Option<Item>)> {
    let page = client.scan().table_name(table).consistent_read(true).set_exclusive_start_key(start).send().await;
    let page = page.with_context(|| format!("cannot read the table {table}"))?;
    Ok((page.items.unwrap_or_default(), page.last_evaluated_key.filter(|key| !key.is_empty())))
}

fn text(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}
