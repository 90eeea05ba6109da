//! The functions as they are deployed: the real router, the real senders and the real feedback, in processes that come and go.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use aws::{
    AddressKey, Archive, Clock, Customers, DeliveryReads, Ledger, Quarantine, Queue, Queues, RawQueue, Secret, Statistics, Stream,
    Suppressions, TriggerBook, Triggers,
};
use aws_config::SdkConfig;
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use delivery::Recipients;
use email::Ses;
use event::Time;
use feedback::Feedback;
use futures::future::LocalBoxFuture;
use lambda::{Metrics, attempt_each, failed_from, records_of};
use router::Router;
use sender::{Breakers, Provider, Sender};
use serde_json::Value;
use sms::Sns;
use trigger::Channel;

use super::line::Line;
use super::process::{Ended, Invocation, Process};
use super::providers::Crm;
use super::reports::FEEDBACK;
use super::world::{STREAM, World, queue_url};

/// A function's timeout, as the template has it, and the time in which it answers after its work.
const ROUTER_TIMEOUT_MILLIS: i64 = 60_000;
const SENDER_TIMEOUT_MILLIS: i64 = 30_000;
const RESERVE_MILLIS: i64 = 1_500;

type Handler = Rc<dyn Fn(Value, String, Time) -> LocalBoxFuture<'static, Value>>;

type Start = Box<dyn Fn(&Rc<World>, &Arc<Process>) -> LocalBoxFuture<'static, Handler>>;

/// Processes of one function that are not at work.
pub struct Function {
    world: Rc<World>,
    name: &'static str,
    timeout_millis: i64,
    idle: RefCell<Vec<(Arc<Process>, Handler)>>,
    start: Start,
    requests: Cell<u64>,
}

impl Function {
    pub fn router(world: &Rc<World>) -> Rc<Self> {
        Self::new(world, "router", ROUTER_TIMEOUT_MILLIS, |world, process| Box::pin(std::future::ready(router(world, process))))
    }

    pub fn sender(world: &Rc<World>, channel: Channel) -> Rc<Self> {
        Self::new(world, channel.as_str(), SENDER_TIMEOUT_MILLIS, move |world, process| {
            let (world, process) = (Rc::clone(world), Arc::clone(process));
            Box::pin(async move {
                let sdk = world.sdk(&process);
                match channel {
                    Channel::Email => {
                        let client = Ses::client(&sdk);
                        let from = "hello@example.com".to_owned();
                        let provider = Ses { client, from, reply_to: None, configuration_set: "mails".to_owned() };
                        sender(&world, &process, &sdk, channel, provider).await
                    }
                    Channel::Sms => {
                        let provider = Sns { client: Sns::client(&sdk), sender_id: None, max_price_usd: None };
                        sender(&world, &process, &sdk, channel, provider).await
                    }
                    Channel::Crm | Channel::Webhook | Channel::Push => {
                        let line = Line { network: Arc::clone(&world.network), process: Arc::clone(&process) };
                        sender(&world, &process, &sdk, channel, Crm { line }).await
                    }
                }
            })
        })
    }

    pub fn feedback(world: &Rc<World>) -> Rc<Self> {
        Self::new(world, FEEDBACK, SENDER_TIMEOUT_MILLIS, move |world, process| {
            let (world, process) = (Rc::clone(world), Arc::clone(process));
            Box::pin(async move {
                let key = address_key(&world).await;
                feedback(&world, &process, &world.sdk(&process), key)
            })
        })
    }

    fn new(
        world: &Rc<World>,
        name: &'static str,
        timeout_millis: i64,
        start: impl Fn(&Rc<World>, &Arc<Process>) -> LocalBoxFuture<'static, Handler> + 'static,
    ) -> Rc<Self> {
        let (idle, requests) = (RefCell::default(), Cell::new(0));
        Rc::new(Self { world: Rc::clone(world), name, timeout_millis, idle, start: Box::new(start), requests })
    }

    /// Invokes it, in an idle process or a new one. None where the function did not answer.
    pub async fn invoke(&self, payload: Value) -> Option<Value> {
        let world = &self.world;
        world.at_work.set(world.at_work.get() + 1);
        let idle = {
            let mut idle = self.idle.borrow_mut();
            let count = idle.len();
            let mut dice = world.dice.borrow_mut();
            // Now and then another process is started although one is idle.
            let choice = if count == 0 || dice.u32(..12) == 0 { count } else { dice.usize(..count) };
            (choice < count).then(|| idle.swap_remove(choice))
        };
        let (process, handler) = match idle {
            Some(idle) => idle,
            None => {
                let skew = world.dice.borrow_mut().i64(-world.plan.skew..=world.plan.skew);
                let process = Process::new(skew);
                let handler = (self.start)(world, &process).await;
                (process, handler)
            }
        };
        self.requests.set(self.requests.get() + 1);
        let request = format!("{}-{}", self.name, self.requests.get());
        let deadline = Time::from_millis(world.clockwork.now() + process.skew + self.timeout_millis - RESERVE_MILLIS);
        world.history.say(|| format!("{request} begins"));
        let ended = Invocation::new(&world.clockwork, &process, self.timeout_millis, handler(payload, request.clone(), deadline)).await;
        world.at_work.set(world.at_work.get() - 1);
        world.progress.raise();
        match ended {
            Ended::Answered(answer) => {
                world.history.say(|| format!("{request} answers {answer}"));
                self.idle.borrow_mut().push((process, handler));
                Some(answer)
            }
            Ended::Died => {
                world.history.say(|| format!("{request} died"));
                None
            }
            Ended::TimedOut => {
                world.history.fault("function times out", || request);
                None
            }
        }
    }
}

fn feedback(world: &World, process: &Arc<Process>, sdk: &SdkConfig, key: AddressKey) -> Handler {
    let Clients { dynamodb, sqs, kinesis, clock } = Clients::new(world, process, sdk);
    let feedback = Rc::new(Feedback {
        ledger: Ledger::new(dynamodb.clone(), "deliveries".to_owned(), 90),
        suppressions: Suppressions::new(dynamodb.clone(), "suppressions".to_owned(), key),
        statistics: Statistics::new(dynamodb.clone(), "statistics".to_owned(), 400),
        archive: Archive::new(dynamodb.clone(), "events".to_owned(), 400),
        stream: Stream::new(kinesis, STREAM.to_owned()),
        book: TriggerBook::new(Triggers::new(dynamodb, "triggers".to_owned()), clock.clone()),
        queue: RawQueue::new(sqs, queue_url(FEEDBACK)),
        clock,
    });
    Rc::new(move |payload, request, deadline| {
        let feedback = Rc::clone(&feedback);
        Box::pin(async move {
            let batch: SqsEvent = serde_json::from_value(payload).expect("the payload is a batch of messages");
            let attempt = async |body: &str, _: &str, _: Time| feedback.is_done_with(body).await;
            let answer = attempt_each(&batch, &request, deadline, &attempt).await;
            serde_json::to_value(answer).expect("an answer is JSON")
        })
    })
}

/// The clients of a process. Each has its own quota of retries, as each process does.
struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    kinesis: aws_sdk_kinesis::Client,
    clock: Clock,
}

impl Clients {
    fn new(world: &World, process: &Arc<Process>, sdk: &SdkConfig) -> Self {
        let quota = || RetryPartition::custom("process").build();
        let (clockwork, skew) = (Arc::clone(&world.clockwork), process.skew);
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(
                aws_sdk_dynamodb::config::Builder::from(sdk).retry_partition(quota()).allow_no_auth().build(),
            ),
            sqs: aws_sdk_sqs::Client::from_conf(aws_sdk_sqs::config::Builder::from(sdk).retry_partition(quota()).allow_no_auth().build()),
            kinesis: aws_sdk_kinesis::Client::from_conf(
                aws_sdk_kinesis::config::Builder::from(sdk).retry_partition(quota()).allow_no_auth().build(),
            ),
            clock: Clock::new(move || Time::from_millis(clockwork.now() + skew)),
        }
    }
}

fn router(world: &Rc<World>, process: &Arc<Process>) -> Handler {
    let sdk = world.sdk(process);
    let Clients { dynamodb, sqs, kinesis, clock } = Clients::new(world, process, &sdk);
    let queue = |name: &str| Queue::new(sqs.clone(), queue_url(name));
    let s3 = aws_sdk_s3::config::Builder::from(&sdk).force_path_style(true);
    let s3 = aws_sdk_s3::Client::from_conf(s3.retry_partition(RetryPartition::custom("process").build()).allow_no_auth().build());
    let router = Rc::new(Router {
        customers: Customers::new(dynamodb.clone(), "customers".to_owned()),
        archive: Archive::new(dynamodb.clone(), "events".to_owned(), 400),
        queues: Queues { email: queue("email"), sms: queue("sms"), crm: queue("crm"), webhook: queue("webhook") },
        stream: Stream::new(kinesis, STREAM.to_owned()),
        quarantine: Quarantine::new(s3, "quarantine".to_owned()),
        book: TriggerBook::new(Triggers::new(dynamodb, "triggers".to_owned()), clock.clone()),
        clock,
    });
    Rc::new(move |payload, _, deadline| {
        let router = Rc::clone(&router);
        Box::pin(async move {
            let records = records_of(payload).expect("the payload is a batch of records");
            let answer = failed_from(router.handle(&records, deadline).await);
            serde_json::to_value(answer).expect("an answer is JSON")
        })
    })
}

async fn address_key(world: &World) -> AddressKey {
    let secrets = aws_sdk_secretsmanager::Client::new(&world.quiet_sdk());
    AddressKey::new(Secret::read(&secrets, "address-key").await.expect("the secret is there"))
}

async fn sender<P: Provider + 'static>(
    world: &Rc<World>,
    process: &Arc<Process>,
    sdk: &SdkConfig,
    channel: Channel,
    provider: P,
) -> Handler {
    let key = address_key(world).await;
    let Clients { dynamodb, sqs, kinesis, clock } = Clients::new(world, process, sdk);
    let [customers, events, suppressions] = ["customers", "events", "suppressions"].map(str::to_owned);
    let history = world.history.clone();
    let sender = Rc::new(Sender {
        provider,
        reads: DeliveryReads::new(dynamodb.clone(), customers, events, suppressions, Some(key)),
        ledger: Ledger::new(dynamodb.clone(), "deliveries".to_owned(), 90),
        queue: Queue::new(sqs, queue_url(channel.as_str())),
        stream: Stream::new(kinesis, STREAM.to_owned()),
        book: TriggerBook::new(Triggers::new(dynamodb, "triggers".to_owned()), clock.clone()),
        clock,
        unsubscribe_url: None,
        recipients: Recipients::Everybody,
        breakers: Breakers::new(Metrics::new(move |line| history.say(|| line.to_owned()))),
    });
    Rc::new(move |payload, request, deadline| {
        let sender = Rc::clone(&sender);
        Box::pin(async move {
            let batch: SqsEvent = serde_json::from_value(payload).expect("the payload is a batch of messages");
            let attempt = async |body: &str, owner: &str, deadline: Time| sender.is_done_with(body, owner, deadline).await;
            let answer = attempt_each(&batch, &request, deadline, &attempt).await;
            serde_json::to_value(answer).expect("an answer is JSON")
        })
    })
}
