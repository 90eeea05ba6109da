//! The concurrent batches of one shard.

use sha2::{Digest, Sha256};

/// The lane of a partition key: always the same one, so that the order of the key is kept.
#[must_use]
pub fn lane_of(partition_key: &str, lanes: usize) -> usize {
    let hash = Sha256::digest(partition_key.as_bytes());
    hash.iter().take(4).fold(0_usize, |number, byte| number << 8 | usize::from(*byte)) % lanes.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_lane_and_keys_spread_over_all() {
        let lanes: Vec<usize> = (0..100).map(|key| lane_of(&key.to_string(), 10)).collect();
        assert_eq!(lanes, (0..100).map(|key| lane_of(&key.to_string(), 10)).collect::<Vec<usize>>());
        assert!((0..10).all(|lane| lanes.contains(&lane)));
        assert_eq!(lane_of("any", 1), 0);
    }
}
