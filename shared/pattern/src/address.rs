//! IP addresses and blocks of them.
//!
//! An address is compared as the hexadecimal digits of its bytes, from the left, and the comparison ends with the first digit
//! that decides. A block of one family therefore also holds addresses of the other that begin with the same digits.

use std::cmp::Ordering;

/// The addresses from `bottom` to `top`, both included: a block, or a single address.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    bottom: Vec<u8>,
    top: Vec<u8>,
}

/// The upper-case hexadecimal digits of an address: 8 or 32.
pub(crate) fn digits(text: &str) -> Option<Vec<u8>> {
    bytes(text).map(|bytes| hexadecimal(&bytes))
}

impl Block {
    /// The block of one address.
    pub(crate) fn single(text: &str) -> Option<Block> {
        let bottom = digits(text)?;
        let top = bottom.clone();
        Some(Block { bottom, top })
    }

    /// Reads `address/bits`. The bits of the address beyond the mask are ignored.
    ///
    /// Fails on anything else, and on a mask that leaves no bit free.
    pub(crate) fn parse(text: &str) -> Result<Block, &'static str> {
        const FORM: &str = "not a block of addresses: write \"address/bits\", such as \"10.0.0.0/8\"";
        // Slashes at the end are overlooked.
        let (address, mask) = text.trim_end_matches('/').split_once('/').ok_or(FORM)?;
        let mask: i32 = mask.parse().map_err(|_| FORM)?;
        let mask = usize::try_from(mask).map_err(|_| FORM)?;
        let address = bytes(address).ok_or(FORM)?;
        if mask >= address.len() * 8 {
            return Err("the mask must leave at least one bit free: for a single address, write the address itself as the value");
        }
        let masked = |fill: u8| -> Vec<u8> {
            let bytes = address.iter().enumerate().map(|(position, byte)| {
                let fixed = mask.saturating_sub(position * 8).min(8);
                let free = u8::MAX.checked_shr(u32::try_from(fixed).unwrap_or(8)).unwrap_or(0);
                (byte & !free) | (fill & free)
            });
            hexadecimal(&bytes.collect::<Vec<u8>>())
        };
        Ok(Block { bottom: masked(u8::MIN), top: masked(u8::MAX) })
    }

    /// Whether a row of digits lies in the block. It may be longer than the block's rows, and shorter where that decides.
    pub(crate) fn holds(&self, digits: &[u8]) -> bool {
        let (mut above, mut below) = (false, false);
        let mut row = digits.iter().copied();
        for (bottom, top) in self.bottom.iter().zip(&self.top) {
            // The rest cannot leave the block any more.
            if above && below {
                return true;
            }
            let Some(digit) = row.next().filter(|digit| is_hexadecimal(*digit)) else {
                return false;
            };
            if !above {
                match digit.cmp(bottom) {
                    Ordering::Less => return false,
                    Ordering::Equal => (),
                    Ordering::Greater => above = true,
                }
            }
            if !below {
                match digit.cmp(top) {
                    Ordering::Less => below = true,
                    Ordering::Equal => (),
                    Ordering::Greater => return false,
                }
            }
        }
        true
    }
}

fn is_hexadecimal(digit: u8) -> bool {
    matches!(digit, b'0'..=b'9' | b'A'..=b'F')
}

fn hexadecimal(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02X}").into_bytes()).collect()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    if text.contains(':') { version_6(text) } else { version_4(text) }
}

/// Four decimal numbers; zeros may lead.
fn version_4(text: &str) -> Option<Vec<u8>> {
    // No more than the longest address takes.
    if text.len() > "255.255.255.255".len() {
        return None;
    }
    let bytes: Option<Vec<u8>> = text
        .split('.')
        .map(|part| {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse().ok()).flatten()
        })
        .collect();
    bytes.filter(|bytes| bytes.len() == 4)
}

/// Groups of hexadecimal digits, of which `::` stands for a run of zeros. An address that maps one of version 4 is that address.
fn version_6(text: &str) -> Option<Vec<u8>> {
    let (head, tail) = match text.split_once("::") {
        Some((head, tail)) => (head, Some(tail)),
        None => (text, None),
    };
    let mut groups = groups(head)?;
    if let Some(tail) = tail {
        let tail = self::groups(tail)?;
        let zeros = 8_usize.checked_sub(groups.len() + tail.len())?;
        // Eight groups leave nothing for "::" to stand for.
        if zeros == 0 {
            return None;
        }
        groups.extend(std::iter::repeat_n(0, zeros));
        groups.extend(tail);
    }
    if groups.len() != 8 {
        return None;
    }
    let bytes: Vec<u8> = groups.iter().flat_map(|group| group.to_be_bytes()).collect();
    const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
    let mapped = bytes.strip_prefix(&MAPPED).map(<[u8]>::to_vec);
    Some(mapped.unwrap_or(bytes))
}

fn groups(text: &str) -> Option<Vec<u16>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(':')
        .map(|group| {
            let is_number = !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_number.then(|| u16::from_str_radix(group, 16).ok()).flatten()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        digits(text).map(|digits| String::from_utf8(digits).unwrap())
    }

    #[test]
    fn addresses_have_several_spellings() {
        assert_eq!(shown("10.0.0.1").unwrap(), "0A000001");
        assert_eq!(shown("010.0.000.1").unwrap(), "0A000001");
        assert_eq!(shown("::ffff:a00:1").unwrap(), "0A000001");
        assert_eq!(shown("2001:DB8::1").unwrap(), "20010DB8000000000000000000000001");
        assert_eq!(shown("::").unwrap(), "0".repeat(32));
        assert_eq!(shown("1:2:3:4:5:6:7::"), shown("1:2:3:4:5:6:7:0"));
    }

    #[test]
    fn what_is_no_address_is_none() {
        for text in [
            "",
            ":",
            ":1",
            "1:",
            ":::",
            "1::2::3",
            "1:2:3:4:5:6:7:8::",
            "1:2:3:4:5:6:7",
            "12345::",
            "g::",
            "::1.2.3.4",
            "10.0.0",
            "10.0.0.0.1",
            "256.0.0.1",
            "10.0.0.+1",
            "10.0.0.",
            "0000000000010.0.0.1",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn a_block_holds_what_its_mask_leaves_free() {
        let block = Block::parse("10.0.4.77/22").unwrap();
        for (address, held) in [("10.0.3.255", false), ("10.0.4.0", true), ("10.0.7.255", true), ("10.0.8.0", false)] {
            assert_eq!(block.holds(&digits(address).unwrap()), held, "{address}");
        }
        for wrong in ["10.0.0.0", "10.0.0.0/32", "::/128", "10.0.0.0/-1", "10.0.0.0/8/8", "/8", ""] {
            assert!(Block::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_first_digit_that_decides_ends_the_comparison() {
        let block = Block::parse("48.0.0.0/4").unwrap();
        assert!(block.holds(b"35"));
        assert!(!block.holds(b"30"));
        assert!(!block.holds(b"3"));
        assert!(block.holds(b"300000009"));
    }
}
