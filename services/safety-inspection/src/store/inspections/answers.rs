//! Answers, with their photos as evidence of each.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::instant;
use crate::domain::checklist::item::Value as Seen;
use crate::domain::inspection::answer::Answer;
use crate::domain::inspection::state::Inspection;
use crate::domain::photo::Photo;
use crate::store::{Store, unreadable};

row! {
    /// An answer.
    AnswerRow in "inspection_answers" by ["inspection", "client_id"] {
        /// The inspection.
        inspection: Uuid,
        /// The id that the device gave.
        client_id: Uuid,
        /// The id of the entry.
        item: String,
        /// 1 good, 2 number, 3 words, 4 not applicable.
        value_kind: i16,
        /// The number, or 1 for good.
        number: i64,
        /// The words.
        words: String,
        /// More words.
        note: String,
        /// Milliseconds since 1970.
        written_at: i64,
        /// A digest of all of it.
        fingerprint: i64,
    }
}

/// How many pictures one statement compares at most.
const HASHES: usize = 500;

/// The resource whose evidence the photos of an answer are.
pub fn answer_name(inspection: &Inspection, client_id: Uuid) -> String {
    format!("{}/answers/{}", inspection.name(), client_id.hyphenated())
}

impl Store {
    /// Keeps answers that are not there yet, and their photos.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_answers(
        tx: &Tx,
        inspection: &Inspection,
        answers: &[Answer],
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let rows: Vec<AnswerRow> = answers
            .iter()
            .map(|one| row_of(inspection.id, one))
            .collect();
        AnswerRow::add(tx, &rows).await?;
        let place = (
            inspection.organization.as_str(),
            inspection.org_path.as_str(),
        );
        for answer in answers.iter().filter(|answer| !answer.photos.is_empty()) {
            let origin = answer_name(inspection, answer.client_id);
            Self::add_photos(tx, place, &origin, &answer.photos, now).await?;
        }
        Ok(())
    }

    /// Every answer of an inspection with its photos.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answers(
        db: &impl ConnectionTrait,
        inspection: &Inspection,
    ) -> Result<Vec<Answer>, DbErr> {
        let keys = vec![inspection.id.into()];
        let rows = AnswerRow::find(db, "inspection", keys, Lock::No).await?;
        let origins: Vec<String> = rows
            .iter()
            .map(|row| answer_name(inspection, row.client_id))
            .collect();
        let mut photos: HashMap<String, Vec<Photo>> = HashMap::new();
        for (origin, photo) in Self::photos(db, &origins).await? {
            photos.entry(origin).or_default().push(photo);
        }
        rows.into_iter()
            .zip(origins)
            .map(|(row, origin)| answer(row, photos.remove(&origin).unwrap_or_default()))
            .collect()
    }

    /// Which of these pictures another organisation has shown as well.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shown_elsewhere(
        db: &impl ConnectionTrait,
        organization: &str,
        hashes: &[[u8; 32]],
    ) -> Result<HashSet<Vec<u8>>, DbErr> {
        let mut shown = HashSet::new();
        for part in hashes.chunks(HASHES) {
            let sql = format!(
                "SELECT DISTINCT sha256 FROM photos WHERE organization <> $1 AND sha256 IN ({})",
                placeholders(2, part.len())
            );
            let mut values: Vec<Value> = vec![organization.into()];
            values.extend(part.iter().map(|hash| hash.to_vec().into()));
            for row in db.query_all_raw(statement(db, &sql, values)).await? {
                shown.insert(row.try_get_by_index(0)?);
            }
        }
        Ok(shown)
    }
}

fn row_of(inspection: Uuid, answer: &Answer) -> AnswerRow {
    let (value_kind, number, words) = match &answer.value {
        Seen::Good(good) => (1, i64::from(*good), ""),
        Seen::Number(number) => (2, *number, ""),
        Seen::Text(words) => (3, 0, words.as_str()),
        Seen::NotApplicable => (4, 0, ""),
    };
    AnswerRow {
        inspection,
        client_id: answer.client_id,
        item: answer.item.clone(),
        value_kind,
        number,
        words: words.to_owned(),
        note: answer.note.clone(),
        written_at: answer.written.timestamp_millis(),
        fingerprint: answer.fingerprint,
    }
}

fn answer(row: AnswerRow, photos: Vec<Photo>) -> Result<Answer, DbErr> {
    Ok(Answer {
        value: match row.value_kind {
            1 => Seen::Good(row.number == 1),
            2 => Seen::Number(row.number),
            3 => Seen::Text(row.words),
            4 => Seen::NotApplicable,
            _ => return Err(unreadable("answer")),
        },
        client_id: row.client_id,
        item: row.item,
        note: row.note,
        written: instant(row.written_at)?,
        fingerprint: row.fingerprint,
        photos,
    })
}
