//! The numbers in force at a place and day (rules 5.33, 5.35).

use std::time::Duration;

use super::harm::{Casualties, Level, TableName};

/// Within what of its detection an incident of one level is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sla {
    /// By telephone; none where it is not asked for.
    pub phone: Option<Duration>,
    /// In writing.
    pub written: Duration,
}

/// What an incident is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The policy's version; empty where no policy is in force.
    pub policy_version: String,
    /// By which table its level is told.
    pub table: TableName,
    /// The limits of the levels I to IV.
    pub slas: [Sla; 4],
    /// From one level of the hierarchy to the next, and to the police where no telephone limit holds.
    pub hop: Duration,
    /// From one follow-up to the next for the levels I and II.
    pub follow_up: Duration,
    /// From when the danger is over to the final report.
    pub final_report: Duration,
    /// `privacy.k`: confidential incidents are counted from so many on.
    pub privacy_k: u32,
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

impl Default for Terms {
    /// The numbers of rules 5.33, 5.35 and 6.12, where no policy says others.
    fn default() -> Self {
        let sla = |phone: Option<u64>, written| Sla {
            phone: phone.map(minutes),
            written: minutes(written),
        };
        Self {
            policy_version: String::new(),
            table: TableName::Education,
            slas: [
                sla(Some(30), 60),
                sla(Some(30), 60),
                sla(Some(60), 120),
                sla(None, 24 * 60),
            ],
            hop: minutes(120),
            follow_up: minutes(24 * 60),
            final_report: minutes(7 * 24 * 60),
            privacy_k: 10,
        }
    }
}

/// Within this of the accident the head has told the county's authorities
/// (生产安全事故报告和调查处理条例 art. 9, rule 5.33).
const ACCIDENT: Duration = minutes(60);

impl Terms {
    /// The limits of a level for this harm. Where somebody died or was seriously injured it is an accident
    /// of the regulation, which is told within an hour whatever its level: by telephone, where the level
    /// allows more time in writing.
    pub fn sla(&self, level: Level, harm: &Casualties) -> Sla {
        let sla = match level {
            Level::I => self.slas[0],
            Level::II => self.slas[1],
            Level::III => self.slas[2],
            Level::IV => self.slas[3],
        };
        let accident = harm.deaths > 0 || harm.serious > 0;
        if accident && sla.written > ACCIDENT {
            let phone = sla.phone.map_or(ACCIDENT, |phone| phone.min(ACCIDENT));
            return Sla {
                phone: Some(phone),
                ..sla
            };
        }
        sla
    }
}
