//! Ids that are named by content: repeating what they name is harmless.

use blob::hash;
use event::{CustomerId, EventId, Source};
use trigger::{Channel, TriggerName};

blob::id!(
    /// One customer's passage through a trigger, named by the trigger and the event that began it.
    RunId
);
blob::id!(
    /// One action for one customer in one run. All attempts, redrives and replays keep it.
    DeliveryId
);
impl RunId {
    #[must_use]
    pub fn new(trigger: &TriggerName, source: &Source, id: &EventId) -> Self {
        Self::from_digest(hash(&[trigger.as_str().as_bytes(), source.as_str().as_bytes(), id.as_str().as_bytes()]))
    }
}

impl DeliveryId {
    /// `step` is the step's id if it has one, else its position in the version that the run began with.
    #[must_use]
    pub fn new(customer: &CustomerId, trigger: &TriggerName, run: RunId, step: &str, channel: Channel) -> Self {
        let fields = [customer.as_str(), trigger.as_str(), &run.to_string(), step, channel.as_str()];
        Self::from_digest(hash(&fields.map(str::as_bytes)))
    }
}

/// Eight bytes that stand for an event's source and id in a customer's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventKey(u64);

impl EventKey {
    #[must_use]
    pub fn new(source: &Source, id: &EventId) -> Self {
        let digest = hash(&[source.as_str().as_bytes(), id.as_str().as_bytes()]);
        Self(digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blob::IdError;

    fn delivery(customer: &str, trigger: &str, step: &str) -> DeliveryId {
        let trigger = TriggerName::parse(trigger).unwrap();
        let run = RunId::new(&trigger, &Source::parse("/shop").unwrap(), &EventId::parse("e1").unwrap());
        DeliveryId::new(&CustomerId::parse(customer).unwrap(), &trigger, run, step, Channel::Email)
    }

    #[test]
    fn ids_never_change() {
        // Computed apart from this code: sha256 over each field behind its length as 8 bytes, the first 16 bytes of it.
        let trigger = TriggerName::parse("welcome").unwrap();
        let run = RunId::new(&trigger, &Source::parse("/shop").unwrap(), &EventId::parse("e1").unwrap());
        assert_eq!(run.to_string(), "5283f484829c1f39d2a87b7d789e870d");
        assert_eq!(delivery("c-1", "welcome", "0").to_string(), "50b73ebcbb711ef86ab856bbde2833bb");
        assert_eq!(EventKey::new(&Source::parse("/shop").unwrap(), &EventId::parse("e1").unwrap()).get(), 0xc307_60f7_39fa_ef60);
    }

    #[test]
    fn no_two_lists_of_fields_hash_alike() {
        assert_ne!(hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]));
        assert_ne!(hash(&[b"abc"]), hash(&[b"abc", b""]));
        assert_ne!(delivery("c-1", "welcome", "0"), delivery("c-1", "welcome", "1"));
        assert_ne!(delivery("c-1", "welcome", "0"), delivery("c-2", "welcome", "0"));
    }

    #[test]
    fn an_id_is_read_as_it_is_printed() {
        let id = delivery("c-1", "welcome", "0");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(DeliveryId::from_bytes(&id.bytes()), Ok(id));
        for text in ["", "abc", "+0000000000000000000000000000000", "0123456789ABCDEF0123456789ABCDEF"] {
            assert_eq!(text.parse::<DeliveryId>(), Err(IdError), "{text}");
        }
    }
}
