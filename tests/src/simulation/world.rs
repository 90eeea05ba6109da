//! What a run has: the AWS with the stack's parts in it, and who works in it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::auth::AuthSchemeId;
use cloud::{Cloud, Record, Redrive, sdk_config_through};
use fastrand::Rng;
use trigger::Channel;

use super::executor::{Clockwork, SdkClock, Signal, Spawner};
use super::history::History;
use super::line::{Line, Network, NetworkTasks};
use super::plan::{BEGIN, Plan};
use super::process::Process;
use super::providers::Providers;
use super::reports::{FEEDBACK, Reports};

pub const STREAM: &str = "events";

/// Visibility timeout and receives, as the template has them.
const VISIBILITY_SECONDS: i64 = 180;
const MOST_RECEIVES: u32 = 5;

/// Nobody here asks who calls, and a signature takes a tenth of a run's time.
const NO_AUTH_SCHEME_ID: AuthSchemeId = AuthSchemeId::new("noAuth");

/// So many messages are delivered once more, in one run, after they were done.
const MOST_COPIES: u32 = 8;

/// The channels that are simulated. A webhook is to its sender what the CRM is.
pub const CHANNELS: [Channel; 3] = [Channel::Email, Channel::Sms, Channel::Crm];

/// The queues that functions work on.
pub fn queues() -> impl Iterator<Item = &'static str> {
    CHANNELS.into_iter().map(Channel::as_str).chain([FEEDBACK])
}

/// One run's world.
pub struct World {
    pub plan: Plan,
    pub network: Arc<Network>,
    pub clockwork: Arc<Clockwork>,
    pub spawner: Spawner,
    pub history: History,
    pub dice: RefCell<Rng>,
    /// Everything that was ever on the stream, in its order; first those of a stream that was replaced.
    pub past_records: RefCell<Vec<(String, Record)>>,
    /// Raised when the mapping is made anew; its number is that of the readers that work.
    pub mapping: Signal,
    /// Invocations under way.
    pub at_work: Cell<usize>,
    /// Raised when an invocation ended or a reader went on.
    pub progress: Signal,
    /// Lanes of shards that have something to do.
    pub busy_lanes: Cell<usize>,
    /// How many messages may still be delivered once more.
    pub copies_left: Cell<u32>,
    /// What went wrong on the way.
    pub violations: RefCell<Vec<String>>,
    /// Applies, reshards and so on that are still to come.
    pub to_come: Cell<usize>,
}

impl World {
    pub fn new(seed: u64, plan: Plan, keeps_history: bool) -> Rc<Self> {
        let clockwork = Clockwork::new(BEGIN);
        let clock = Arc::clone(&clockwork);
        let cloud = Arc::new(Cloud::new(move || clock.now()));
        for (name, hash, range) in [
            ("triggers", "trigger", Some("version")),
            ("customers", "customer", None),
            ("events", "customer", Some("position")),
            ("deliveries", "customer", Some("delivery")),
            ("suppressions", "subject", None),
            ("statistics", "trigger", Some("hour")),
        ] {
            cloud.create_table(name, hash, range);
        }
        cloud.create_index("deliveries", "TextMessages", "text_message");
        for queue in queues() {
            let dead_letters = cloud.create_queue(&format!("{queue}-dead-letters"), 30, 14, None);
            let redrive = Redrive { dead_letters, most_receives: MOST_RECEIVES };
            cloud.create_queue(queue, VISIBILITY_SECONDS, 4, Some(redrive));
        }
        cloud.create_bucket("quarantine");
        cloud.create_stream(STREAM, plan.shards);
        let history = History::new(Arc::clone(&clockwork), keeps_history);
        let spawner = Spawner::default();
        let network = Arc::new(Network {
            cloud,
            clockwork: Arc::clone(&clockwork),
            history: history.clone(),
            providers: Providers::default(),
            reports: Reports::new(seed, plan.reports),
            weather: plan.weather.clone(),
            dice: Mutex::new(Rng::with_seed(seed ^ 0x5eed)),
            arrivals: Signal::default(),
            services: NetworkTasks(spawner.services()),
        });
        Rc::new(Self {
            plan,
            network,
            clockwork,
            spawner,
            history,
            dice: RefCell::new(Rng::with_seed(seed ^ 0xd1ce)),
            past_records: RefCell::default(),
            mapping: Signal::default(),
            at_work: Cell::new(0),
            progress: Signal::default(),
            busy_lanes: Cell::new(0),
            copies_left: Cell::new(MOST_COPIES),
            violations: RefCell::default(),
            to_come: Cell::new(0),
        })
    }

    pub fn cloud(&self) -> &Arc<Cloud> {
        &self.network.cloud
    }

    /// What the clients of a process are made from: its own line, and the settings of the deployed functions.
    pub fn sdk(&self, process: &Arc<Process>) -> SdkConfig {
        let line = Line { network: Arc::clone(&self.network), process: Arc::clone(process) };
        self.timed(sdk_config_through(line))
    }

    /// The same, without faults: for operators, and for whoever looks.
    pub fn quiet_sdk(&self) -> SdkConfig {
        self.timed(self.cloud().sdk_config())
    }

    fn timed(&self, sdk: SdkConfig) -> SdkConfig {
        let clock = SdkClock(Arc::clone(&self.clockwork));
        let sdk = sdk.into_builder().sleep_impl(SharedAsyncSleep::new(clock.clone())).time_source(SharedTimeSource::new(clock));
        // A line takes a request whole. To the SDK that looks like an upload that stalls, and it would give up long before its time.
        let sdk = sdk.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        aws::bounded(sdk.auth_scheme_preference([NO_AUTH_SCHEME_ID]).build())
    }

    /// Whether all has been well for so long that nothing of before is still under way.
    pub fn is_fair(&self) -> bool {
        self.clockwork.now() > self.plan.weather.fair_from + 5 * 60_000
    }

    /// Notes a violation.
    pub fn wrong(&self, violation: String) {
        self.history.say(|| format!("VIOLATION {violation}"));
        self.violations.borrow_mut().push(violation);
    }

    /// Whether something happens that happens in so many of ten thousand cases. Not any more when the weather is fair.
    pub fn strikes(&self, in_ten_thousand: u32) -> bool {
        self.clockwork.now() < self.plan.weather.fair_from && self.dice.borrow_mut().u32(..10_000) < in_ten_thousand
    }
}

/// A queue's URL.
pub fn queue_url(name: &str) -> String {
    format!("http://cloud/queue/{name}")
}
