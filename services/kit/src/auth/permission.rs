//! The closed lists that policies speak of: roles, permissions and purposes.

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
    /// Which department of a government another system speaks for: what one may acknowledge or sign,
    /// another never does in its place.
    Department {
        /// The people's government itself, by its office or its headquarters.
        Government = "government",
        /// Police.
        Police = "police",
        /// Fire and rescue.
        Fire = "fire",
        /// Health.
        Health = "health",
        /// Market regulation.
        MarketRegulation = "market-regulation",
    }
}

named! {
    /// What can be done to the resources of a place.
    Permission {
        /// Read organisations, class groups, rolls, calendars and policies.
        RosterRead = "roster.read",
        /// Read students and their guardians, numbers masked.
        PeopleRead = "people.read",
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
        /// Declare and end emergencies.
        EmergencyDeclare = "emergency.declare",
        /// Read emergencies, destruction jobs and certificates.
        DestructionRead = "destruction.read",
        /// Propose, assess and withdraw destruction jobs.
        DestructionPropose = "destruction.propose",
        /// Approve destruction jobs for the bureau.
        DestructionApprove = "destruction.approve",
        /// Approve destruction jobs for security.
        DestructionSecure = "destruction.secure",
        /// Let approved destruction jobs run.
        DestructionRun = "destruction.run",
        /// Confirm and certify destruction jobs.
        DestructionCertify = "destruction.certify",
        /// Report what a service destroyed.
        DestructionReport = "destruction.report",
        /// Ask for access to data of minors beyond daily work, and use what was approved.
        AccessRequest = "access.request",
        /// Approve, refuse and end such access.
        AccessApprove = "access.approve",
        /// Read who may see what of minors, and their uses.
        AccessRead = "access.read",
        /// Ask what is held about oneself or one's pupil, and file that for others.
        SubjectFile = "subject.file",
        /// Answer and refuse such requests.
        SubjectHandle = "subject.handle",
        /// Ask what is held about oneself who works somewhere.
        SubjectOwn = "subject.own",
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
        /// Place and lift controls that are decided outside of the schools.
        ControlWrite = "control.write",
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
        /// Report hazards.
        HazardReport = "hazard.report",
        /// Read hazards, their history and their ledgers.
        HazardRead = "hazard.read",
        /// Remove hazards that one owns: start, report progress, submit, ask for an extension.
        HazardRectify = "hazard.rectify",
        /// Verify, dismiss, control and assign hazards, and do what their owners may.
        HazardHandle = "hazard.handle",
        /// Review, return and close hazards, and decide on extensions.
        HazardReview = "hazard.review",
        /// Supervise major hazards on a list.
        HazardSupervise = "hazard.supervise",
        /// Take ledgers of hazards away.
        HazardExport = "hazard.export",
        /// Read who was told what about hazards, and where nobody answers.
        AccountabilityRead = "accountability.read",
        /// Read checklists, schedules, campaigns, inspections and their coverage.
        InspectionRead = "inspection.read",
        /// Draft, publish and retire checklists.
        ChecklistWrite = "checklist.write",
        /// Enter places and schedules of inspections.
        InspectionPlanWrite = "inspection-plan.write",
        /// Plan and carry out inspections.
        InspectionRun = "inspection.run",
        /// Confirm or dispute what was found at a place that one answers for.
        InspectionConfirm = "inspection.confirm",
        /// Call, end and call off campaigns.
        InspectionCampaignWrite = "inspection-campaign.write",
        /// Read drills and what is owed.
        DrillRead = "drill.read",
        /// Plan and run drills.
        DrillWrite = "drill.write",
        /// Approve drills.
        DrillApprove = "drill.approve",
        /// Review drills and put them into the archive.
        DrillReview = "drill.review",
        /// Read duty rosters, shifts and spot checks.
        DutyRead = "duty.read",
        /// Draft duty rosters and ask for swaps.
        DutyWrite = "duty.write",
        /// Publish duty rosters, decide on swaps and send others.
        DutyApprove = "duty.approve",
        /// Be on duty: check in, patrol, hand over.
        DutyAttend = "duty.attend",
        /// Check from above whether somebody is on duty.
        DutyCheck = "duty.check",
        /// Ask for visits on behalf of visitors, and show their passes.
        VisitRequest = "visit.request",
        /// Read visits, the visitors masked.
        VisitRead = "visit.read",
        /// Confirm one's own visitors as their host.
        VisitConfirm = "visit.confirm",
        /// Approve visits for the epidemic group.
        VisitApprove = "visit.approve",
        /// See visitors in full.
        VisitorReveal = "visitor.reveal",
        /// Read warnings, tasks and suspensions of the weather.
        WeatherRead = "weather.read",
        /// Do the tasks of the weather, sweep and disinfect after it.
        WeatherHandle = "weather.handle",
        /// Suspend for the weather, lift it, and begin teaching again.
        WeatherDecide = "weather.decide",
        /// Declare response levels.
        WeatherDeclare = "weather.declare",
        /// Form mutual-aid groups.
        MutualAidWrite = "mutual-aid.write",
        /// Note that an incident was noticed.
        IncidentDetect = "incident.detect",
        /// Read incidents, their reports and counts.
        IncidentRead = "incident.read",
        /// Open confidential incidents: serious bullying and sexual assault.
        IncidentConfidential = "incident.confidential",
        /// Report on incidents, respond to them, and tell others.
        IncidentHandle = "incident.handle",
        /// Give the receipt of a level or a partner.
        IncidentReceive = "incident.receive",
        /// Confirm, grade, dismiss and close incidents.
        IncidentVerify = "incident.verify",
        /// Review incidents.
        IncidentReview = "incident.review",
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
        /// Read resumptions, how ready schools are, and the figures.
        ResumptionRead = "resumption.read",
        /// Check one's own school before teaching is resumed, and apply for the inspection.
        ResumptionPrepare = "resumption.prepare",
        /// Sign the self-check as the head of a school.
        ResumptionSignOff = "resumption.sign-off",
        /// Sign a joint inspection for a department.
        ResumptionInspect = "resumption.inspect",
        /// Plan batches, name inspectors, and give schools their day.
        ResumptionApprove = "resumption.approve",
        /// Suspend teaching again.
        ResumptionSuspend = "resumption.suspend",
        /// Read the live figures of the safety of campuses.
        SafetyFiguresRead = "safety-figures.read",
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

named! {
    /// What a caller says a request is for (`x-campus-purpose`); policies may depend on it.
    Purpose {
        /// Care for a pupil or patient.
        Care = "care",
        /// Prevention of an epidemic.
        Prevention = "prevention",
        /// Safety of a campus.
        Safety = "safety",
        /// Everyday administration.
        Administration = "administration",
        /// An audit or a yearly review (rule 6.8).
        Audit = "audit",
        /// Psychological support.
        Support = "support",
        /// An exercise: nothing of it is real.
        Exercise = "exercise",
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
        for purpose in Purpose::ALL {
            assert_eq!(purpose.as_str().parse(), Ok(*purpose));
        }
    }
}
