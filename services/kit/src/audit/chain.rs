//! Moves written records into the chain.
//!
//! The head of the chain is one row. Whoever moves records holds its lock, so one replica at a time does;
//! records leave the waiting table and enter the log in one transaction, so a stop at any moment loses none
//! and chains none twice.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};

use super::record::{Record, lines};
use crate::bulk::{self, Column};
use crate::db::{Backend, Database, Tx, statement};
use crate::drain::Drain;
use crate::rows::{Row, execute_in};

/// How many records one transaction moves.
const TOGETHER: usize = 1000;
/// How long records are gathered after the first of them was written.
const GATHER: Duration = Duration::from_millis(200);
/// How long to wait for a wake-up before looking anyway: another replica may have written.
const POLL: Duration = Duration::from_secs(1);

/// The last record of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) sequence: i64,
    pub(super) hash: [u8; 32],
}

/// Moves records until the drain, and then once more.
pub(super) async fn run(db: Database, service: &'static str, drain: Drain) {
    loop {
        let more = tokio::select! {
            () = db.audited().notified() => drain.sleep(GATHER).await,
            more = drain.sleep(POLL) => more,
        };
        if let Err(err) = chain_all(&db, service).await {
            tracing::warn!(error = %err, "records cannot be chained, trying again");
            drain.sleep(POLL).await;
        }
        if !more {
            return;
        }
    }
}

/// Chains every record that is written now; returns how many.
///
/// # Errors
/// When the database fails; what was chained before stays.
pub async fn chain_all(db: &Database, service: &str) -> Result<u64, DbErr> {
    let mut chained = 0;
    while waiting(db).await? {
        let moved = chain_some(db, service).await?;
        if moved == 0 {
            break;
        }
        chained += moved as u64;
    }
    Ok(chained)
}

async fn waiting(db: &Database) -> Result<bool, DbErr> {
    let any = statement(
        db.read(),
        "SELECT id FROM audit_pending ORDER BY id LIMIT 1",
        [],
    );
    Ok(db.read().query_one_raw(any).await?.is_some())
}

async fn chain_some(db: &Database, service: &str) -> Result<usize, DbErr> {
    let tx = db.begin().await?;
    let Some(mut head) = lock_head(&tx).await? else {
        return Ok(0);
    };
    let empty = match tx.backend() {
        Backend::Postgres => "''::bytea",
        Backend::Sqlite => "x''",
    };
    let selection = Record::selection(empty);
    let sql = format!("SELECT {selection} FROM audit_pending ORDER BY id LIMIT {TOGETHER}");
    let rows = tx.query_all_raw(statement(&tx, &sql, [])).await?;
    let records: Result<Vec<Record>, DbErr> = rows.iter().map(Record::read).collect();
    let mut records = records?;
    if records.is_empty() {
        return Ok(0);
    }
    let ids = records.iter().map(|record| record.sequence.into());
    let ids = ids.collect();
    let (mut names, mut sequences) = (Vec::new(), Vec::new());
    for record in &mut records {
        head.sequence += 1;
        head.hash = record.follow(service, head.sequence, &head.hash);
        for name in lines(&record.resources) {
            names.push(name.to_owned());
            sequences.push(head.sequence);
        }
    }
    bulk::insert(&tx, Record::TABLE, Record::columns(&records), "").await?;
    let named = vec![
        ("name", Column::Text(names)),
        ("sequence", Column::Big(sequences)),
    ];
    bulk::insert(&tx, "audit_names", named, "ON CONFLICT DO NOTHING").await?;
    execute_in(&tx, "DELETE FROM audit_pending WHERE id", &[], ids).await?;
    let advance = statement(
        &tx,
        "UPDATE audit_head SET sequence = $1, hash = $2",
        [head.sequence.into(), head.hash.to_vec().into()],
    );
    tx.execute_raw(advance).await?;
    tx.commit().await?;
    Ok(records.len())
}

/// The head of the chain, kept from everybody else until the end of the transaction; none while somebody
/// else has it.
pub(super) async fn lock_head(tx: &Tx) -> Result<Option<Head>, DbErr> {
    let lock = match tx.backend() {
        Backend::Postgres => " FOR UPDATE SKIP LOCKED",
        Backend::Sqlite => "",
    };
    let sql = format!("SELECT sequence, hash FROM audit_head{lock}");
    let Some(row) = tx.query_one_raw(statement(tx, &sql, [])).await? else {
        return Ok(None);
    };
    let hash: Vec<u8> = row.try_get_by_index(1)?;
    let hash = hash.try_into();
    Ok(Some(Head {
        sequence: row.try_get_by_index(0)?,
        hash: hash.map_err(|_| DbErr::Custom("the head of the audit log is no hash".to_owned()))?,
    }))
}
