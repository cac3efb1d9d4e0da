//! Contacts of cases, and who may be one as far as it is known here.

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};

use crate::domain::day::Day;
use crate::domain::health::disease::Disease;
use crate::domain::laboratory_result::Value as ResultValue;
use crate::store::swabs::SwabRow;
use crate::store::tubes::TubeRow;
use kit::bulk::{Column, placeholders};
use kit::rows::{Lock, Row, row};

row! {
    /// A contact of a case. Times are milliseconds since 1970, 0 for none.
    ContactRow in "case_contacts" by ["case_id", "person"] {
        /// The case.
        case_id: String,
        /// Who.
        person: Vec<u8>,
        /// Student (1) or staff (2).
        kind: i16,
        /// The place of the person's group.
        org_path: String,
        /// How they met.
        relation: i16,
        /// Close (1) or secondary (2).
        degree: i16,
        /// The last day on which they met.
        last_day: i32,
        /// The contact whom a secondary one met, by resource name.
        via: String,
        /// The control that the case put on them; 0 for none.
        control: i16,
        /// When its days are over.
        until: i64,
        /// When they were added.
        add_time: i64,
        /// By whom.
        added_by: String,
        /// When they were removed.
        remove_time: i64,
        /// By whom.
        removed_by: String,
        /// Why.
        remove_reason: String,
        /// How many milliseconds before the end of its days a sample may be taken whose negative result
        /// ends the control; 0 when the days alone end it.
        exit_negative: i64,
    }
}

/// The contacts of a case after a person.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    case: &str,
    after: Vec<u8>,
    limit: u64,
) -> Result<Vec<ContactRow>, DbErr> {
    let values = vec![case.into(), after.into()];
    ContactRow::page(connection, "case_id = $1 AND person > $2", values, limit).await
}

/// One contact of a case.
///
/// # Errors
/// When the database fails.
pub async fn get<C: ConnectionTrait + Sync>(
    connection: &C,
    case: &str,
    person: Vec<u8>,
) -> Result<Option<ContactRow>, DbErr> {
    let values = vec![case.into(), person.into()];
    let found = ContactRow::page(connection, "case_id = $1 AND person = $2", values, 1);
    Ok(found.await?.pop())
}

/// Contacts with a swab in these tubes who are under the control of a case until a negative result
/// ends it, by case and person.
///
/// # Errors
/// When the database fails.
pub async fn waiting(tx: &Tx, tubes: Vec<Value>) -> Result<Vec<ContactRow>, DbErr> {
    let (mut cases, mut people): (Vec<String>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    for part in tubes.chunks(1000) {
        let sql = format!(
            "SELECT DISTINCT controlled.basis, controlled.person FROM swabs \
             JOIN control_states controlled ON controlled.person = swabs.person \
             WHERE controlled.basis LIKE 'cases/%' AND swabs.tube IN ({})",
            placeholders(1, part.len())
        );
        for row in tx.query_all_raw(statement(tx, &sql, part.to_vec())).await? {
            let basis: String = row.try_get_by_index(0)?;
            if let Some(case) = basis.strip_prefix("cases/") {
                cases.push(case.to_owned());
                people.push(row.try_get_by_index(1)?);
            }
        }
    }
    let keys = vec![
        ("case_id", Column::Text(cases)),
        ("person", Column::Bytes(people)),
    ];
    let mut found = ContactRow::among(tx, keys).await?;
    found.retain(|row| row.control != 0 && row.remove_time == 0 && row.exit_negative != 0);
    found.sort_by(|one, other| (&one.case_id, &one.person).cmp(&(&other.case_id, &other.person)));
    found.dedup();
    Ok(found)
}

/// Whether a sample of somebody that counts, scanned at `since` or later, was negative for a disease.
/// Of a result that was corrected the last version counts.
///
/// # Errors
/// When the database fails.
pub async fn has_negative(
    tx: &Tx,
    person: &[u8],
    disease: Disease,
    since: i64,
) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM swabs JOIN tubes ON tubes.code = swabs.tube \
        WHERE swabs.counted AND swabs.person = $1 AND swabs.scan_time >= $2 \
        AND tubes.disease = $3 AND tubes.result = $4 LIMIT 1";
    let values: [Value; 4] = [
        person.to_vec().into(),
        since.into(),
        disease.0.into(),
        ResultValue::Negative.code().into(),
    ];
    let found = tx.query_one_raw(statement(tx, sql, values)).await?;
    Ok(found.is_some())
}

/// The pooled tubes in which somebody's swabs of the days from `first` to `last` count.
///
/// # Errors
/// When the database fails.
pub async fn tubes_of<C: ConnectionTrait + Sync>(
    connection: &C,
    person: &[u8],
    first: Day,
    last: Day,
) -> Result<Vec<TubeRow>, DbErr> {
    let values = vec![
        person.to_vec().into(),
        i32::from(first.number()).into(),
        i32::from(last.number()).into(),
    ];
    let wheres = "person = $1 AND day >= $2 AND day <= $3 AND counted";
    let swabs = SwabRow::page(connection, wheres, values, i64::MAX.unsigned_abs()).await?;
    let codes = swabs.into_iter().map(|swab| swab.tube.into()).collect();
    let mut tubes = TubeRow::find(connection, "code", codes, Lock::No).await?;
    tubes.retain(|tube| tube.parent.is_empty() && tube.point.is_empty());
    Ok(tubes)
}

/// The codes of the tubes sealed right before and after this one at the same school and day (rule
/// 2.19); none before it is sealed.
///
/// # Errors
/// When the database fails.
pub async fn neighbours<C: ConnectionTrait + Sync>(
    connection: &C,
    tube: &TubeRow,
) -> Result<Vec<String>, DbErr> {
    let school = tube
        .org_path
        .rsplit_once('/')
        .map_or("", |(school, _)| school);
    if tube.seal_time == 0 {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for (beyond, order) in [("<", "DESC"), (">", "ASC")] {
        let sql = format!(
            "SELECT code FROM tubes WHERE org_path >= $1 AND org_path < $2 AND day = $3 \
             AND seal_time > 0 AND parent = '' AND point = '' \
             AND (seal_time {beyond} $4 OR (seal_time = $4 AND code {beyond} $5)) \
             ORDER BY seal_time {order}, code {order} LIMIT 1"
        );
        let values: [Value; 5] = [
            format!("{school}/").into(),
            format!("{school}0").into(),
            tube.day.into(),
            tube.seal_time.into(),
            tube.code.as_str().into(),
        ];
        let row = connection
            .query_one_raw(statement(connection, &sql, values))
            .await?;
        if let Some(row) = row {
            found.push(row.try_get_by_index(0)?);
        }
    }
    Ok(found)
}
