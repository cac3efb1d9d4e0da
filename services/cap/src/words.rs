//! The words that the standard lists for an element.

/// A word of a list.
pub(crate) trait Word: Sized + Copy + 'static {
    /// The whole list.
    const WORDS: &'static [Self];

    /// As documents have it.
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($(
        $(#[$doc:meta])*
        $name:ident { $($(#[$word_doc:meta])* $word:ident,)+ }
    )+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$word_doc])* $word,)+
        }

        impl $name {
            /// Every word of the list, in the order of the standard.
            pub const ALL: &'static [Self] = &[$(Self::$word),+];

            /// As documents have it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => stringify!($word),)+
                }
            }
        }

        impl Word for $name {
            const WORDS: &'static [Self] = Self::ALL;

            fn word(self) -> &'static str {
                self.as_str()
            }
        }
    )+};
}

words! {
    /// Whether a message is to be acted on.
    Status {
        /// To be acted on by everybody.
        Actual,
        /// To be acted on by participants of an exercise only.
        Exercise,
        /// Messages that support a network.
        System,
        /// A test: to be ignored.
        Test,
        /// Not actionable yet.
        Draft,
    }
    /// What a message does.
    MessageType {
        /// It is the first word.
        Alert,
        /// It replaces what it refers to.
        Update,
        /// It calls off what it refers to.
        Cancel,
        /// What it refers to was received.
        Ack,
        /// What it refers to is not accepted.
        Error,
    }
    /// For whom a message is.
    Scope {
        /// For everybody.
        Public,
        /// For those whom the restriction names.
        Restricted,
        /// For the addresses only.
        Private,
    }
    /// What an event belongs to.
    Category {
        /// Geophysical, landslides included.
        Geo,
        /// Meteorological, floods included.
        Met,
        /// General emergency and public safety.
        Safety,
        /// Law enforcement, military, homeland and local or private security.
        Security,
        /// Rescue and recovery.
        Rescue,
        /// Fire suppression and rescue.
        Fire,
        /// Medical and public health.
        Health,
        /// Pollution and other environmental.
        Env,
        /// Public and private transportation.
        Transport,
        /// Utility, telecommunication and other infrastructure.
        Infra,
        /// Chemical, biological, radiological, nuclear or explosive.
        CBRNE,
        /// Something else.
        Other,
    }
    /// What those who are warned should do.
    ResponseType {
        /// Take shelter in place.
        Shelter,
        /// Go elsewhere.
        Evacuate,
        /// Make preparations.
        Prepare,
        /// Do what was planned.
        Execute,
        /// Avoid the event; since 1.2.
        Avoid,
        /// Attend to what is told.
        Monitor,
        /// Evaluate what is told.
        Assess,
        /// The event is no threat any more; since 1.2.
        AllClear,
        /// Nothing.
        None,
    }
    /// How soon to act.
    Urgency {
        /// At once.
        Immediate,
        /// Within the next hour.
        Expected,
        /// In the near future.
        Future,
        /// No more.
        Past,
        /// Not known.
        Unknown,
    }
    /// How grave it is.
    Severity {
        /// Extraordinary threat.
        Extreme,
        /// Significant threat.
        Severe,
        /// Possible threat.
        Moderate,
        /// Minimal threat.
        Minor,
        /// Not known.
        Unknown,
    }
    /// How sure it is.
    Certainty {
        /// It has happened or is under way.
        Observed,
        /// More likely than not.
        Likely,
        /// Possible, not likely.
        Possible,
        /// Hardly possible.
        Unlikely,
        /// Not known.
        Unknown,
    }
}
