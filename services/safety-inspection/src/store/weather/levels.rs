//! The level that holds at each organisation, found for all of them at once.

use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use super::machine::after;
use super::{NEVER, Turn};
use crate::domain::organization::Kind;
use crate::domain::weather::state::{Event, State};
use crate::store::Store;

row! {
    /// One line of the action table of a region.
    PlanRow in "weather_plan" by ["region", "level", "action", "kind"] {
        /// The region.
        region: String,
        /// The number of the level.
        level: i16,
        /// The number of the action.
        action: i16,
        /// The number of the kind of organisation that it binds.
        kind: i16,
        /// Done within so many minutes.
        minutes: i32,
        /// The word of the action in names.
        word: String,
    }
}

/// An area `a` of an alarm in force holds at an open organisation `o`.
const HOLDS: &str = "o.open = TRUE AND substr(o.division, 1, length(a.prefix)) = a.prefix \
     AND (a.place = '' OR o.org_path = a.place \
     OR (o.org_path > a.place || '/' AND o.org_path < a.place || '0'))";

/// The nearest region with a policy around a row `s`.
const REGION: &str = "COALESCE((SELECT p.region FROM weather_plan p WHERE p.region = '' \
     OR s.org_path = p.region OR (s.org_path > p.region || '/' AND s.org_path < p.region || '0') \
     ORDER BY length(p.region) DESC LIMIT 1), '')";

impl Store {
    /// Whether an organisation is where a warning holds without having been warned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_has_newcomers(tx: &Tx) -> Result<bool, DbErr> {
        let sql = format!("SELECT 1 WHERE {}", newcomers());
        Ok(tx.query_one_raw(statement(tx, &sql, [])).await?.is_some())
    }

    /// After alarms changed: finds the level that holds at each organisation, moves those where it
    /// changed, and gives out and stands down tasks by the action table `plan`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_weather(tx: &Tx, plan: &[PlanRow], turn: &Turn) -> Result<(), DbErr> {
        tx.execute_raw(statement(tx, "DELETE FROM weather_plan", []))
            .await?;
        PlanRow::save(tx, plan).await?;
        warn(tx, turn).await?;
        shift(tx, turn).await?;
        Self::settle_weather_tasks(tx, turn).await?;
        Self::retell_turn(tx, turn.number).await
    }
}

/// The organisations `o` that can be warned.
fn campuses() -> String {
    let campuses = Kind::ALL.into_iter().filter(|kind| kind.has_campus());
    let campuses: Vec<String> = campuses.map(|kind| (kind as i16).to_string()).collect();
    format!("o.kind IN ({})", campuses.join(", "))
}

/// An organisation `o` is where an alarm in force holds, and was never warned.
pub(super) fn newcomers() -> String {
    format!(
        "EXISTS (SELECT 1 FROM weather_areas a CROSS JOIN organizations o \
         WHERE {} AND {HOLDS} AND NOT EXISTS \
         (SELECT 1 FROM weather_states s WHERE s.organization = o.id))",
        campuses()
    )
}

/// Rows for those who are warned for the first time, and the level that now holds at each.
async fn warn(tx: &Tx, turn: &Turn) -> Result<(), DbErr> {
    let none = State::None as i32;
    let sql = format!(
        "INSERT INTO weather_states (organization, org_path, kind, region, state, level, \
         next_level, episode, sweep, since_at, due_at, turn, changes) \
         SELECT o.id, o.org_path, o.kind, '', {none}, 0, 0, 0, 0, $1, {NEVER}, 0, 0 \
         FROM organizations o WHERE {} \
         AND EXISTS (SELECT 1 FROM weather_areas a WHERE {HOLDS}) ON CONFLICT DO NOTHING",
        campuses()
    );
    tx.execute_raw(statement(tx, &sql, [turn.now.into()]))
        .await?;
    let sql = format!(
        "UPDATE weather_states SET next_level = COALESCE((SELECT MIN(a.level) \
         FROM organizations o CROSS JOIN weather_areas a \
         WHERE o.id = weather_states.organization AND {HOLDS}), 0)"
    );
    tx.execute_raw(statement(tx, &sql, [])).await?;
    Ok(())
}

/// Moves those whose level changed, with an entry in the history of each.
async fn shift(tx: &Tx, turn: &Turn) -> Result<(), DbErr> {
    let to = format!(
        "(CASE WHEN s.next_level = 0 THEN {} WHEN s.level = 0 OR s.next_level < s.level THEN {} \
         ELSE {} END)",
        after(Event::Clear),
        after(Event::Raise),
        after(Event::Ease),
    );
    let sql = format!(
        "INSERT INTO weather_changes (subject, number, changed_at, from_state, to_state, level, \
         actor, cause) SELECT 'organizations/' || s.organization || '/weatherState', \
         s.changes + 1, $1, s.state, {to}, s.next_level, $2, $3 \
         FROM weather_states s WHERE s.next_level <> s.level"
    );
    let told = [
        turn.now.into(),
        turn.actor.as_str().into(),
        turn.cause.as_str().into(),
    ];
    tx.execute_raw(statement(tx, &sql, told)).await?;
    let alerted = State::Alerted as i32;
    let sql = format!(
        "UPDATE weather_states AS s SET state = {to}, level = s.next_level, region = {REGION}, \
         episode = s.episode + CASE WHEN s.state <> {alerted} AND {to} = {alerted} THEN 1 ELSE 0 END, \
         since_at = CASE WHEN {to} = s.state THEN s.since_at ELSE $1 END, \
         turn = $2, changes = s.changes + 1 WHERE s.next_level <> s.level"
    );
    let values = [turn.now.into(), turn.number.into()];
    tx.execute_raw(statement(tx, &sql, values)).await?;
    Ok(())
}
