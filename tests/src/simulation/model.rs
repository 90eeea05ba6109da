//! The same events, one after another, without any system: what must come out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws::Triggers;
use cloud::Record;
use customer::{Customer, Evolved, Input, decide, evolve};
use decision::{Decided, Recorded};
use event::{Event, MOST_HOPS, Position, SequenceNumber, ShardId, Subject, Time};
use trigger::{Channel, Head, Purpose, SendPolicy, TriggerSet};

/// The reason of a record that was put aside because nothing else would do.
const STUCK: &str = "stuck";

/// What is stored, as it is looked at.
pub struct Stored {
    /// The archive, by subject and position.
    pub archive: BTreeMap<(String, String), Recorded>,
    /// The reasons in the quarantine, by shard and sequence number.
    pub quarantine: BTreeMap<(String, String), String>,
}

/// A delivery that was decided.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub customer: String,
    pub channel: Channel,
    pub policy: SendPolicy,
    pub not_after: Time,
    /// After so many records of the customer.
    pub after: usize,
}

/// By what a customer can be reached, after one of their records.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reach {
    email: bool,
    sms: bool,
    consent_email: bool,
    consent_sms: bool,
}

impl Reach {
    fn of(states: &[Customer]) -> Self {
        let marketing = Purpose::marketing();
        let all = |holds: &dyn Fn(&Customer) -> bool| states.iter().all(holds);
        Self {
            email: all(&|state| state.has_address(Channel::Email)),
            sms: all(&|state| state.has_address(Channel::Sms)),
            consent_email: all(&|state| state.consent(&marketing, Channel::Email).is_some()),
            consent_sms: all(&|state| state.consent(&marketing, Channel::Sms).is_some()),
        }
    }

    /// Whether nothing speaks for a refusal.
    pub fn allows(&self, channel: Channel, reason: &str) -> bool {
        match (channel, reason) {
            (Channel::Email, "no_address") => self.email,
            (Channel::Sms, "no_address") => self.sms,
            (Channel::Email, _) => self.consent_email,
            (Channel::Sms, _) => self.consent_sms,
            (Channel::Crm | Channel::Webhook | Channel::Push, _) => false,
        }
    }
}

/// What must have come out, and where what is stored differs from it.
#[derive(Default)]
pub struct Expected {
    pub deliveries: BTreeMap<String, Delivery>,
    /// Deliveries of records that were put aside half done: an operator sees to them.
    pub doubtful: BTreeSet<String>,
    /// The states that each customer may be in: a record that was put aside half done may have got through after all.
    pub states: BTreeMap<String, Vec<Customer>>,
    pub reach: BTreeMap<String, Vec<Reach>>,
    /// The delivery of each step of each run: there is one, whatever versions the trigger has had.
    steps: BTreeMap<(String, String, String, Channel), String>,
    pub events: usize,
    pub event_ids: BTreeSet<(String, String)>,
    pub violations: Vec<String>,
}

/// The triggers of all generations.
pub struct Generations {
    head: Head,
    sets: BTreeMap<u64, Arc<TriggerSet>>,
    margin: i64,
}

impl Generations {
    pub async fn read(triggers: &Triggers, margin: i64) -> Self {
        let head = triggers.head().await.expect("the head can be read");
        let mut sets = BTreeMap::new();
        for generation in head.generations() {
            let bundle = triggers.bundle(generation.bundle).await.expect("a bundle can be read");
            sets.insert(generation.number, Arc::new(TriggerSet::new(generation.number, bundle)));
        }
        Self { head, sets, margin }
    }

    fn in_force(&self, arrival: Time) -> Arc<TriggerSet> {
        self.numbered(self.head.in_force(arrival).map(|generation| generation.number).unwrap_or_default())
    }

    fn numbered(&self, number: u64) -> Arc<TriggerSet> {
        self.sets.get(&number).cloned().unwrap_or_default()
    }

    fn policy(&self, generation: u64, decision: &decision::Decision) -> Option<SendPolicy> {
        let entry = self.sets.get(&generation)?.get(&decision.trigger)?;
        Some(entry.trigger.step_at(decision.step.as_deref()?)?.action().send())
    }
}

/// Takes the records in the order of the stream, with the decisions that were recorded first.
pub fn expect(records: &[(String, Record)], stored: &mut Stored, generations: &Generations) -> Expected {
    let mut expected = Expected::default();
    let put: BTreeSet<_> = records
        .iter()
        .filter_map(|(_, record)| {
            let event = Event::parse(&record.data).ok()?;
            Some((record.partition_key.clone(), event.id().as_str().to_owned()))
        })
        .collect();
    for (shard, record) in records {
        let sequence = SequenceNumber::new(&record.sequence);
        let aside = stored.quarantine.remove(&(shard.clone(), sequence.as_str().to_owned()));
        if let Err(violation) = expected.take(shard, record, sequence, aside, stored, generations, &put) {
            expected.violations.push(format!("record {} of {}: {violation}", record.sequence, record.partition_key));
        }
    }
    for (customer, position) in stored.archive.keys() {
        expected.violations.push(format!("the archive has {position} of {customer}, which is not on the stream"));
    }
    for (shard, sequence) in stored.quarantine.keys() {
        expected.violations.push(format!("the quarantine has {sequence} of {shard}, which is not on the stream"));
    }
    expected
}

/// The states that one may become by a record, of which this is stored.
fn after(
    state: &Customer,
    input: &Input,
    archived: Option<&Recorded>,
    aside: Option<&str>,
    triggers: &TriggerSet,
) -> Result<Vec<Customer>, String> {
    let decided = match decide(state, input, triggers) {
        Ok(decided) => decided,
        Err(refusal) if aside == Some(refusal.reason.code()) => return Ok(vec![state.clone()]),
        Err(refusal) => return Err(format!("it must be in the quarantine as {}, and is {aside:?}", refusal.reason.code())),
    };
    let Some(archived) = archived else {
        return if aside == Some(STUCK) { Ok(vec![state.clone()]) } else { Err(format!("it is not archived (quarantine: {aside:?})")) };
    };
    if archived.decided != decided {
        return Err(format!("decided {:?}, by the model {decided:?}", archived.decided));
    }
    let next = match evolve(state, input, &archived.decided) {
        Evolved::Changed(next) => next,
        Evolved::Unchanged => state.clone(),
    };
    match aside {
        None => Ok(vec![next]),
        Some(STUCK) => Ok(vec![state.clone(), next]),
        Some(reason) => Err(format!("it is archived and in the quarantine as {reason}")),
    }
}

impl Expected {
    #[expect(clippy::too_many_arguments, reason = "one record, and all that it is compared with")]
    fn take(
        &mut self,
        shard: &str,
        record: &Record,
        sequence: SequenceNumber,
        aside: Option<String>,
        stored: &mut Stored,
        generations: &Generations,
        put: &BTreeSet<(String, String)>,
    ) -> Result<(), String> {
        let must_be_aside = |reason: &str| match &aside {
            Some(found) if found == reason => Ok(()),
            other => Err(format!("it must be in the quarantine as {reason}, and is {other:?}")),
        };
        let arrival = Time::from_millis(record.arrival);
        let event = match Event::parse(&record.data) {
            Ok(event) => event,
            Err(refusal) => return must_be_aside(refusal.reason.code()),
        };
        let subject = event.subject().as_str().to_owned();
        if subject != record.partition_key {
            if event.hops() >= MOST_HOPS {
                return must_be_aside("too_many_hops");
            }
            let again = put.contains(&(subject.clone(), event.id().as_str().to_owned()));
            return if again { Ok(()) } else { Err(format!("it was not put again under {subject}")) };
        }
        let position = Position::new(arrival, &sequence);
        let archived = stored.archive.remove(&(subject.clone(), position.as_str().to_owned()));
        self.event_ids.insert((subject.clone(), event.id().as_str().to_owned()));
        let Subject::Customer(customer) = event.subject().clone() else {
            return archived.map(drop).ok_or_else(|| "the entity's event is not archived".to_owned());
        };
        let input = match Input::new(customer, event, arrival, ShardId::new(shard), sequence) {
            Ok(input) => input,
            Err(refusal) => return must_be_aside(refusal.reason.code()),
        };
        if archived.as_ref().is_some_and(|archived| archived.input != record.data) {
            return Err("the archive has other bytes".to_owned());
        }
        let states = self.states.entry(subject.clone()).or_insert_with(|| vec![Customer::default()]);
        let recorded = archived.as_ref().map(|archived| archived.decided.generation);
        let triggers = match recorded.filter(|_| generations.margin == 0) {
            Some(number) => generations.numbered(number),
            None => generations.in_force(arrival),
        };
        let mut next = Vec::new();
        let mut wrong = None;
        for state in states.iter() {
            match after(state, &input, archived.as_ref(), aside.as_deref(), &triggers) {
                Ok(possible) => next.extend(possible.into_iter().filter(|state| !next.contains(state)).collect::<Vec<_>>()),
                Err(violation) => wrong = Some(violation),
            }
        }
        if next.is_empty() {
            return Err(wrong.unwrap_or_default());
        }
        *states = next;
        self.reach.entry(subject.clone()).or_default().push(Reach::of(states));
        self.events += 1;
        match (archived, aside.as_deref()) {
            (Some(archived), Some(STUCK)) => {
                self.doubtful.extend(archived.decided.deliveries().map(|(_, deliver)| deliver.id.to_string()));
                Ok(())
            }
            (Some(archived), None) => self.follow(&subject, &archived.decided, generations),
            (_, _) => Ok(()),
        }
    }

    fn follow(&mut self, customer: &str, decided: &Decided, generations: &Generations) -> Result<(), String> {
        let after = self.reach.get(customer).map_or(0, Vec::len).saturating_sub(1);
        for (decision, deliver) in decided.deliveries() {
            let policy = generations.policy(decided.generation, decision).ok_or("a decision names a step that does not exist")?;
            let step = (customer.to_owned(), decision.run.to_string(), decision.step.clone().unwrap_or_default(), deliver.channel);
            let id = self.steps.entry(step).or_insert_with(|| deliver.id.to_string());
            if *id != deliver.id.to_string() {
                return Err(format!("one step of one run has two deliveries: {id} and {}", deliver.id));
            }
            let decided = Delivery { customer: customer.to_owned(), channel: deliver.channel, policy, not_after: deliver.not_after, after };
            self.deliveries.insert(deliver.id.to_string(), decided);
        }
        Ok(())
    }
}
