//! The header in front of every blob, and the compression behind it.
//!
//! | bytes | meaning |
//! |---|---|
//! | 1 | version of this header: 1 |
//! | 2 | format of the content, big endian |
//! | 1 | compression: 0 none, 1 Zstandard |
//! | 1 | id of the compression's dictionary: 0 none |
//! | 1 | algorithm of encryption: 0 none |
//! | 1 + n | length of the key's id, and the id |
//! | rest | the content |

use std::cell::RefCell;
use std::io;

use thiserror::Error;
use zstd::bulk::{Compressor, Decompressor};

const HEADER: u8 = 1;
const NOT_COMPRESSED: u8 = 0;
const ZSTANDARD: u8 = 1;
const NO_DICTIONARY: u8 = 0;
const NOT_ENCRYPTED: u8 = 0;

/// Zstandard's own default: a good ratio at some 10 µs for a kilobyte.
const LEVEL: i32 = 3;

thread_local! {
    /// To make one takes longer than to compress a kilobyte with it.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn compress(content: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| match kept {
        Some(compressor) => compressor.compress(content),
        None => kept.insert(Compressor::new(LEVEL)?).compress(content),
    })
}

fn decompress(body: &[u8], limit: usize) -> io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|kept| match kept {
        Some(decompressor) => decompressor.decompress(body, limit),
        None => kept.insert(Decompressor::new()?).decompress(body, limit),
    })
}

/// Why a blob cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum OpenError {
    #[error("the blob ends inside its header")]
    Truncated,
    #[error("the blob's header has version {0}, this program reads version 1; deploy the newer program first")]
    UnknownHeader(u8),
    #[error("the blob has format {found}, this program reads up to {newest}; deploy the newer program first")]
    UnknownFormat { found: u16, newest: u16 },
    #[error("the blob names compression {0} with dictionary {1}, which this program does not have")]
    UnknownCompression(u8, u8),
    #[error("the blob is encrypted with algorithm {0}, which this program does not have")]
    UnknownAlgorithm(u8),
    #[error("the blob does not decompress within {limit} bytes")]
    Decompression { limit: usize },
    #[error("field {field} of the blob is malformed: {problem}")]
    Malformed { field: u32, problem: String },
}

/// Puts the header before `content`, compressed where that is shorter.
#[must_use]
pub fn seal(format: u16, content: &[u8]) -> Vec<u8> {
    let compressed = compress(content).ok().filter(|bytes| bytes.len() < content.len());
    let (compression, body) = match &compressed {
        Some(bytes) => (ZSTANDARD, bytes.as_slice()),
        None => (NOT_COMPRESSED, content),
    };
    let [high, low] = format.to_be_bytes();
    let mut blob = vec![HEADER, high, low, compression, NO_DICTIONARY, NOT_ENCRYPTED, 0];
    blob.extend_from_slice(body);
    blob
}

/// Takes the header off and gives the format and the content, of at most `limit` bytes.
///
/// # Errors
/// Every header or content that this version cannot read, by its cause; never a panic.
pub fn open(blob: &[u8], newest_format: u16, limit: usize) -> Result<(u16, Vec<u8>), OpenError> {
    let [header, high, low, compression, dictionary, algorithm, key_length, rest @ ..] = blob else {
        return Err(blob
            .first()
            .filter(|header| **header != HEADER)
            .map_or(OpenError::Truncated, |header| OpenError::UnknownHeader(*header)));
    };
    if *header != HEADER {
        return Err(OpenError::UnknownHeader(*header));
    }
    let format = u16::from_be_bytes([*high, *low]);
    if format > newest_format {
        return Err(OpenError::UnknownFormat { found: format, newest: newest_format });
    }
    if *algorithm != NOT_ENCRYPTED {
        return Err(OpenError::UnknownAlgorithm(*algorithm));
    }
    let body = rest.get(usize::from(*key_length)..).ok_or(OpenError::Truncated)?;
    match (*compression, *dictionary) {
        (NOT_COMPRESSED, _) if body.len() <= limit => Ok((format, body.to_vec())),
        (NOT_COMPRESSED, _) => Err(OpenError::Decompression { limit }),
        (ZSTANDARD, NO_DICTIONARY) => match decompress(body, limit) {
            Ok(content) => Ok((format, content)),
            Err(_) => Err(OpenError::Decompression { limit }),
        },
        (compression, dictionary) => Err(OpenError::UnknownCompression(compression, dictionary)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 1 << 20;

    #[test]
    fn a_blob_that_cannot_be_read_says_why() {
        let mut blob = seal(1, b"content");
        assert_eq!(open(&[], 1, LIMIT), Err(OpenError::Truncated));
        assert_eq!(open(&blob[..4], 1, LIMIT), Err(OpenError::Truncated));
        assert_eq!(open(&blob, 0, LIMIT), Err(OpenError::UnknownFormat { found: 1, newest: 0 }));
        blob[5] = 7;
        assert_eq!(open(&blob, 1, LIMIT), Err(OpenError::UnknownAlgorithm(7)));
        blob[0] = 9;
        assert_eq!(open(&blob, 1, LIMIT), Err(OpenError::UnknownHeader(9)));
    }

    #[test]
    fn a_blob_that_would_unpack_to_more_than_the_limit_is_refused() {
        let blob = seal(1, &vec![0; LIMIT + 1]);
        assert!(blob.len() < 1000);
        assert_eq!(open(&blob, 1, LIMIT), Err(OpenError::Decompression { limit: LIMIT }));
    }

    #[test]
    fn the_bytes_of_format_one_never_change() {
        assert_eq!(seal(1, b"ab"), [1, 0, 1, 0, 0, 0, 0, b'a', b'b']);
        let golden = [1, 0, 1, 0, 0, 0, 3, b'k', b'e', b'y', b'a', b'b'];
        assert_eq!(open(&golden, 1, LIMIT), Ok((1, b"ab".to_vec())));
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens(content: Vec<u8>, format: u16) {
            prop_assert_eq!(open(&seal(format, &content), u16::MAX, LIMIT), Ok((format, content)));
        }

        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            let _ = open(&bytes, 1, LIMIT);
        }
    }
}
