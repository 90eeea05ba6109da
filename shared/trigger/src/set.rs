//! The triggers of one generation, ready to judge.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use event::EventType;

use crate::{Bundle, BundleEntry, TriggerName};

/// Immutable and shared: a generation that was loaded never changes.
#[derive(Debug, Default)]
pub struct TriggerSet {
    generation: u64,
    by_name: BTreeMap<TriggerName, Arc<BundleEntry>>,
    by_type: HashMap<EventType, Vec<Arc<BundleEntry>>>,
    /// How many of the last times of an event type some condition asks for.
    history: HashMap<EventType, u32>,
}

/// So many of the last times are kept of every event type that is asked for, so that a condition may be changed later.
const KEPT_AT_LEAST: u32 = 8;

impl TriggerSet {
    #[must_use]
    pub fn new(generation: u64, bundle: Bundle) -> Self {
        let by_name: BTreeMap<_, _> = bundle.into_entries().map(|entry| (entry.trigger.name().clone(), Arc::new(entry))).collect();
        let mut by_type = HashMap::<EventType, Vec<Arc<BundleEntry>>>::new();
        for entry in by_name.values() {
            for kind in entry.trigger.on() {
                by_type.entry(kind.clone()).or_default().push(Arc::clone(entry));
            }
        }
        for entries in by_type.values_mut() {
            // Names are in order already, and the sort is stable.
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.trigger.priority()));
        }
        let mut history = HashMap::new();
        for fact in by_name.values().flat_map(|entry| entry.trigger.when_history()) {
            let depth = history.entry(fact.event().clone()).or_insert(KEPT_AT_LEAST);
            *depth = fact.depth().max(*depth);
        }
        Self { generation, by_name, by_type, history }
    }

    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The triggers that name this event type, the most important first, then by name.
    #[must_use]
    pub fn for_type(&self, kind: &EventType) -> &[Arc<BundleEntry>] {
        self.by_type.get(kind).map_or(&[], Vec::as_slice)
    }

    /// How many of the last times of this event type are to be remembered; none where no condition asks for its past.
    #[must_use]
    pub fn history_depth(&self, kind: &EventType) -> Option<u32> {
        self.history.get(kind).copied()
    }

    #[must_use]
    pub fn get(&self, name: &TriggerName) -> Option<&Arc<BundleEntry>> {
        self.by_name.get(name)
    }
}
