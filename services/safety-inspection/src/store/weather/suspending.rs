//! Suspensions begin and end for all whom they reach at once.

use kit::bulk::{Column, listed};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::alarms::prefixes;
use super::machine::{after, starts};
use super::query::Where;
use super::suspensions::SuspensionRow;
use super::{NEVER, Turn};
use crate::domain::organization::Kind;
use crate::domain::weather::state::{Event, State};
use crate::domain::weather::suspension::{Cover, Teaching};
use crate::store::Store;

/// The teaching of a row `s` is stopped by the suspension `$1`.
const REACHED: &str = "EXISTS (SELECT 1 FROM weather_suspended d \
     WHERE d.organization = s.organization AND d.suspension = $1 AND d.taught = TRUE)";
/// The teaching of a row `s` is stopped by some suspension in force.
const STILL: &str = "EXISTS (SELECT 1 FROM weather_suspended d \
     WHERE d.organization = s.organization AND d.taught = TRUE AND d.in_force = TRUE)";

impl Store {
    /// A suspension begins: reaches those at and below the place that decided, within its area, who
    /// are warned, and returns how many. Who stops to be taught is suspended, and the register is to
    /// be told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_weather_suspension(
        tx: &Tx,
        row: &SuspensionRow,
        turn: &Turn,
    ) -> Result<u64, DbErr> {
        let reached = reach(tx, row, "TRUE", turn).await?;
        Self::retell_turn(tx, turn.number).await?;
        Ok(reached)
    }

    /// After warnings changed: suspensions in force reach those who are warned since they began, as if
    /// they had been then. Whoever is suspended already stays as they are taught. Returns how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn widen_weather_suspensions(tx: &Tx, turn: &Turn) -> Result<u64, DbErr> {
        let others = format!("s.state <> {}", State::Suspended as i32);
        let mut reached = 0;
        for row in Self::weather_suspensions_in_force(tx).await? {
            reached += reach(tx, &row, &others, turn).await?;
        }
        Self::retell_turn(tx, turn.number).await?;
        Ok(reached)
    }

    /// A suspension ends: who is not suspended by another one sweeps and disinfects until `due`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_weather_suspension(
        tx: &Tx,
        row: &SuspensionRow,
        due: i64,
        turn: &Turn,
    ) -> Result<(), DbErr> {
        let sql = "UPDATE weather_suspended SET in_force = FALSE WHERE suspension = $1";
        tx.execute_raw(statement(tx, sql, [row.id.into()])).await?;
        let starts = starts(Event::Lift);
        let which = format!("s.state IN ({starts}) AND {REACHED} AND NOT {STILL}");
        move_all(tx, row, (Event::Lift, due, 1), &which, turn).await?;
        Self::retell_turn(tx, turn.number).await
    }
}

/// Lets a suspension reach those in its area who are warned, whom it has not reached and whom `which`
/// lets through: notes them, has the register told, and suspends whoever stops to be taught.
async fn reach(tx: &Tx, row: &SuspensionRow, which: &str, turn: &Turn) -> Result<u64, DbErr> {
    let covers = row.covers();
    let kinds = |wanted: &dyn Fn(Kind) -> bool| {
        let kinds = Kind::ALL.into_iter().filter(|kind| wanted(*kind));
        let kinds: Vec<String> = kinds.map(|kind| (kind as i16).to_string()).collect();
        if kinds.is_empty() {
            "FALSE".to_owned()
        } else {
            format!("s.kind IN ({})", kinds.join(", "))
        }
    };
    let taught =
        kinds(&|kind| Cover::of_teaching(kind).is_some_and(|cover| covers.contains(&cover)));
    let buses = kinds(&|kind| covers.contains(&Cover::Buses) && Cover::of_teaching(kind).is_some());
    let mut wheres = Where::after(vec![row.id.into()]);
    wheres.below("s.org_path", &row.org_path);
    wheres.within("o.division", &prefixes(&row.divisions));
    wheres.and(format!("({taught} OR {buses})"));
    wheres.and(format!(
        "s.level > 0 AND s.state IN ({}) AND o.open = TRUE AND {which}",
        starts(Event::Suspend)
    ));
    wheres.and(
        "NOT EXISTS (SELECT 1 FROM weather_suspended d \
         WHERE d.organization = s.organization AND d.suspension = $1)",
    );
    let sql = format!(
        "INSERT INTO weather_suspended (organization, suspension, taught, buses, in_force) \
         SELECT s.organization, $1, {taught}, {buses}, TRUE \
         FROM weather_states s JOIN organizations o ON o.id = s.organization \
         WHERE {} ON CONFLICT DO NOTHING RETURNING organization, taught",
        wheres.sql()
    );
    let rows = tx.query_all_raw(statement(tx, &sql, wheres.values)).await?;
    let mut stopped = Vec::new();
    for row in &rows {
        if row.try_get_by_index(1)? {
            stopped.push(row.try_get_by_index::<String>(0)?);
        }
    }
    teach(tx, row, &stopped, turn).await?;
    let which = format!("s.state <> {} AND {REACHED}", State::Suspended as i32);
    move_all(tx, row, (Event::Suspend, NEVER, 0), &which, turn).await?;
    Ok(rows.len() as u64)
}

/// Has the register told that these organisations are taught as the suspension says.
async fn teach(
    tx: &Tx,
    row: &SuspensionRow,
    organizations: &[String],
    turn: &Turn,
) -> Result<(), DbErr> {
    let in_person = Teaching::InPerson as i32;
    let columns = vec![("organization", Column::Text(organizations.to_vec()))];
    for (list, mut values) in listed(tx, columns) {
        let from = values.len();
        let sql = format!(
            "WITH reached (organization) AS ({list}) \
             INSERT INTO weather_teaching (organization, kind, wanted, told, begun, round, attempts, \
             due_at, cause) \
             SELECT s.organization, s.kind, CAST(${} AS SMALLINT), {in_person}, FALSE, 1, 0, \
             CAST(${} AS BIGINT), ${} \
             FROM weather_states s JOIN reached ON reached.organization = s.organization \
             WHERE TRUE \
             ON CONFLICT (organization) DO UPDATE SET wanted = excluded.wanted, \
             round = weather_teaching.round + 1, attempts = 0, due_at = excluded.due_at, \
             cause = excluded.cause WHERE weather_teaching.wanted <> excluded.wanted",
            from + 1,
            from + 2,
            from + 3,
        );
        values.extend([row.teaching.into(), turn.now.into(), row.name().into()]);
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// Moves the rows `s` that `which` lets through by an event, with an entry in the history of each:
/// their check is due then, and `sweeps` more are counted.
async fn move_all(
    tx: &Tx,
    row: &SuspensionRow,
    (event, due, sweeps): (Event, i64, i32),
    which: &str,
    turn: &Turn,
) -> Result<(), DbErr> {
    let to = after(event);
    let id: Value = row.id.into();
    let sql = format!(
        "INSERT INTO weather_changes (subject, number, changed_at, from_state, to_state, level, \
         actor, cause) SELECT 'organizations/' || s.organization || '/weatherState', \
         s.changes + 1, $2, s.state, {to}, s.level, $3, $4 FROM weather_states s WHERE {which}"
    );
    let values = [
        id.clone(),
        turn.now.into(),
        turn.actor.as_str().into(),
        row.name().into(),
    ];
    tx.execute_raw(statement(tx, &sql, values)).await?;
    let sql = format!(
        "UPDATE weather_states AS s SET state = {to}, since_at = $2, due_at = $3, turn = $4, \
         sweep = s.sweep + {sweeps}, changes = s.changes + 1 WHERE {which}"
    );
    let values = [id, turn.now.into(), due.into(), turn.number.into()];
    tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(())
}
