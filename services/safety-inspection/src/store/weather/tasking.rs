//! Tasks for all organisations whose level changed in a turn, given out and stood down at once.

use kit::bulk::{Column, listed};
use kit::db::{Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::Turn;
use crate::domain::weather::state::State;
use crate::domain::weather::task::TaskState;
use crate::store::{Store, unreadable};

/// Organisations whose answerable persons are looked up together.
const TOGETHER: i64 = 500;
/// The subject of the responsibility chain.
const SUBJECT: &str = "WEATHER";

/// The lines `p` of the action table that bind an organisation `s` at its level.
const BINDS: &str = "p.region = s.region AND p.level = s.level AND p.kind = s.kind";

impl Store {
    /// Gives each organisation that this turn changed the tasks of its level, each once in an
    /// episode, and stands down what its level no longer asks for.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn settle_weather_tasks(tx: &Tx, turn: &Turn) -> Result<(), DbErr> {
        stand_down(tx, turn).await?;
        give_out(tx, turn).await?;
        name_owners(tx, turn).await
    }
}

/// One entry for the history of each task `t` of an organisation `s` of this turn, of those that
/// `which` lets through, and the change of their state.
async fn move_tasks(
    tx: &Tx,
    turn: &Turn,
    (from, to): (TaskState, TaskState),
    (also, which): (&str, &str),
) -> Result<(), DbErr> {
    let (from, to) = (from as i32, to as i32);
    let chosen =
        format!("s.turn = $1 AND s.organization = t.organization AND t.state = {from} AND {which}");
    let sql = format!(
        "INSERT INTO weather_changes (subject, number, changed_at, from_state, to_state, level, \
         actor, cause) SELECT t.name, t.changes + 1, $2, t.state, {to}, s.level, $3, $4 \
         FROM weather_tasks t CROSS JOIN weather_states s WHERE {chosen}"
    );
    let number: Value = turn.number.into();
    let values = [
        number.clone(),
        turn.now.into(),
        turn.actor.as_str().into(),
        turn.cause.as_str().into(),
    ];
    tx.execute_raw(statement(tx, &sql, values)).await?;
    let sql = format!(
        "UPDATE weather_tasks AS t SET state = {to}, changes = t.changes + 1{also} \
         WHERE EXISTS (SELECT 1 FROM weather_states s WHERE {chosen})"
    );
    tx.execute_raw(statement(tx, &sql, [number])).await?;
    Ok(())
}

async fn stand_down(tx: &Tx, turn: &Turn) -> Result<(), DbErr> {
    let unasked = format!(
        "(t.episode < s.episode OR NOT EXISTS (SELECT 1 FROM weather_plan p \
         WHERE {BINDS} AND p.action = t.action))"
    );
    let moved = (TaskState::Open, TaskState::StoodDown);
    move_tasks(tx, turn, moved, ("", &unasked)).await
}

async fn give_out(tx: &Tx, turn: &Turn) -> Result<(), DbErr> {
    // Those who are taught again have nothing to do until they are warned anew.
    let reopened = State::Reopened as i32;
    let asked = format!(
        "t.episode = s.episode AND s.state <> {reopened} AND EXISTS (SELECT 1 FROM weather_plan p \
         WHERE {BINDS} AND p.action = t.action)"
    );
    let moved = (TaskState::StoodDown, TaskState::Open);
    // The time runs anew: from the `created_at` that the insert below gives.
    move_tasks(tx, turn, moved, (", due_at = 0", &asked)).await?;
    let open = TaskState::Open as i32;
    let sql = format!(
        "INSERT INTO weather_tasks (name, organization, org_path, episode, action, level, state, \
         owner, created_at, due_at, doer, done_at, note, changes) \
         SELECT 'organizations/' || s.organization || '/weatherTasks/' || s.episode || '-' || p.word, \
         s.organization, s.org_path, s.episode, p.action, s.level, {open}, '', $2, \
         $2 + 60000 * CAST(p.minutes AS BIGINT), '', 0, '', 0 \
         FROM weather_states s CROSS JOIN weather_plan p \
         WHERE s.turn = $1 AND s.state <> {reopened} AND {BINDS} \
         ON CONFLICT (name) DO UPDATE SET level = excluded.level, \
         owner = CASE WHEN weather_tasks.due_at = 0 THEN '' ELSE weather_tasks.owner END, \
         due_at = CASE WHEN weather_tasks.due_at = 0 THEN excluded.due_at ELSE weather_tasks.due_at END \
         WHERE weather_tasks.state = {open}"
    );
    let values = [turn.number.into(), turn.now.into()];
    tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(())
}

/// Names who answers for the weather at each organisation of this turn, part by part.
async fn name_owners(tx: &Tx, turn: &Turn) -> Result<(), DbErr> {
    let mut after = String::new();
    loop {
        let sql = "SELECT organization, org_path FROM weather_states \
                   WHERE turn = $1 AND level > 0 AND organization > $2 \
                   ORDER BY organization LIMIT $3";
        let values = [turn.number.into(), after.as_str().into(), TOGETHER.into()];
        let rows = tx.query_all_raw(statement(tx, sql, values)).await?;
        let (mut ids, mut paths) = (Vec::new(), Vec::new());
        for row in &rows {
            let path: String = row.try_get_by_index(1)?;
            ids.push(row.try_get_by_index::<String>(0)?);
            paths.push(path.parse::<OrgPath>().map_err(|_| unreadable("place"))?);
        }
        let Some(last) = ids.last() else {
            return Ok(());
        };
        after.clone_from(last);
        let owners = Store::answerables(tx, &paths, SUBJECT, "").await?;
        let owners = owners
            .into_iter()
            .map(|found| found.map_or_else(String::new, |found| found.staff_member));
        let columns = vec![
            ("organization", Column::Text(ids)),
            ("owner", Column::Text(owners.collect())),
        ];
        for (list, values) in listed(tx, columns) {
            let open = TaskState::Open as i32;
            let sql = format!(
                "WITH named (organization, owner) AS ({list}) \
                 UPDATE weather_tasks SET owner = named.owner FROM named \
                 WHERE weather_tasks.organization = named.organization \
                 AND weather_tasks.state = {open} AND weather_tasks.owner = ''"
            );
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
    }
}
