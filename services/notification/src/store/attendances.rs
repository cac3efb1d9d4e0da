//! Who attends meetings. Instants are milliseconds since 1970, 0 for none.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::{Store, below_end, unreadable};
use crate::domain::attendance::{Attendance, State, Substitution};

row! {
    /// One post of one organisation at a meeting.
    AttendanceRow in "attendances" by ["meeting", "attendance"] {
        /// The meeting.
        meeting: Uuid,
        /// `{organization}~{post}`.
        attendance: String,
        /// The organisation id.
        organization: String,
        /// The place in the tree.
        org_path: String,
        /// The post.
        post: String,
        /// The room where they are expected.
        venue: String,
        /// The number of the state.
        state: i16,
        /// The number of where a request for a substitute stands.
        substitution: i16,
        /// Who is asked for.
        substitute: String,
        /// Why the holder cannot come.
        substitute_reason: String,
        /// Who decided.
        substitute_decider: String,
        /// Who signed in.
        attendee: String,
        /// The room where they signed in.
        sign_in_venue: String,
        /// When.
        signed_in_at: i64,
        /// When they signed out.
        signed_out_at: i64,
        /// They signed in after the begin.
        late: bool,
        /// They left without signing out.
        left_unsigned: bool,
        /// Grows with each change.
        version: i64,
    }
}

/// How many are expected at a meeting, and came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turnout {
    /// All of them.
    pub expected: i32,
    /// Those who signed in, substitutes among them.
    pub attended: i32,
    /// Those of them who came after the begin.
    pub late: i32,
    /// Those of them who were substitutes.
    pub substitutes: i32,
    /// Those who were absent.
    pub absent: i32,
}

/// Which attendances a list is of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Those in this state.
    pub state: Option<State>,
    /// Those whose request waits for a decision.
    pub requested: bool,
}

impl Store {
    /// Stores who is expected at a meeting.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_attendances(
        tx: &Tx,
        meeting: Uuid,
        expected: Vec<Attendance>,
    ) -> Result<(), DbErr> {
        let rows: Vec<_> = expected
            .into_iter()
            .map(|attendance| row_of(meeting, attendance))
            .collect();
        AttendanceRow::add(tx, &rows).await
    }

    /// One attendance.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attendance(
        db: &impl ConnectionTrait,
        meeting: Uuid,
        id: &str,
    ) -> Result<Option<Attendance>, DbErr> {
        let columns = AttendanceRow::COLUMNS.join(", ");
        let sql =
            format!("SELECT {columns} FROM attendances WHERE meeting = $1 AND attendance = $2");
        let values = [meeting.into(), id.into()];
        let row = db.query_one_raw(statement(db, &sql, values)).await?;
        row.as_ref().map(attendance).transpose()
    }

    /// Stores an attendance; none when somebody else changed it meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_attendance(
        tx: &Tx,
        meeting: Uuid,
        attendance: Attendance,
    ) -> Result<Option<Attendance>, DbErr> {
        let before = attendance.version;
        let version = before + 1;
        let attendance = Attendance {
            version,
            ..attendance
        };
        let sql = "UPDATE attendances SET version = $3 \
                   WHERE meeting = $1 AND attendance = $2 AND version = $4";
        let values = [
            meeting.into(),
            attendance.id.clone().into(),
            version.into(),
            before.into(),
        ];
        let mine = tx.execute_raw(statement(tx, sql, values)).await?;
        if mine.rows_affected() == 0 {
            return Ok(None);
        }
        AttendanceRow::save(tx, &[row_of(meeting, attendance.clone())]).await?;
        Ok(Some(attendance))
    }

    /// A meeting is over: whoever has not come is absent, whoever has not signed out is signed out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close_attendances(
        tx: &Tx,
        meeting: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let sql = "UPDATE attendances SET state = $2, version = version + 1 \
                   WHERE meeting = $1 AND state = $3";
        let values = [
            meeting.into(),
            (State::Absent as i16).into(),
            (State::Expected as i16).into(),
        ];
        tx.execute_raw(statement(tx, sql, values)).await?;
        let sql = "UPDATE attendances SET state = $2, signed_out_at = $4, left_unsigned = TRUE, \
                   version = version + 1 WHERE meeting = $1 AND state = $3";
        let values = [
            meeting.into(),
            (State::SignedOut as i16).into(),
            (State::SignedIn as i16).into(),
            now.timestamp_millis().into(),
        ];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// A meeting is held later: whoever has signed in is expected again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expect_again(tx: &Tx, meeting: Uuid) -> Result<(), DbErr> {
        let sql = "UPDATE attendances SET state = $2, attendee = '', sign_in_venue = '', \
                   signed_in_at = 0, signed_out_at = 0, late = FALSE, left_unsigned = FALSE, \
                   version = version + 1 WHERE meeting = $1 AND state <> $2";
        let values = [meeting.into(), (State::Expected as i16).into()];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }

    /// Everybody who is expected at a meeting.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all_attendances(tx: &Tx, meeting: Uuid) -> Result<Vec<Attendance>, DbErr> {
        let columns = AttendanceRow::COLUMNS.join(", ");
        let sql = format!(
            "SELECT {columns} FROM attendances WHERE meeting = $1 ORDER BY org_path, attendance"
        );
        let rows = tx
            .query_all_raw(statement(tx, &sql, [meeting.into()]))
            .await?;
        rows.iter().map(attendance).collect()
    }

    /// The attendances at and below `place` after the place and id `after`, in their order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attendances(
        &self,
        meeting: Uuid,
        place: &str,
        filter: Filter,
        after: Option<(String, String)>,
        limit: u64,
    ) -> Result<Vec<Attendance>, DbErr> {
        let mut values: Vec<Value> = vec![meeting.into()];
        let mut wheres = "meeting = $1".to_owned();
        let mut bind = |value: Value| {
            values.push(value);
            values.len()
        };
        if !place.is_empty() {
            let (at, low) = (bind(place.into()), bind(format!("{place}/").into()));
            let high = bind(below_end(place).into());
            wheres +=
                &format!(" AND (org_path = ${at} OR (org_path > ${low} AND org_path < ${high}))");
        }
        if let Some(state) = filter.state {
            wheres += &format!(" AND state = ${}", bind((state as i16).into()));
        }
        if filter.requested {
            let requested = Substitution::Requested as i16;
            wheres += &format!(" AND substitution = ${}", bind(requested.into()));
            let expected = State::Expected as i16;
            wheres += &format!(" AND state = ${}", bind(expected.into()));
        }
        if let Some((path, id)) = after {
            let (path, id) = (bind(path.into()), bind(id.into()));
            wheres += &format!(
                " AND (org_path > ${path} OR (org_path = ${path} AND attendance > ${id}))"
            );
        }
        let sql = format!(
            "SELECT {} FROM attendances WHERE {wheres} ORDER BY org_path, attendance LIMIT {limit}",
            AttendanceRow::COLUMNS.join(", ")
        );
        let db = self.db.read();
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter().map(attendance).collect()
    }

    /// Whether anybody at or below `place` is expected at a meeting.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_expected(&self, meeting: Uuid, place: &str) -> Result<bool, DbErr> {
        let found = self.attendances(meeting, place, Filter::default(), None, 1);
        Ok(!found.await?.is_empty())
    }

    /// How many came to each of these meetings; one where nobody is expected is left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn turnouts(
        db: &impl ConnectionTrait,
        meetings: &[Uuid],
    ) -> Result<HashMap<Uuid, Turnout>, DbErr> {
        if meetings.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = format!(
            "SELECT meeting, COUNT(*), COUNT(CASE WHEN attendee <> '' THEN 1 END), \
             COUNT(CASE WHEN late = TRUE THEN 1 END), \
             COUNT(CASE WHEN attendee <> '' AND attendee = substitute THEN 1 END), \
             COUNT(CASE WHEN state = {absent} THEN 1 END) FROM attendances \
             WHERE meeting IN ({places}) GROUP BY meeting",
            absent = State::Absent as i16,
            places = placeholders(1, meetings.len()),
        );
        let select = statement(db, &sql, meetings.iter().map(|id| (*id).into()));
        let rows = db.query_all_raw(select).await?;
        rows.iter()
            .map(|row| {
                let count = |index: usize| -> Result<i32, DbErr> {
                    let count: i64 = row.try_get_by_index(index)?;
                    i32::try_from(count).map_err(|_| unreadable("count"))
                };
                let turnout = Turnout {
                    expected: count(1)?,
                    attended: count(2)?,
                    late: count(3)?,
                    substitutes: count(4)?,
                    absent: count(5)?,
                };
                Ok((row.try_get_by_index(0)?, turnout))
            })
            .collect()
    }
}

fn row_of(meeting: Uuid, attendance: Attendance) -> AttendanceRow {
    let Attendance {
        id,
        organization,
        org_path,
        post,
        venue,
        state,
        substitution,
        substitute,
        substitute_reason,
        substitute_decider,
        attendee,
        sign_in_venue,
        signed_in,
        signed_out,
        late,
        left_unsigned,
        version,
    } = attendance;
    let millis = |at: Option<DateTime<Utc>>| at.map_or(0, |at| at.timestamp_millis());
    AttendanceRow {
        meeting,
        attendance: id,
        organization,
        org_path,
        post,
        venue,
        state: state as i16,
        substitution: substitution as i16,
        substitute,
        substitute_reason,
        substitute_decider,
        attendee,
        sign_in_venue,
        signed_in_at: millis(signed_in),
        signed_out_at: millis(signed_out),
        late,
        left_unsigned,
        version,
    }
}

fn attendance(row: &QueryResult) -> Result<Attendance, DbErr> {
    let row = AttendanceRow::read(row)?;
    let mut states = State::ALL.into_iter();
    let state = states.find(|state| *state as i16 == row.state);
    let mut asked = Substitution::ALL.into_iter();
    let substitution = asked.find(|asked| *asked as i16 == row.substitution);
    let instant = |millis: i64| {
        let instant = (millis != 0).then(|| DateTime::from_timestamp_millis(millis));
        instant.flatten()
    };
    Ok(Attendance {
        id: row.attendance,
        organization: row.organization,
        org_path: row.org_path,
        post: row.post,
        venue: row.venue,
        state: state.ok_or_else(|| unreadable("state"))?,
        substitution: substitution.ok_or_else(|| unreadable("substitution"))?,
        substitute: row.substitute,
        substitute_reason: row.substitute_reason,
        substitute_decider: row.substitute_decider,
        attendee: row.attendee,
        sign_in_venue: row.sign_in_venue,
        signed_in: instant(row.signed_in_at),
        signed_out: instant(row.signed_out_at),
        late: row.late,
        left_unsigned: row.left_unsigned,
        version: row.version,
    })
}
