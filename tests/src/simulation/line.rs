//! The lines between the processes and the services: they lose, delay and repeat.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use cloud::{Call, Cloud, Refusal, Service, decode, encode};
use fastrand::Rng;
use serde_json::{Value, json};

use super::executor::{Clockwork, ServiceTasks, Signal};
use super::faults::{Effect, Fate, ProcessFate, Reply, Target, Weather};
use super::history::History;
use super::process::Process;
use super::providers::{Circumstances, Providers};
use super::reports::{Reports, enqueue};

/// All that lies between processes and services.
#[derive(Debug)]
pub struct Network {
    pub cloud: Arc<Cloud>,
    pub clockwork: Arc<Clockwork>,
    pub history: History,
    pub providers: Providers,
    pub reports: Reports,
    pub weather: Weather,
    pub dice: Mutex<Rng>,
    /// Raised when a record was put onto a stream, or a message into a queue.
    pub arrivals: Signal,
    pub services: NetworkTasks,
}

/// The tasks of the services.
pub struct NetworkTasks(pub ServiceTasks);

impl std::fmt::Debug for NetworkTasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NetworkTasks")
    }
}

/// What the caller of a line gets.
pub enum Heard {
    Answer(Result<Value, Refusal>),
    ConnectionLost,
}

/// The line of one process.
#[derive(Debug, Clone)]
pub struct Line {
    pub network: Arc<Network>,
    pub process: Arc<Process>,
}

impl Line {
    /// Carries a call there, and what is heard of it back. Nothing is heard by who dies, or loses the answer.
    pub async fn carry(&self, target: Target, call: Call) -> Heard {
        let network = &self.network;
        let fate = {
            let mut dice = network.dice.lock().expect("no task panicked");
            network.weather.fate(&mut dice, target, &call.operation, network.clockwork.now())
        };
        if let Some(fault) = fate.fault {
            network.history.fault(fault, || format!("{target:?} {}", call.operation));
        }
        let Fate { effect, reply, millis, process, .. } = fate;
        let circumstances = Circumstances {
            late: matches!(effect, Effect::Later(_)) || self.process.has_frozen(),
            answered: reply == Reply::Answer && process == ProcessFate::Lives,
        };
        let answered = match effect {
            Effect::Never => Ok(json!({})),
            Effect::Now => {
                // Half of the way before the effect: who dies on the way may or may not have caused it.
                let before = millis / 2;
                network.clockwork.sleep(before).await;
                network.take_effect(target, &call, circumstances)
            }
            Effect::Partly => network.take_effect_partly(target, &call, circumstances),
            Effect::Later(wait) => {
                let there = Arc::clone(network);
                let task = async move {
                    there.clockwork.sleep(wait).await;
                    let _nobody_waits = there.take_effect(target, &call, circumstances);
                };
                network.services.0.lock().expect("no task panicked").push(Box::pin(task));
                Ok(json!({}))
            }
        };
        match process {
            ProcessFate::Lives => (),
            ProcessFate::Dies => {
                self.process.die();
                std::future::pending::<()>().await;
            }
            ProcessFate::FreezesFor(wait) => self.process.freeze_until(network.clockwork.now() + wait),
        }
        network.clockwork.sleep(millis - millis / 2).await;
        match reply {
            Reply::Answer => Heard::Answer(answered),
            Reply::Refusal(refusal) => Heard::Answer(Err(refusal)),
            Reply::ConnectionLost => Heard::ConnectionLost,
            Reply::Nothing => std::future::pending().await,
        }
    }
}

impl Network {
    fn take_effect(self: &Arc<Self>, target: Target, call: &Call, circumstances: Circumstances) -> Result<Value, Refusal> {
        let answer = match target {
            Target::Crm => Ok(json!({})),
            Target::Aws(_) => self.cloud.call(call),
        };
        if let (Ok(answer), Target::Crm | Target::Aws(Service::Ses | Service::Sns)) = (&answer, target) {
            let delivery = self.providers.took(&self.cloud, target, call, circumstances);
            if target != Target::Crm {
                self.report(call, &delivery, answer);
            }
        }
        if matches!(target, Target::Aws(Service::Kinesis | Service::Sqs)) {
            self.arrivals.raise();
        }
        self.history.say(|| told(call, &answer));
        answer
    }

    /// The provider says later what became of the message.
    fn report(self: &Arc<Self>, call: &Call, delivery: &str, answer: &Value) {
        for (wait, body) in self.reports.follow(call, delivery, answer, self.clockwork.now()) {
            let network = Arc::clone(self);
            let task = async move {
                network.clockwork.sleep(wait).await;
                network.history.say(|| format!("a provider says {body}"));
                network.cloud.call(&enqueue(&body)).expect("the queue is there");
                network.reports.arrived();
                network.arrivals.raise();
            };
            self.services.0.lock().expect("no task panicked").push(Box::pin(task));
        }
    }

    /// Does a part of a batch: what was left out stands in the answer, at its place.
    fn take_effect_partly(self: &Arc<Self>, target: Target, call: &Call, circumstances: Circumstances) -> Result<Value, Refusal> {
        let left_out = |count: usize| -> Vec<bool> {
            let mut dice = self.dice.lock().expect("no task panicked");
            (0..count).map(|_| dice.bool()).collect()
        };
        let mut some = call.clone();
        match call.operation.as_str() {
            "PutRecords" => {
                let records = call.input["Records"].as_array().cloned().unwrap_or_default();
                let out = left_out(records.len());
                let kept: Vec<_> = records.iter().zip(&out).filter(|(_, out)| !**out).map(|(record, _)| record.clone()).collect();
                if kept.is_empty() {
                    return Err(Refusal::sender("ProvisionedThroughputExceededException", "slow down"));
                }
                some.input["Records"] = json!(kept);
                let answer = self.take_effect(target, &some, circumstances)?;
                let mut taken = answer["Records"].as_array().cloned().unwrap_or_default().into_iter();
                let failed = json!({ "ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down" });
                let records: Vec<_> = out.iter().map(|out| if *out { failed.clone() } else { taken.next().unwrap_or_default() }).collect();
                Ok(json!({ "FailedRecordCount": out.iter().filter(|out| **out).count(), "Records": records }))
            }
            "SendMessageBatch" => {
                let entries = call.input["Entries"].as_array().cloned().unwrap_or_default();
                let out = left_out(entries.len());
                let kept: Vec<_> = entries.iter().zip(&out).filter(|(_, out)| !**out).map(|(entry, _)| entry.clone()).collect();
                let mut answer = json!({ "Successful": [], "Failed": [] });
                if !kept.is_empty() {
                    some.input["Entries"] = json!(kept);
                    answer = self.take_effect(target, &some, circumstances)?;
                }
                let failed: Vec<_> = entries
                    .iter()
                    .zip(&out)
                    .filter(|(_, out)| **out)
                    .map(|(entry, _)| json!({ "Id": entry["Id"], "Code": "InternalError", "SenderFault": false }))
                    .collect();
                answer["Failed"] = json!(failed);
                Ok(answer)
            }
            _ => {
                let mut unprocessed = serde_json::Map::new();
                // In the order of their names, which the request has in any order.
                let mut tables: Vec<_> = call.input["RequestItems"].as_object().into_iter().flatten().collect();
                tables.sort_by_key(|(name, _)| (*name).clone());
                let mut kept = serde_json::Map::new();
                for (name, request) in tables {
                    let keys = request["Keys"].as_array().cloned().unwrap_or_default();
                    let out = left_out(keys.len());
                    let part = |wanted: bool| -> Vec<Value> {
                        keys.iter().zip(&out).filter(|(_, out)| **out == wanted).map(|(key, _)| key.clone()).collect()
                    };
                    for (place, keys) in [(&mut kept, part(false)), (&mut unprocessed, part(true))] {
                        if !keys.is_empty() {
                            let mut request = request.clone();
                            request["Keys"] = json!(keys);
                            place.insert(name.clone(), request);
                        }
                    }
                }
                let mut answer = json!({ "Responses": {} });
                if !kept.is_empty() {
                    some.input["RequestItems"] = json!(kept);
                    answer = self.take_effect(target, &some, circumstances)?;
                }
                answer["UnprocessedKeys"] = json!(unprocessed);
                Ok(answer)
            }
        }
    }
}

/// A line of the history.
fn told(call: &Call, answer: &Result<Value, Refusal>) -> String {
    let mut input = call.input.to_string();
    if let Some((at, _)) = input.char_indices().nth(300) {
        input.truncate(at);
    }
    match answer {
        Ok(_) => format!("{} {input}", call.operation),
        Err(refusal) => format!("{} {input} -> {}", call.operation, refusal.code),
    }
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let line = self.clone();
        HttpConnectorFuture::new(async move {
            let call = match decode(&request) {
                Ok(call) => call,
                Err(refusal) => return response(Service::DynamoDb, &Err(refusal)),
            };
            let service = call.service;
            match line.carry(Target::Aws(service), call).await {
                Heard::Answer(answer) => response(service, &answer),
                Heard::ConnectionLost => Err(ConnectorError::io("the connection was cut".into())),
            }
        })
    }
}

fn response(service: Service, answer: &Result<Value, Refusal>) -> Result<HttpResponse, ConnectorError> {
    encode(service, answer).map_err(|error| ConnectorError::other(error.into(), None))
}
