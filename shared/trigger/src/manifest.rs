//! The manifest: which triggers send, and to what share of the customers.
//!
//! It stands beside the definitions, not in them, so that pausing a trigger makes no new version.

use std::collections::BTreeMap;

use crate::choice::Mode;
use crate::fields::Fields;
use crate::names::TriggerName;
use crate::problem::{Path, Problem, Problems};
use crate::quantity::Rollout;
use crate::yaml::{self, Kind};

/// What `triggers/manifest.yaml` states.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    entries: BTreeMap<TriggerName, Entry>,
}

/// What the manifest states about one trigger; what it leaves out is not stated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entry {
    /// Whether the trigger sends; live where nothing is stated.
    pub mode: Option<Mode>,
    /// The share of customers for whom it is in force; all where nothing is stated.
    pub rollout: Option<Rollout>,
}

impl Manifest {
    /// Reads a manifest. Each name in it must be one of the `known` triggers.
    ///
    /// # Errors
    /// Every problem of the file, in the order of its lines.
    pub fn parse(file: &str, text: &str, known: &[&TriggerName]) -> Result<Manifest, Vec<Problem>> {
        let mut problems = Problems::of(file);
        let manifest = read(text, known, &mut problems);
        problems.unless_any(manifest)
    }

    /// What the manifest states about a trigger; none where it does not name it.
    pub fn entry(&self, name: &TriggerName) -> Option<Entry> {
        self.entries.get(name).copied()
    }

    /// All that the manifest states, by name.
    pub fn entries(&self) -> impl Iterator<Item = (&TriggerName, Entry)> {
        self.entries.iter().map(|(name, entry)| (name, *entry))
    }
}

fn read(text: &str, known: &[&TriggerName], problems: &mut Problems) -> Option<Manifest> {
    let document = yaml::read(text, problems)?;
    let root = Path::root();
    let fields = Fields::open(&document, &root, &["triggers"], problems)?;
    let node = fields.required("triggers", "name the triggers under it, or remove the file", problems)?;
    let path = root.field("triggers");
    if node.kind == Kind::Null {
        return Some(Manifest::default());
    }
    let triggers = Fields::open_any(node, &path, "named as the triggers are", problems)?;
    let mut entries = BTreeMap::new();
    for entry in triggers.entries() {
        if problems.are_many() {
            break;
        }
        let path = path.field(&entry.name);
        let Some(name) = known.iter().find(|name| name.as_str() == entry.name) else {
            let names: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
            let message = crate::problem::unknown("trigger", &entry.name, &names);
            problems.add(entry.line, &path, message);
            continue;
        };
        let Some(stated) = Fields::open(&entry.value, &path, &["mode", "rollout"], problems) else {
            continue;
        };
        let stated =
            Entry { mode: stated.parsed("mode", Mode::parse, problems), rollout: stated.parsed("rollout", Rollout::parse, problems) };
        entries.insert((*name).clone(), stated);
    }
    Some(Manifest { entries })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<TriggerName> {
        ["welcome", "win-back"].iter().map(|name| TriggerName::parse(name).unwrap()).collect()
    }

    fn parse(text: &str) -> Result<Manifest, Vec<Problem>> {
        let names = names();
        let known: Vec<&TriggerName> = names.iter().collect();
        Manifest::parse("triggers/manifest.yaml", text, &known)
    }

    #[test]
    fn mode_and_rollout_are_optional() {
        let manifest = parse("triggers:\n  welcome: { mode: shadow }\n  win-back: { rollout: 0.5% }\n").unwrap();
        let [welcome, win_back] = &names()[..] else { panic!() };
        let entry = manifest.entry(welcome).unwrap();
        assert_eq!((entry.mode, entry.rollout), (Some(Mode::Shadow), None));
        let entry = manifest.entry(win_back).unwrap();
        assert_eq!(entry.rollout.map(Rollout::basis_points), Some(50));
        let other = TriggerName::parse("other").unwrap();
        assert_eq!(manifest.entry(&other), None);
    }

    #[test]
    fn a_manifest_may_name_no_trigger() {
        assert_eq!(parse("triggers:\n"), Ok(Manifest::default()));
        assert_eq!(parse("triggers: {}\n"), Ok(Manifest::default()));
    }

    #[test]
    fn all_problems_are_reported() {
        let text = "\
triggers:
  welcom: { mode: live }
  welcome: { mode: stopped, rollout: 10 }
  win-back: { share: 10%, rollout: 101% }
version: 2
";
        let problems: Vec<String> = parse(text).unwrap_err().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(problems.join("\n"), @r#"
        triggers/manifest.yaml:2: triggers.welcom: unknown trigger "welcom"; did you mean welcome? known: welcome, win-back
        triggers/manifest.yaml:3: triggers.welcome.mode: unknown mode "stopped"; known: live, shadow, paused
        triggers/manifest.yaml:3: triggers.welcome.rollout: "10" is no share; write 0% to 100%, with two decimals at most, as in 10% or 0.5%
        triggers/manifest.yaml:4: triggers.win-back.share: unknown field "share"; known: mode, rollout
        triggers/manifest.yaml:4: triggers.win-back.rollout: "101%" is no share; write 0% to 100%, with two decimals at most, as in 10% or 0.5%
        triggers/manifest.yaml:5: version: unknown field "version"; known: triggers
        "#);
    }
}
