//! Where organisations stand.

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::query::Where;
use super::{NEVER, Turn};
use crate::domain::weather::level::Level;
use crate::domain::weather::state::{Event, State};
use crate::store::{Store, unreadable};

row! {
    /// Where an organisation stands.
    StateRow in "weather_states" by ["organization"] {
        /// Its id.
        organization: String,
        /// Its place.
        org_path: String,
        /// The number of its kind.
        kind: i16,
        /// The region of the policy in force for it.
        region: String,
        /// The number of the state.
        state: i16,
        /// The number of the gravest level that holds there; 0 for none.
        level: i16,
        /// The same as it will be at the end of the turn.
        next_level: i16,
        /// Counts the warnings after none.
        episode: i32,
        /// Counts the liftings.
        sweep: i32,
        /// Since when it is in this state.
        since_at: i64,
        /// When the sweep and the disinfection are due.
        due_at: i64,
        /// The last turn that changed it.
        turn: i64,
        /// How many entries its history has.
        changes: i32,
    }
}

/// Which organisations are listed.
#[derive(Clone, Debug, Default)]
pub struct States {
    /// Those at and below this place.
    pub place: String,
    /// Those in this state.
    pub state: Option<State>,
    /// Those whose check was due before this time.
    pub overdue: Option<i64>,
}

impl StateRow {
    /// The state.
    ///
    /// # Errors
    /// When the number is of no state.
    pub fn state(&self) -> Result<State, DbErr> {
        State::from_number(self.state.into()).ok_or_else(|| unreadable("state"))
    }

    /// The level; none when no warning holds.
    pub fn level(&self) -> Option<Level> {
        Level::from_number(self.level.into())
    }

    /// The resource.
    pub fn name(&self) -> String {
        state_name(&self.organization)
    }
}

/// The resource name of where an organisation stands.
pub fn state_name(organization: &str) -> String {
    format!("organizations/{organization}/weatherState")
}

impl Store {
    /// Where an organisation stands; none when it never was warned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_state(
        db: &impl ConnectionTrait,
        organization: &str,
        lock: Lock,
    ) -> Result<Option<StateRow>, DbErr> {
        StateRow::get(db, organization, lock).await
    }

    /// Moves one organisation by an event, from a row that is locked; false when the event does not
    /// start from its state. Nothing is written then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn move_weather_state(
        tx: &Tx,
        row: &mut StateRow,
        event: Event,
        turn: &Turn,
    ) -> Result<bool, DbErr> {
        let from = row.state;
        let Some(to) = row.state()?.after(event) else {
            return Ok(false);
        };
        row.state = to as i16;
        if row.state != from {
            row.changes += 1;
            row.since_at = turn.now;
            if !to.awaits_check() {
                row.due_at = NEVER;
            }
            let subject = (&*row.name(), row.changes);
            Self::weather_changed(tx, subject, (from, row.state), row.level, turn).await?;
            StateRow::save(tx, std::slice::from_ref(row)).await?;
            Self::retell(tx, &row.organization, "weatherState").await?;
            Self::judge_anew(tx, [&*row.organization]).await?;
        }
        Ok(true)
    }

    /// Organisations in the order of their places, after the place `after`, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_states(
        db: &impl ConnectionTrait,
        wanted: &States,
        after: &str,
        limit: u64,
    ) -> Result<Vec<StateRow>, DbErr> {
        let mut wheres = Where::default();
        wheres.below("org_path", &wanted.place);
        let after = wheres.value(after);
        wheres.and(format!("org_path > {after}"));
        if let Some(state) = wanted.state {
            wheres.and(format!("state = {}", state as i32));
        }
        if let Some(now) = wanted.overdue {
            let now = wheres.value(now);
            wheres.and(format!("due_at < {now}"));
        }
        let sql = format!(
            "SELECT {} FROM weather_states WHERE {} ORDER BY org_path LIMIT {limit}",
            StateRow::COLUMNS.join(", "),
            wheres.sql(),
        );
        let rows = db.query_all_raw(statement(db, &sql, wheres.values)).await?;
        rows.iter().map(StateRow::read).collect()
    }

    /// The suspensions in force at an organisation, in the order of their making, and whether they
    /// stop its buses.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_suspended(
        db: &impl ConnectionTrait,
        organizations: &[String],
    ) -> Result<Vec<(String, Uuid, bool)>, DbErr> {
        if organizations.is_empty() {
            return Ok(Vec::new());
        }
        let mut wheres = Where::default();
        let places = organizations.iter().map(|id| wheres.value(id.as_str()));
        let places: Vec<String> = places.collect();
        let sql = format!(
            "SELECT organization, suspension, buses FROM weather_suspended \
             WHERE in_force = TRUE AND organization IN ({}) ORDER BY organization, suspension",
            places.join(", ")
        );
        let rows = db.query_all_raw(statement(db, &sql, wheres.values)).await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.try_get_by_index(0)?,
                    row.try_get_by_index(1)?,
                    row.try_get_by_index(2)?,
                ))
            })
            .collect()
    }
}
