//! What an `apply` changes: a pure function of what is in force, what was ever published, and the folder.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result};
use trigger::{Bundle, BundleEntry, Exposure, Published, TriggerName, Version};

use crate::project::Project;

/// What is to be written, and what it changes.
#[derive(Debug, Default)]
pub struct Plan {
    pub bundle: Bundle,
    /// Versions that do not exist yet.
    pub publish: Vec<Published>,
    pub changes: Vec<Change>,
}

/// One visible change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    New {
        name: TriggerName,
        version: Version,
        exposure: Exposure,
    },
    Version {
        name: TriggerName,
        from: Version,
        to: Version,
    },
    Exposure {
        name: TriggerName,
        from: Exposure,
        to: Exposure,
    },
    /// The manifest file says something else now, which already holds.
    Declared {
        name: TriggerName,
        exposure: Exposure,
    },
    Removed {
        name: TriggerName,
        version: Version,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New { name, version, exposure } => write!(f, "new      {name}  version {version}, {}", shown(*exposure)),
            Self::Version { name, from, to } => write!(f, "changed  {name}  version {from} → {to}"),
            Self::Exposure { name, from, to } => write!(f, "mode     {name}  {} → {}", shown(*from), shown(*to)),
            Self::Declared { name, exposure } => write!(f, "manifest {name}  says {}, which holds already", shown(*exposure)),
            Self::Removed { name, version } => write!(f, "removed  {name}  version {version}"),
        }
    }
}

/// `live`, `shadow`, `live for 10%`.
pub fn shown(exposure: Exposure) -> String {
    if exposure.rollout == trigger::Rollout::ALL {
        exposure.mode.to_string()
    } else {
        format!("{} for {}", exposure.mode, exposure.rollout)
    }
}

/// Compares the folder with what is in force. `newest` has the newest version that was ever published of each of the
/// folder's triggers, where that is not the one in force as it is.
///
/// # Errors
/// A trigger that has no version left to be given.
pub fn plan(current: &Bundle, newest: &BTreeMap<TriggerName, Published>, project: &Project) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut entries = Vec::new();
    for (name, trigger) in &project.triggers {
        let templates = project.templates_of(trigger);
        let content = Published::content(trigger, &templates);
        let in_force = current.get(name);
        let same = |published: &Trial<'_>| Published::content(published.0, published.1) == content;
        let version = match (in_force, newest.get(name)) {
            (Some(entry), _) if same(&(&entry.trigger, &entry.templates)) => entry.version,
            (_, Some(published)) if same(&(&published.trigger, &published.templates)) => published.version,
            (entry, published) => {
                let last = entry.map(|entry| entry.version).max(published.map(|published| published.version));
                let version = match last {
                    None => Version::FIRST,
                    Some(last) => Version::new(last.get().wrapping_add(1)).with_context(|| format!("{name} has no version number left"))?,
                };
                plan.publish.push(Published { trigger: trigger.clone(), version, templates: templates.clone() });
                version
            }
        };
        let declared = project.declared(name);
        let exposure = exposure(in_force, declared);
        compare(&mut plan.changes, name, in_force, version, exposure, declared);
        entries.push(BundleEntry { trigger: trigger.clone(), version, exposure, declared, templates });
    }
    let gone = current.entries().filter(|entry| !project.triggers.contains_key(entry.trigger.name()));
    plan.changes.extend(gone.map(|entry| Change::Removed { name: entry.trigger.name().clone(), version: entry.version }));
    plan.bundle = entries.into_iter().collect();
    Ok(plan)
}

type Trial<'a> = (&'a trigger::Trigger, &'a BTreeMap<trigger::TemplateName, blob::ContentHash>);

/// What an operator set by hand stays, until the manifest file itself says something new.
fn exposure(in_force: Option<&BundleEntry>, declared: Exposure) -> Exposure {
    match in_force {
        None => declared,
        Some(entry) => Exposure {
            mode: if declared.mode == entry.declared.mode { entry.exposure.mode } else { declared.mode },
            rollout: if declared.rollout == entry.declared.rollout { entry.exposure.rollout } else { declared.rollout },
        },
    }
}

fn compare(
    changes: &mut Vec<Change>,
    name: &TriggerName,
    in_force: Option<&BundleEntry>,
    version: Version,
    exposure: Exposure,
    declared: Exposure,
) {
    let Some(entry) = in_force else {
        changes.push(Change::New { name: name.clone(), version, exposure });
        return;
    };
    if entry.version != version {
        changes.push(Change::Version { name: name.clone(), from: entry.version, to: version });
    }
    if entry.exposure != exposure {
        changes.push(Change::Exposure { name: name.clone(), from: entry.exposure, to: exposure });
    } else if entry.declared != declared {
        changes.push(Change::Declared { name: name.clone(), exposure: declared });
    }
}
