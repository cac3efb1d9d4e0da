//! Which role may do what.

use std::fmt;
use std::str::FromStr;

macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in tokens, logs and policies.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or(())
            }
        }
    };
}

named! {
    /// What somebody is, within the scope of their token.
    Role {
        /// Reports for one class group.
        ClassReporter = "class-reporter",
        /// Decides on the health of pupils at one school.
        SchoolDoctor = "school-doctor",
        /// Reports for one school (疫情报告人).
        EpidemicReporter = "epidemic-reporter",
        /// Looks after the safety of one school.
        SafetyOfficer = "safety-officer",
        /// Stands at the gate of one school.
        Guard = "guard",
        /// Leads one school.
        Principal = "principal",
        /// Takes swabs at schools.
        Sampler = "sampler",
        /// Keeps the register of one school.
        SchoolClerk = "school-clerk",
        /// Works for a county bureau.
        DistrictOfficer = "district-officer",
        /// Works for the city bureau.
        CityOfficer = "city-officer",
        /// A laboratory: knows tubes, never people.
        Laboratory = "laboratory",
        /// Disease control.
        DiseaseControl = "disease-control",
        /// Looks after people's minds at one school (心理教师), apart from all others (rule 5.42).
        Counsellor = "counsellor",
        /// A pupil.
        Student = "student",
        /// A parent or guardian of a pupil.
        Guardian = "guardian",
        /// Another government system.
        PartnerSystem = "partner-system",
        /// Operates the system.
        SystemAdmin = "system-admin",
        /// Grants access.
        SecurityAdmin = "security-admin",
        /// Reads the audit.
        AuditAdmin = "audit-admin",
        /// A service of Campus itself.
        Service = "service",
    }
}

named! {
    /// What can be done to the resources of a place.
    Permission {
        /// Read organisations, class groups, rolls, calendars and policies.
        RosterRead = "roster.read",
        /// See identity and phone numbers.
        PeopleReveal = "people.reveal",
        /// Change class groups, students, staff and guardians.
        RosterWrite = "roster.write",
        /// Change the organisation tree.
        OrganizationWrite = "organization.write",
        /// Import rosters.
        ImportRun = "import.run",
        /// Propose and activate policy profiles.
        PolicyWrite = "policy.write",
        /// Change calendars.
        CalendarWrite = "calendar.write",
        /// Follow change feeds.
        FeedRead = "feed.read",
        /// Read sampling plans.
        PlanRead = "plan.read",
        /// Change sampling plans.
        PlanWrite = "plan.write",
        /// Draw, replace, close the day.
        DrawRun = "draw.run",
        /// Read and verify draws and coverage.
        DrawRead = "draw.read",
        /// Issue tubes.
        TubeIssue = "tube.issue",
        /// Fill, seal and hand over tubes.
        TubeHandle = "tube.handle",
        /// Receive, test and reject tubes at a laboratory.
        TubeReceive = "tube.receive",
        /// Read tubes.
        TubeRead = "tube.read",
        /// Submit and correct results.
        ResultSubmit = "result.submit",
        /// Read results.
        ResultRead = "result.read",
        /// Read holds.
        HoldRead = "hold.read",
        /// Release a hold by hand.
        HoldRelease = "hold.release",
        /// Submit morning, noon and evening checks.
        CheckSubmit = "check.submit",
        /// Read checks and see which are missing.
        CheckRead = "check.read",
        /// Examine class reporters.
        ReporterExamine = "reporter.examine",
        /// Record absences and trace them.
        AbsenceWrite = "absence.write",
        /// Read absences.
        AbsenceRead = "absence.read",
        /// Read people's medical states.
        HealthRead = "health.read",
        /// Observe, refer and diagnose people, and decide on their return.
        HealthDecide = "health.decide",
        /// Ask for a return, and appeal against the school doctor's decision.
        ReturnRequest = "return.request",
        /// Decide on such an appeal.
        AppealDecide = "appeal.decide",
        /// Read clusters and their rules.
        ClusterRead = "cluster.read",
        /// Acknowledge and close clusters.
        ClusterHandle = "cluster.handle",
        /// Replay a past period under other rules.
        ClusterSimulate = "cluster.simulate",
        /// Decide on the suspension of classes.
        SuspensionDecide = "suspension.decide",
        /// Read cases, their contacts and reports.
        CaseRead = "case.read",
        /// Open and change cases, and write reports.
        CaseWrite = "case.write",
        /// Take a report and send it up.
        ReportReceive = "report.receive",
        /// Take a case away as a document.
        CaseExport = "case.export",
        /// Read figures on checks, symptoms and absences.
        HealthCoverageRead = "health-coverage.read",
        /// Explain a signal about the honesty of the school's checks.
        SignalExplain = "signal.explain",
        /// Judge such a signal.
        SignalJudge = "signal.judge",
        /// Change how class groups are taught.
        TeachingModeWrite = "teaching-mode.write",
        /// Decide at a gate.
        GateCheck = "gate.check",
        /// Read gate decisions.
        GateRead = "gate.read",
        /// Override a gate decision.
        GateOverride = "gate.override",
        /// Read how campuses are protected, and the figures.
        ProtectionRead = "protection.read",
        /// Declare how a campus is protected, and report its devices.
        ProtectionWrite = "protection.write",
        /// Confirm and return what was declared.
        ProtectionConfirm = "protection.confirm",
        /// Read ledgers, stocks and transfers of supplies, shelters and isolation rooms.
        SupplyRead = "supply.read",
        /// Enter into ledgers and transfer supplies.
        SupplyWrite = "supply.write",
        /// Create, change and retire shelters and isolation rooms.
        ShelterWrite = "shelter.write",
        /// Open and close shelters, and count who is inside.
        ShelterOpen = "shelter.open",
        /// Read alerts.
        AlertRead = "alert.read",
        /// Acknowledge, take and resolve alerts.
        AlertHandle = "alert.handle",
        /// Change what facts lead to alerts.
        AlertRuleWrite = "alert-rule.write",
        /// Keep alerts from being told for a time.
        AlertSilence = "alert.silence",
        /// Draft, approve and issue directives.
        DirectiveIssue = "directive.issue",
        /// Read directives.
        DirectiveRead = "directive.read",
        /// Acknowledge, relay and report on directives.
        DirectiveHandle = "directive.handle",
        /// Read templates and see how they are filled.
        TemplateRead = "template.read",
        /// Change templates.
        TemplateWrite = "template.write",
        /// Send messages to people and organisations.
        MessageSend = "message.send",
        /// Read messages and what became of them.
        MessageRead = "message.read",
        /// Read an inbox: of the person of the token, or of an organisation.
        InboxRead = "inbox.read",
        /// Tell what became of deliveries on behalf of a provider.
        ReceiptWrite = "receipt.write",
        /// Say where people can be reached.
        ContactWrite = "contact.write",
        /// See how channels are doing.
        ChannelRead = "channel.read",
        /// Pause channels, examine dead letters and send them again.
        ChannelManage = "channel.manage",
        /// Read warnings of weather and other dangers.
        WarningRead = "warning.read",
        /// Hand in and write warnings.
        WarningWrite = "warning.write",
        /// Hand in concerns and come back to them.
        ConcernSubmit = "concern.submit",
        /// Read, sort out and answer concerns.
        ConcernHandle = "concern.handle",
        /// Read counts of concerns and of support.
        ConcernFiguresRead = "concern-figures.read",
        /// Keep cases of psychological support.
        SupportHandle = "support.handle",
        /// Read and do care tasks for pupils who are isolated or at home.
        CareHandle = "care.handle",
        /// Read the overview.
        OverviewRead = "overview.read",
        /// Read the audit.
        AuditRead = "audit.read",
    }
}

impl Role {
    /// Whether this role includes `permission`, within its scope.
    pub fn grants(self, permission: Permission) -> bool {
        use Permission as P;
        // What everybody who works at a school or a bureau may do.
        let school: &[P] = &[
            P::RosterRead,
            P::PlanRead,
            P::DrawRead,
            P::TubeRead,
            P::HoldRead,
            P::AlertRead,
            P::DirectiveRead,
            P::DirectiveHandle,
            P::CheckRead,
            P::HealthCoverageRead,
            P::TemplateRead,
            P::MessageRead,
            P::WarningRead,
        ];
        // What everybody may do, machines aside.
        let person: &[P] = &[P::InboxRead, P::ConcernSubmit];
        let granted: &[P] = match self {
            Self::ClassReporter => &[
                P::RosterRead,
                P::DrawRead,
                P::HoldRead,
                P::DirectiveRead,
                P::DirectiveHandle,
                P::CheckSubmit,
                P::CheckRead,
                P::AbsenceWrite,
                P::AbsenceRead,
                P::ReturnRequest,
                P::CareHandle,
            ],
            Self::SchoolDoctor => &[
                P::DrawRun,
                P::TubeHandle,
                P::ResultRead,
                P::AlertHandle,
                P::GateRead,
                P::CheckSubmit,
                P::AbsenceWrite,
                P::AbsenceRead,
                P::HealthRead,
                P::HealthDecide,
                P::ReturnRequest,
                P::ClusterRead,
                P::ClusterHandle,
                P::CaseRead,
                P::CaseWrite,
                P::CareHandle,
                P::SupplyRead,
                P::SupplyWrite,
            ],
            Self::EpidemicReporter => &[
                P::DrawRun,
                P::TubeHandle,
                P::ResultRead,
                P::AlertHandle,
                P::GateRead,
                P::CheckSubmit,
                P::ReporterExamine,
                P::AbsenceWrite,
                P::AbsenceRead,
                P::HealthRead,
                P::ReturnRequest,
                P::ClusterRead,
                P::ClusterHandle,
                P::CaseRead,
                P::CaseWrite,
                P::SignalExplain,
                P::SupplyRead,
                P::SupplyWrite,
            ],
            Self::SafetyOfficer => &[
                P::GateRead,
                P::GateCheck,
                P::AlertHandle,
                P::ProtectionRead,
                P::ProtectionWrite,
                P::SupplyRead,
                P::SupplyWrite,
                P::ShelterWrite,
                P::ShelterOpen,
            ],
            Self::Guard => &[P::GateCheck, P::GateRead, P::ProtectionRead],
            Self::Principal => &[
                P::DrawRun,
                P::AlertHandle,
                P::GateRead,
                P::GateOverride,
                P::HoldRelease,
                P::OverviewRead,
                P::AbsenceRead,
                P::AppealDecide,
                P::ClusterRead,
                P::ClusterHandle,
                P::CaseRead,
                P::SignalExplain,
                P::MessageSend,
                P::ConcernHandle,
                P::ConcernFiguresRead,
                P::CareHandle,
                P::ProtectionRead,
                P::ProtectionConfirm,
                P::SupplyRead,
                P::SupplyWrite,
                P::ShelterWrite,
                P::ShelterOpen,
            ],
            Self::Sampler => &[P::DrawRead, P::TubeHandle, P::TubeRead],
            Self::SchoolClerk => &[
                P::RosterWrite,
                P::ImportRun,
                P::PeopleReveal,
                P::TeachingModeWrite,
                P::ContactWrite,
            ],
            Self::DistrictOfficer => &[
                P::RosterWrite,
                P::OrganizationWrite,
                P::ImportRun,
                P::PeopleReveal,
                P::PlanWrite,
                P::DrawRun,
                P::TubeIssue,
                P::ResultRead,
                P::HoldRelease,
                P::GateRead,
                P::AlertHandle,
                P::DirectiveIssue,
                P::OverviewRead,
                P::AbsenceRead,
                P::AppealDecide,
                P::ClusterRead,
                P::ClusterHandle,
                P::ClusterSimulate,
                P::SuspensionDecide,
                P::CaseRead,
                P::ReportReceive,
                P::CaseExport,
                P::TeachingModeWrite,
                P::SignalJudge,
                P::AlertSilence,
                P::MessageSend,
                P::ContactWrite,
                P::ConcernHandle,
                P::ConcernFiguresRead,
                P::ProtectionRead,
                P::ProtectionConfirm,
                P::SupplyRead,
                P::ShelterOpen,
            ],
            Self::CityOfficer => &[
                P::RosterWrite,
                P::OrganizationWrite,
                P::ImportRun,
                P::PeopleReveal,
                P::PolicyWrite,
                P::CalendarWrite,
                P::PlanWrite,
                P::DrawRun,
                P::TubeIssue,
                P::ResultRead,
                P::HoldRelease,
                P::GateRead,
                P::GateOverride,
                P::AlertHandle,
                P::DirectiveIssue,
                P::OverviewRead,
                P::FeedRead,
                P::AbsenceRead,
                P::AppealDecide,
                P::ClusterRead,
                P::ClusterHandle,
                P::ClusterSimulate,
                P::SuspensionDecide,
                P::CaseRead,
                P::ReportReceive,
                P::CaseExport,
                P::TeachingModeWrite,
                P::SignalJudge,
                P::AlertSilence,
                P::MessageSend,
                P::ContactWrite,
                P::ConcernHandle,
                P::ConcernFiguresRead,
                P::AlertRuleWrite,
                P::TemplateWrite,
                P::ChannelRead,
                P::WarningWrite,
                P::ProtectionRead,
                P::ProtectionConfirm,
                P::SupplyRead,
                P::ShelterOpen,
            ],
            Self::Laboratory => &[P::TubeIssue, P::TubeReceive, P::TubeRead, P::ResultSubmit],
            Self::DiseaseControl => &[
                P::RosterRead,
                P::DrawRead,
                P::TubeRead,
                P::ResultRead,
                P::HoldRead,
                P::HoldRelease,
                P::AlertRead,
                P::FeedRead,
                P::CheckRead,
                P::AbsenceRead,
                P::HealthRead,
                P::AppealDecide,
                P::ClusterRead,
                P::ClusterHandle,
                P::ClusterSimulate,
                P::CaseRead,
                P::CaseWrite,
                P::ReportReceive,
                P::CaseExport,
                P::HealthCoverageRead,
                P::SupplyRead,
            ],
            Self::Counsellor => &[P::RosterRead, P::SupportHandle, P::CareHandle],
            Self::Student | Self::Guardian => &[],
            Self::PartnerSystem => &[
                P::FeedRead,
                P::OverviewRead,
                P::WarningRead,
                P::WarningWrite,
                P::ReceiptWrite,
                P::ProtectionRead,
                P::SupplyRead,
            ],
            Self::SystemAdmin => &[
                P::RosterRead,
                P::OrganizationWrite,
                P::PolicyWrite,
                P::CalendarWrite,
                P::PlanRead,
                P::AlertRuleWrite,
                P::TemplateRead,
                P::TemplateWrite,
                P::ChannelRead,
                P::ChannelManage,
            ],
            Self::SecurityAdmin => &[P::RosterRead],
            Self::AuditAdmin => &[P::AuditRead],
            Self::Service => &[P::FeedRead, P::RosterRead, P::TeachingModeWrite],
        };
        let bureau_or_school = matches!(
            self,
            Self::SchoolDoctor
                | Self::EpidemicReporter
                | Self::SafetyOfficer
                | Self::Principal
                | Self::SchoolClerk
                | Self::DistrictOfficer
                | Self::CityOfficer
        );
        let machine = matches!(
            self,
            Self::Laboratory
                | Self::PartnerSystem
                | Self::SystemAdmin
                | Self::AuditAdmin
                | Self::Service
        );
        granted.contains(&permission)
            || (bureau_or_school && school.contains(&permission))
            || (!machine && person.contains(&permission))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(*role));
        }
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(*permission));
        }
    }

    #[test]
    fn nobody_but_the_counsellor_keeps_support() {
        for role in Role::ALL {
            let keeps = role.grants(Permission::SupportHandle);
            assert_eq!(keeps, *role == Role::Counsellor, "{role}");
        }
    }

    #[test]
    fn a_laboratory_never_sees_the_roster() {
        assert!(!Role::Laboratory.grants(Permission::RosterRead));
        assert!(!Role::Guard.grants(Permission::PeopleReveal));
    }
}
