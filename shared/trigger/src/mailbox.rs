//! The address that a message comes from or is answered to.

use std::fmt;

use crate::problem::quoted;

/// An address with an optional name, as in `Corner Shop <hello@example.com>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    name: Option<String>,
    address: String,
}

/// A text that is no mailbox.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} is no sender; write an address, or a name and an address as in Corner Shop <hello@example.com>",
    quoted(.0)
)]
pub struct MailboxError(String);

impl Mailbox {
    /// Reads `hello@example.com` or `Corner Shop <hello@example.com>`.
    ///
    /// # Errors
    /// The text is neither.
    pub fn parse(text: &str) -> Result<Mailbox, MailboxError> {
        Mailbox::read(text).ok_or_else(|| MailboxError(text.to_owned()))
    }

    fn read(text: &str) -> Option<Mailbox> {
        if text.len() > 320 || text.chars().any(char::is_control) {
            return None;
        }
        let (name, address) = match text.strip_suffix('>') {
            Some(rest) => {
                let (name, address) = rest.split_once('<')?;
                (name.trim(), address)
            }
            None => ("", text),
        };
        if name.contains(['"', '\\', '<', '>', '@']) || !is_address(address) {
            return None;
        }
        Some(Mailbox { name: (!name.is_empty()).then(|| name.to_owned()), address: address.to_owned() })
    }

    /// The name that a reader sees, if there is one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address alone.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The mailbox as a mail's header holds it: a name beyond ASCII in encoded words (RFC 2047).
    pub fn to_header(&self) -> String {
        match &self.name {
            None => self.address.clone(),
            Some(name) if name.is_ascii() => format!("\"{name}\" <{}>", self.address),
            Some(name) => format!("{} <{}>", encoded_words(name), self.address),
        }
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => f.write_str(&self.address),
            Some(name) => write!(f, "{name} <{}>", self.address),
        }
    }
}

fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let local_good = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c));
    let domain_good = domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        });
    local_good && domain_good
}

/// Q-encoded words of at most 75 characters, none of which splits a character.
fn encoded_words(name: &str) -> String {
    const ROOM: usize = 75 - "=?UTF-8?Q??=".len();
    let mut words = vec![String::new()];
    for c in name.chars() {
        let mut bytes = [0; 4];
        let encoded: String = if c.is_ascii_alphanumeric() {
            c.to_string()
        } else if c == ' ' {
            "_".to_owned()
        } else {
            let bytes = c.encode_utf8(&mut bytes).bytes();
            bytes.map(|byte| format!("={byte:02X}")).collect()
        };
        match words.last_mut() {
            Some(word) if word.len() + encoded.len() <= ROOM => word.push_str(&encoded),
            Some(_) | None => words.push(encoded),
        }
    }
    let words: Vec<String> = words.iter().map(|word| format!("=?UTF-8?Q?{word}?=")).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_has_an_address_and_perhaps_a_name() {
        let mailbox = Mailbox::parse("Corner Shop <hello@shop.example.com>").unwrap();
        assert_eq!(mailbox.name(), Some("Corner Shop"));
        assert_eq!(mailbox.address(), "hello@shop.example.com");
        assert_eq!(mailbox.to_header(), "\"Corner Shop\" <hello@shop.example.com>");
        assert_eq!(Mailbox::parse(&mailbox.to_string()), Ok(mailbox));
        assert_eq!(Mailbox::parse("hello@example.com").unwrap().name(), None);
    }

    #[test]
    fn a_name_beyond_ascii_is_encoded_for_the_header() {
        let mailbox = Mailbox::parse("Bäckerei Grün <hallo@example.com>").unwrap();
        assert_eq!(mailbox.to_header(), "=?UTF-8?Q?B=C3=A4ckerei_Gr=C3=BCn?= <hallo@example.com>");
        let long = Mailbox::parse(&format!("{} <a@example.com>", "ü".repeat(40))).unwrap();
        assert!(long.to_header().split(' ').all(|word| word.len() <= 75));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "shop",
            "@example.com",
            "a@b",
            "a b@example.com",
            "Shop <a@example.com",
            "<>",
            "a@example.com, b@example.com",
            "Shop\r\nBcc: x <a@example.com>",
            "a@-x.com",
            "a..b@example.com",
            "ü@example.com",
            "a\"b <a@example.com>",
        ] {
            assert!(Mailbox::parse(bad).is_err(), "{bad:?}");
        }
    }
}
