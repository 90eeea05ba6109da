//! What a run is made of, decided by its seed before it begins.

use cloud::Service;
use event::Time;
use fastrand::Rng;
use serde_json::{Value, json};

use super::faults::{Outage, Target, Weather};
use super::triggers::Edition;

/// When every run begins: 1 March 2026, 10 o'clock.
pub const BEGIN: i64 = 1_772_359_200_000;

const MINUTE: i64 = 60_000;

/// The stack's margin for a generation, as the template has it.
pub const MARGIN_MILLIS: i64 = 30_000;

/// The plan of a run. Times are milliseconds since its beginning.
#[derive(Debug, Clone)]
pub struct Plan {
    pub shards: usize,
    /// Concurrent batches of one shard.
    pub lanes: usize,
    pub stream_batch: usize,
    pub queue_batch: usize,
    /// Functions of one channel at once.
    pub senders: usize,
    /// Most difference between two clocks, in milliseconds.
    pub skew: i64,
    pub puts: Vec<Put>,
    pub operations: Vec<(i64, Operation)>,
    /// From when on a generation holds, after it was applied. Without it, an attempt may see other triggers than the one before.
    pub margin: i64,
    pub weather: Weather,
    /// In so many of ten thousand cases a source delivers once more what was done.
    pub repeats: u32,
    /// Of so many messages in a hundred the provider says something afterwards.
    pub reports: u32,
    /// Whether dead letters are redriven at the end.
    pub redrives: bool,
    /// Whether the stream is replaced by an empty one, when everything is done, and more events follow.
    pub replaced: Option<Vec<Put>>,
}

/// A record that an application puts.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    pub at: i64,
    pub key: String,
    pub data: Vec<u8>,
}

/// What somebody does to the system while it runs.
#[derive(Debug, Clone)]
pub enum Operation {
    Apply(Edition),
    Split(usize),
    Merge(usize),
    /// The mapping is made anew and begins at the oldest record.
    Recreate,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed);
        let customers = dice.usize(1..=3);
        let count = dice.usize(2..=10);
        let length = dice.i64(1..12) * MINUTE;
        let mut author = Author { customers, numbers: 0, sent: Vec::new() };
        let mut puts = author.puts(&mut dice, count, length);
        let flooded = (dice.u32(..100) < 3).then(|| author.flood(&mut dice, &mut puts, length));
        let replaced = (dice.u32(..100) < 12).then(|| {
            let count = dice.usize(1..=4);
            author.puts(&mut dice, count, MINUTE)
        });
        let mut operations: Vec<_> = (0..dice.usize(..=4)).map(|_| (dice.i64(0..length + 5 * MINUTE), operation(&mut dice))).collect();
        // Between an order and its repeat, its triggers get other versions.
        let second = Edition { second: true, paused: None, marketing_stopped: false };
        operations.extend(flooded.map(|at| (at + 3 * MINUTE, Operation::Apply(second))));
        operations.sort_by_key(|(at, _)| *at);
        let fair_from = BEGIN + length + dice.i64(0..20) * MINUTE;
        let mut plan = Self {
            shards: dice.usize(1..=3),
            lanes: dice.usize(1..=3),
            stream_batch: dice.usize(1..=12),
            queue_batch: dice.usize(1..=6),
            senders: dice.usize(1..=3),
            skew: if dice.bool() { 2_500 } else { 0 },
            puts,
            operations,
            margin: if dice.u32(..4) == 0 { 0 } else { MARGIN_MILLIS },
            weather: weather(&mut dice, length, fair_from),
            repeats: *choose(&mut dice, &[0, 100, 1_000]),
            reports: *choose(&mut dice, &[0, 0, 50, 100]),
            redrives: dice.bool(),
            replaced,
        };
        match dice.u32(..100) {
            0..4 => plan.read_again_after_a_split(&mut dice),
            4..10 => plan.judged_by_what_was_in_force_before(&mut dice),
            _ => (),
        }
        plan
    }

    /// A generation that holds at once, a router that has not seen it yet, and no way to the queues: the record is archived
    /// with the decisions of the one before, and comes again when the router knows better.
    fn judged_by_what_was_in_force_before(&mut self, dice: &mut Rng) {
        self.margin = 0;
        let at = dice.i64(MINUTE..3 * MINUTE);
        let customer = json!({ "customer": { "email": "ana@example.com", "consent": { "marketing": ["email"] } } });
        for (number, at, kind, data) in
            [(0, at - 3_000, "plan.chosen", customer), (1, at + 2_000, "order.completed", json!({ "total": dice.u32(10..50) }))]
        {
            let event = event_of(&format!("j{number}"), kind, at, "c-8", &data);
            self.puts.push(Put { at, key: "c-8".to_owned(), data: event.to_string().into_bytes() });
        }
        self.puts.sort_by_key(|put| put.at);
        self.operations.push((at, Operation::Apply(Edition { second: true, paused: None, marketing_stopped: false })));
        self.operations.sort_by_key(|(at, _)| *at);
        self.weather.outages.push(Outage { target: Target::Aws(Service::Sqs), from: BEGIN + at, to: BEGIN + at + MINUTE });
        self.weather.fair_from = self.weather.fair_from.max(BEGIN + at + 2 * MINUTE);
    }

    /// What changed nothing leaves no trace in the state; when it is read again, a younger shard has changed it.
    fn read_again_after_a_split(&mut self, dice: &mut Rng) {
        self.shards = 1;
        let (began, split, again) = (dice.i64(0..MINUTE), dice.i64(MINUTE..2 * MINUTE), dice.i64(4 * MINUTE..8 * MINUTE));
        for (number, at, plan) in [(0, began, "free"), (1, began + 10, "free"), (2, split + MINUTE, "pro")] {
            // No trigger names it, so that one which changes nothing is no write either.
            let event = event_of(&format!("s{number}"), "plan.chosen", at, "c-9", &json!({ "customer": { "traits": { "plan": plan } } }));
            self.puts.push(Put { at, key: "c-9".to_owned(), data: event.to_string().into_bytes() });
        }
        self.puts.sort_by_key(|put| put.at);
        self.operations.extend([(split, Operation::Split(0)), (again, Operation::Recreate)]);
        self.operations.sort_by_key(|(at, _)| *at);
    }
}

/// An event of the shop, that happened so long after the beginning.
fn event_of(id: &str, kind: &str, at: i64, subject: &str, data: &Value) -> Value {
    json!({ "specversion": "1.0", "id": id, "source": "/shop", "type": kind, "time": Time::from_millis(BEGIN + at).to_string(),
        "subject": subject, "data": data })
}

fn choose<'a, T>(dice: &mut Rng, among: &'a [T]) -> &'a T {
    &among[dice.usize(..among.len())]
}

fn weather(dice: &mut Rng, length: i64, fair_from: i64) -> Weather {
    let targets = [Service::DynamoDb, Service::Kinesis, Service::Sqs, Service::S3, Service::Ses, Service::Sns].map(Target::Aws);
    let targets = [targets.as_slice(), &[Target::Crm]].concat();
    let outages = (0..dice.usize(..=4).saturating_sub(2)).map(|_| {
        let from = BEGIN + dice.i64(0..length);
        // Most are short; one in four is longer than a record may be stuck.
        let minutes = if dice.u32(..4) == 0 { dice.i64(15..25) } else { dice.i64(1..5) };
        Outage { target: *choose(dice, &targets), from, to: from + minutes * MINUTE }
    });
    let outages: Vec<_> = outages.collect();
    Weather { faults: *choose(dice, &[0, 100, 500, 1_500, 3_000]), deaths: *choose(dice, &[0, 50, 200, 800]), outages, fair_from }
}

fn operation(dice: &mut Rng) -> Operation {
    match dice.u32(..10) {
        0..5 => Operation::Apply(Edition {
            second: dice.bool(),
            paused: (dice.u32(..6) == 0).then(|| dice.usize(..8)),
            marketing_stopped: dice.u32(..8) == 0,
        }),
        5..7 => Operation::Split(dice.usize(..4)),
        7..8 => Operation::Merge(dice.usize(..4)),
        _ => Operation::Recreate,
    }
}

/// Who writes the events.
struct Author {
    customers: usize,
    numbers: usize,
    sent: Vec<Put>,
}

impl Author {
    fn puts(&mut self, dice: &mut Rng, count: usize, length: i64) -> Vec<Put> {
        let mut times: Vec<_> = (0..count).map(|_| dice.i64(0..length)).collect();
        // Many come in bursts.
        for at in 1..times.len() {
            if dice.bool() {
                times[at] = times[at - 1] + dice.i64(0..50);
            }
        }
        times.sort_unstable();
        let puts: Vec<_> = times.into_iter().map(|at| self.put(dice, at)).collect();
        puts
    }

    /// An order, more events of its customer than the state remembers, and then the order once more. When the first one is put.
    fn flood(&mut self, dice: &mut Rng, puts: &mut Vec<Put>, length: i64) -> i64 {
        let put = |number: usize, at: i64, kind: &str, data: Value| {
            let event = event_of(&format!("f{number}"), kind, at, "c-0", &data);
            Put { at, key: "c-0".to_owned(), data: event.to_string().into_bytes() }
        };
        let began = dice.i64(0..length);
        let customer = json!({ "email": "ana@example.com" });
        let order = put(0, began, "order.completed", json!({ "total": 80, "customer": customer }));
        puts.push(order.clone());
        puts.extend((1..40).map(|number| put(number, began + 60_000, "customer.updated", json!({ "traits": { "n": 1_000 + number } }))));
        puts.push(Put { at: began + 6 * MINUTE, ..order });
        puts.sort_by_key(|put| put.at);
        began
    }

    fn put(&mut self, dice: &mut Rng, at: i64) -> Put {
        self.numbers += 1;
        let customer = format!("c-{}", dice.usize(..self.customers));
        let put = match dice.u32(..100) {
            0..5 if !self.sent.is_empty() => Put { at, ..choose(dice, &self.sent).clone() },
            5..9 => self.poison(dice, at, &customer),
            9..12 => Put { at, key: "somewhere-else".to_owned(), data: self.event(dice, at, &customer) },
            12..14 => {
                let subject = "product:4711";
                Put { at, key: subject.to_owned(), data: self.event(dice, at, subject) }
            }
            _ => Put { at, key: customer.clone(), data: self.event(dice, at, &customer) },
        };
        self.sent.push(put.clone());
        put
    }

    fn poison(&self, dice: &mut Rng, at: i64, customer: &str) -> Put {
        let envelope = |subject: &str, data: Value| event_of(&format!("p{}", self.numbers), "order.completed", at, subject, &data);
        let data = match dice.u32(..6) {
            0 => b"no event".to_vec(),
            1 => b"{}".to_vec(),
            2 => envelope("guest", json!({})).to_string().into_bytes(),
            3 => envelope(customer, json!({ "much": "x".repeat(70_000) })).to_string().into_bytes(),
            4 => envelope(customer, json!({ "customer": { "email": 7 } })).to_string().into_bytes(),
            _ => vec![0xF3, 0x89, 0x9A, 0xC2, 1, 2, 3],
        };
        Put { at, key: customer.to_owned(), data }
    }

    fn event(&self, dice: &mut Rng, at: i64, subject: &str) -> Vec<u8> {
        let number = self.numbers;
        let (kind, data) = match dice.u32(..100) {
            0..18 => {
                let mut customer = json!({ "email": "ana@example.com", "traits": { "n": number } });
                if dice.u32(..3) > 0 {
                    customer["phone"] = json!("+491511234567");
                }
                if dice.u32(..4) > 0 {
                    customer["consent"] = json!({ "marketing": ["email", "sms"] });
                }
                ("customer.signed_up", json!({ "customer": customer }))
            }
            18..55 => ("order.completed", json!({ "total": dice.u32(..100) })),
            55..67 => ("login.succeeded", json!({})),
            67..80 => {
                // The same again, or something else: an update that changes nothing is no write.
                let plan = ["free", "pro"][dice.usize(..2)];
                let traits = if dice.bool() { json!({ "plan": plan }) } else { json!({ "n": number, "plan": plan }) };
                ("customer.updated", json!({ "traits": traits }))
            }
            80..84 => ("customer.updated", json!({ "traits": { format!("large-{}", dice.u32(..9)): "x".repeat(4_000) } })),
            84..89 => ("consent.withdrawn", json!({ "purpose": "marketing", "channels": ["email"] })),
            89..94 => ("consent.granted", json!({ "purpose": "marketing", "channels": ["email", "sms"] })),
            94..96 => ("customer.erased", json!({})),
            _ => ("page.viewed", json!({ "page": number })),
        };
        let off = match dice.u32(..10) {
            0 => -2 * 24 * 60 * MINUTE,
            1 => 20 * MINUTE,
            2 => -dice.i64(0..MINUTE),
            _ => 0,
        };
        event_of(&format!("e{number}"), kind, at + off, subject, &data).to_string().into_bytes()
    }
}
