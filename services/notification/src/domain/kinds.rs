//! The kinds of facts that raise alerts. Another kind is another row here, its value in the contract,
//! its rule in `rules/alerts.toml`, and in `facts.rs` how the fact is read.

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $number:literal $word:literal;)+) => {
        /// What happened; the numbers are those of contract and table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind = $number,)+
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The name in names of rules, such as `cluster-found`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)+
                }
            }
        }
    };
}

kinds! {
    /// The members of a positive or suspect tube are held, until everybody is free.
    HoldPlaced = 1 "hold-placed";
    /// Illnesses that belong together reached a rule, until the cluster is closed, part of another,
    /// or below the rule again. Graver when an event must be reported, or anything within two hours.
    ClusterFound = 2 "cluster-found";
    /// A rule proposes to suspend teaching, until a human has decided or the proposal is withdrawn.
    SuspensionProposed = 3 "suspension-proposed";
    /// Nobody was reached about an absence in time, until somebody is or the person is back.
    AbsenceUntraced = 4 "absence-untraced";
    /// Sick days in a row ask for an interview, until it is held or the person is back.
    InterviewDue = 5 "interview-due";
    /// An absence by illness was not uploaded in time, until it is.
    UploadOverdue = 6 "upload-overdue";
    /// Checks of a school are missing after they were due, until none is or the day is over.
    ChecksMissing = 7 "checks-missing";
    /// A report is past its legal limit, until it is received. Graver when the whole chain must hear
    /// of it.
    ReportOverdue = 8 "report-overdue";
    /// A follow-up report is overdue, until it is written. Graver when the whole chain must hear of
    /// it.
    FollowUpOverdue = 9 "follow-up-overdue";
}

impl Kind {
    /// From the name in names of rules.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// From the number in contract and table.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| *kind as i32 == code)
    }
}
