//! Whether a document matches a pattern.
//!
//! The conditions of a branch are met one after the other, in the order of their paths, while all sets of array elements
//! that can still hold the match are kept side by side and equal ones merged. An array that no later
//! condition looks into is forgotten. Where no key repeats, there are never more such sets than the document has elements, so that
//! the work grows with the number of conditions times the size of the document. Repeated keys can make arrays of one
//! path that are independent of each other, and the problem a hard one: hence `MAX_WORK`.

use std::collections::BTreeSet;

use crate::condition::Condition;
use crate::json::Json;
use crate::leaf::{self, Leaf};
use crate::parse::Pattern;
use crate::place::{Place, Places};

/// How many array elements all joined places of one match may have together: this bounds time and memory. A document
/// that needs more does not match.
const MAX_WORK: usize = 2_000_000;

impl Pattern {
    /// Whether the document matches.
    ///
    /// A document that is no object matches nothing. The work is bounded: after two million array elements have been
    /// looked at in sets that might hold the match, the document does not match. That takes a document made for it, with
    /// dozens of arrays under one repeated key, or one far larger than an event may be.
    pub fn matches(&self, document: &Json) -> bool {
        let Json::Object(_) = document else {
            return false;
        };
        let leaves = leaf::leaves(document, &self.paths);
        let evidence: Vec<Evidence> = self
            .conditions
            .iter()
            .map(|condition| {
                let leaves = leaves.get(condition.path.as_str());
                Evidence::new(condition, leaves.map_or(&[], Vec::as_slice))
            })
            .collect();
        let mut work = MAX_WORK;
        self.branches.iter().any(|branch| {
            let branch: Option<Vec<&Evidence>> = branch.iter().map(|condition| evidence.get(*condition)).collect();
            branch.is_some_and(|branch| holds(&branch, &mut work))
        })
    }
}

/// What a document has to say on one condition.
struct Evidence {
    /// Where values stand that meet the condition.
    accepted: BTreeSet<Place>,
    /// Where any values of the field stand, if the condition can also be met by their absence.
    denying_absence: Option<Places>,
    /// The arrays of all these places.
    arrays: BTreeSet<usize>,
}

impl Evidence {
    fn new(condition: &Condition, leaves: &[Leaf]) -> Evidence {
        let accepted: BTreeSet<Place> = leaves.iter().filter(|leaf| condition.accepts(leaf)).map(|leaf| leaf.place.clone()).collect();
        let all = || leaves.iter().map(|leaf| leaf.place.clone());
        let denying_absence = condition.accepts_absence().then(|| all().collect());
        let arrays = if denying_absence.is_some() {
            leaves.iter().flat_map(|leaf| leaf.place.arrays()).collect()
        } else {
            accepted.iter().flat_map(Place::arrays).collect()
        };
        Evidence { accepted, denying_absence, arrays }
    }
}

/// Whether values that agree, or absent ones, meet all conditions of a branch.
///
/// The order counts for absence: a field is absent from the elements that the conditions *before* it have settled on.
fn holds(branch: &[&Evidence], work: &mut usize) -> bool {
    let mut candidates = BTreeSet::from([Place::default()]);
    let mut rest = branch;
    while let Some((evidence, later)) = rest.split_first() {
        let open: BTreeSet<usize> = later.iter().flat_map(|evidence| evidence.arrays.iter().copied()).collect();
        candidates = advance(&candidates, evidence, &open, work);
        if candidates.is_empty() {
            return false;
        }
        rest = later;
    }
    true
}

/// The candidates that are left after one more condition. `open` are the arrays that later conditions look into.
fn advance(candidates: &BTreeSet<Place>, evidence: &Evidence, open: &BTreeSet<usize>, work: &mut usize) -> BTreeSet<Place> {
    let settled = candidates.iter().flat_map(Place::arrays);
    let relevant: BTreeSet<usize> = settled.chain(open.iter().copied()).collect();
    let accepted: BTreeSet<Place> = evidence.accepted.iter().map(|place| place.among(&relevant)).collect();
    let accepted: Places = accepted.into_iter().collect();

    let mut next = BTreeSet::new();
    for candidate in candidates {
        if *work == 0 {
            return BTreeSet::new();
        }
        let denied = evidence.denying_absence.as_ref();
        if denied.is_some_and(|places| !places.any_agrees(candidate)) {
            next.insert(candidate.among(open));
        }
        accepted.join(candidate, &mut |joined| {
            *work = work.saturating_sub(1 + joined.size());
            next.insert(joined.among(open));
        });
    }
    next
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tries every choice of values, one for each condition.
    fn tries_everything(conditions: &[(&Condition, &[Leaf])], chosen: &Place) -> bool {
        let Some(((condition, leaves), rest)) = conditions.split_first() else {
            return true;
        };
        let with = |leaf: &Leaf| {
            let mut joined = None;
            Places::from_iter([leaf.place.clone()]).join(chosen, &mut |place| joined = Some(place));
            joined
        };
        let absent = condition.accepts_absence() && !leaves.iter().any(|leaf| with(leaf).is_some());
        (absent && tries_everything(rest, chosen))
            || leaves.iter().filter(|leaf| condition.accepts(leaf)).filter_map(with).any(|place| tries_everything(rest, &place))
    }

    fn value() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec!["1", "2"]).prop_map(str::to_owned);
        leaf.prop_recursive(5, 40, 4, |inner| {
            let key = prop::sample::select(vec!["a", "b", "c", "a.b"]);
            let members = prop::collection::vec((key, inner.clone()), 1..4);
            prop_oneof![
                prop::collection::vec(inner, 1..4).prop_map(|elements| format!("[{}]", elements.join(","))),
                members.prop_map(|members| {
                    let members = members.iter().map(|(key, value)| format!("\"{key}\":{value}"));
                    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
                }),
            ]
        })
    }

    fn pattern() -> impl Strategy<Value = String> {
        let path = prop::sample::select(vec!["a", "b", "a.a", "a.b", "a.c", "a.a.b", "a.b.c", "b.a"]);
        let list = prop::sample::select(vec!["[1]", "[2]", "[{\"exists\":true}]", "[{\"exists\":false}]", "[1,{\"exists\":false}]"]);
        prop::collection::btree_map(path, list, 1..5).prop_map(|fields| {
            let fields = fields.iter().map(|(path, list)| format!("\"{path}\":{list}"));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

        #[test]
        fn candidates_side_by_side_find_what_trying_everything_finds(
            pattern in pattern(),
            a in value(),
            b in value(),
            again in value(),
        ) {
            let document = format!("{{\"a\":{a},\"b\":{b},\"a\":{again}}}");
            let document = Json::parse(&document).unwrap();
            let pattern = Pattern::parse(&pattern).unwrap();
            let leaves = leaf::leaves(&document, &pattern.paths);
            let conditions: Vec<(&Condition, &[Leaf])> = pattern.branches[0]
                .iter()
                .map(|position| {
                    let condition = &pattern.conditions[*position];
                    let leaves = leaves.get(condition.path.as_str());
                    (condition, leaves.map_or(&[][..], Vec::as_slice))
                })
                .collect();
            let expected = tries_everything(&conditions, &Place::default());
            prop_assert_eq!(pattern.matches(&document), expected);
        }
    }
}
