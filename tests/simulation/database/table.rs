//! Tables as rows of them are read, written and locked.

use rusqlite::Connection;
use rusqlite::types::Value as Stored;

use super::outbox;
use super::state::Refused;

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    /// Which columns are the key, by their places.
    key: Vec<usize>,
    /// The key is the number of the row.
    pub(super) numbered: bool,
}

impl Table {
    /// What a database knows of a table.
    pub(super) fn load(sqlite: &Connection, name: &str) -> Result<Self, Refused> {
        let failed = |err: rusqlite::Error| Refused::Unknown(format!("{err}: the table {name}"));
        let sql = format!("SELECT name, type, pk FROM pragma_table_info('{name}') ORDER BY cid");
        let mut select = sqlite.prepare(&sql).map_err(failed)?;
        let told = select.query_map([], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        });
        let told = told.map_err(failed)?.collect::<Result<Vec<_>, _>>();
        let told: Vec<(String, String, i64)> = told.map_err(failed)?;
        let key =
            |(at, (_, _, of_key)): (usize, &(String, String, i64))| (*of_key > 0).then_some(at);
        let key: Vec<usize> = told.iter().enumerate().filter_map(key).collect();
        let numbered = matches!(key[..], [at] if told[at].1.eq_ignore_ascii_case("INTEGER"));
        Ok(Self {
            name: name.to_owned(),
            columns: told.into_iter().map(|(name, _, _)| name).collect(),
            key,
            numbered,
        })
    }

    /// The row of this number; none when there is none.
    pub(super) fn read(
        &self,
        sqlite: &Connection,
        row: i64,
    ) -> Result<Option<Vec<Stored>>, Refused> {
        let sql = format!(
            "SELECT {} FROM {} WHERE rowid = ?1",
            self.columns.join(", "),
            self.name
        );
        let failed = |err: rusqlite::Error| Refused::Unknown(format!("{err}: {sql}"));
        let mut select = sqlite.prepare(&sql).map_err(failed)?;
        let mut rows = select.query([row]).map_err(failed)?;
        let Some(found) = rows.next().map_err(failed)? else {
            return Ok(None);
        };
        let values = (0..self.columns.len()).map(|at| found.get::<_, Stored>(at));
        values.collect::<Result<_, _>>().map(Some).map_err(failed)
    }

    /// The key of a new row; none where the row has a number that nobody else gives.
    pub(super) fn key_of(&self, values: &[Stored]) -> Option<String> {
        if self.key.is_empty() || (self.numbered && self.name == outbox::TABLE) {
            return None;
        }
        let key = self.key.iter().map(|at| format!("{:?}", values[*at]));
        Some(key.collect::<Vec<_>>().join(", "))
    }
}
