//! The sandbox: the only recipients that a stack may reach, so that a copy of production writes to nobody.

use trigger::Channel;

/// Whom a stack may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// Everybody: production.
    Everybody,
    /// Nobody but these.
    Only(Vec<Recipient>),
}

/// Somebody, or everybody at a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    Email(String),
    Domain(String),
    Phone(String),
}

impl Recipients {
    /// Reads a list with commas: addresses, domains, phone numbers; `*` for everybody. What is none of these reaches
    /// nobody.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let items: Vec<_> = text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
        if items == ["*"] {
            return Self::Everybody;
        }
        Self::Only(items.into_iter().map(recipient).collect())
    }

    /// Whether an address on a channel may be reached. The company's own systems always may.
    #[must_use]
    pub fn may_reach(&self, channel: Channel, address: &str) -> bool {
        let Self::Only(recipients) = self else { return true };
        match channel {
            Channel::Crm | Channel::Webhook => true,
            Channel::Email | Channel::Sms | Channel::Push => recipients.iter().any(|recipient| recipient.is(address)),
        }
    }
}

fn recipient(item: &str) -> Recipient {
    if item.contains('@') {
        Recipient::Email(item.to_lowercase())
    } else if item.starts_with('+') {
        Recipient::Phone(item.to_owned())
    } else {
        Recipient::Domain(item.to_lowercase())
    }
}

impl Recipient {
    fn is(&self, address: &str) -> bool {
        let lower = address.to_lowercase();
        match self {
            Self::Email(email) => *email == lower,
            Self::Domain(domain) => lower.split_once('@').is_some_and(|(_, of)| of == domain),
            Self::Phone(number) => number == address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_listed_is_reached() {
        for (list, channel, address, reached) in [
            ("*", Channel::Email, "ana@example.com", true),
            ("", Channel::Email, "ana@example.com", false),
            ("example.com", Channel::Email, "Ana@Example.com", true),
            ("example.com", Channel::Email, "ana@sub.example.com", false),
            ("example.com", Channel::Email, "example.com@evil.test", false),
            ("ana@example.com, +491511234567", Channel::Email, "bo@example.com", false),
            ("ana@example.com, +491511234567", Channel::Sms, "+491511234567", true),
            ("ana@example.com", Channel::Sms, "+491511234567", false),
            ("", Channel::Webhook, "", true),
        ] {
            assert_eq!(Recipients::parse(list).may_reach(channel, address), reached, "{list} {address}");
        }
    }
}
