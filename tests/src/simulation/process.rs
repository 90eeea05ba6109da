//! A process of a function: it can die between any two steps, and it can freeze.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::executor::{Alarm, Clockwork};

/// The life of one process.
#[derive(Debug)]
pub struct Process {
    /// By how much its clock differs from the services', in milliseconds.
    pub skew: i64,
    life: Mutex<Life>,
}

#[derive(Debug, Default)]
struct Life {
    dead: bool,
    frozen_until: i64,
    /// How often it froze in this invocation.
    freezes: u32,
    waker: Option<Waker>,
}

impl Process {
    pub fn new(skew: i64) -> Arc<Self> {
        Arc::new(Self { skew, life: Mutex::default() })
    }

    /// Ends it now: nothing of it runs any more.
    pub fn die(&self) {
        let mut life = self.life.lock().expect("no task panicked");
        life.dead = true;
        if let Some(waker) = life.waker.take() {
            waker.wake();
        }
    }

    /// Stops it until a time. Its timers go off late, all at once.
    pub fn freeze_until(&self, at: i64) {
        let mut life = self.life.lock().expect("no task panicked");
        life.frozen_until = life.frozen_until.max(at);
        life.freezes += 1;
    }

    pub fn is_dead(&self) -> bool {
        self.life.lock().expect("no task panicked").dead
    }

    pub fn has_frozen(&self) -> bool {
        self.life.lock().expect("no task panicked").freezes > 0
    }
}

/// How an invocation ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended<T> {
    Answered(T),
    Died,
    TimedOut,
}

/// Work in a process, for as long as it lives and the function's timeout allows.
pub struct Invocation<F> {
    work: Option<Pin<Box<F>>>,
    process: Arc<Process>,
    clockwork: Arc<Clockwork>,
    times_out_at: i64,
    timeout: Alarm,
    thaw: Option<Alarm>,
}

impl<F: Future> Invocation<F> {
    pub fn new(clockwork: &Arc<Clockwork>, process: &Arc<Process>, timeout_millis: i64, work: F) -> Self {
        let times_out_at = clockwork.now() + timeout_millis;
        process.life.lock().expect("no task panicked").freezes = 0;
        Self {
            work: Some(Box::pin(work)),
            process: Arc::clone(process),
            clockwork: Arc::clone(clockwork),
            times_out_at,
            timeout: clockwork.sleep_until(times_out_at),
            thaw: None,
        }
    }
}

impl<F> Unpin for Invocation<F> {}

impl<F: Future> Future for Invocation<F> {
    type Output = Ended<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let frozen_until = {
            let mut life = self.process.life.lock().expect("no task panicked");
            life.waker = Some(context.waker().clone());
            if life.dead {
                drop(life);
                self.work = None;
                return Poll::Ready(Ended::Died);
            }
            life.frozen_until
        };
        // The sandbox measures the time, not the process: a frozen one is ended as well.
        if self.clockwork.now() >= self.times_out_at {
            self.process.die();
            self.work = None;
            return Poll::Ready(Ended::TimedOut);
        }
        let _pending = Pin::new(&mut self.timeout).poll(context);
        if self.clockwork.now() < frozen_until {
            let mut thaw = self.clockwork.sleep_until(frozen_until);
            let _pending = Pin::new(&mut thaw).poll(context);
            self.thaw = Some(thaw);
            return Poll::Pending;
        }
        let Some(work) = self.work.as_mut() else { return Poll::Pending };
        match work.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Ended::Answered(answer)),
            Poll::Pending => {
                // A step of the work may have ended the process.
                let dead = self.process.is_dead();
                if dead {
                    self.work = None;
                    return Poll::Ready(Ended::Died);
                }
                Poll::Pending
            }
        }
    }
}
