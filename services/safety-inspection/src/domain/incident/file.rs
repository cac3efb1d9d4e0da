//! An incident with all that is known of it.

use std::time::Duration;

use kit::hop::{Hop, millis};
use uuid::Uuid;

use super::category::{Category, Confidential};
use super::harm::{Casualties, Level, TableName};
use super::state::{State, Verb};
use super::step::{Receiver, Step};
use super::terms::{Sla, Terms};
use crate::domain::hazard::report;
use crate::domain::organization;

/// The limits that hold for an incident, fixed when it was noticed. Spans are milliseconds, 0 for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The policy's version.
    pub policy_version: String,
    /// By which table its level is told.
    pub table: TableName,
    /// To tell the level above by telephone.
    pub phone: i64,
    /// To write the first report.
    pub written: i64,
    /// From one level of the hierarchy to the next.
    pub hop: i64,
    /// From one follow-up to the next.
    pub follow_up: i64,
    /// From when the danger is over to the final report.
    pub final_report: i64,
}

impl Limits {
    /// The limits of an incident of `level` with this harm by `terms`, by the table that holds on its
    /// day.
    pub fn new(terms: &Terms, table: TableName, (level, harm): (Level, &Casualties)) -> Self {
        let sla = terms.sla(level, harm);
        Self {
            policy_version: terms.policy_version.clone(),
            table,
            phone: sla.phone.map_or(0, millis),
            written: millis(sla.written),
            hop: millis(terms.hop),
            follow_up: millis(terms.follow_up),
            final_report: millis(terms.final_report),
        }
    }

    /// Takes the shorter limits of a graver level.
    pub fn tighten(&mut self, sla: Sla) {
        self.written = self.written.min(millis(sla.written));
        if let Some(phone) = sla.phone.map(millis) {
            let longer = self.phone == 0 || self.phone > phone;
            self.phone = if longer { phone } else { self.phone };
        }
    }
}

/// Where the chain of an incident begins, and whether a district stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Who reports first.
    pub begins: Receiver,
    /// Whether a district stands between the school and the city.
    pub has_district: bool,
}

impl Chain {
    /// The chain of an organisation so many levels below the city (0 for the city itself).
    pub fn of(level: organization::Level, depth: usize) -> Self {
        let begins = match level {
            organization::Level::School => Receiver::School,
            organization::Level::District => Receiver::District,
            organization::Level::City => Receiver::City,
        };
        Self {
            begins,
            has_district: begins == Receiver::School && depth > 1,
        }
    }

    /// The levels, from where it begins; the government only when the incident is that grave.
    pub fn levels(self, to_government: bool) -> Vec<Receiver> {
        let levels = Receiver::ALL.iter().copied().filter(|level| {
            level.is_level()
                && *level >= self.begins
                && (*level != Receiver::District || self.has_district || *level == self.begins)
                && (*level != Receiver::Government || to_government)
        });
        levels.collect()
    }
}

/// An incident. Instants are milliseconds since 1970, 0 for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Sorts by when it was noticed.
    pub id: Uuid,
    /// The id of the organisation.
    pub organization: String,
    /// Its place in the tree.
    pub org_path: String,
    /// What it is.
    pub category: Category,
    /// What kind of accident.
    pub hazard_category: Option<report::Category>,
    /// Why it is confidential.
    pub confidential: Option<Confidential>,
    /// Since when it is.
    pub confidential_since: i64,
    /// The place within the organisation.
    pub place: String,
    /// What happened.
    pub summary: String,
    /// When it happened.
    pub occurred: i64,
    /// When it was noticed.
    pub detected: i64,
    /// Who noticed it.
    pub detector: String,
    /// Why it goes straight to the city; empty when it does not.
    pub over_level_reason: String,
    /// How far it is.
    pub state: State,
    /// Its level.
    pub level: Level,
    /// What came to harm.
    pub harm: Casualties,
    /// Its limits.
    pub limits: Limits,
    /// Whom it goes up to.
    pub chain: Chain,
    /// When the first report was written.
    pub first_reported: i64,
    /// When the next follow-up is due.
    pub follow_due: i64,
    /// When the newest report was written.
    pub reported: i64,
    /// Which occasion that was.
    pub reported_occasion: i32,
    /// When the final report is due.
    pub final_due: i64,
    /// When its level last rose after the first report.
    pub raised: i64,
    /// How long after that the level above is told by telephone.
    pub raised_phone: i64,
    /// Which occasion that was.
    pub raised_occasion: i32,
    /// How often there was something new to tell: reports, and rises of the level after the first one.
    pub occasions: i32,
    /// Since when it is so grave that the government must hear of it (rule 5.33).
    pub government_since: i64,
    /// How many reports there are.
    pub reports: i32,
    /// How many events there are.
    pub events: i32,
    /// Something was late.
    pub late: bool,
    /// When it was closed or found to be none.
    pub ended: i64,
}

impl Incident {
    /// The hops up the chain. The government of the city hears of the levels I to III; of level IV
    /// the bureau of the city (生产安全事故报告和调查处理条例 art. 10).
    pub fn hops(&self) -> Vec<Hop> {
        let levels = self.chain.levels(self.government_since != 0);
        let sla = Duration::from_millis(self.limits.hop.unsigned_abs());
        let hop = |pair: &[Receiver]| Hop {
            from: pair[0] as i16,
            to: pair[1] as i16,
            sla,
        };
        levels.windows(2).map(hop).collect()
    }

    /// Sets the level, and what follows from it: the government hears of it, follow-ups are owed.
    pub(super) fn set_level(&mut self, level: Level, time: i64) {
        self.level = level;
        if level < Level::IV && self.government_since == 0 {
            self.government_since = time;
        }
        let owes = level <= Level::II && self.state.owes_follow_ups();
        self.follow_due = match (owes, self.follow_due) {
            (true, 0) => time + self.limits.follow_up,
            (true, due) => due,
            (false, _) => 0,
        };
    }

    /// The name of the resource.
    pub fn name(&self) -> String {
        let (organization, id) = (&self.organization, self.id.hyphenated());
        format!("organizations/{organization}/incidents/{id}")
    }
}

/// An incident with its receipts and notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The incident.
    pub incident: Incident,
    /// Receipts and notices in order.
    pub steps: Vec<Step>,
}

/// One entry of the history; never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// 1, 2, …
    pub sequence: i32,
    /// What.
    pub verb: Verb,
    /// The state before; none for the first entry.
    pub from_state: Option<State>,
    /// The state after.
    pub to_state: State,
    /// The level before; none for the first entry.
    pub from_level: Option<Level>,
    /// The level after.
    pub to_level: Level,
    /// When, in milliseconds since 1970.
    pub time: i64,
    /// Who.
    pub actor: String,
    /// In words.
    pub reason: String,
}
