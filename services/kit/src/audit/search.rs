//! Reads the log.

use sea_orm::{DbErr, Value};

use super::checkpoint::Checkpoint;
use super::record::Record;
use crate::db::Reader;
use crate::org::OrgPath;
use crate::rows::Row;

/// Which records are looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) subject: String,
    pub(super) resource: String,
    /// At or below this place.
    pub(super) place: OrgPath,
    pub(super) kind: i32,
    pub(super) method: String,
    /// 0 for all.
    pub(super) before: i64,
}

/// A condition as it grows: its text, and its values from $1.
#[derive(Debug)]
struct Condition {
    text: String,
    values: Vec<Value>,
}

impl Condition {
    /// Adds a part in which each `?` is the next value.
    fn and(&mut self, part: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(" AND ");
        let mut values = values.into_iter();
        for character in part.chars() {
            if character == '?' {
                self.values.extend(values.next());
                self.text.push_str(&format!("${}", self.values.len()));
            } else {
                self.text.push(character);
            }
        }
    }
}

impl Filter {
    fn condition(&self, before: i64) -> Condition {
        let mut condition = Condition {
            text: "sequence < $1".to_owned(),
            values: vec![before.into()],
        };
        if let Some(start) = self.start {
            condition.and("time >= ?", [start.into()]);
        }
        if let Some(end) = self.end {
            condition.and("time < ?", [end.into()]);
        }
        for (column, value) in [("subject", &self.subject), ("method", &self.method)] {
            if !value.is_empty() {
                condition.and(&format!("{column} = ?"), [value.clone().into()]);
            }
        }
        if !self.resource.is_empty() {
            let named = "sequence IN (SELECT n.sequence FROM audit_names n WHERE n.name = ?)";
            condition.and(named, [self.resource.clone().into()]);
        }
        if !self.place.is_root() {
            let (place, end) = (self.place.as_str(), self.place.below_end());
            let below = format!("{place}/");
            let values = [place.into(), below.into(), end.into()];
            condition.and("(place = ? OR (place >= ? AND place < ?))", values);
        }
        if self.before != 0 {
            condition.and("sequence < ?", [self.before.into()]);
        }
        if self.kind != 0 {
            condition.and("kind = ?", [self.kind.into()]);
        }
        if self.kind > 2 {
            // The index of what is rare is found by its condition.
            condition.and("kind > 2", []);
        }
        condition
    }
}

/// At most `limit` records with a sequence below `before`, the newest first.
///
/// # Errors
/// When the database fails.
pub(super) async fn newest(
    db: &Reader,
    filter: &Filter,
    before: i64,
    limit: u64,
) -> Result<Vec<Record>, DbErr> {
    use sea_orm::ConnectionTrait;
    let Condition { text, values } = filter.condition(before);
    let sql = format!(
        "SELECT {} FROM {} WHERE {text} ORDER BY sequence DESC LIMIT {limit}",
        Record::COLUMNS.join(", "),
        Record::TABLE,
    );
    let rows = db.query_all_raw(crate::db::statement(db, &sql, values));
    rows.await?.iter().map(Record::read).collect()
}

/// At most `limit` records from `first` to `last`, in their order.
///
/// # Errors
/// When the database fails.
pub(super) async fn range(
    db: &Reader,
    (first, last): (i64, i64),
    limit: u64,
) -> Result<Vec<Record>, DbErr> {
    let wheres = "sequence >= $1 AND sequence <= $2";
    Record::page(db, wheres, vec![first.into(), last.into()], limit).await
}

/// At most `limit` checkpoints after the one with this sequence and kind, in their order.
///
/// # Errors
/// When the database fails.
pub(super) async fn checkpoints(
    db: &Reader,
    (sequence, kind): (i64, i32),
    limit: u64,
) -> Result<Vec<Checkpoint>, DbErr> {
    let wheres = "sequence > $1 OR (sequence = $1 AND kind > $2)";
    let values = vec![sequence.into(), kind.into()];
    Checkpoint::page(db, wheres, values, limit).await
}
