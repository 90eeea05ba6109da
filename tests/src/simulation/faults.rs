//! What can go wrong with one call.

use cloud::{Refusal, Service};
use fastrand::Rng;

/// Whom a call reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    Aws(Service),
    Crm,
}

/// A time in which a service is in trouble.
#[derive(Debug, Clone, Copy)]
pub struct Outage {
    pub target: Target,
    pub from: i64,
    pub to: i64,
}

/// How bad the network and the services are, until a time from which on all is well.
#[derive(Debug, Clone)]
pub struct Weather {
    /// Of so many calls in ten thousand something goes wrong.
    pub faults: u32,
    /// In so many calls of ten thousand the process dies or freezes.
    pub deaths: u32,
    pub outages: Vec<Outage>,
    pub fair_from: i64,
}

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Fate {
    /// The fault, by its name; none where all is well.
    pub fault: Option<&'static str>,
    pub effect: Effect,
    pub reply: Reply,
    /// How long the answer takes, in milliseconds.
    pub millis: i64,
    pub process: ProcessFate,
}

/// Whether the call takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Never,
    Now,
    /// After so many milliseconds, whoever still waits for it.
    Later(i64),
    /// A part of it, and the answer says so.
    Partly,
}

/// What the caller hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Answer,
    Refusal(Refusal),
    ConnectionLost,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessFate {
    Lives,
    Dies,
    FreezesFor(i64),
}

impl Weather {
    /// Throws the dice for a call.
    pub fn fate(&self, dice: &mut Rng, target: Target, operation: &str, now: i64) -> Fate {
        let well = Fate { fault: None, effect: Effect::Now, reply: Reply::Answer, millis: dice.i64(1..15), process: ProcessFate::Lives };
        if now >= self.fair_from {
            return well;
        }
        if self.outages.iter().any(|outage| outage.target == target && (outage.from..outage.to).contains(&now)) {
            return trouble(dice, target, well);
        }
        if dice.u32(..10_000) < self.deaths {
            let effect = if dice.bool() { Effect::Now } else { Effect::Never };
            return match dice.u32(..10) {
                0..3 => Fate { fault: Some("process freezes"), process: ProcessFate::FreezesFor(dice.i64(1_000..120_000)), ..well },
                _ if effect == Effect::Now => Fate { fault: Some("process dies after a call"), process: ProcessFate::Dies, ..well },
                _ => Fate { fault: Some("process dies before a call"), effect, process: ProcessFate::Dies, ..well },
            };
        }
        // A run has few calls of providers, and most depends on them.
        let faults = if matches!(target, Target::Aws(Service::Ses | Service::Sns) | Target::Crm) { self.faults * 4 } else { self.faults };
        if dice.u32(..10_000) < faults { fault(dice, target, operation, well) } else { well }
    }
}

/// One fault, of any kind.
fn fault(dice: &mut Rng, target: Target, operation: &str, well: Fate) -> Fate {
    let partly = matches!(operation, "PutRecords" | "SendMessageBatch" | "BatchGetItem");
    match dice.u32(..100) {
        0..20 => throttled(target, well),
        20..30 => Fate { fault: Some("error before the effect"), effect: Effect::Never, reply: Reply::Refusal(error(target)), ..well },
        30..40 => Fate { fault: Some("error after the effect"), reply: Reply::Refusal(error(target)), ..well },
        40..47 => Fate { fault: Some("timeout before the effect"), effect: Effect::Never, reply: Reply::Nothing, ..well },
        47..54 => Fate { fault: Some("timeout after the effect"), reply: Reply::Nothing, ..well },
        54..60 => {
            Fate { fault: Some("effect after the timeout"), effect: Effect::Later(dice.i64(1_000..40_000)), reply: Reply::Nothing, ..well }
        }
        60..67 => Fate { fault: Some("connection cut before the effect"), effect: Effect::Never, reply: Reply::ConnectionLost, ..well },
        67..74 => Fate { fault: Some("connection cut after the effect"), reply: Reply::ConnectionLost, ..well },
        74..85 if partly => Fate { fault: Some("partial failure"), effect: Effect::Partly, ..well },
        85..90 => rejected(target, well),
        _ => Fate { fault: Some("slow answer"), millis: dice.i64(500..3_500), ..well },
    }
}

/// A service in trouble mostly does nothing, and at times more than it says.
fn trouble(dice: &mut Rng, target: Target, well: Fate) -> Fate {
    let fault = Some("outage");
    match dice.u32(..10) {
        0..4 => Fate { fault, effect: Effect::Never, reply: Reply::Refusal(error(target)), ..well },
        4..7 => Fate { fault, ..throttled(target, well) },
        7..8 => Fate { fault, effect: Effect::Never, reply: Reply::Nothing, ..well },
        8..9 => Fate { fault, effect: Effect::Never, reply: Reply::ConnectionLost, ..well },
        _ => Fate { fault, reply: Reply::Refusal(error(target)), ..well },
    }
}

fn throttled(target: Target, well: Fate) -> Fate {
    let refusal = match target {
        Target::Aws(Service::DynamoDb | Service::Kinesis) => Refusal::sender("ProvisionedThroughputExceededException", "slow down"),
        Target::Aws(Service::Sqs) => Refusal::sender("RequestThrottled", "slow down"),
        Target::Aws(Service::S3) => Refusal::service(503, "SlowDown"),
        Target::Aws(Service::Ses) => Refusal::service(429, "TooManyRequestsException"),
        Target::Aws(Service::Sns) => Refusal::service(429, "Throttled"),
        Target::Aws(Service::SecretsManager) => Refusal::sender("ThrottlingException", "slow down"),
        Target::Crm => Refusal::service(429, "Throttled"),
    };
    Fate { fault: Some("throttled"), effect: Effect::Never, reply: Reply::Refusal(refusal), ..well }
}

/// What only a provider does: refuse one message for good.
fn rejected(target: Target, well: Fate) -> Fate {
    let refusal = match target {
        Target::Aws(Service::Ses) => Refusal::sender("MessageRejected", "no"),
        Target::Aws(Service::Sns) => Refusal::sender("InvalidParameter", "no"),
        Target::Crm => Refusal::sender("Rejected", "no"),
        Target::Aws(_) => return well,
    };
    Fate { fault: Some("provider rejects"), effect: Effect::Never, reply: Reply::Refusal(refusal), ..well }
}

fn error(target: Target) -> Refusal {
    match target {
        Target::Aws(Service::DynamoDb | Service::SecretsManager) => Refusal::service(500, "InternalServerError"),
        Target::Aws(Service::S3) => Refusal::service(500, "InternalError"),
        Target::Aws(_) => Refusal::service(500, "InternalFailure"),
        Target::Crm => Refusal::service(500, "InternalError"),
    }
}
