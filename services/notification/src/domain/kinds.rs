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
    /// or below the rule again. Graver when an event must be reported, anything within two hours, or
    /// the rule asks to tell at once.
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
    /// A major hazard is open, until people are safe from it.
    MajorHazardFound = 10 "major-hazard-found";
    /// A hazard is open after its deadline, until it is closed or its deadline is moved. Graver once
    /// it went up to the city.
    HazardOverdue = 11 "hazard-overdue";
    /// Nobody came to a shift in time, until others are sent or it is over.
    DutyUnattended = 12 "duty-unattended";
    /// A visitor is inside for longer than agreed, until they leave.
    VisitorOverstay = 13 "visitor-overstay";
    /// Somebody was let in at once in an emergency, until they leave.
    GateEmergency = 14 "gate-emergency";
    /// A drill is owed soon or was not held in time, until it is archived or its period is long over.
    /// Graver when it was not held in time.
    DrillDue = 15 "drill-due";
    /// A warning of the weather holds, until none does or teaching is suspended. Graver at the levels I
    /// and II.
    WeatherWarned = 16 "weather-warned";
    /// Tasks of the weather are overdue, until none is. Graver when none of this warning was done.
    WeatherTasksOverdue = 17 "weather-tasks-overdue";
    /// The sweep or the disinfection after a suspension is overdue, until both are done.
    PostCheckOverdue = 18 "post-check-overdue";
    /// An incident must be reported further and there is time, until it is or the time is over.
    /// Graver at the levels I and II.
    IncidentReportDue = 19 "incident-report-due";
    /// An incident was not reported further in time, until it is. Graver at the levels I and II.
    IncidentReportOverdue = 20 "incident-report-overdue";
    /// A recheck at the gate kept people out, until the day is over or a human let them in. Graver
    /// when they are as many as make a cluster.
    GateRecheckFailed = 21 "gate-recheck-failed";
    /// Supplies are below what the roll and the policy ask for, until they are not. Graver when the
    /// scarcest lasts no day.
    SuppliesBelow = 22 "supplies-below";
    /// Supplies expire soon, until they are out of the ledger. Graver once some have expired.
    SuppliesExpiring = 23 "supplies-expiring";
    /// There are too few suitable isolation rooms, until there are enough. Graver when there is none.
    IsolationRoomsShort = 24 "isolation-rooms-short";
    /// More people are inside a shelter than it takes, until there is a place for each.
    ShelterOverfull = 25 "shelter-overfull";
    /// There are fewer guards than the formula asks for, until there are enough.
    GuardsShort = 26 "guards-short";
    /// Another part of the protection is missing, until nothing is. Graver when one of the three
    /// demands on every campus is not met.
    ProtectionLacking = 27 "protection-lacking";
    /// A school has its day to resume teaching and something blocks it, until nothing does. Graver once
    /// the day has come.
    ResumptionBlocked = 28 "resumption-blocked";
    /// A case was opened, until its first report is written or it is over. Graver when the whole chain
    /// must hear of it.
    CaseOpened = 29 "case-opened";
    /// No published shift covers this moment, until one does.
    DutyGap = 30 "duty-gap";
    /// Red health codes kept people out, until the day is over.
    GateCodeRed = 31 "gate-code-red";
    /// The book does not tell in time of an emergency crew, until it does.
    VisitorAfterEntry = 32 "visitor-after-entry";
    /// Somebody opened in an emergency what is closed to them in daily life, until somebody above them
    /// has looked at the reason.
    BreakGlassUsed = 33 "break-glass-used";
    /// Inspections that schedules want were not made in time, until none of the last days is missed.
    /// Graver when none at all was made.
    InspectionsMissed = 34 "inspections-missed";
    /// Nobody answered a spot check of those on duty. Somebody has to say what came of it.
    SpotCheckUnanswered = 35 "spot-check-unanswered";
    /// Gates without a network decided otherwise than the service would have, until a human overrode each
    /// of these decisions or the day is over. Graver when somebody was let in.
    GateConflict = 36 "gate-conflict";
}

/// Whose feed tells a fact; the names are those of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The health of people and places.
    Sampling,
    /// The safety of the campus.
    Safety,
    /// The audit logs of all services.
    Audit,
}

impl Source {
    /// The name of the feed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sampling => "sampling",
            Self::Safety => "safety",
            Self::Audit => "audit",
        }
    }
}

impl Kind {
    /// Whose feed tells facts of this kind.
    pub fn source(self) -> Source {
        match self {
            Self::HoldPlaced
            | Self::ClusterFound
            | Self::SuspensionProposed
            | Self::AbsenceUntraced
            | Self::InterviewDue
            | Self::UploadOverdue
            | Self::ChecksMissing
            | Self::ReportOverdue
            | Self::FollowUpOverdue
            | Self::CaseOpened => Source::Sampling,
            Self::MajorHazardFound
            | Self::HazardOverdue
            | Self::DutyUnattended
            | Self::VisitorOverstay
            | Self::GateEmergency
            | Self::DrillDue
            | Self::WeatherWarned
            | Self::WeatherTasksOverdue
            | Self::PostCheckOverdue
            | Self::IncidentReportDue
            | Self::IncidentReportOverdue
            | Self::GateRecheckFailed
            | Self::SuppliesBelow
            | Self::SuppliesExpiring
            | Self::IsolationRoomsShort
            | Self::ShelterOverfull
            | Self::GuardsShort
            | Self::ProtectionLacking
            | Self::ResumptionBlocked
            | Self::DutyGap
            | Self::GateCodeRed
            | Self::VisitorAfterEntry
            | Self::InspectionsMissed
            | Self::SpotCheckUnanswered
            | Self::GateConflict => Source::Safety,
            Self::BreakGlassUsed => Source::Audit,
        }
    }

    /// Whether facts of this kind tell who is ill, absent or held, whom somebody met, or who came through
    /// a gate: such alerts end with an emergency (rule 6.12). Hazards, duty, supplies and the like are
    /// records of the campus.
    pub fn is_of_people(self) -> bool {
        match self {
            Self::HoldPlaced
            | Self::ClusterFound
            | Self::SuspensionProposed
            | Self::AbsenceUntraced
            | Self::InterviewDue
            | Self::UploadOverdue
            | Self::ReportOverdue
            | Self::FollowUpOverdue
            | Self::CaseOpened
            | Self::VisitorOverstay
            | Self::GateEmergency
            | Self::VisitorAfterEntry
            | Self::GateRecheckFailed
            | Self::GateCodeRed
            | Self::GateConflict => true,
            Self::ChecksMissing
            | Self::MajorHazardFound
            | Self::HazardOverdue
            | Self::DutyUnattended
            | Self::DrillDue
            | Self::WeatherWarned
            | Self::WeatherTasksOverdue
            | Self::PostCheckOverdue
            | Self::IncidentReportDue
            | Self::IncidentReportOverdue
            | Self::SuppliesBelow
            | Self::SuppliesExpiring
            | Self::IsolationRoomsShort
            | Self::ShelterOverfull
            | Self::GuardsShort
            | Self::ProtectionLacking
            | Self::ResumptionBlocked
            | Self::DutyGap
            | Self::BreakGlassUsed
            | Self::InspectionsMissed
            | Self::SpotCheckUnanswered => false,
        }
    }

    /// From the name in names of rules.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }

    /// From the number in contract and table.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| *kind as i32 == code)
    }
}
