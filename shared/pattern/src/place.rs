//! Where in the arrays of a document a value stands, and which values belong together.
//!
//! Two values agree if no array has them in different elements. A match needs values that agree, all of them.

use std::collections::{BTreeMap, BTreeSet};

/// Elements of arrays: at most one of each array, by the arrays' numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(Vec<(usize, usize)>);

impl Place {
    /// Goes into an element of an array that has a higher number than those of the place.
    pub(crate) fn enter(&mut self, array: usize, position: usize) {
        self.0.push((array, position));
    }

    /// Undoes the last `enter`.
    pub(crate) fn leave(&mut self) {
        self.0.pop();
    }

    /// The number of elements.
    pub(crate) fn size(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn arrays(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|(array, _)| *array)
    }

    /// What is left of the place if only some arrays matter.
    pub(crate) fn among(&self, arrays: &BTreeSet<usize>) -> Place {
        let kept = self.0.iter().filter(|(array, _)| arrays.contains(array));
        Place(kept.copied().collect())
    }

    fn position(&self, array: usize) -> Option<usize> {
        let found = self.0.binary_search_by_key(&array, |(array, _)| *array).ok()?;
        self.0.get(found).map(|(_, position)| *position)
    }

    /// Both places, which agree.
    fn joined(&self, other: &[(usize, usize)]) -> Place {
        let all: BTreeMap<usize, usize> = self.0.iter().chain(other).copied().collect();
        Place(all.into_iter().collect())
    }
}

/// A set of places that finds those which agree with a given one without looking at the others.
#[derive(Debug, Default)]
pub(crate) struct Places {
    here: bool,
    within: BTreeMap<usize, BTreeMap<usize, Places>>,
}

impl FromIterator<Place> for Places {
    fn from_iter<I: IntoIterator<Item = Place>>(places: I) -> Places {
        let mut root = Places::default();
        for Place(elements) in places {
            let mut node = &mut root;
            for (array, position) in elements {
                node = node.within.entry(array).or_default().entry(position).or_default();
            }
            node.here = true;
        }
        root
    }
}

impl Places {
    /// Whether any place of the set agrees with `place`.
    pub(crate) fn any_agrees(&self, place: &Place) -> bool {
        self.here
            || self.within.iter().any(|(array, elements)| match place.position(*array) {
                Some(position) => elements.get(&position).is_some_and(|node| node.any_agrees(place)),
                None => elements.values().any(|node| node.any_agrees(place)),
            })
    }

    /// Calls `found` with `place` joined to each place of the set that agrees with it.
    pub(crate) fn join(&self, place: &Place, found: &mut impl FnMut(Place)) {
        self.join_below(place, &mut Vec::new(), found);
    }

    fn join_below(&self, place: &Place, above: &mut Vec<(usize, usize)>, found: &mut impl FnMut(Place)) {
        if self.here {
            found(place.joined(above));
        }
        for (array, elements) in &self.within {
            let only = place.position(*array);
            let range = match only {
                Some(position) => elements.range(position..=position),
                None => elements.range(..),
            };
            for (position, node) in range {
                above.push((*array, *position));
                node.join_below(place, above, found);
                above.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(elements: &[(usize, usize)]) -> Place {
        Place(elements.to_vec())
    }

    #[test]
    fn places_agree_unless_an_array_has_them_in_different_elements() {
        let places: Places = [place(&[(0, 1)]), place(&[(0, 2), (3, 0)]), place(&[(7, 0)])].into_iter().collect();
        let mut found = Vec::new();
        places.join(&place(&[(0, 2)]), &mut |joined| found.push(joined));
        assert_eq!(found, [place(&[(0, 2), (3, 0)]), place(&[(0, 2), (7, 0)])]);
        assert!(places.any_agrees(&place(&[(0, 9)])));
        assert!(!places.any_agrees(&place(&[(0, 9), (7, 1)])));
    }
}
