//! Where a call goes.

use std::fmt;
use std::net::IpAddr;

use hyper::Uri;
use thiserror::Error;

/// An address with `https`; with `http` only on this machine itself, as local runs have it.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Uri);

/// A text that is no address which may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no address that may be called; write https://, a host and a path, without a user")]
pub struct AddressError;

impl Address {
    /// # Errors
    /// Another scheme, no host, or a user in it: that would be a secret in a place where none is looked for.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let uri: Uri = text.trim().parse().map_err(|_| AddressError)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(AddressError)?;
        let without_user = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        let encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => is_this_machine(host),
            _ => return Err(AddressError),
        };
        if encrypted && without_user { Ok(Self(uri)) } else { Err(AddressError) }
    }

    pub(crate) fn uri(&self) -> Uri {
        self.0.clone()
    }
}

/// Nothing of it is shown: many systems give out addresses that are themselves a secret.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_called_without_encryption() {
        for good in [
            "https://api.example.com",
            "https://api.example.com:8443/in?x=1",
            " https://10.0.0.1/ \n",
            "http://127.0.0.1:8080/in",
            "http://127.9.9.9",
            "http://[::1]:80/",
            "http://localhost:1",
        ] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/in",
            "api.example.com",
            "http://api.example.com/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "http://localhost.example.com/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1@example.com/",
            "https://user:word@example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://",
            "https://exa mple.com/",
            "https://example.com/\r\nx: y",
        ] {
            assert_eq!(Address::parse(bad), Err(AddressError), "{bad}");
        }
    }

    #[test]
    fn an_address_is_not_shown() {
        let address = Address::parse("https://hooks.example.com/T0/s3cret").unwrap();
        assert_eq!(format!("{address:?}"), "Address(…)");
    }
}
