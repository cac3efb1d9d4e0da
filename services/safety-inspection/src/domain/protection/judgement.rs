//! What a declaration amounts to on a civil day, by the policy and the people of the campus.

use chrono::NaiveDate;

use super::declaration::{Bus, Declaration, Guards, KeyPart, KeyPartKind, Statement, Video};
use super::device::Devices;
use super::finding::{Code, Finding, PartKind};
use super::guards::{GuardRules, People, Requirement};

/// Food samples are kept in grams of each dish and hours (rule 5.17).
const SAMPLE: (u32, u32) = (125, 48);

/// The numbers of the policy that protection is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How many guards (rules 5.11, 5.12).
    pub guards: GuardRules,
    /// Patrols a day (rule 5.13).
    pub patrols: u32,
    /// Days for which recordings are kept (rule 5.14).
    pub video_days: u32,
    /// The same at key targets.
    pub video_key_days: u32,
    /// Civil days after which a device that was not reported again is silent (rule 5.14).
    pub device_report_days: u32,
}

/// The numbers of rules 5.11 to 5.14.
impl Default for Rules {
    fn default() -> Self {
        Self {
            guards: GuardRules::default(),
            patrols: 5,
            video_days: 30,
            video_key_days: 90,
            device_report_days: 1,
        }
    }
}

/// What a part amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Neither yes nor no.
    NotDeclared,
    /// Everything demanded is there.
    Met,
    /// Something is missing.
    NotMet,
}

/// A part of the protection as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which part.
    pub kind: PartKind,
    /// What it amounts to.
    pub verdict: Verdict,
    /// What is missing.
    pub findings: Vec<Finding>,
    /// The last day before something lapses.
    pub due: Option<NaiveDate>,
}

/// How a campus is protected on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Each part, in the order of their numbers.
    pub parts: Vec<Part>,
    /// The guards that are needed.
    pub requirement: Requirement,
    /// The guards that count.
    pub qualified: u32,
}

impl Judgement {
    /// The last day before the first thing lapses.
    pub fn due(&self) -> Option<NaiveDate> {
        self.parts.iter().filter_map(|part| part.due).min()
    }

    /// The same where it is known whether the campus has school buses: a declaration that there is none is not
    /// believed of one that has (rule 5.15).
    #[must_use]
    pub fn with_buses(mut self, declaration: &Declaration, has: bool) -> Self {
        let denied = declaration.buses.as_ref().is_some_and(Vec::is_empty);
        let parts = self.parts.iter_mut();
        for part in parts.filter(|part| has && denied && part.kind == PartKind::SchoolBuses) {
            let code = Code::BusesUndeclared;
            part.findings.push(Finding::of(code, part.kind.rule()));
            part.verdict = Verdict::NotMet;
        }
        self
    }

    /// The same with the devices that were reported: a part of which one is offline, or was not heard of for
    /// too long, is not as it is demanded, whatever was declared (rule 5.14).
    #[must_use]
    pub fn with_devices(mut self, devices: &[Devices], rules: &Rules, today: NaiveDate) -> Self {
        for part in &mut self.parts {
            let own = devices.iter().filter(|one| one.kind.part() == part.kind);
            let (mut offline, mut silent) = (0_u32, 0_u32);
            for one in own {
                if one.silent(rules.device_report_days, today) {
                    silent = silent.saturating_add(one.count);
                } else if !one.online {
                    offline = offline.saturating_add(one.count);
                }
            }
            let counts = [
                (Code::DevicesOffline, offline),
                (Code::DevicesSilent, silent),
            ];
            for (code, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                let finding = Finding::short(code, part.kind.rule(), 0, count);
                part.findings.push(finding);
                if part.verdict == Verdict::Met {
                    part.verdict = Verdict::NotMet;
                }
            }
        }
        self
    }
}

/// What is missing, and until when what is there lasts; none when nothing is declared.
type Weighed = Option<(Vec<Finding>, Option<NaiveDate>)>;

/// The last day before something that was declared lapses by itself.
pub fn first_lapse(declaration: &Declaration) -> Option<NaiveDate> {
    let statements = [
        &declaration.full_time_guards,
        &declaration.closed_management,
        &declaration.one_key_alarm,
    ];
    let proofs = statements.into_iter().flatten().filter_map(statement_due);
    let certificates = declaration.guards.as_ref().and_then(certificates_due);
    let buses = declaration.buses.as_deref().and_then(buses_due);
    proofs.chain(certificates).chain(buses).min()
}

/// Judges a declaration on the civil day `today`.
pub fn judge(
    declaration: &Declaration,
    people: People,
    rules: &Rules,
    today: NaiveDate,
) -> Judgement {
    let requirement = rules.guards.requirement(people, today);
    let qualified = declaration
        .guards
        .as_ref()
        .map_or(0, |guards| qualified(guards, people, today));
    let parts = PartKind::ALL.iter().map(|kind| {
        let weighed = match kind {
            PartKind::FullTimeGuards => statement(declaration.full_time_guards.as_ref(), today),
            PartKind::ClosedManagement => statement(declaration.closed_management.as_ref(), today),
            PartKind::OneKeyAlarm => statement(declaration.one_key_alarm.as_ref(), today),
            PartKind::Guards => declaration.guards.as_ref().map(|guards| {
                let found = guard_findings(guards, people, requirement, today);
                (found, certificates_due(guards))
            }),
            PartKind::Patrol => patrol(declaration, rules),
            PartKind::Entrance => entrance(declaration),
            PartKind::Video => declaration.video.map(|declared| video(declared, rules)),
            PartKind::KeyParts => key_parts(&declaration.key_parts),
            PartKind::SchoolBuses => declaration.buses.as_deref().map(|buses| {
                let found = buses.iter().flat_map(|bus| bus_findings(bus, today));
                (found.collect(), buses_due(buses))
            }),
            PartKind::Food => food(declaration),
        };
        part(*kind, weighed)
    });
    Judgement {
        parts: parts.collect(),
        requirement,
        qualified,
    }
}

fn part(kind: PartKind, weighed: Weighed) -> Part {
    let (verdict, findings, due) = match weighed {
        None => {
            let finding = Finding::of(Code::NotDeclared, kind.rule());
            (Verdict::NotDeclared, vec![finding], None)
        }
        Some((found, due)) if found.is_empty() => (Verdict::Met, found, due),
        Some((found, due)) => (Verdict::NotMet, found, due),
    };
    Part {
        kind,
        verdict,
        findings,
        due,
    }
}

fn statement_due(said: &Statement) -> Option<NaiveDate> {
    said.expires.filter(|_| said.met)
}

fn statement(said: Option<&Statement>, today: NaiveDate) -> Weighed {
    let said = said?;
    let due = statement_due(said);
    let mut found = Vec::new();
    if !said.met {
        found.push(Finding::of(Code::DeclaredNotMet, "5.10"));
    } else if due.is_some_and(|due| due < today) {
        found.push(Finding::of(Code::EvidenceExpired, "5.10"));
    }
    Some((found, due))
}

/// Certificates that are good on a day.
fn certified(guards: &Guards, today: NaiveDate) -> u32 {
    let good = guards.certificates.iter().filter(|c| c.expires >= today);
    good.fold(0, |sum, c| sum.saturating_add(c.count))
}

/// Guards of the roll who are young enough and certified.
fn qualified(guards: &Guards, people: People, today: NaiveDate) -> u32 {
    let young = people.guards.saturating_sub(guards.over_age);
    young.min(certified(guards, today))
}

fn certificates_due(guards: &Guards) -> Option<NaiveDate> {
    guards.certificates.iter().map(|c| c.expires).min()
}

fn guard_findings(
    guards: &Guards,
    people: People,
    requirement: Requirement,
    today: NaiveDate,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let actual = qualified(guards, people, today);
    if actual < requirement.required {
        let rule = match requirement.formula {
            super::guards::Formula::Of2015 => "5.11",
            super::guards::Formula::Of2022 => "5.12",
        };
        let required = requirement.required;
        found.push(Finding::short(Code::TooFewGuards, rule, required, actual));
    }
    if guards.over_age > 0 {
        let code = Code::GuardOverAge;
        found.push(Finding::short(code, "5.11", 0, guards.over_age));
    }
    let young = people.guards.saturating_sub(guards.over_age);
    let uncertified = young.saturating_sub(certified(guards, today));
    if uncertified > 0 {
        let code = Code::GuardUncertified;
        found.push(Finding::short(code, "5.11", 0, uncertified));
    }
    if !guards.gatehouse_all_day {
        found.push(Finding::of(Code::GatehouseUnoccupied, "5.13"));
    }
    found
}

fn patrol(declaration: &Declaration, rules: &Rules) -> Weighed {
    let plan = declaration.patrol.as_ref()?;
    let mut found = Vec::new();
    if plan.daily < rules.patrols {
        let code = Code::TooFewPatrols;
        found.push(Finding::short(code, "5.13", rules.patrols, plan.daily));
    }
    if plan.points.is_empty() {
        found.push(Finding::of(Code::NoPatrolPoints, "5.13"));
    }
    Some((found, None))
}

fn entrance(declaration: &Declaration) -> Weighed {
    let entrance = declaration.entrance?;
    let wanted = [
        (entrance.anti_ramming, Code::NoAntiRamming),
        (entrance.separate, Code::SharedEntry),
    ];
    let missing = wanted.into_iter().filter(|(there, _)| !there);
    let found = missing.map(|(_, code)| Finding::of(code, "5.13"));
    Some((found.collect(), None))
}

fn video(declared: Video, rules: &Rules) -> (Vec<Finding>, Option<NaiveDate>) {
    let required = if declared.key_target {
        rules.video_key_days
    } else {
        rules.video_days
    };
    let mut found = Vec::new();
    if declared.retention < required {
        let code = Code::RetentionTooShort;
        found.push(Finding::short(code, "5.14", required, declared.retention));
    }
    if !(declared.police && declared.bureau) {
        found.push(Finding::of(Code::VideoNotLinked, "5.14"));
    }
    (found, None)
}

fn key_parts(declared: &[KeyPart]) -> Weighed {
    if declared.is_empty() {
        return None;
    }
    let found = KeyPartKind::ALL.iter().filter_map(|kind| {
        let code = match declared.iter().find(|part| part.kind == *kind) {
            None => Code::KeyPartMissing,
            Some(part) if part.absent || (part.guarded && part.monitored) => return None,
            Some(_) => Code::KeyPartUnprotected,
        };
        Some(Finding::about(code, "5.13", kind.text()))
    });
    Some((found.collect(), None))
}

fn buses_due(buses: &[Bus]) -> Option<NaiveDate> {
    let due = |bus: &Bus| bus.inspection_due().min(bus.licence_expires);
    buses.iter().map(due).min()
}

fn bus_findings(bus: &Bus, today: NaiveDate) -> Vec<Finding> {
    let wrong = [
        (bus.inspection_due() < today, Code::BusInspectionOverdue),
        (bus.licence_expires < today, Code::BusLicenceExpired),
        (!bus.attendant, Code::BusUnattended),
    ];
    let wrong = wrong.into_iter().filter(|(wrong, _)| *wrong);
    wrong
        .map(|(_, code)| Finding::about(code, "5.15", &bus.label))
        .collect()
}

fn food(declaration: &Declaration) -> Weighed {
    if declaration.no_food {
        return Some((Vec::new(), None));
    }
    let food = declaration.food?;
    let (grams, hours) = SAMPLE;
    let mut found = Vec::new();
    if !food.leaders_dine {
        found.push(Finding::of(Code::LeadersAbsent, "5.17"));
    }
    if food.sample_grams < grams || food.sample_hours < hours {
        found.push(Finding::of(Code::SamplesInsufficient, "5.17"));
    }
    Some((found, None))
}
