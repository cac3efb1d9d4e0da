//! Suspensions of teaching.

use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr};

use crate::domain::health::suspension::{Away, Reach};
use crate::store::tubes::below;
use kit::rows::{Lock, Row, row};

row! {
    /// A suspension. Times are milliseconds, 0 for none; days are numbers, 0 for none.
    SuspensionRow in "suspensions" by ["id"] {
        /// Its identifier.
        id: String,
        /// The cluster behind it.
        cluster: String,
        /// The school's place.
        school: String,
        /// That of the class group, else that of the school.
        org_path: String,
        /// The code of the rule.
        rule: String,
        /// The version of the policy.
        policy_version: String,
        /// Where it stands.
        state: i16,
        /// Who stays away.
        scope: i16,
        /// The class group's place; empty when the school was proposed.
        group_path: String,
        /// Its grade.
        grade: i32,
        /// For how many civil days.
        days: i32,
        /// When it was proposed.
        propose_time: i64,
        /// When it was decided.
        decide_time: i64,
        /// The human who decided.
        decided_by: String,
        /// By which account.
        decider: String,
        /// Why.
        reason: String,
        /// What disease control advised.
        advice: String,
        /// The first day away.
        start_day: i32,
        /// The first day back.
        return_day: i32,
        /// Attempts in vain since the roster last answered.
        attempts: i32,
        /// How often it had to be applied anew, as another one ended.
        round: i32,
        /// When the roster had it.
        apply_time: i64,
        /// When the roster had that it is over.
        end_time: i64,
        /// Grows with each change.
        version: i64,
        /// How many people the cluster had when this was proposed, decided or over last.
        people: i32,
        /// How many conditions of its rule were reached then.
        conditions: i32,
        /// How often it was amended.
        amendments: i32,
    }
}

row! {
    /// One change of what was decided; never changed. Days are numbers.
    AmendmentRow in "suspension_amendments" by ["suspension", "sequence"] {
        /// The suspension.
        suspension: String,
        /// The first has 1.
        sequence: i32,
        /// When, in milliseconds.
        time: i64,
        /// The human who amended it.
        amended_by: String,
        /// By which account.
        amender: String,
        /// Why.
        reason: String,
        /// Who stayed away before.
        from_scope: i16,
        /// Who stays away since.
        to_scope: i16,
        /// The first day back before.
        from_return: i32,
        /// The first day back since.
        to_return: i32,
    }
}

impl SuspensionRow {
    /// Who stays away.
    pub fn away(&self) -> Away {
        Away {
            reach: Reach::from_code(self.scope).unwrap_or(Reach::ClassGroup),
            group: self.group_path.clone(),
            grade: self.grade,
        }
    }
}

/// The amendments of suspensions, the first one of each first; nothing is asked for those that have
/// none.
///
/// # Errors
/// When the database fails.
pub async fn amendments<C: ConnectionTrait + Sync>(
    connection: &C,
    suspensions: &[SuspensionRow],
) -> Result<Vec<AmendmentRow>, DbErr> {
    let amended = suspensions.iter().filter(|row| row.amendments > 0);
    let keys: Vec<_> = amended.map(|row| row.id.as_str().into()).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    AmendmentRow::find(connection, "suspension", keys, Lock::No).await
}

/// Suspensions at or below a place, by identifier after `after`; those in a state unless it is 0.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    place: &OrgPath,
    state: i16,
    after: &str,
    limit: u64,
) -> Result<Vec<SuspensionRow>, DbErr> {
    let mut wheres = "(org_path = $1 OR (org_path >= $2 AND org_path < $3)) AND id > $4".to_owned();
    let mut values = below(place).to_vec();
    values.push(after.into());
    if state != 0 {
        wheres.push_str(" AND state = $5");
        values.push(state.into());
    }
    SuspensionRow::page(connection, &wheres, values, limit).await
}
