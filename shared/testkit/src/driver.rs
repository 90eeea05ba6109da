//! The event source driver: what Lambda's pollers do in AWS, done over the public APIs.
//!
//! Guarantee: at least once, in the order that AWS keeps. A record is left behind only when the function is done with
//! it, or when the mapping's own limits discard it, and then the on-failure destination has it.

mod activity;
mod counts;
mod mapping;
mod pace;

mod shards;

mod event;
mod invoke;
mod lane;
mod on_failure;
mod queue;
mod stream;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::SharedCredentialsProvider;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::activity::Activity;
use self::invoke::Function;
use self::mapping::Source;
use self::queue::Queue;
use self::stream::Stream;
use crate::LocalStack;

pub use self::counts::Counts;
pub use self::pace::{Arrivals, Pace};
pub use event_source::{Checkpoints, Sequence};

/// Polls the sources of every event source mapping of a local stack and calls their functions.
///
/// It polls as the function's own role, so that a permission that a poller lacks shows up as an error here.
#[derive(Debug)]
pub struct Driver {
    activity: Arc<Activity>,
    queues: Vec<Queue>,
    streams: Vec<Arc<Stream>>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Driver {
    /// Starts to poll, streams at the starting positions of their mappings.
    ///
    /// # Errors
    /// The mappings cannot be read, or one has a source or a setting that the driver does not know.
    pub async fn start(stack: &LocalStack) -> Result<Self> {
        Self::start_with(stack, Pace::default(), Checkpoints::default()).await
    }

    /// Starts to poll at a pace, streams after the `checkpoints` that a former driver left.
    ///
    /// # Errors
    /// As [`Driver::start`].
    pub async fn start_with(stack: &LocalStack, pace: Pace, checkpoints: Checkpoints) -> Result<Self> {
        let sdk = stack.sdk_config();
        let activity = Arc::new(Activity::new());
        let (stop, stopped) = watch::channel(false);
        let mut driver = Self { activity, queues: Vec::new(), streams: Vec::new(), stop, tasks: JoinSet::new() };
        for mapping in mapping::read(sdk, stack.name()).await? {
            let mapping = Arc::new(mapping);
            let function = Function::read(sdk, &mapping.function_arn, pace.concurrency).await?;
            let as_function = as_role(sdk, &function.role_arn).await;
            driver.activity.register(&mapping);
            match &mapping.source {
                Source::Stream(settings) => {
                    let known = checkpoints.of(&mapping.id);
                    let stream =
                        Stream::new(mapping.clone(), settings.clone(), function, as_function, pace.clone(), driver.activity.clone(), known);
                    let stream = Arc::new(stream);
                    // Listed before the driver counts as started, so that no shard is missed by who waits for idleness.
                    let shards = stream.list().await?;
                    stream.announce(&shards);
                    driver.streams.push(stream.clone());
                    driver.tasks.spawn(stream.run(shards, stopped.clone()));
                }
                Source::Queue(settings) => {
                    let queue =
                        Queue::new(mapping.clone(), settings.clone(), function, sdk, as_function, pace.clone(), driver.activity.clone())
                            .await?;
                    driver.queues.push(queue.clone());
                    driver.tasks.spawn(queue.run(stopped.clone()));
                }
            }
        }
        Ok(driver)
    }

    /// Tells the readers of the streams that something was put just now: they look again at once, and keep looking
    /// closely for a moment.
    pub fn nudge(&self) {
        self.activity.nudge();
    }

    /// How long nothing has been read, received or invoked; zero while anything is under way.
    #[must_use]
    pub fn idle_for(&self) -> Duration {
        if self.activity.outstanding() > 0 { Duration::ZERO } else { self.activity.quiet() }
    }

    /// Waits until there is nothing left to do, and has not been for `quiet`: the streams are read to their tips,
    /// nothing is in flight, and the queues are empty, delayed and invisible messages included.
    ///
    /// # Errors
    /// It takes longer than `limit`; or a poller keeps failing, which is reported at once.
    pub async fn wait_until_idle(&self, quiet: Duration, limit: Duration) -> Result<()> {
        let began = Instant::now();
        loop {
            if let Some(trouble) = self.activity.lasting_trouble() {
                bail!("an event source cannot be driven: {trouble}");
            }
            let why_not = self.busy(quiet).await?;
            let Some(why) = why_not else { return Ok(()) };
            if began.elapsed() > limit {
                let trouble = self.activity.any_trouble().map(|text| format!("; the last trouble: {text}")).unwrap_or_default();
                bail!("the event sources are not idle after {} s: {why}{trouble}", limit.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What is not idle. The order matters: the queues are found empty first, and the streams are then read once more
    /// to their tips, since what the queues' functions put onto a stream was there before their messages were deleted.
    async fn busy(&self, quiet: Duration) -> Result<Option<String>> {
        let asked = Instant::now();
        let outstanding = self.activity.outstanding();
        if outstanding > 0 {
            return Ok(Some(format!("{outstanding} records and messages are in flight")));
        }
        if self.activity.quiet() < quiet {
            return Ok(Some("something happened a moment ago".to_owned()));
        }
        for queue in &self.queues {
            let depth = queue.depth().await?;
            if depth > 0 {
                return Ok(Some(format!("{depth} messages are in {}", queue.name())));
            }
        }
        let mut patience = 40;
        while let Some(shard) = self.activity.not_at_tip_since(asked) {
            patience -= 1;
            if patience == 0 {
                return Ok(Some(format!("{shard} is not read to its tip")));
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let untouched = self.activity.outstanding() == 0 && self.activity.last() < asked;
        Ok((!untouched).then(|| "something happened just now".to_owned()))
    }

    /// What each mapping has done so far, by the name that the template gives the mapping.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, Counts> {
        self.activity.counts()
    }

    /// What goes wrong at present, if anything does: a call that was refused or throttled and will be tried again.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.activity.any_trouble()
    }

    /// The last function errors, oldest first: the mapping, the error, and the end of what the function wrote.
    #[must_use]
    pub fn function_errors(&self) -> Vec<String> {
        self.activity.function_errors()
    }

    /// Stops polling, lets invocations under way end, and returns how far the streams were processed.
    pub async fn stop(mut self) -> Checkpoints {
        let _nobody_runs = self.stop.send(true);
        let patience = Duration::from_secs(10);
        let ended = tokio::time::timeout(patience, async { while self.tasks.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            self.tasks.shutdown().await; // An invocation hangs. Its records count as not processed.
        }
        self.streams.iter().flat_map(|stream| stream.checkpoints()).collect()
    }
}

/// Clients that act under a function's role, as Lambda's pollers do.
async fn as_role(sdk: &SdkConfig, role_arn: &str) -> SdkConfig {
    let role = AssumeRoleProvider::builder(role_arn).session_name("event-source-mapping").configure(sdk).build().await;
    sdk.clone().into_builder().credentials_provider(SharedCredentialsProvider::new(role)).build()
}

/// The last part of an ARN: what a person calls the thing.
fn name_of(arn: &str) -> &str {
    arn.rsplit([':', '/']).next().unwrap_or(arn)
}

/// Waits until the driver is told to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the driver is gone, which is as good as being told.
    let _told = stop.wait_for(|stop| *stop).await.map(|_| ()).context("the driver is gone");
}
