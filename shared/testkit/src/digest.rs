//! Names made from content.

use sha2::{Digest, Sha256};

/// The first `digits` hexadecimal digits of the SHA-256 of `bytes`.
pub(crate) fn hex(bytes: &[u8], digits: usize) -> String {
    let text: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    text.chars().take(digits).collect()
}
