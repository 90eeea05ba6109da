//! `triggers backfill`: the archive into the histories that the triggers in force ask for.
//!
//! It puts events onto the stream, and the router writes the states. States are read before the archive, so that a
//! customer of whom something came in between is left as they are, and found again by the next run.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use anyhow::Result;
use aws::{Put, Stream, get_text, read_record, read_state};
use aws_sdk_dynamodb::Client;
use clap::Args;
use customer::{BACKFILLED, Backfill, Customer, Input};
use decision::Recorded;
use event::{CustomerId, Event, EventType, Subject, Time};
use serde_json::json;

use crate::screen::{self, Activity};
use crate::tables::{scan, text};
use crate::target::{Stack, Target};

#[derive(Args)]
pub struct Arguments {
    /// Say what would be put, and put nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    stack: Stack,
}

/// The past of each customer, by event type: when each event happened.
type Pasts = BTreeMap<CustomerId, BTreeMap<EventType, Vec<Time>>>;

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
        let state = states.get(customer.as_str()).unwrap_or(&nobody);
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
fn backfill(customer: &CustomerId, kind: &EventType, times: &[Time], state: &Customer, now: Time) -> Option<Put> {
    let backfill = Backfill::of_archive(state, kind, times)?;
    let event = json!({
        "specversion": "1.0",
        "id": format!("{kind}-{}-{}", backfill.counted, backfill.count),
        "source": "customer-triggers",
        "type": BACKFILLED,
        "time": now.to_string(),
        "subject": customer.as_str(),
        "data": backfill,
    });
    Some(Put { partition_key: customer.as_str().to_owned(), data: event.to_string().into_bytes() })
}

async fn states(client: &Client, table: &str, activity: &Activity) -> Result<BTreeMap<String, Customer>> {
    let mut states = BTreeMap::new();
    scan(client, table, |items| {
        for item in &items {
            states.insert(text(item, "customer"), read_state(item)?);
        }
        activity.detail(&format!("reading the states: {}", states.len()));
        Ok(())
    })
    .await?;
    Ok(states)
}

async fn pasts(client: &Client, table: &str, kinds: &BTreeSet<String>, activity: &Activity) -> Result<Pasts> {
    let mut pasts = Pasts::new();
    let mut read = 0;
    scan(client, table, |items| {
        read += items.len();
        for item in items.iter().filter(|item| get_text(item, "type").is_some_and(|kind| kinds.contains(kind))) {
            if let Some(input) = counted(read_record(item)?) {
                let past = pasts.entry(input.customer().clone()).or_default();
                past.entry(input.event().kind().clone()).or_default().push(input.event_time());
            }
        }
        activity.detail(&format!("reading the archive: {read} events"));
        Ok(())
    })
    .await?;
    Ok(pasts)
}

/// What the router judged, where it counts: an event of a customer that their producer had not sent before.
fn counted(recorded: Recorded) -> Option<Input> {
    let event = Event::parse(&recorded.input).ok().filter(|_| !recorded.decided.repeat)?;
    let Subject::Customer(customer) = event.subject().clone() else { return None };
    Input::new(customer, event, recorded.arrival, recorded.shard, recorded.sequence).ok()
}
