//! A provider that counts and answers as it is told.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use decision::Outcome;
use futures::future::BoxFuture;
use sender::{Accepted, Dispatch, Provider, SendError};
use trigger::Action;

#[derive(Default)]
pub struct Script {
    answers: Mutex<VecDeque<SendError>>,
    always: Mutex<Option<SendError>>,
    unbuildable: Mutex<Option<Outcome>>,
    sent: Mutex<Vec<Option<String>>>,
    /// What happens elsewhere during the next calls.
    meanwhile: Mutex<VecDeque<BoxFuture<'static, ()>>>,
    follows: AtomicBool,
}

impl Script {
    /// Answers the next call so; a call for which nothing was said is accepted.
    pub fn answer(&self, error: SendError) {
        self.answers.lock().expect("no test panicked").push_back(error);
    }

    /// Answers each call so for which nothing else was said, until it is told otherwise.
    pub fn always(&self, error: Option<SendError>) {
        *self.always.lock().expect("no test panicked") = error;
    }

    /// No message can be built from now on.
    pub fn refuse_to_build(&self, outcome: Outcome) {
        *self.unbuildable.lock().expect("no test panicked") = Some(outcome);
    }

    /// What is sent is the profile, and this happens during the next call.
    pub fn follow(&self, meanwhile: BoxFuture<'static, ()>) {
        self.follows.store(true, Ordering::Relaxed);
        self.meanwhile.lock().expect("no test panicked").push_back(meanwhile);
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.sent.lock().expect("no test panicked").len()
    }

    /// Where the customer of the last call withdraws consent.
    pub fn last_unsubscribe_url(&self) -> Option<String> {
        self.sent.lock().expect("no test panicked").last().cloned().flatten()
    }
}

impl Provider for Script {
    type Content = Option<String>;

    const LONGEST_CALL_MILLIS: i64 = 10_000;

    fn follows_profile(&self, _: &Action) -> bool {
        self.follows.load(Ordering::Relaxed)
    }

    fn build(&self, dispatch: &Dispatch<'_>) -> Result<Option<String>, Outcome> {
        match self.unbuildable.lock().expect("no test panicked").clone() {
            Some(outcome) => Err(outcome),
            None => Ok(dispatch.context.unsubscribe_url.clone()),
        }
    }

    async fn send(&self, content: Option<String>) -> Result<Accepted, SendError> {
        // Others come between, as they do while a provider thinks.
        tokio::task::yield_now().await;
        let meanwhile = self.meanwhile.lock().expect("no test panicked").pop_front();
        if let Some(meanwhile) = meanwhile {
            meanwhile.await;
        }
        let mut sent = self.sent.lock().expect("no test panicked");
        sent.push(content);
        let answer = self.answers.lock().expect("no test panicked").pop_front();
        match answer.or_else(|| self.always.lock().expect("no test panicked").clone()) {
            Some(error) => Err(error),
            None => Ok(Accepted { provider_id: format!("id-{}", sent.len()) }),
        }
    }
}
