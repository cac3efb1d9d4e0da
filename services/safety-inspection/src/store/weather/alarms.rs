//! What warns: warnings of weather bureaus and response levels, and where each holds.

use kit::bulk::{Column, insert};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::query::Where;
use super::{NEVER, Turn};
use crate::grpc::announced;
use crate::store::Store;

row! {
    /// A warning or a response level.
    AlarmRow in "weather_alarms" by ["id"] {
        /// Its id.
        id: Uuid,
        /// 1 for a warning, 2 for a response level.
        origin: i16,
        /// The chain that this one became a part of; itself as long as it is none.
        joined: Uuid,
        /// The id of the bureau that declared it; empty for a warning.
        organization: String,
        /// Only organisations at or below this place are reached.
        place: String,
        /// The number of what threatens.
        kind: i16,
        /// The number of the level.
        level: i16,
        /// The number of the state; 1 is in force for both.
        state: i16,
        /// The parts of division codes that are not zero, joined by commas; empty for all.
        divisions: String,
        /// The numbers of the levels at these, in their order, joined by commas: 0 where it raises
        /// none; empty when all have `level`.
        levels: String,
        /// The sender of a warning, the headquarters of a response level.
        issuer: String,
        /// The heading of a warning, the document of a response level.
        basis: String,
        /// The code of the event of a warning.
        event_code: String,
        /// When it came.
        began_at: i64,
        /// When it is over by its own words.
        expires_at: i64,
        /// When it ended.
        ended_at: i64,
        /// How many entries its history has.
        changes: i32,
    }
}

/// The origin of warnings.
pub const SIGNAL: i16 = 1;
/// The origin of response levels.
pub const RESPONSE: i16 = 2;
/// The state in which either holds.
const IN_FORCE: i16 = 1;

impl AlarmRow {
    /// The resource.
    pub fn name(&self) -> String {
        let id = self.id.hyphenated();
        if self.origin == SIGNAL {
            format!("weatherSignals/{id}")
        } else {
            format!("organizations/{}/responseLevels/{id}", self.organization)
        }
    }

    /// What it names.
    pub fn prefixes(&self) -> Vec<&str> {
        prefixes(&self.divisions)
    }

    /// Where it holds, and the number of the level there.
    fn areas(&self) -> Vec<(String, i16)> {
        let prefixes = self.prefixes();
        if prefixes.is_empty() {
            return vec![(String::new(), self.level)];
        }
        let levels = self
            .levels
            .split(',')
            .map_while(|text| text.parse::<i16>().ok());
        let levels = levels.chain(std::iter::repeat(self.level));
        let areas = prefixes.into_iter().map(str::to_owned).zip(levels);
        areas.filter(|(_, level)| *level > 0).collect()
    }
}

/// Parts of division codes as they are stored.
pub fn prefixes(text: &str) -> Vec<&str> {
    text.split(',')
        .filter(|prefix| !prefix.is_empty())
        .collect()
}

/// Which alarms are listed.
#[derive(Clone, Debug, Default)]
pub struct Alarms {
    /// Of this origin.
    pub origin: i16,
    /// Declared at or below this place.
    pub place: String,
    /// In the state with this number.
    pub state: Option<i16>,
}

impl Store {
    /// Saves an alarm that is in the state `from` before (0 for a new one), with an entry in its
    /// history, and where it holds from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_weather_alarm(
        tx: &Tx,
        mut row: AlarmRow,
        from: i16,
        turn: &Turn,
    ) -> Result<AlarmRow, DbErr> {
        row.changes += 1;
        row.ended_at = match (row.state, from) {
            (IN_FORCE, _) => NEVER,
            (_, IN_FORCE | 0) => turn.now,
            _ => row.ended_at,
        };
        let subject = row.name();
        let moved = (from, row.state);
        Self::weather_changed(tx, (&subject, row.changes), moved, row.level, turn).await?;
        AlarmRow::save(tx, std::slice::from_ref(&row)).await?;
        Self::clear_weather_area(tx, row.id).await?;
        let areas = row.areas();
        if row.state == IN_FORCE && !areas.is_empty() {
            let count = areas.len();
            let (prefixes, levels): (Vec<_>, Vec<_>) = areas.into_iter().unzip();
            let columns = vec![
                ("alarm", Column::Uuid(vec![row.id; count])),
                ("prefix", Column::Text(prefixes)),
                ("place", Column::Text(vec![row.place.clone(); count])),
                ("level", Column::Small(levels)),
            ];
            insert(tx, "weather_areas", columns, "").await?;
        }
        Self::tell(tx, vec![announced::alarm(&row)]).await?;
        Ok(row)
    }

    /// An alarm holds nowhere from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clear_weather_area(tx: &Tx, alarm: Uuid) -> Result<(), DbErr> {
        let sql = "DELETE FROM weather_areas WHERE alarm = $1";
        tx.execute_raw(statement(tx, sql, [alarm.into()])).await?;
        Ok(())
    }

    /// The chain `id` became a part of `joined`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn join_weather_alarm(tx: &Tx, id: Uuid, joined: Uuid) -> Result<(), DbErr> {
        let sql = "UPDATE weather_alarms SET joined = $2 WHERE joined = $1";
        tx.execute_raw(statement(tx, sql, [id.into(), joined.into()]))
            .await?;
        let row = AlarmRow::find(tx, "id", vec![id.into()], Lock::Yes).await?;
        let gone = row.iter().map(announced::alarm_gone);
        Self::tell(tx, gone.collect()).await?;
        Self::clear_weather_area(tx, id).await
    }

    /// An alarm of an origin; by the id of a chain that became a part of it too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_alarm(
        db: &impl ConnectionTrait,
        (origin, id): (i16, Uuid),
        lock: Lock,
    ) -> Result<Option<AlarmRow>, DbErr> {
        let found = AlarmRow::find(db, "id", vec![id.into()], lock).await?.pop();
        let found = match found {
            Some(row) if row.joined != row.id => {
                let joined = vec![row.joined.into()];
                AlarmRow::find(db, "id", joined, lock).await?.pop()
            }
            found => found,
        };
        Ok(found.filter(|row| row.origin == origin))
    }

    /// Alarms, the latest first, before the alarm `before`, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_alarms(
        db: &impl ConnectionTrait,
        wanted: &Alarms,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<AlarmRow>, DbErr> {
        let mut wheres = Where::default();
        let origin = wheres.value(wanted.origin);
        wheres.and(format!("origin = {origin} AND joined = id"));
        wheres.below("place", &wanted.place);
        if let Some(state) = wanted.state {
            let state = wheres.value(state);
            wheres.and(format!("state = {state}"));
        }
        if let Some(before) = before {
            let before = wheres.value(before);
            wheres.and(format!("id < {before}"));
        }
        alarms(db, wheres, &format!("ORDER BY id DESC LIMIT {limit}")).await
    }

    /// Alarms that are in force and were over before `now`, the first first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_alarms_over(
        db: &impl ConnectionTrait,
        now: i64,
        limit: u64,
    ) -> Result<Vec<AlarmRow>, DbErr> {
        let mut wheres = Where::default();
        let now = wheres.value(now);
        wheres.and(format!(
            "state = {IN_FORCE} AND joined = id AND expires_at <= {now}"
        ));
        alarms(
            db,
            wheres,
            &format!("ORDER BY expires_at, id LIMIT {limit}"),
        )
        .await
    }

    /// Alarms that hold for a place with a division, the gravest first, at most 100.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn weather_alarms_at(
        db: &impl ConnectionTrait,
        (org_path, division): (&str, &str),
    ) -> Result<Vec<AlarmRow>, DbErr> {
        let mut wheres = Where::default();
        let (path, division) = (wheres.value(org_path), wheres.value(division));
        wheres.and(format!(
            "id IN (SELECT a.alarm FROM weather_areas a \
             WHERE substr({division}, 1, length(a.prefix)) = a.prefix \
             AND (a.place = '' OR a.place = {path} \
             OR ({path} > a.place || '/' AND {path} < a.place || '0')))"
        ));
        alarms(db, wheres, "ORDER BY level, id LIMIT 100").await
    }
}

async fn alarms(
    db: &impl ConnectionTrait,
    wheres: Where,
    rest: &str,
) -> Result<Vec<AlarmRow>, DbErr> {
    let sql = format!(
        "SELECT {} FROM weather_alarms WHERE {} {rest}",
        AlarmRow::COLUMNS.join(", "),
        wheres.sql(),
    );
    let rows = db.query_all_raw(statement(db, &sql, wheres.values)).await?;
    rows.iter().map(AlarmRow::read).collect()
}
