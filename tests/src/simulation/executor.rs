//! Tasks in virtual time: it stands still while anybody has something to do, and then jumps to the next one who waits.
//!
//! Among the tasks that are ready the dice choose, so that a seed is also an order of events.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use fastrand::Rng;
use futures::future::{BoxFuture, LocalBoxFuture};

/// More polls than any run needs: a run that has so many goes round in circles.
const MOST_POLLS: u64 = 2_000_000;

/// The clock of a run, in milliseconds since 1970, and who waits for it.
#[derive(Debug)]
pub struct Clockwork {
    now: AtomicI64,
    timers: Mutex<BTreeMap<(i64, u64), Waker>>,
    count: AtomicU64,
}

impl Clockwork {
    pub fn new(now: i64) -> Arc<Self> {
        Arc::new(Self { now: AtomicI64::new(now), timers: Mutex::default(), count: AtomicU64::new(0) })
    }

    pub fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Waits so many milliseconds.
    pub fn sleep(self: &Arc<Self>, millis: i64) -> Alarm {
        self.sleep_until(self.now() + millis.max(0))
    }

    pub fn sleep_until(self: &Arc<Self>, at: i64) -> Alarm {
        Alarm { clockwork: Arc::clone(self), at, number: self.count.fetch_add(1, Ordering::Relaxed) }
    }

    /// Goes on to the next one who waits; false where nobody does.
    fn jump(&self) -> bool {
        let mut timers = self.timers.lock().expect("no task panicked");
        let Some((&(at, _), _)) = timers.first_key_value() else { return false };
        self.now.fetch_max(at, Ordering::Relaxed);
        while let Some(entry) = timers.first_entry().filter(|entry| entry.key().0 <= at) {
            entry.remove().wake();
        }
        true
    }
}

/// The end of a wait.
#[derive(Debug)]
pub struct Alarm {
    clockwork: Arc<Clockwork>,
    at: i64,
    number: u64,
}

impl Future for Alarm {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.clockwork.now() >= self.at {
            return Poll::Ready(());
        }
        self.clockwork.timers.lock().expect("no task panicked").insert((self.at, self.number), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.clockwork.timers.lock().expect("no task panicked").remove(&(self.at, self.number));
    }
}

/// The clock, for the SDK.
#[derive(Debug, Clone)]
pub struct SdkClock(pub Arc<Clockwork>);

impl AsyncSleep for SdkClock {
    fn sleep(&self, duration: Duration) -> Sleep {
        let millis = i64::try_from(duration.as_micros().div_ceil(1_000)).unwrap_or(i64::MAX / 4);
        Sleep::new(self.0.sleep(millis))
    }
}

impl TimeSource for SdkClock {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.0.now().unsigned_abs())
    }
}

/// Something that some wait for and others bring about.
#[derive(Debug, Default)]
pub struct Signal {
    count: AtomicU64,
    waiting: Mutex<Vec<Waker>>,
}

impl Signal {
    pub fn raise(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
        for waker in self.waiting.lock().expect("no task panicked").drain(..) {
            waker.wake();
        }
    }

    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits until it was raised more often than that.
    pub async fn after(&self, count: u64) {
        std::future::poll_fn(|context| {
            if self.count() > count {
                return Poll::Ready(());
            }
            self.waiting.lock().expect("no task panicked").push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Waits for the first of two.
pub async fn either(a: impl Future<Output = ()>, b: impl Future<Output = ()>) {
    futures::future::select(Box::pin(a), Box::pin(b)).await;
}

/// Where tasks are begun: those of the services from anywhere, all others from this thread.
#[derive(Clone, Default)]
pub struct Spawner {
    local: Rc<RefCell<Vec<LocalBoxFuture<'static, ()>>>>,
    services: ServiceTasks,
}

/// Tasks of the services, which outlive their callers.
pub type ServiceTasks = Arc<Mutex<Vec<BoxFuture<'static, ()>>>>;

impl Spawner {
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.local.borrow_mut().push(Box::pin(task));
    }

    pub fn services(&self) -> ServiceTasks {
        Arc::clone(&self.services)
    }
}

struct TaskWaker {
    task: usize,
    queued: AtomicBool,
    ready: Arc<Mutex<Vec<usize>>>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.ready.lock().expect("no task panicked").push(self.task);
        }
    }
}

type Task = (LocalBoxFuture<'static, ()>, Arc<TaskWaker>);

/// Runs tasks until one is done.
pub struct Executor {
    clockwork: Arc<Clockwork>,
    spawner: Spawner,
    dice: Rng,
    tasks: Vec<Option<Task>>,
    free: Vec<usize>,
    ready: Arc<Mutex<Vec<usize>>>,
}

/// Why a run did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stalled {
    /// Nobody has anything to do, and nobody waits.
    Deadlock,
    TooManySteps,
}

impl Executor {
    pub fn new(clockwork: Arc<Clockwork>, spawner: Spawner, seed: u64) -> Self {
        let dice = Rng::with_seed(seed);
        Self { clockwork, spawner, dice, tasks: Vec::new(), free: Vec::new(), ready: Arc::default() }
    }

    fn adopt(&mut self) {
        let local = std::mem::take(&mut *self.spawner.local.borrow_mut());
        let services = std::mem::take(&mut *self.spawner.services.lock().expect("no task panicked"));
        for task in local.into_iter().chain(services.into_iter().map(|task| task as LocalBoxFuture<'static, ()>)) {
            let at = self.free.pop().unwrap_or(self.tasks.len());
            let waker = Arc::new(TaskWaker { task: at, queued: AtomicBool::new(true), ready: Arc::clone(&self.ready) });
            if at == self.tasks.len() {
                self.tasks.push(None);
            }
            self.tasks[at] = Some((task, waker));
            self.ready.lock().expect("no task panicked").push(at);
        }
    }

    /// Runs everything until `main` is done, and gives its result.
    pub fn run<T: 'static>(&mut self, main: impl Future<Output = T> + 'static) -> Result<T, Stalled> {
        let result = Rc::new(RefCell::new(None));
        let place = Rc::clone(&result);
        self.spawner.spawn(async move {
            let value = main.await;
            *place.borrow_mut() = Some(value);
        });
        for _ in 0..MOST_POLLS {
            self.adopt();
            let next = {
                let mut ready = self.ready.lock().expect("no task panicked");
                let count = ready.len();
                (count > 0).then(|| ready.swap_remove(self.dice.usize(..count)))
            };
            let Some(at) = next else {
                if self.clockwork.jump() {
                    continue;
                }
                return Err(Stalled::Deadlock);
            };
            let Some((task, waker)) = self.tasks[at].as_mut() else { continue };
            waker.queued.store(false, Ordering::Relaxed);
            let shared = Waker::from(Arc::clone(waker));
            if task.as_mut().poll(&mut Context::from_waker(&shared)).is_ready() {
                self.tasks[at] = None;
                self.free.push(at);
            }
            if let Some(value) = result.borrow_mut().take() {
                return Ok(value);
            }
        }
        Err(Stalled::TooManySteps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_jumps_to_whoever_waits() {
        let (clockwork, spawner) = (Clockwork::new(5), Spawner::default());
        let mut executor = Executor::new(Arc::clone(&clockwork), spawner.clone(), 1);
        let ended = executor.run({
            let clockwork = Arc::clone(&clockwork);
            async move {
                let signal = Rc::new(Signal::default());
                let (raised, clock) = (Rc::clone(&signal), Arc::clone(&clockwork));
                spawner.spawn(async move {
                    clock.sleep(3_600_000).await;
                    raised.raise();
                });
                signal.after(0).await;
                clockwork.now()
            }
        });
        assert_eq!(ended, Ok(3_600_005));
        assert_eq!(executor.run(std::future::pending::<()>()), Err(Stalled::Deadlock));
    }
}
