//! Tasks for all organisations whose level changed in a turn, given out and stood down at once.

use chrono::DateTime;
use kit::bulk::{Column, listed};
use kit::clock::civil_date;
use kit::db::{Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::Turn;
use crate::domain::checklist::item::PlaceKind;
use crate::domain::weather::action::Action;
use crate::domain::weather::state::State;
use crate::domain::weather::task::TaskState;
use crate::store::{Store, unreadable};

/// Organisations whose answerable persons are looked up together.
const TOGETHER: i64 = 500;
/// The subject of the responsibility chain.
const SUBJECT: &str = "WEATHER";

/// The lines `p` of the action table that bind an organisation `s` at its level.
const BINDS: &str = "p.region = s.region AND p.level = s.level AND p.kind = s.kind";

/// The place that a task `t` is about is no longer entered.
const PLACE_GONE: &str = "(t.place <> '' AND NOT EXISTS (SELECT 1 FROM inspection_places b \
     WHERE b.organization = t.organization AND b.place = t.place AND b.closed_on = ''))";

impl Store {
    /// Gives each organisation that this turn changed the tasks of its level, each once in an
    /// episode, and stands down what its level no longer asks for.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn settle_weather_tasks(tx: &Tx, turn: &Turn) -> Result<(), DbErr> {
        stand_down(tx, turn).await?;
        give_out(tx, turn).await?;
        for action in Action::ALL {
            if let Some(kind) = action.each() {
                give_out_each(tx, turn, *action, kind).await?;
            }
        }
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
         WHERE {BINDS} AND p.action = t.action) OR {PLACE_GONE})"
    );
    let moved = (TaskState::Open, TaskState::StoodDown);
    move_tasks(tx, turn, moved, ("", &unasked)).await
}

async fn give_out(tx: &Tx, turn: &Turn) -> Result<(), DbErr> {
    // Those who are taught again have nothing to do until they are warned anew.
    let reopened = State::Reopened as i32;
    let asked = format!(
        "t.episode = s.episode AND s.state <> {reopened} AND EXISTS (SELECT 1 FROM weather_plan p \
         WHERE {BINDS} AND p.action = t.action) AND NOT {PLACE_GONE}"
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
         WHERE s.turn = $1 AND s.state <> {reopened} AND {BINDS} AND p.action NOT IN ({}) {}",
        each_of_its_own(),
        unless_it_stands(),
    );
    let values = [turn.number.into(), turn.now.into()];
    tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(())
}

/// What becomes of a task that is given out again: its time runs anew when it was stood down.
fn unless_it_stands() -> String {
    format!(
        "ON CONFLICT (name) DO UPDATE SET level = excluded.level, \
         owner = CASE WHEN weather_tasks.due_at = 0 THEN '' ELSE weather_tasks.owner END, \
         due_at = CASE WHEN weather_tasks.due_at = 0 THEN excluded.due_at ELSE weather_tasks.due_at END \
         WHERE weather_tasks.state = {}",
        TaskState::Open as i32
    )
}

/// The numbers of the actions of which each place has a task of its own.
fn each_of_its_own() -> String {
    let own = Action::ALL.iter().filter(|action| action.each().is_some());
    let own: Vec<String> = own.map(|action| (*action as i32).to_string()).collect();
    own.join(", ")
}

/// The same as [`give_out`] for an action of which each place of a kind has a task of its own.
async fn give_out_each(tx: &Tx, turn: &Turn, action: Action, kind: PlaceKind) -> Result<(), DbErr> {
    let today = DateTime::from_timestamp_millis(turn.now).map(civil_date);
    let today = today.unwrap_or_default().to_string();
    let (open, reopened) = (TaskState::Open as i32, State::Reopened as i32);
    let mut after = Uuid::nil();
    loop {
        let sql = format!(
            "SELECT b.id, b.organization, b.place FROM inspection_places b \
             JOIN weather_states s ON s.organization = b.organization \
             WHERE s.turn = $1 AND s.level > 0 AND b.kind = {} AND b.closed_on = '' \
             AND b.opened_on <= $2 AND b.id > $3 ORDER BY b.id LIMIT $4",
            kind as i32
        );
        let values: [Value; 4] = [
            turn.number.into(),
            today.as_str().into(),
            after.into(),
            TOGETHER.into(),
        ];
        let rows = tx.query_all_raw(statement(tx, &sql, values)).await?;
        let (mut ids, mut organizations, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            after = row.try_get_by_index(0)?;
            ids.push(after.hyphenated().to_string());
            organizations.push(row.try_get_by_index(1)?);
            places.push(row.try_get_by_index(2)?);
        }
        if ids.is_empty() {
            return Ok(());
        }
        let columns = vec![
            ("id", Column::Text(ids)),
            ("organization", Column::Text(organizations)),
            ("place", Column::Text(places)),
        ];
        for (list, values) in listed(tx, columns) {
            let sql = format!(
                "WITH entered (id, organization, place) AS ({list}) \
                 INSERT INTO weather_tasks (name, organization, org_path, episode, action, level, \
                 state, owner, created_at, due_at, doer, done_at, note, changes, place) \
                 SELECT 'organizations/' || s.organization || '/weatherTasks/' || s.episode || '-' || \
                 p.word || '-' || e.id, s.organization, s.org_path, s.episode, p.action, s.level, \
                 {open}, '', {now}, {now} + 60000 * CAST(p.minutes AS BIGINT), '', 0, '', 0, e.place \
                 FROM entered e JOIN weather_states s ON s.organization = e.organization \
                 CROSS JOIN weather_plan p \
                 WHERE s.turn = {number} AND s.state <> {reopened} AND {BINDS} AND p.action = {action} \
                 {stands}",
                now = turn.now,
                number = turn.number,
                action = action as i32,
                stands = unless_it_stands(),
            );
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
    }
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
