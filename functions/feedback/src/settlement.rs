//! What an event of a provider says of how a delivery ended.

use aws::LedgerEntry;
use decision::Outcome;

use crate::Said;

/// The outcome that an entry becomes; none where it stays as it is.
///
/// Whatever a provider says of a message proves that it took it, also where the sender never heard its answer. A message that
/// was taken and then not sent failed, also where the sender has noted that it was taken. All other ends stay.
pub(crate) fn settled_by(entry: &LedgerEntry, said: &Said) -> Option<Outcome> {
    let taken = match entry {
        LedgerEntry::Claimed { .. } | LedgerEntry::Released(_) | LedgerEntry::Settled(Outcome::Unknown) => false,
        LedgerEntry::Settled(Outcome::Sent { provider_id }) if *provider_id == said.provider_id => true,
        LedgerEntry::Settled(Outcome::Sent { .. } | Outcome::Refused(_) | Outcome::Failed { .. } | Outcome::Expired) => return None,
    };
    match said.cause {
        Some(cause) => Some(Outcome::Failed { cause: cause.to_owned() }),
        None => (!taken).then(|| Outcome::Sent { provider_id: said.provider_id.clone() }),
    }
}
