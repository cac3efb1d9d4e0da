//! Concerns and cases of support, as far as a destruction looks at them: sealed words, and whether somebody
//! still deals with them.

use kit::db::{Backend, Tx, statement};
use kit::rows::{Lock, Row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{Span, count, first_id_at};
use crate::domain::{concern, support};
use crate::store::concern_rows::ConcernRow;
use crate::store::support::{CaseRow, EntryRow};

/// A table of what people say in confidence.
#[derive(Clone, Copy, Debug)]
pub struct Voices {
    table: &'static str,
    /// The number of the state in which nobody deals with one any more.
    over: i16,
    /// What happened in one has rows of its own.
    has_entries: bool,
}

/// What pupils, guardians and staff handed in.
pub const CONCERNS: Voices = Voices {
    table: ConcernRow::TABLE,
    over: concern::State::Closed as i16,
    has_entries: false,
};

/// Psychological support. Who read a case is on record for longer than the case: the record names nobody
/// but the reader.
pub const CASES: Voices = Voices {
    table: CaseRow::TABLE,
    over: support::State::Closed as i16,
    has_entries: true,
};

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    /// The id, to which what is sealed is bound.
    pub id: Uuid,
    /// When it came, in milliseconds since 1970.
    pub created: i64,
    /// Nobody deals with it any more.
    pub over: bool,
    /// What people wrote, sealed.
    pub words: Vec<u8>,
    /// What was written later, sealed, by its number.
    pub entries: Vec<(i32, Vec<u8>)>,
}

impl Voice {
    /// All that is sealed of it.
    pub fn sealed(&self) -> impl Iterator<Item = &[u8]> {
        let entries = self.entries.iter().map(|(_, sealed)| sealed.as_slice());
        std::iter::once(self.words.as_slice()).chain(entries)
    }
}

impl Voices {
    /// Those that came since an emergency began and after `after`, at most `limit`; nobody else changes
    /// them until the end of the transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn since(
        &self,
        tx: &Tx,
        span: &Span,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Voice>, DbErr> {
        let lock = match tx.backend() {
            Backend::Postgres => " FOR UPDATE",
            Backend::Sqlite => "",
        };
        let sql = format!(
            "SELECT id, create_at, state, words FROM {} WHERE id >= $1 AND id > $2 \
             ORDER BY id LIMIT {limit}{lock}",
            self.table
        );
        let values: [Value; 2] = [
            first_id_at(span.start).into(),
            after.unwrap_or_default().into(),
        ];
        let mut voices = Vec::new();
        for row in tx.query_all_raw(statement(tx, &sql, values)).await? {
            let state: i16 = row.try_get_by_index(2)?;
            voices.push(Voice {
                id: row.try_get_by_index(0)?,
                created: row.try_get_by_index(1)?,
                over: state == self.over,
                words: row.try_get_by_index(3)?,
                entries: Vec::new(),
            });
        }
        if self.has_entries {
            add_entries(tx, &mut voices).await?;
        }
        Ok(voices)
    }

    /// Deletes one with all that was written in it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&self, tx: &Tx, id: Uuid) -> Result<(), DbErr> {
        if self.has_entries {
            let sql = format!("DELETE FROM {} WHERE support_case = $1", EntryRow::TABLE);
            tx.execute_raw(statement(tx, &sql, [id.into()])).await?;
        }
        let sql = format!("DELETE FROM {} WHERE id = $1", self.table);
        tx.execute_raw(statement(tx, &sql, [id.into()])).await?;
        Ok(())
    }

    /// Stores what is sealed of one and changes nothing else.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reseal(&self, tx: &Tx, voice: Voice) -> Result<(), DbErr> {
        let Voice {
            id,
            created: _,
            over: _,
            words,
            entries,
        } = voice;
        let sql = format!("UPDATE {} SET words = $1 WHERE id = $2", self.table);
        let values: [Value; 2] = [words.into(), id.into()];
        tx.execute_raw(statement(tx, &sql, values)).await?;
        let sql = format!(
            "UPDATE {} SET words = $1 WHERE support_case = $2 AND sequence = $3",
            EntryRow::TABLE
        );
        for (number, sealed) in entries {
            let values: [Value; 3] = [sealed.into(), id.into(), number.into()];
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        Ok(())
    }

    /// How many came while an emergency was open, over or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn during(&self, db: &impl ConnectionTrait, span: &Span) -> Result<i64, DbErr> {
        let sql = format!(
            "SELECT COUNT(*) FROM {} WHERE id >= $1 AND id < $2",
            self.table
        );
        count(db, &sql, span.ids()).await
    }
}

/// What was written in cases, which are in the order of their ids.
async fn add_entries(tx: &Tx, cases: &mut [Voice]) -> Result<(), DbErr> {
    let ids = cases.iter().map(|case| case.id.into()).collect();
    for entry in EntryRow::find(tx, "support_case", ids, Lock::Yes).await? {
        let place = cases.binary_search_by_key(&entry.support_case, |case| case.id);
        if let Some(case) = place.ok().and_then(|place| cases.get_mut(place)) {
            case.entries.push((entry.sequence, entry.words));
        }
    }
    Ok(())
}
