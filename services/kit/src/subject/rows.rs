//! Sections that are rows which name the person.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::record::{Held, Record, day_time, instant};
use super::{Asked, MOST};
use crate::db::statement;

/// The rows of a section: which, in which order, and what of them is told.
#[derive(Debug)]
pub struct Rows {
    /// How the rows name the person.
    pub by: By,
    /// What follows `FROM`, with the condition: `$1` is the person and `$2` the id of their organisation.
    pub from: &'static str,
    /// What follows `ORDER BY`: the latest first.
    pub order: &'static str,
    /// What of each row is told.
    pub fields: &'static [Field],
}

/// How a column names a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The 16 bytes of the id.
    Bytes,
    /// The id as a UUID.
    Uuid,
    /// `students/{student}` or `staff/{staff_member}`.
    Name,
}

/// One field of a record: its name, the expression that it is read by, and how that is told.
#[derive(Debug)]
pub struct Field(pub &'static str, pub &'static str, pub As);

/// How a column is told. What there is not is left out.
#[derive(Clone, Copy, Debug)]
pub enum As {
    /// A text as it is.
    Text,
    /// A number as it is.
    Number,
    /// Milliseconds since 1970 as a time; none where it is 0.
    Millis,
    /// A time.
    Instant,
    /// A truth, in Chinese.
    YesNo,
    /// A number that stands for something else.
    Said(fn(i64) -> String),
}

impl As {
    fn select(self, expression: &str) -> String {
        match self {
            Self::Text | Self::Instant => expression.to_owned(),
            // The widths of numbers are those of the tables, and differ.
            Self::Number | Self::Millis | Self::Said(_) => format!("CAST({expression} AS BIGINT)"),
            Self::YesNo => format!("CAST(CASE WHEN {expression} THEN 1 ELSE 0 END AS BIGINT)"),
        }
    }

    fn tell(self, row: &QueryResult, at: usize) -> Result<String, DbErr> {
        let number = || row.try_get_by_index::<Option<i64>>(at);
        let told: Option<String> = match self {
            Self::Text => row.try_get_by_index(at)?,
            Self::Instant => {
                let time: Option<DateTime<Utc>> = row.try_get_by_index(at)?;
                time.map(instant)
            }
            Self::Number => number()?.map(|number| number.to_string()),
            Self::Millis => number()?.map(day_time),
            Self::YesNo => number()?.map(|yes| if yes == 1 { "是" } else { "否" }.to_owned()),
            Self::Said(say) => number()?.map(say),
        };
        Ok(told.unwrap_or_default())
    }
}

/// What is held of the person: how many rows, and the latest of them.
pub(super) async fn read(
    db: &impl ConnectionTrait,
    rows: &Rows,
    asked: &Asked,
) -> Result<Held, DbErr> {
    let Rows {
        by,
        from,
        order,
        fields,
    } = rows;
    let count = format!("SELECT COUNT(*) FROM {from}");
    let count = statement(db, &count, values(*by, from, asked));
    let count = match db.query_one_raw(count).await? {
        Some(row) => row.try_get_by_index(0)?,
        None => 0,
    };
    let columns = fields.iter().map(|Field(_, sql, shown)| shown.select(sql));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let select = format!("SELECT {columns} FROM {from} ORDER BY {order} LIMIT {MOST}");
    let select = statement(db, &select, values(*by, from, asked));
    let found = db.query_all_raw(select).await?;
    let records: Result<Vec<Record>, DbErr> = found.iter().map(|row| record(row, fields)).collect();
    Ok(Held {
        count,
        records: records?,
        withheld: None,
    })
}

fn record(row: &QueryResult, fields: &[Field]) -> Result<Record, DbErr> {
    let mut record = Record::new();
    for (at, Field(name, _, shown)) in fields.iter().enumerate() {
        record = record.with(name, shown.tell(row, at)?);
    }
    Ok(record)
}

fn values(by: By, from: &str, asked: &Asked) -> Vec<Value> {
    let person = match by {
        By::Bytes => asked.person.as_bytes().to_vec().into(),
        By::Uuid => asked.person.into(),
        By::Name => asked.name().into(),
    };
    let mut values = vec![person];
    if from.contains("$2") {
        values.push(asked.organization.as_str().into());
    }
    values
}

/// Tells a number by the name of a value of an enum of the contracts: `said!(pb::tube::State)`. What is not
/// specified, or not known, is left out.
#[macro_export]
macro_rules! said {
    ($enum:ty) => {
        $crate::subject::As::Said(|number| {
            let known = i32::try_from(number).ok().filter(|number| *number != 0);
            let known = known.and_then(|number| <$enum>::try_from(number).ok());
            known.map_or_else(String::new, |known| known.as_str_name().to_owned())
        })
    };
}
