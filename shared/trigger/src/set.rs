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
}

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
        Self { generation, by_name, by_type }
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

    #[must_use]
    pub fn get(&self, name: &TriggerName) -> Option<&Arc<BundleEntry>> {
        self.by_name.get(name)
    }
}
