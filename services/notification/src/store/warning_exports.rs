//! The documents that this service writes of its own messages.

use cap::MessageType;
use chrono::{DateTime, FixedOffset, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::warning_rows::instant;
use super::{Store, unreadable};

row! {
    /// A document that was written.
    ExportRow in "warning_exports" by ["message", "number"] {
        /// The message.
        message: Uuid,
        /// 1 for the first document of the message.
        number: i32,
        /// The number of its type.
        kind: i16,
        /// When it was sent, in milliseconds.
        sent_at: i64,
    }
}

impl Store {
    /// The documents written of a message, in the order of writing: what each does and when it was
    /// sent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn exported(
        tx: &Tx,
        message: Uuid,
    ) -> Result<Vec<(MessageType, DateTime<FixedOffset>)>, DbErr> {
        let rows = ExportRow::find(tx, "message", vec![message.into()], Lock::No).await?;
        rows.into_iter()
            .map(|row| {
                let message_type =
                    MessageType::from_number(row.kind).ok_or_else(|| unreadable("type"))?;
                Ok((message_type, instant(row.sent_at)?))
            })
            .collect()
    }

    /// Notes that the document `number` of a message was written; false when somebody else wrote it
    /// meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_export(
        tx: &Tx,
        (message, number): (Uuid, i32),
        message_type: MessageType,
        sent: DateTime<Utc>,
    ) -> Result<bool, DbErr> {
        let sql = "INSERT INTO warning_exports (message, number, kind, sent_at) \
                   VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        let values = [
            message.into(),
            number.into(),
            message_type.number().into(),
            sent.timestamp_millis().into(),
        ];
        let inserted = tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(inserted.rows_affected() == 1)
    }
}
