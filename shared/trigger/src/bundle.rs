//! A bundle: all triggers of one generation in one immutable, compressed piece, which a router loads in few reads.

use std::collections::BTreeMap;

use blob::{ContentHash, OpenError, Record, Unknown, record};
use thiserror::Error;

use crate::{Mode, Problem, Rollout, TemplateName, Trigger, TriggerName, Version, from_definition};

const FORMAT: u16 = 1;

/// Twenty thousand triggers, unpacked: more than a router has the memory for.
const LARGEST: usize = 32 << 20;

/// A definition and the hashes of its templates, unpacked.
const LARGEST_VERSION: usize = 1 << 20;

/// An item of the table holds 400 KB; the rest is for its keys.
const CHUNK: usize = 350_000;

record! {
    struct Stored {
        1 => entries: Vec<StoredEntry>,
    }
}

// 6 and 7 are what the manifest file said, which differs from what holds where an operator changed a mode by hand.
record! {
    struct StoredEntry {
        1 => name: String,
        2 => version: u32,
        3 => definition: String,
        4 => mode: String,
        5 => rollout: u16,
        6 => declared_mode: String,
        7 => declared_rollout: u16,
        8 => templates: BTreeMap<String, String>,
    }
}

record! {
    struct StoredVersion {
        1 => name: String,
        2 => version: u32,
        3 => definition: String,
        4 => templates: BTreeMap<String, String>,
    }
}

/// How far a trigger is let loose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposure {
    pub mode: Mode,
    pub rollout: Rollout,
}

impl Exposure {
    /// Live for every customer: what holds where the manifest says nothing.
    pub const FULL: Self = Self { mode: Mode::Live, rollout: Rollout::ALL };
}

/// One trigger of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleEntry {
    pub trigger: Trigger,
    pub version: Version,
    pub exposure: Exposure,
    /// What the manifest file said when it was applied.
    pub declared: Exposure,
    /// The content of each template that the trigger names.
    pub templates: BTreeMap<TemplateName, ContentHash>,
}

/// All triggers of one generation, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    entries: BTreeMap<TriggerName, BundleEntry>,
    /// What a newer version wrote, of the whole and of each trigger: an older one that changes a mode does not lose it.
    unknown: Unknown,
    unknown_of: BTreeMap<TriggerName, Unknown>,
}

/// Why a bundle cannot be read.
#[derive(Debug, Error)]
pub enum BundleError {
    #[error(transparent)]
    Blob(#[from] OpenError),
    #[error("a stored trigger cannot be read: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Definition(Vec<Problem>),
    #[error("a stored trigger has a {field} that this program cannot read; deploy the newer program first")]
    Field { field: &'static str },
}

impl FromIterator<BundleEntry> for Bundle {
    fn from_iter<I: IntoIterator<Item = BundleEntry>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|entry| (entry.trigger.name().clone(), entry)).collect();
        Self { entries, ..Self::default() }
    }
}

impl Bundle {
    pub fn entries(&self) -> impl Iterator<Item = &BundleEntry> {
        self.entries.values()
    }

    #[must_use]
    pub fn get(&self, name: &TriggerName) -> Option<&BundleEntry> {
        self.entries.get(name)
    }

    #[must_use]
    pub fn get_mut(&mut self, name: &TriggerName) -> Option<&mut BundleEntry> {
        self.entries.get_mut(name)
    }

    pub fn into_entries(self) -> impl Iterator<Item = BundleEntry> {
        self.entries.into_values()
    }

    /// The stored form, in pieces that fit an item each, and the hash that names it.
    #[must_use]
    pub fn seal(&self) -> (ContentHash, Vec<Vec<u8>>) {
        let unknown_of = |name| self.unknown_of.get(name).cloned().unwrap_or_default();
        let entries = self.entries.iter().map(|(name, entry)| stored(entry, unknown_of(name)));
        let stored = Stored { entries: entries.collect(), unknown: self.unknown.clone() };
        let hash = ContentHash::of(&[&stored.to_fields().to_bytes()]);
        (hash, stored.seal(FORMAT).chunks(CHUNK).map(<[u8]>::to_vec).collect())
    }

    /// Reads the stored form, its pieces joined.
    ///
    /// # Errors
    /// A blob, a definition or a field that this version cannot read.
    pub fn open(blob: &[u8]) -> Result<Self, BundleError> {
        let stored = Stored::open(blob, FORMAT, LARGEST)?;
        let mut bundle = Self { unknown: stored.unknown, ..Self::default() };
        for mut stored in stored.entries {
            let unknown = std::mem::take(&mut stored.unknown);
            let entry = entry(stored)?;
            let name = entry.trigger.name().clone();
            if !unknown.is_empty() {
                bundle.unknown_of.insert(name.clone(), unknown);
            }
            bundle.entries.insert(name, entry);
        }
        Ok(bundle)
    }
}

fn stored(entry: &BundleEntry, unknown: Unknown) -> StoredEntry {
    StoredEntry {
        name: entry.trigger.name().as_str().to_owned(),
        version: entry.version.get(),
        definition: entry.trigger.definition().to_owned(),
        mode: entry.exposure.mode.as_str().to_owned(),
        rollout: entry.exposure.rollout.basis_points(),
        declared_mode: entry.declared.mode.as_str().to_owned(),
        declared_rollout: entry.declared.rollout.basis_points(),
        templates: stored_templates(&entry.templates),
        unknown,
    }
}

fn entry(stored: StoredEntry) -> Result<BundleEntry, BundleError> {
    let field = |field| BundleError::Field { field };
    let exposure = |mode: &str, rollout| {
        let mode = Mode::parse(mode).map_err(|_| field("mode"))?;
        let rollout = Rollout::from_basis_points(rollout).ok_or_else(|| field("rollout"))?;
        Ok::<_, BundleError>(Exposure { mode, rollout })
    };
    Ok(BundleEntry {
        trigger: from_definition(&stored.definition).map_err(BundleError::Definition)?,
        version: Version::new(stored.version).map_err(|_| field("version"))?,
        exposure: exposure(&stored.mode, stored.rollout)?,
        declared: exposure(&stored.declared_mode, stored.declared_rollout)?,
        templates: templates(stored.templates)?,
    })
}

fn stored_templates(templates: &BTreeMap<TemplateName, ContentHash>) -> BTreeMap<String, String> {
    templates.iter().map(|(name, hash)| (name.as_str().to_owned(), hash.to_string())).collect()
}

fn templates(stored: BTreeMap<String, String>) -> Result<BTreeMap<TemplateName, ContentHash>, BundleError> {
    let template = |(name, hash): (String, String)| {
        let name = TemplateName::parse(&name).map_err(|_| BundleError::Field { field: "template name" })?;
        Ok((name, hash.parse().map_err(|_| BundleError::Field { field: "template hash" })?))
    };
    stored.into_iter().map(template).collect()
}

/// The definition of one version, as its immutable item holds it: written once, never rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub trigger: Trigger,
    pub version: Version,
    pub templates: BTreeMap<TemplateName, ContentHash>,
}

impl Published {
    /// What makes a version different from the one before: its definition and the content of its templates.
    #[must_use]
    pub fn content(trigger: &Trigger, templates: &BTreeMap<TemplateName, ContentHash>) -> ContentHash {
        let mut fields = vec![trigger.definition().as_bytes().to_vec()];
        for (name, hash) in templates {
            fields.push(name.as_str().as_bytes().to_vec());
            fields.push(hash.bytes().to_vec());
        }
        ContentHash::of(&fields.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// The stored form.
    #[must_use]
    pub fn seal(&self) -> Vec<u8> {
        let stored = StoredVersion {
            name: self.trigger.name().as_str().to_owned(),
            version: self.version.get(),
            definition: self.trigger.definition().to_owned(),
            templates: stored_templates(&self.templates),
            ..StoredVersion::default()
        };
        stored.seal(FORMAT)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// As [`Bundle::open`].
    pub fn open(blob: &[u8]) -> Result<Self, BundleError> {
        let stored = StoredVersion::open(blob, FORMAT, LARGEST_VERSION)?;
        Ok(Self {
            trigger: from_definition(&stored.definition).map_err(BundleError::Definition)?,
            version: Version::new(stored.version).map_err(|_| BundleError::Field { field: "version" })?,
            templates: templates(stored.templates)?,
        })
    }
}
