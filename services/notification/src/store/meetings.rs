//! Meetings. Instants are milliseconds since 1970, 0 for none.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use kit::bulk::{Column, insert};
use kit::db::{Tx, statement};
use kit::feed::announce;
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Store, audience, unreadable};
use crate::domain::meeting::{Meeting, State, Venue};
use crate::domain::party::Party;
use crate::grpc::announced::meeting_change;

row! {
    /// A meeting.
    MeetingRow in "meetings" by ["id"] {
        /// The id.
        id: Uuid,
        /// The organisation id of who called it.
        organization: String,
        /// Where that organisation stands.
        org_path: String,
        /// The number of the state.
        state: i16,
        /// The heading.
        title: String,
        /// What it is about.
        agenda: String,
        /// When it begins.
        start_at: i64,
        /// When it is expected to be over.
        end_at: i64,
        /// A JSON array.
        venues: String,
        /// As JSON.
        audience: String,
        /// Joined by commas.
        posts: String,
        /// The name of the directive that is its notice.
        notice: String,
        /// Who called it.
        convener: String,
        /// When it was called.
        created_at: i64,
        /// When it was ended or called off.
        closed_at: i64,
        /// The minutes.
        minutes: String,
        /// The name of the directive that they became.
        directive: String,
        /// Why it was called off or postponed.
        change_reason: String,
        /// Grows with each change.
        version: i64,
        /// The version that the feed tells.
        announced: i64,
    }
}

#[derive(Serialize, Deserialize)]
struct VenueBody {
    id: String,
    display_name: String,
    main: bool,
    organization: String,
    org_path: String,
}

/// What a transaction does with a meeting that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It changes it: nobody else reads or changes it in a transaction meanwhile.
    Change,
    /// It needs it as it is: nobody changes it meanwhile.
    Use,
}

impl Store {
    /// Stores and announces a meeting that is called.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_meeting(tx: &Tx, meeting: Meeting) -> Result<(), DbErr> {
        let change = meeting_change(&meeting);
        MeetingRow::add(tx, &[row_of(meeting)]).await?;
        announce(tx, vec![change]).await
    }

    /// Stores and announces a meeting as it is now, held to be changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_meeting(tx: &Tx, meeting: Meeting) -> Result<Meeting, DbErr> {
        let version = meeting.version + 1;
        let meeting = Meeting { version, ..meeting };
        MeetingRow::save(tx, &[row_of(meeting.clone())]).await?;
        announce(tx, vec![meeting_change(&meeting)]).await?;
        Ok(meeting)
    }

    /// One meeting of an organisation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn meeting(
        db: &impl ConnectionTrait,
        organization: &str,
        id: Uuid,
    ) -> Result<Option<Meeting>, DbErr> {
        read(db, "", organization, id).await
    }

    /// One meeting of an organisation, held until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn held_meeting(
        tx: &Tx,
        organization: &str,
        id: Uuid,
        hold: Hold,
    ) -> Result<Option<Meeting>, DbErr> {
        let lock = match (tx.get_database_backend(), hold) {
            (DbBackend::Postgres, Hold::Change) => " FOR UPDATE",
            (DbBackend::Postgres, Hold::Use) => " FOR SHARE",
            _ => "",
        };
        read(tx, lock, organization, id).await
    }

    /// The meetings of an organisation called before `before`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn meetings(
        &self,
        organization: &str,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Meeting>, DbErr> {
        let mut values: Vec<Value> = vec![organization.into()];
        let older = before.map_or("", |before| {
            values.push(before.into());
            " AND id < $2"
        });
        let sql = format!(
            "SELECT {} FROM meetings WHERE organization = $1{older} ORDER BY id DESC LIMIT {limit}",
            MeetingRow::COLUMNS.join(", ")
        );
        let db = self.db.read();
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| MeetingRow::read(row).and_then(Meeting::try_from))
            .collect()
    }
}

/// Whoever was called to a meeting that is not over.
impl Store {
    /// Remembers who was called.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remember_called(
        tx: &Tx,
        meeting: Uuid,
        parties: &BTreeSet<Party>,
    ) -> Result<(), DbErr> {
        let columns = vec![
            ("meeting", Column::Uuid(vec![meeting; parties.len()])),
            (
                "party",
                Column::Text(parties.iter().map(Party::name).collect()),
            ),
        ];
        insert(tx, "meeting_calls", columns, "ON CONFLICT DO NOTHING").await
    }

    /// Who was called; nobody to one that was called before this was remembered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn called(tx: &Tx, meeting: Uuid) -> Result<BTreeSet<Party>, DbErr> {
        let sql = "SELECT party FROM meeting_calls WHERE meeting = $1";
        let rows = tx
            .query_all_raw(statement(tx, sql, [meeting.into()]))
            .await?;
        rows.iter()
            .map(|row| {
                let name: String = row.try_get_by_index(0)?;
                Party::parse(&name).ok_or_else(|| unreadable("party"))
            })
            .collect()
    }

    /// Forgets who was called: the meeting is over or called off.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_called(tx: &Tx, meeting: Uuid) -> Result<(), DbErr> {
        let sql = "DELETE FROM meeting_calls WHERE meeting = $1";
        tx.execute_raw(statement(tx, sql, [meeting.into()])).await?;
        Ok(())
    }
}

async fn read(
    db: &impl ConnectionTrait,
    lock: &str,
    organization: &str,
    id: Uuid,
) -> Result<Option<Meeting>, DbErr> {
    let columns = MeetingRow::COLUMNS.join(", ");
    let sql = format!("SELECT {columns} FROM meetings WHERE id = $1 AND organization = $2{lock}");
    let values = [id.into(), organization.into()];
    let row = db.query_one_raw(statement(db, &sql, values)).await?;
    row.map(|row| MeetingRow::read(&row).and_then(Meeting::try_from))
        .transpose()
}

fn row_of(meeting: Meeting) -> MeetingRow {
    let Meeting {
        organization,
        id,
        org_path,
        state,
        title,
        agenda,
        start,
        end,
        venues,
        audience,
        posts,
        notice,
        convener,
        created,
        closed,
        minutes,
        directive,
        change_reason,
        version,
    } = meeting;
    let venue = |venue: Venue| VenueBody {
        id: venue.id,
        display_name: venue.display_name,
        main: venue.main,
        organization: venue.organization,
        org_path: venue.org_path,
    };
    let venues: Vec<VenueBody> = venues.into_iter().map(venue).collect();
    MeetingRow {
        id,
        organization,
        org_path,
        state: state as i16,
        title,
        agenda,
        start_at: start.timestamp_millis(),
        end_at: end.timestamp_millis(),
        venues: serde_json::to_string(&venues).unwrap_or_default(),
        audience: audience::pack(audience),
        posts: posts.join(","),
        notice,
        convener,
        created_at: created.timestamp_millis(),
        closed_at: closed.map_or(0, |closed| closed.timestamp_millis()),
        minutes,
        directive,
        change_reason,
        version,
        announced: version,
    }
}

impl TryFrom<MeetingRow> for Meeting {
    type Error = DbErr;

    fn try_from(row: MeetingRow) -> Result<Self, DbErr> {
        let state = State::ALL
            .into_iter()
            .find(|state| *state as i16 == row.state);
        let venues: Vec<VenueBody> =
            serde_json::from_str(&row.venues).map_err(|_| unreadable("venues"))?;
        let venue = |venue: VenueBody| Venue {
            id: venue.id,
            display_name: venue.display_name,
            main: venue.main,
            organization: venue.organization,
            org_path: venue.org_path,
        };
        let instant = |millis| -> Result<DateTime<Utc>, DbErr> {
            DateTime::from_timestamp_millis(millis).ok_or_else(|| unreadable("instant"))
        };
        Ok(Self {
            organization: row.organization,
            id: row.id,
            org_path: row.org_path,
            state: state.ok_or_else(|| unreadable("state"))?,
            title: row.title,
            agenda: row.agenda,
            start: instant(row.start_at)?,
            end: instant(row.end_at)?,
            venues: venues.into_iter().map(venue).collect(),
            audience: audience::unpack(&row.audience).ok_or_else(|| unreadable("audience"))?,
            posts: row.posts.split(',').map(ToOwned::to_owned).collect(),
            notice: row.notice,
            convener: row.convener,
            created: instant(row.created_at)?,
            closed: match row.closed_at {
                0 => None,
                closed => Some(instant(closed)?),
            },
            minutes: row.minutes,
            directive: row.directive,
            change_reason: row.change_reason,
            version: row.version,
        })
    }
}
