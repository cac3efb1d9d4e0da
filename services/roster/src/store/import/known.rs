//! What is in the register when rows come: places, and who is known from the source.

use futures_util::TryStreamExt;
use kit::copy::copy_out;
use kit::db::{Backend, Database, Tx, statement};
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, StreamTrait};
use uuid::Uuid;

use super::jobs::Job;
use super::shape::Shape;
use crate::domain::import::Kind;
use crate::domain::organization;
use crate::store::{unreadable, within};

/// A place that rows may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The id of the organisation.
    pub id: String,
    /// Where it stands.
    pub org_path: String,
    /// What it is.
    pub kind: organization::Kind,
    /// Its ten-digit code.
    pub school_code: Option<String>,
}

/// The organisations in use at or below `scope`, with those that the job staged.
///
/// # Errors
/// When the database fails.
pub async fn places(db: &Database, job: &Job) -> Result<Vec<Place>, DbErr> {
    let scope: OrgPath = job.org_path.parse().map_err(|_| unreadable("a place"))?;
    let (inside, values) = within("org_path", 1, &scope);
    let sql = format!(
        "SELECT id, org_path, kind, school_code FROM organizations WHERE state = 1 AND {inside} \
         UNION ALL SELECT id, org_path, kind, school_code FROM import_organizations \
         WHERE job = $4 AND NOT removal"
    );
    let values = values.into_iter().chain([job.number.into()]);
    let rows = db
        .read()
        .query_all_raw(statement(db.read(), &sql, values))
        .await?;
    rows.iter()
        .map(|row| {
            let kind = organization::Kind::from_code(row.try_get_by_index(2)?);
            Ok(Place {
                id: row.try_get_by_index(0)?,
                org_path: row.try_get_by_index(1)?,
                kind: kind.ok_or_else(|| unreadable("a kind of organisation"))?,
                school_code: row.try_get_by_index(3)?,
            })
        })
        .collect()
}

/// The places of the class groups in use, with those that the job staged.
///
/// # Errors
/// When the database fails.
pub async fn class_groups(db: &Database, job: &Job) -> Result<Vec<String>, DbErr> {
    let scope: OrgPath = job.org_path.parse().map_err(|_| unreadable("a place"))?;
    let (inside, values) = within("org_path", 1, &scope);
    let sql = format!(
        "SELECT org_path FROM class_groups WHERE state = 1 AND {inside} \
         UNION ALL SELECT org_path FROM import_class_groups WHERE job = $4 AND NOT removal"
    );
    let values = values.into_iter().chain([job.number.into()]);
    let rows = db
        .read()
        .query_all_raw(statement(db.read(), &sql, values))
        .await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Everybody of one kind who is known from the job's source and place: the identifier, and the hash
/// of the row that they came with, when it can be compared.
///
/// # Errors
/// When the database fails.
pub async fn people(
    db: &Database,
    shape: &Shape,
    job: &Job,
    mut each: impl FnMut(u128, Option<i64>),
) -> Result<(), DbErr> {
    let (condition, values) = shape.known(job, 1);
    let sql = format!(
        "SELECT t.id, t.raw_hash FROM {} t WHERE {condition}",
        shape.table
    );
    let Some(pool) = db.postgres() else {
        let select = statement(db.read(), &sql, values);
        let mut rows = db.read().stream_raw(select).await?;
        while let Some(row) = rows.try_next().await? {
            let id: Uuid = row.try_get_by_index(0)?;
            each(id.as_u128(), row.try_get_by_index(1)?);
        }
        return Ok(());
    };
    let quoted = inline(&sql, &values)?;
    let copy = format!("COPY ({quoted}) TO STDOUT (FORMAT binary)");
    let mut reader = CopyReader::default();
    let copied = copy_out(pool, &copy, |part| {
        let read = reader.read(part, &mut each);
        read.ok_or_else(|| unreadable("a COPY stream"))
    });
    db.by_driver("COPY", copied).await
}

/// COPY takes no parameters: texts of known alphabets stand in their place.
fn inline(sql: &str, values: &[sea_orm::Value]) -> Result<String, DbErr> {
    let mut sql = sql.to_owned();
    for (place, value) in values.iter().enumerate().rev() {
        let sea_orm::Value::String(Some(text)) = value else {
            return Err(unreadable("a value for COPY"));
        };
        let plain = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'/');
        if !plain {
            return Err(unreadable("a value for COPY"));
        }
        sql = sql.replace(&format!("${}", place + 1), &format!("'{text}'"));
    }
    Ok(sql)
}

/// Reads rows of a UUID and a BIGINT out of a binary COPY, however it is cut into parts.
#[derive(Debug, Default)]
struct CopyReader {
    rest: Vec<u8>,
    begun: bool,
}

impl CopyReader {
    fn read(&mut self, part: &[u8], each: &mut impl FnMut(u128, Option<i64>)) -> Option<()> {
        const HEAD: usize = 19;
        self.rest.extend(part);
        let mut at = 0;
        if !self.begun {
            if self.rest.len() < HEAD {
                return Some(());
            }
            (self.begun, at) = (true, HEAD);
        }
        while let Some((id, hash, next)) = row(&self.rest, at)? {
            each(id, hash);
            at = next;
        }
        self.rest.drain(..at);
        Some(())
    }
}

type Row = (u128, Option<i64>, usize);

/// The row at `at` and where the next one begins; an inner none when it is not whole yet or the
/// last one was read, an outer none when it has another form.
#[expect(clippy::option_option, reason = "the two say different things")]
fn row(bytes: &[u8], at: usize) -> Option<Option<Row>> {
    let Some(count) = bytes.get(at..at + 2) else {
        return Some(None);
    };
    match i16::from_be_bytes([count[0], count[1]]) {
        -1 => return Some(None),
        2 => {}
        _ => return None,
    }
    // Two bytes of count, four of length, sixteen of identifier, four of length, eight of hash.
    let Some(fixed) = bytes.get(at + 2..at + 26) else {
        return Some(None);
    };
    let id = u128::from_be_bytes(fixed.get(4..20)?.try_into().ok()?);
    let length = i32::from_be_bytes(fixed.get(20..24)?.try_into().ok()?);
    if length == -1 {
        return Some(Some((id, None, at + 26)));
    }
    let Some(hash) = bytes.get(at + 26..at + 34) else {
        return Some(None);
    };
    let hash = i64::from_be_bytes(hash.try_into().ok()?);
    Some(Some((id, Some(hash), at + 34)))
}

/// The identifiers that the job's earlier stretches named.
///
/// # Errors
/// When the database fails.
pub async fn seen(
    db: &impl ConnectionTrait,
    job: i64,
    kind: Kind,
    mut each: impl FnMut(u128),
) -> Result<(), DbErr> {
    const AT_ONCE: usize = 100;
    let mut after = -1_i64;
    loop {
        let sql = "SELECT row, ids FROM import_seen WHERE job = $1 AND kind = $2 AND row > $3 \
            ORDER BY row LIMIT 100";
        let values = [job.into(), kind.code().into(), after.into()];
        let rows = db.query_all_raw(statement(db, sql, values)).await?;
        for row in &rows {
            after = row.try_get_by_index(0)?;
            let ids: Vec<u8> = row.try_get_by_index(1)?;
            for id in ids.as_chunks::<16>().0 {
                each(u128::from_be_bytes(*id));
            }
        }
        if rows.len() < AT_ONCE {
            return Ok(());
        }
    }
}

/// Notes whom the plan found missing.
///
/// # Errors
/// When the database fails.
pub async fn store_vanished(tx: &Tx, job: i64, kind: Kind, ids: Vec<Uuid>) -> Result<(), DbErr> {
    const AT_ONCE: usize = 10_000;
    for some in ids.chunks(AT_ONCE) {
        let sql = match tx.backend() {
            Backend::Postgres => "INSERT INTO import_vanished (job, kind, id, planned) \
                 SELECT $1, $2, id, TRUE FROM UNNEST($3::uuid[]) AS ids (id)"
                .to_owned(),
            Backend::Sqlite => {
                let rows: Vec<String> = (3..some.len() + 3)
                    .map(|place| format!("($1, $2, ${place}, TRUE)"))
                    .collect();
                let rows = rows.join(", ");
                format!("INSERT INTO import_vanished (job, kind, id, planned) VALUES {rows}")
            }
        };
        let head = [job.into(), kind.code().into()].into_iter();
        let values: Vec<sea_orm::Value> = match tx.backend() {
            Backend::Postgres => head.chain([some.to_vec().into()]).collect(),
            Backend::Sqlite => head.chain(some.iter().map(|id| (*id).into())).collect(),
        };
        tx.execute_raw(statement(tx, &sql, values)).await?;
    }
    Ok(())
}

/// The hashes of identity numbers among the rows that a job staged.
///
/// # Errors
/// When the database fails.
pub async fn staged_identities(
    db: &Database,
    table: &str,
    job: i64,
    mut each: impl FnMut([u8; 16]),
) -> Result<(), DbErr> {
    let sql = format!("SELECT id_hash FROM {table} WHERE job = $1 AND id_hash IS NOT NULL");
    let select = statement(db.read(), &sql, [job.into()]);
    let mut rows = db.read().stream_raw(select).await?;
    while let Some(row) = rows.try_next().await? {
        let hash: Vec<u8> = row.try_get_by_index(0)?;
        if let Ok(hash) = hash.try_into() {
            each(hash);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn copy(rows: &[(u128, Option<i64>)]) -> Vec<u8> {
        let mut bytes = vec![0; 19];
        for (id, hash) in rows {
            bytes.extend(2_i16.to_be_bytes());
            bytes.extend(16_i32.to_be_bytes());
            bytes.extend(id.to_be_bytes());
            match hash {
                None => bytes.extend((-1_i32).to_be_bytes()),
                Some(hash) => {
                    bytes.extend(8_i32.to_be_bytes());
                    bytes.extend(hash.to_be_bytes());
                }
            }
        }
        bytes.extend((-1_i16).to_be_bytes());
        bytes
    }

    proptest! {
        #[test]
        fn rows_are_read_however_the_stream_is_cut(
            rows in proptest::collection::vec((any::<u128>(), any::<Option<i64>>()), 0..20),
            size in 1_usize..50,
        ) {
            let mut reader = CopyReader::default();
            let mut read = Vec::new();
            for part in copy(&rows).chunks(size) {
                prop_assert!(reader.read(part, &mut |id, hash| read.push((id, hash))).is_some());
            }
            prop_assert_eq!(read, rows);
        }
    }

    #[test]
    fn only_plain_texts_stand_in_a_statement() {
        let sql = inline("a = $1 AND b = $2", &["fz/1".into(), "x-1".into()]).unwrap();
        assert_eq!(sql, "a = 'fz/1' AND b = 'x-1'");
        assert!(inline("a = $1", &["o'brien".into()]).is_err());
    }
}
