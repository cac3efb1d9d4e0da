//! Requests of people about what is held of them.

use chrono::NaiveDate;
use kit::db::{Tx, statement};
use kit::org::OrgPath;
use kit::rows::Lock;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::{from_day, locked, to_day, unreadable, within};
use crate::domain::subject::{Asker, Closed, Filed, Kind, Person, State, SubjectRequest};

const COLUMNS: &str = "id, organization, org_path, person, kind, asker, identity_check, fields, filed_by, \
    file_time, file_day, state, close_text, holdings, closed_by, close_time, close_day, person_kind";

/// A request with its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The id of the request.
    pub id: String,
    /// The code of the organisation that answers.
    pub organization: String,
    /// The place of it.
    pub org_path: String,
    /// What was filed and how it ended.
    pub request: SubjectRequest,
}

impl Stored {
    /// The resource name of the request.
    pub fn name(&self) -> String {
        name(&self.organization, &self.id)
    }
}

/// The resource name of the request `id` at an organisation.
pub fn name(organization: &str, id: &str) -> String {
    format!("organizations/{organization}/subjectRequests/{id}")
}

/// Which requests a list holds.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// At and below this place.
    pub place: OrgPath,
    /// About this person only.
    pub person: Option<Person>,
    /// Only those that wait and were filed on this day or before.
    pub waiting_since: Option<NaiveDate>,
    /// Before the one called so; from the latest on when it is empty.
    pub before: String,
    /// At most so many.
    pub limit: u64,
}

fn read(row: &QueryResult) -> Result<Stored, DbErr> {
    let kind = Kind::from_code(row.try_get_by_index(4)?);
    let asker = Asker::from_code(row.try_get_by_index(5)?);
    let fields: String = row.try_get_by_index(7)?;
    let state = State::from_code(row.try_get_by_index(11)?);
    let person = Person::from_parts(row.try_get_by_index(17)?, row.try_get_by_index(3)?);
    let torn = || unreadable("a request of a person");
    let filed = Filed {
        person: person.ok_or_else(torn)?,
        kind: kind.ok_or_else(torn)?,
        asker: asker.ok_or_else(torn)?,
        identity_check: row.try_get_by_index(6)?,
        fields: serde_json::from_str(&fields).map_err(|_| torn())?,
        by: row.try_get_by_index(8)?,
        time: row.try_get_by_index(9)?,
        day: to_day(row.try_get_by_index(10)?)?,
    };
    let closed = match state.ok_or_else(torn)? {
        State::Received => None,
        state => {
            let holdings: String = row.try_get_by_index(13)?;
            Some(Closed {
                state,
                text: row.try_get_by_index(12)?,
                holdings: serde_json::from_str(&holdings).map_err(|_| torn())?,
                by: row.try_get_by_index(14)?,
                time: row.try_get_by_index(15)?,
                day: to_day(row.try_get_by_index(16)?)?,
            })
        }
    };
    Ok(Stored {
        id: row.try_get_by_index(0)?,
        organization: row.try_get_by_index(1)?,
        org_path: row.try_get_by_index(2)?,
        request: SubjectRequest { filed, closed },
    })
}

/// One request.
///
/// # Errors
/// When the database fails.
pub async fn get(db: &impl ConnectionTrait, id: &str, lock: Lock) -> Result<Option<Stored>, DbErr> {
    let sql = format!(
        "SELECT {COLUMNS} FROM subject_requests WHERE id = $1{}",
        locked(db, lock)
    );
    let row = db.query_one_raw(statement(db, &sql, [id.into()])).await?;
    row.as_ref().map(read).transpose()
}

/// One page of requests, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl ConnectionTrait, wanted: &Wanted) -> Result<Vec<Stored>, DbErr> {
    let Wanted {
        place,
        person,
        waiting_since,
        before,
        limit,
    } = wanted;
    let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
    let (inside, scope) = within("org_path", 3, place);
    let mut values: Vec<Value> = vec![before.as_str().into(), limit.into()];
    values.extend(scope);
    let mut conditions = format!("($1 = '' OR id < $1) AND {inside}");
    if let Some(person) = person {
        values.push(person.id().into());
        conditions.push_str(&format!(" AND person = ${}", values.len()));
    }
    if let Some(day) = waiting_since {
        values.push(from_day(*day).into());
        let received = State::Received.code();
        conditions.push_str(&format!(
            " AND state = {received} AND file_day <= ${}",
            values.len()
        ));
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM subject_requests WHERE {conditions} ORDER BY id DESC LIMIT $2"
    );
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter().map(read).collect()
}

/// Adds a request that was filed.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &Tx, stored: &Stored) -> Result<(), DbErr> {
    let Filed {
        person,
        kind,
        asker,
        identity_check,
        fields,
        by,
        time,
        day,
    } = &stored.request.filed;
    let (person_kind, person) = person.parts();
    let fields = serde_json::to_string(fields);
    let fields = fields.map_err(|_| unreadable("fields"))?;
    let insert = statement(
        tx,
        "INSERT INTO subject_requests (id, organization, org_path, person, kind, asker, \
         identity_check, fields, filed_by, file_time, file_day, state, person_kind) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        [
            stored.id.as_str().into(),
            stored.organization.as_str().into(),
            stored.org_path.as_str().into(),
            person.into(),
            kind.code().into(),
            asker.code().into(),
            identity_check.as_str().into(),
            fields.into(),
            by.as_str().into(),
            (*time).into(),
            from_day(*day).into(),
            State::Received.code().into(),
            person_kind.into(),
        ],
    );
    tx.execute_raw(insert).await?;
    Ok(())
}

/// Keeps how a request that was locked ended.
///
/// # Errors
/// When the database fails.
pub async fn close(tx: &Tx, id: &str, closed: &Closed) -> Result<(), DbErr> {
    let Closed {
        state,
        text,
        holdings,
        by,
        time,
        day,
    } = closed;
    let holdings = serde_json::to_string(holdings);
    let holdings = holdings.map_err(|_| unreadable("holdings"))?;
    let values: [Value; 7] = [
        state.code().into(),
        text.as_str().into(),
        holdings.into(),
        by.as_str().into(),
        (*time).into(),
        from_day(*day).into(),
        id.into(),
    ];
    let update = statement(
        tx,
        "UPDATE subject_requests SET state = $1, close_text = $2, holdings = $3, closed_by = $4, \
         close_time = $5, close_day = $6 WHERE id = $7",
        values,
    );
    tx.execute_raw(update).await?;
    Ok(())
}

/// Something of one of these people that was shown to somebody, the latest first, at most `limit`: when, by
/// which method and why.
///
/// # Errors
/// When the database fails.
pub async fn seen(
    db: &impl ConnectionTrait,
    people: &[Uuid],
    limit: u32,
) -> Result<Vec<(i64, String, String)>, DbErr> {
    let marks: Vec<String> = (1..=people.len()).map(|mark| format!("${mark}")).collect();
    let marks = marks.join(", ");
    let sql = format!(
        "SELECT shown_time, method, reason FROM (\
         SELECT create_time AS shown_time, act AS method, reason FROM disclosures \
         WHERE subject IN ({marks}) \
         UNION ALL SELECT use_time AS shown_time, method, approval AS reason FROM access_uses \
         WHERE person IN ({marks})) AS shown ORDER BY shown_time DESC LIMIT {limit}"
    );
    let values = people.iter().map(|person| Value::from(*person));
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    let seen = rows.iter().map(|row| {
        Ok((
            row.try_get_by_index(0)?,
            row.try_get_by_index(1)?,
            row.try_get_by_index(2)?,
        ))
    });
    seen.collect()
}
