//! Suspensions of teaching.

use std::collections::HashMap;

use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::health::suspension::{Away, Classes, Proposed, Reach};
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
        /// How many class groups were named by a human.
        classes: i32,
    }
}

row! {
    /// A class group that a human named, or let go.
    ClassRow in "suspension_classes" by ["suspension", "group_path"] {
        /// The suspension.
        suspension: String,
        /// The place of the class group.
        group_path: String,
        /// Its grade.
        grade: i32,
        /// Whether it is one that stays away, or was until the end.
        away: bool,
        /// The round in which that changed last, or in which it was to be told anew.
        round: i32,
        /// How the roster last heard that it is taught: unknown (0), suspended (1), in person (2).
        told: i16,
    }
}

/// The roster knows that the class group is suspended.
pub const SUSPENDED: i16 = 1;
/// The roster knows that the class group is taught in person, or need not hear of it.
pub const IN_PERSON: i16 = 2;

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
        /// The class groups that stayed away before by their paths, one a line; empty for a wider scope.
        from_classes: String,
        /// Those that stay away since.
        to_classes: String,
    }
}

impl SuspensionRow {
    /// Who is proposed to stay away.
    pub fn proposed(&self) -> Proposed {
        let away = match self.group_path.as_str() {
            "" => Away::School,
            path => Away::one(path, self.grade),
        };
        let grade = self.grade;
        Proposed { away, grade }
    }
}

/// A suspension with what is kept beside its row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// Its row.
    pub row: SuspensionRow,
    /// Its amendments, the first one first.
    pub amendments: Vec<AmendmentRow>,
    /// The class groups that were named, by their paths.
    pub classes: Vec<ClassRow>,
}

impl Whole {
    /// Who stays away: as proposed, then as decided or amended.
    pub fn away(&self) -> Away {
        let proposed = self.row.proposed();
        match Reach::from_code(self.row.scope) {
            Some(Reach::School) => Away::School,
            Some(Reach::Grade) => Away::Grade(self.row.grade),
            Some(Reach::ClassGroup) | None => {
                let named = self.classes.iter().filter(|class| class.away);
                let named: Classes = named
                    .map(|class| (class.group_path.clone(), class.grade))
                    .collect();
                if named.is_empty() {
                    proposed.away
                } else {
                    Away::Classes(named)
                }
            }
        }
    }
}

/// Suspensions with what is kept beside them; nothing is asked for those that have nothing.
///
/// # Errors
/// When the database fails.
pub async fn wholes<C: ConnectionTrait + Sync>(
    connection: &C,
    rows: Vec<SuspensionRow>,
) -> Result<Vec<Whole>, DbErr> {
    let keys = |has: fn(&SuspensionRow) -> bool| -> Vec<Value> {
        let some = rows.iter().filter(|row| has(row));
        some.map(|row| row.id.as_str().into()).collect()
    };
    let amended = keys(|row| row.amendments > 0);
    let named = keys(|row| row.classes > 0);
    let amendments = AmendmentRow::find(connection, "suspension", amended, Lock::No).await?;
    let classes = ClassRow::find(connection, "suspension", named, Lock::No).await?;
    let mut wholes: Vec<Whole> = rows
        .into_iter()
        .map(|row| Whole {
            row,
            ..Whole::default()
        })
        .collect();
    let places: HashMap<String, usize> = wholes
        .iter()
        .enumerate()
        .map(|(place, whole)| (whole.row.id.clone(), place))
        .collect();
    let place = |id: &str| places.get(id).copied().unwrap_or(usize::MAX);
    for amendment in amendments {
        if let Some(whole) = wholes.get_mut(place(&amendment.suspension)) {
            whole.amendments.push(amendment);
        }
    }
    for class in classes {
        if let Some(whole) = wholes.get_mut(place(&class.suspension)) {
            whole.classes.push(class);
        }
    }
    Ok(wholes)
}

/// A suspension with what is kept beside it.
///
/// # Errors
/// When the database fails.
pub async fn whole<C: ConnectionTrait + Sync>(
    connection: &C,
    row: SuspensionRow,
) -> Result<Whole, DbErr> {
    let found = wholes(connection, vec![row]).await?.pop();
    Ok(found.unwrap_or_default())
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
