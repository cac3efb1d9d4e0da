//! The numbers in force: what the health of people is decided by.

use std::sync::Arc;
use std::time::Duration;

use kit::hop::Hop;

use super::cluster_rule::ClusterRule;
use super::disease::Disease;
use super::staffing::Staffing;
use super::symptom::Symptoms;

/// A check of the day. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Slot {
    /// Before the first lesson.
    Morning = 1,
    /// Before the first lesson of the afternoon.
    Noon = 2,
    /// Before evening study.
    Evening = 3,
}

impl Slot {
    /// Every check, in the order of the day.
    pub const ALL: [Self; 3] = [Self::Morning, Self::Noon, Self::Evening];

    /// The number of this check.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The check with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.code() == code)
    }
}

/// When and of whom a check is due (rules 1.1, 1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRule {
    /// Which check.
    pub slot: Slot,
    /// The minute of the civil day, Asia/Shanghai, by which it is submitted.
    pub deadline_minute: u16,
    /// Only boarders are checked, by dormitory room.
    pub boarders_only: bool,
    /// The staff are checked too.
    pub staff: bool,
}

/// Symptoms that make illnesses similar (rule 1.15). The group's number is that of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Similar {
    /// The group.
    pub group: i16,
    /// Any of these.
    pub symptoms: Symptoms,
}

/// What counts as a case of a disease before a doctor has said so (rule 1.19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseDefinition {
    /// The disease.
    pub disease: Disease,
    /// A reading of at least this, in tenths of a degree Celsius; 0 when none is asked.
    pub temperature: i16,
    /// Any of these besides.
    pub symptoms: Symptoms,
}

/// What a cluster leads to. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Level {
    /// An alert (column A of rule 1.19).
    ClusterAlert = 1,
    /// An information report on a public health event (column B).
    EventReport = 2,
}

impl Level {
    /// The number of this level.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The level with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [Self::ClusterAlert, Self::EventReport]
            .into_iter()
            .find(|level| level.code() == code)
    }
}

/// One row of the outbreak table (rule 1.19); a count of 0 is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outbreak {
    /// The disease.
    pub disease: Disease,
    /// What it leads to.
    pub level: Level,
    /// The civil days counted together.
    pub window_days: u16,
    /// Cases in the school.
    pub cases: u32,
    /// Cases in one class group or dormitory room.
    pub group_cases: u32,
    /// Patients in hospital, in the school.
    pub hospitalised: u32,
    /// Deaths, in the school.
    pub deaths: u32,
    /// Reported within this of being found.
    pub report_sla: Duration,
}

/// When suspension of teaching is proposed for influenza (rule 1.20): any of the counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InfluenzaSuspension {
    /// New cases in the class in one day.
    pub new_cases: u32,
    /// The share of the class that is ill now, in hundredths of a percent.
    pub ill_ratio: u32,
    /// Confirmed patients in hospital or dead in a week.
    pub severe_cases: u32,
    /// How many civil days the class stays away.
    pub suspend_days: u16,
}

/// When suspension of teaching is proposed for hand, foot and mouth disease (rule 1.21).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HfmdSuspension {
    /// Cases in a class within the window that suspend the class.
    pub class_cases: u32,
    /// Cases in the institution within the window that suspend it.
    pub school_cases: u32,
    /// Classes with `class_cases` that suspend the institution.
    pub school_classes: u32,
    /// The civil days counted together.
    pub window_days: u16,
    /// How many civil days they stay away.
    pub suspend_days: u16,
}

/// What the days of a return rule are counted from. The numbers are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum Basis {
    /// Temperature normal and symptoms gone.
    Recovery = 1,
    /// The onset of the illness.
    Onset = 2,
    /// The onset of the rash.
    Rash = 3,
    /// The start of treatment.
    Treatment = 4,
    /// No count of days: only the evidence decides.
    Evidence = 5,
}

impl Basis {
    /// The value with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        [
            Self::Recovery,
            Self::Onset,
            Self::Rash,
            Self::Treatment,
            Self::Evidence,
        ]
        .into_iter()
        .find(|basis| *basis as i16 == code)
    }
}

/// When a patient may return (rule 1.23).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// The disease.
    pub disease: Disease,
    /// What `period` is counted from.
    pub basis: Basis,
    /// The time away.
    pub period: Duration,
    /// The time away with pneumonia; zero when it does not differ.
    pub complicated_period: Duration,
    /// What must be shown: numbers of the contract.
    pub evidence: Vec<i16>,
    /// The evidence replaces the period instead of adding to it.
    pub evidence_suffices: bool,
    /// No paper of a hospital is asked for besides.
    pub hospital_proof_waived: bool,
    /// The text that it comes from, as it is shown.
    pub source: String,
}

/// How a contact is controlled. The numbers are those of the contract's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum Measure {
    /// Kept away and isolated.
    CloseContact = 1,
    /// Watches the own health; admitted where the policy of the gate allows.
    HealthMonitoring = 2,
    /// Attends, and is observed in the daily checks (rule 1.23).
    Observation = 3,
}

/// What is done about the contacts of a case (rules 1.24, 2.21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactRule {
    /// The disease.
    pub disease: Disease,
    /// What happens to contacts.
    pub measure: Measure,
    /// For how many civil days after the last contact.
    pub close_days: u16,
    /// The same for contacts of contacts; 0 when they are not controlled.
    pub secondary_days: u16,
    /// How many civil days before the onset a contact counts.
    pub trace_days: u16,
    /// How long before the end of the days a sample may be taken whose negative result ends the control;
    /// zero when the days alone end it (rule 2.21).
    pub exit_negative: Duration,
}

/// What a tube can be tested for (F1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assay {
    /// The disease.
    pub disease: Disease,
    /// What is taken: a number of the contract.
    pub specimen: i16,
    /// Samples of several people may share a tube.
    pub pooled: bool,
    /// A positive or suspect tube holds its people.
    pub holds: bool,
}

/// The part of a policy profile that the health of people is decided by. Recipients are numbers
/// of the contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthRules {
    /// A reading at or above is fever, in tenths of a degree Celsius (3.2).
    pub fever: i16,
    /// The readings that are believed, in tenths of a degree Celsius (3.2).
    pub plausible: (i16, i16),
    /// Whether somebody under health monitoring may enter (1.24).
    pub admit_health_monitoring: bool,
    /// The checks of the day, in their order (1.1, 1.6).
    pub slots: Vec<SlotRule>,
    /// Only class reporters who passed this term's examination report (1.3).
    pub reporter_exam: bool,
    /// The guardian is reached within this (1.11).
    pub contact_sla: Duration,
    /// The school doctor has uploaded within this (1.8).
    pub upload_sla: Duration,
    /// As many sick school days in a row lead to an interview (1.12).
    pub interview_days: u16,
    /// As many similar illnesses in a class in a day are reported at once (1.12).
    pub similar_cases: u32,
    /// Similar cases in one class or dormitory room in one day (1.15).
    pub one_day_cases: u32,
    /// Similar cases in three days running (1.15).
    pub three_day_cases: u32,
    /// A cluster of similar illnesses is reported within this (1.15).
    pub report_sla: Duration,
    /// Diseases managed as class A are reported within this (1.18).
    pub class_a_report_sla: Duration,
    /// Which illnesses are similar (1.15).
    pub similar: Vec<Similar>,
    /// Who is told of similar illnesses (1.12, 1.15).
    pub similar_recipients: Vec<i16>,
    /// The outbreak table (1.19).
    pub outbreaks: Vec<Outbreak>,
    /// What counts as a case before a diagnosis (1.19).
    pub case_definitions: Vec<CaseDefinition>,
    /// Who is told, by level (1.19).
    pub notices: Vec<(Level, Vec<i16>)>,
    /// When suspension is proposed for influenza (1.20).
    pub influenza: InfluenzaSuspension,
    /// When suspension is proposed for hand, foot and mouth disease (1.21).
    pub hfmd: HfmdSuspension,
    /// When a patient may return (1.23).
    pub returns: Vec<Return>,
    /// Rules of clusters that stand as rows (1.15).
    pub cluster_rows: Vec<ClusterRule>,
    /// The text behind each number of the rule book.
    pub sources: Vec<(String, String)>,
    /// How many health technicians a school has (1.9).
    pub staffing: Staffing,
    /// What is done about contacts (2.21).
    pub contacts: Vec<ContactRule>,
    /// The statutory chain, from the bottom up (1.17).
    pub hops: Vec<Hop>,
    /// Diseases of class A or managed as such (1.18).
    pub class_a: Vec<Disease>,
    /// A follow-up report on an urgent case is due as often (5.35).
    pub follow_up: Duration,
    /// The same of any other case; zero when none is asked for.
    pub follow_up_other: Duration,
    /// What tubes are tested for, the usual test first (F1).
    pub assays: Vec<Assay>,
    /// Counts below it are hidden in aggregates (6.12).
    pub privacy_k: u32,
    /// The cluster rules that follow from all this, ordered by code.
    pub clusters: Arc<Vec<ClusterRule>>,
}

impl HealthRules {
    /// The rule of one check of the day; none when no such check is held.
    pub fn slot(&self, slot: Slot) -> Option<&SlotRule> {
        self.slots.iter().find(|rule| rule.slot == slot)
    }
}
