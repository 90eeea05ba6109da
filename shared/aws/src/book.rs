//! The triggers as a function holds them: looked up again every 15 seconds, kept while a store is out of reach, and never
//! older than 30 seconds when something is decided by them.

use std::collections::HashMap;
use std::sync::Arc;

use blob::ContentHash;
use delivery::Template;
use event::{EventType, Time};
use tokio::sync::Mutex;
use trigger::{Head, Mode, Published, TriggerName, TriggerSet, Version};

use crate::{Clock, StoreError, Triggers};

/// How long a look at the head is good for.
const LOOK_AGAIN_MILLIS: i64 = 15_000;

/// How old the last good look may be when something is decided: the margin of a generation rests on it.
const OLDEST_LOOK_MILLIS: i64 = 30_000;

/// Records of few generations are under way at a time.
const MOST_SETS: usize = 4;

/// A bound on what is kept of templates and versions; above it they are read again.
const MOST_KEPT: usize = 2_000;

/// How a trigger stands now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// None where it was taken out.
    pub mode: Option<Mode>,
    /// The stack's switch for all marketing at once.
    pub marketing_stopped: bool,
}

/// The triggers that a function has loaded.
#[derive(Debug)]
pub struct TriggerBook {
    triggers: Triggers,
    clock: Clock,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    head: Head,
    looked_at: Option<Time>,
    sets: HashMap<u64, Arc<TriggerSet>>,
    versions: HashMap<(TriggerName, Version), Arc<Published>>,
    templates: HashMap<ContentHash, Arc<Template>>,
}

impl TriggerBook {
    #[must_use]
    pub fn new(triggers: Triggers, clock: Clock) -> Self {
        Self { triggers, clock, pages: Mutex::default() }
    }

    /// Looks whether there is a newer generation, unless the last look is fresh. While nothing was ever applied every
    /// call looks, so that the first generation holds at once.
    ///
    /// # Errors
    /// The store cannot be read, and the last good look is too old to decide by.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let mut pages = self.pages.lock().await;
        let now = self.clock.now();
        let age = pages.looked_at.map(|looked_at| now.since(looked_at));
        if pages.head.number() > 0 && age.is_some_and(|age| (0..LOOK_AGAIN_MILLIS).contains(&age)) {
            return Ok(());
        }
        match self.triggers.head().await {
            Ok(head) => {
                pages.head = head;
                pages.looked_at = Some(now);
                Ok(())
            }
            Err(error) if pages.head.number() > 0 && age.is_some_and(|age| (0..OLDEST_LOOK_MILLIS).contains(&age)) => {
                tracing::warn!(error = %error, age_ms = age, "the triggers could not be looked up again; deciding by the last look");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// The triggers that judge a record of this arrival; none where nothing was ever applied.
    ///
    /// # Errors
    /// A bundle that cannot be read.
    pub async fn in_force(&self, arrival: Time) -> Result<Arc<TriggerSet>, StoreError> {
        let mut pages = self.pages.lock().await;
        let generation = pages.head.in_force(arrival).map(|generation| (generation.number, generation.bundle));
        self.set(&mut pages, generation).await
    }

    /// Whether a trigger in force now starts with events of this type, or asks for a customer's past ones.
    ///
    /// # Errors
    /// As [`TriggerBook::in_force`].
    pub async fn listens_to(&self, kind: &EventType) -> Result<bool, StoreError> {
        let set = self.in_force(self.clock.now()).await?;
        Ok(!set.for_type(kind).is_empty() || set.history_depth(kind).is_some())
    }

    async fn set(&self, pages: &mut Pages, generation: Option<(u64, ContentHash)>) -> Result<Arc<TriggerSet>, StoreError> {
        let Some((number, bundle)) = generation else { return Ok(Arc::default()) };
        if let Some(set) = pages.sets.get(&number) {
            return Ok(Arc::clone(set));
        }
        let set = Arc::new(TriggerSet::new(number, self.triggers.bundle(bundle).await?));
        if pages.sets.len() >= MOST_SETS
            && let Some(oldest) = pages.sets.keys().min().copied()
        {
            pages.sets.remove(&oldest);
        }
        pages.sets.insert(number, Arc::clone(&set));
        Ok(set)
    }

    /// How a trigger stands as of the newest look, whatever generation decided.
    ///
    /// # Errors
    /// A bundle that cannot be read.
    pub async fn standing(&self, name: &TriggerName) -> Result<Standing, StoreError> {
        let mut pages = self.pages.lock().await;
        let generation = pages.head.newest().map(|generation| (generation.number, generation.bundle));
        let marketing_stopped = pages.head.newest().is_some_and(|generation| generation.marketing_stopped);
        let set = self.set(&mut pages, generation).await?;
        Ok(Standing { mode: set.get(name).map(|entry| entry.exposure.mode), marketing_stopped })
    }

    /// One version of a trigger, none where it was never published.
    ///
    /// # Errors
    /// A definition that cannot be read.
    pub async fn version(&self, name: &TriggerName, version: Version) -> Result<Option<Arc<Published>>, StoreError> {
        let key = (name.clone(), version);
        let mut pages = self.pages.lock().await;
        if let Some(published) = pages.versions.get(&key) {
            return Ok(Some(Arc::clone(published)));
        }
        let Some(published) = self.triggers.version(name, version).await? else { return Ok(None) };
        let published = Arc::new(published);
        if pages.versions.len() >= MOST_KEPT {
            pages.versions.clear();
        }
        pages.versions.insert(key, Arc::clone(&published));
        Ok(Some(published))
    }

    /// A template, ready to render.
    ///
    /// # Errors
    /// A template that cannot be read.
    pub async fn template(&self, hash: ContentHash) -> Result<Arc<Template>, StoreError> {
        let mut pages = self.pages.lock().await;
        if let Some(template) = pages.templates.get(&hash) {
            return Ok(Arc::clone(template));
        }
        let stored = self.triggers.template(hash).await?;
        let template = Template::parse(&stored.sources());
        let template = template
            .map_err(|problems| StoreError::unreadable("a template", &problems.first().map(ToString::to_string).unwrap_or_default()))?;
        let template = Arc::new(template);
        if pages.templates.len() >= MOST_KEPT {
            pages.templates.clear();
        }
        pages.templates.insert(hash, Arc::clone(&template));
        Ok(template)
    }
}
