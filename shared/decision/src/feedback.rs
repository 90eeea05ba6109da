//! What a provider says of a delivery after it was handed over.

macro_rules! kinds {
    ($($(#[$meta:meta])* $name:ident = $code:literal,)+) => {
        /// What happened to a delivery after its provider had taken it. One word names the event on the stream, the time in the
        /// ledger and the counter; `docs/triggers.md` explains each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FeedbackKind {
            $($(#[$meta])* $name,)+
        }

        impl FeedbackKind {
            /// Every kind, in the order in which the documentation has them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code in events, entries and counters.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }
        }
    };
}

kinds! {
    /// The provider took it. The ledger's own entry says so already.
    Sent = "sent",
    /// The recipient's mail server took it, or the carrier or the phone.
    Delivered = "delivered",
    /// Not delivered yet; the provider keeps trying.
    Delayed = "delayed",
    /// Not delivered this time; another message may be.
    SoftBounced = "soft_bounced",
    /// The address does not exist, or takes nothing from anybody.
    Bounced = "bounced",
    /// The recipient called it spam.
    Complained = "complained",
    /// It was opened, by a person or by a mail program that fetches what is in it.
    Opened = "opened",
    /// A link in it was followed.
    Clicked = "clicked",
    /// The recipient wants no more of it.
    Unsubscribed = "unsubscribed",
    /// The provider took it, looked at it and did not send it.
    Rejected = "rejected",
}

impl FeedbackKind {
    /// Whether the stream is told even if no trigger names the event: it changes what may be sent, or the customer did it.
    #[must_use]
    pub const fn is_always_reported(self) -> bool {
        match self {
            Self::Bounced | Self::Complained | Self::Clicked | Self::Unsubscribed => true,
            Self::Sent | Self::Delivered | Self::Delayed | Self::SoftBounced | Self::Opened | Self::Rejected => false,
        }
    }

    /// Whether its first time is kept in the ledger, and it is counted then. That it was sent is in the ledger before.
    #[must_use]
    pub const fn is_noted(self) -> bool {
        !matches!(self, Self::Sent)
    }
}
