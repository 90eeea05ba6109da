//! Which shards may be read now: a parent before its children, so that a customer's events stay in order when a stream
//! is split or merged.

use std::collections::BTreeSet;

/// A shard and what it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shard {
    pub(super) id: String,
    pub(super) parents: Vec<String>,
}

/// The shards to begin with: not begun, and no parent that is still there or being read is unfinished.
pub(super) fn startable<'a>(listed: &'a [Shard], begun: &BTreeSet<String>, ended: &BTreeSet<String>) -> Vec<&'a Shard> {
    let unfinished = |id: &String| (begun.contains(id) || listed.iter().any(|shard| shard.id == *id)) && !ended.contains(id);
    listed.iter().filter(|shard| !begun.contains(&shard.id) && !shard.parents.iter().any(unfinished)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: &str, parents: &[&str]) -> Shard {
        Shard { id: id.to_owned(), parents: parents.iter().map(|parent| (*parent).to_owned()).collect() }
    }

    fn ids(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn children_wait_for_all_their_parents() {
        let listed = [shard("0", &[]), shard("1", &[]), shard("2", &["0"]), shard("3", &["0", "1"])];
        let started = |begun: &[&str], ended: &[&str]| -> Vec<String> {
            startable(&listed, &ids(begun), &ids(ended)).iter().map(|shard| shard.id.clone()).collect()
        };
        assert_eq!(started(&[], &[]), ["0", "1"]);
        assert_eq!(started(&["0", "1"], &[]), [] as [&str; 0]);
        assert_eq!(started(&["0", "1"], &["0"]), ["2"]);
        assert_eq!(started(&["0", "1", "2"], &["0", "1"]), ["3"]);
    }

    #[test]
    fn a_parent_that_left_the_stream_holds_nobody_back_unless_it_is_being_read() {
        let listed = [shard("2", &["0"])];
        assert_eq!(startable(&listed, &ids(&[]), &ids(&[])).len(), 1);
        assert_eq!(startable(&listed, &ids(&["0"]), &ids(&[])).len(), 0);
    }
}
