//! One message of the queue, from its text to its end.

use aws::{Archive, Clock, Ledger, LedgerRecord, Passing, RawQueue, Statistics, StoreError, Stream, Suppressions, TriggerBook};
use decision::{DeliveryId, FeedbackKind, Outcome};
use event::{CustomerId, Event, EventType, Time};
use thiserror::Error;

use crate::settlement::settled_by;
use crate::telling::tellings;
use crate::{About, Payload, Said, Unreadable};

/// An entry that others keep changing is read again so often before the message goes back to its queue.
const MOST_ROUNDS: usize = 5;

/// A line of SNS's log can come before the sender has noted the message's id, and the index lags behind: so each waits, longer
/// than a sender takes for both.
const LINE_DELAY_SECONDS: i32 = 60;

/// Takes what providers say.
pub struct Feedback {
    pub ledger: Ledger,
    pub suppressions: Suppressions,
    pub statistics: Statistics,
    pub archive: Archive,
    pub stream: Stream,
    pub book: TriggerBook,
    /// The function's own queue, onto which the lines of a log are put.
    pub queue: RawQueue,
    pub clock: Clock,
}

/// What became of a message; it is done with and may be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handled {
    /// It was about a delivery.
    Taken {
        delivery: DeliveryId,
        trigger: String,
        kind: FeedbackKind,
        /// How the delivery ended, where that was not known before.
        settled: Option<Outcome>,
        /// Whether the ledger did not know of it.
        is_new: bool,
    },
    /// It was about a message that is none of this system's.
    Foreign(FeedbackKind),
    /// So many lines of a log, each now a message of its own.
    PassedOn(usize),
    /// It said nothing.
    Greeting,
}

/// A message that stays on the queue.
#[derive(Debug, Error)]
pub enum Failure {
    #[error(transparent)]
    Payload(#[from] Unreadable),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Passing> for Failure {
    fn from(error: Passing) -> Self {
        Self::Store(error.into())
    }
}

impl Feedback {
    /// Handles one message, says in the log what became of it, and whether the queue may forget it.
    pub async fn is_done_with(&self, body: &str) -> bool {
        match self.handle(body).await {
            Ok(Handled::Taken { delivery, trigger, kind, settled, is_new }) => {
                let settled = settled.as_ref().map(Outcome::code);
                tracing::info!(
                    delivery.id = %delivery,
                    trigger.id = trigger,
                    feedback.kind = kind.code(),
                    feedback.is_new = is_new,
                    delivery.outcome = settled,
                    "feedback was taken"
                );
                true
            }
            Ok(Handled::Foreign(kind)) => {
                tracing::info!(feedback.kind = kind.code(), "feedback was about a message that is no delivery's");
                true
            }
            Ok(Handled::PassedOn(lines)) => {
                tracing::info!(feedback.lines = lines, "lines of a log were put onto the queue");
                true
            }
            Ok(Handled::Greeting) => {
                tracing::info!("SES says that it may publish to the topic");
                true
            }
            Err(failure) => {
                tracing::error!(error = %failure, "feedback could not be taken and comes again");
                false
            }
        }
    }

    /// Handles one message: suppressions first, since they forbid; then the ledger, what is counted of it, and the stream.
    ///
    /// # Errors
    /// A body that cannot be read, or a store that failed: the message stays on the queue, and uses up one of its receives.
    pub async fn handle(&self, body: &str) -> Result<Handled, Failure> {
        match Payload::parse(body)? {
            Payload::Said(said) => self.take(&said).await,
            Payload::Lines(lines) => Ok(self.pass_on(lines).await?),
            Payload::Greeting => Ok(Handled::Greeting),
        }
    }

    /// Puts each line of a log onto the queue, where it is a message like any other.
    ///
    /// # Errors
    /// A line that the queue did not take. All of them come again, which is harmless.
    pub async fn pass_on(&self, lines: Vec<String>) -> Result<Handled, Passing> {
        self.queue.send(&lines, LINE_DELAY_SECONDS).await?;
        Ok(Handled::PassedOn(lines.len()))
    }

    async fn take(&self, said: &Said) -> Result<Handled, Failure> {
        let found = match &said.about {
            About::Delivery(tags) => Some((tags.customer.clone(), tags.delivery)),
            About::TextMessage => self.ledger.of_text_message(&said.provider_id).await?,
            About::Nobody => None,
        };
        let Some((customer, delivery)) = found else {
            self.count(Statistics::NOBODY, said.kind, said.at).await;
            return Ok(Handled::Foreign(said.kind));
        };
        for suppression in said.suppressions(self.clock.now()) {
            self.suppressions.put(&customer, &said.addresses, &suppression).await?;
        }
        let Noted { record, settled, is_new } = self.note(&customer, delivery, said).await?;
        let trigger = match (&said.about, &record) {
            (About::Delivery(tags), _) => tags.trigger.as_str().to_owned(),
            (_, Some(record)) => record.trigger.clone(),
            (_, None) => String::new(),
        };
        if is_new {
            self.count(&trigger, said.kind, said.at).await;
        }
        self.tell(said, &customer, delivery, &trigger, record.as_ref(), settled.as_ref()).await?;
        Ok(Handled::Taken { delivery, trigger, kind: said.kind, settled, is_new })
    }

    /// Adds to the ledger's entry what it does not have, and settles it where that was open.
    async fn note(&self, customer: &CustomerId, delivery: DeliveryId, said: &Said) -> Result<Noted, StoreError> {
        let mut rounds = 0;
        loop {
            // It expired, or the table was made anew. What else follows does not depend on it.
            let Some(record) = self.ledger.read(customer, delivery).await? else { return Ok(Noted::default()) };
            let settled = settled_by(&record.entry, said);
            let known = record.facts.get(&said.kind).copied();
            let fact = (said.kind.is_noted() && known.is_none_or(|known| said.at < known)).then_some((said.kind, said.at));
            rounds += 1;
            match self.ledger.amend(customer, delivery, &record, settled.as_ref(), fact, self.clock.now()).await {
                Ok(()) => return Ok(Noted { record: Some(record), settled, is_new: fact.is_some() && known.is_none() }),
                Err(StoreError::Conflict { .. }) if rounds < MOST_ROUNDS => (),
                Err(error) => return Err(error),
            }
        }
    }

    /// A count that fails is no reason to do everything again, in which it would not be made up for.
    async fn count(&self, trigger: &str, kind: FeedbackKind, at: Time) {
        if trigger.is_empty() {
            return;
        }
        if let Err(error) = self.statistics.count(trigger, kind.code(), at).await {
            tracing::warn!(trigger.id = trigger, feedback.kind = kind.code(), error = %error, "the statistics lack one");
        }
    }

    async fn tell(
        &self,
        said: &Said,
        customer: &CustomerId,
        delivery: DeliveryId,
        trigger: &str,
        record: Option<&LedgerRecord>,
        settled: Option<&Outcome>,
    ) -> Result<(), Failure> {
        self.book.refresh().await?;
        let outcome = settled.or_else(|| record.and_then(LedgerRecord::outcome));
        let mut told = Vec::new();
        for telling in tellings(said, delivery, record, outcome) {
            let is_heard = match EventType::parse(&telling.kind) {
                Ok(kind) => telling.always || self.book.listens_to(&kind).await?,
                Err(_) => false,
            };
            if is_heard {
                told.push(telling);
            }
        }
        if told.is_empty() {
            return Ok(());
        }
        let cause = match record.and_then(|record| record.position.as_ref()) {
            Some(position) => self.archive.get(customer.as_str(), position).await?,
            None => None,
        };
        let cause = cause.and_then(|recorded| Event::parse(&recorded.input).ok());
        let puts = told.into_iter().map(|telling| telling.put(said, customer, trigger, cause.as_ref())).collect();
        Ok(self.stream.put_all(puts).await?)
    }
}

/// What the ledger had, and what came of it.
#[derive(Debug, Default)]
struct Noted {
    record: Option<LedgerRecord>,
    settled: Option<Outcome>,
    is_new: bool,
}
