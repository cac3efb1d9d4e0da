//! Answers to the self-check.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use super::instant;
use crate::domain::checklist::item::Value;
use crate::domain::resumption::checklist::Answer;
use crate::store::{Store, unreadable};

row! {
    /// An answer to an item.
    AnswerRow in "resumption_answers" by ["organization", "position", "item"] {
        /// The id of the school.
        organization: String,
        /// The place of the batch in the order.
        position: i16,
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
        /// Hashes of pictures, joined by commas.
        photos: String,
        /// The account that answered.
        actor: String,
        /// When.
        answered_at: i64,
    }
}

impl AnswerRow {
    /// With what is said.
    #[must_use]
    pub fn saying(self, value: &Value) -> Self {
        let (value_kind, number, words) = match value {
            Value::Good(good) => (1, i64::from(*good), ""),
            Value::Number(number) => (2, *number, ""),
            Value::Text(words) => (3, 0, words.as_str()),
            Value::NotApplicable => (4, 0, ""),
        };
        Self {
            value_kind,
            number,
            words: words.to_owned(),
            ..self
        }
    }

    /// What is said.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn value(&self) -> Result<Value, DbErr> {
        match self.value_kind {
            1 => Ok(Value::Good(self.number == 1)),
            2 => Ok(Value::Number(self.number)),
            3 => Ok(Value::Text(self.words.clone())),
            4 => Ok(Value::NotApplicable),
            _ => Err(unreadable("answer")),
        }
    }

    /// The hashes of its pictures, in hexadecimal.
    pub fn hashes(&self) -> impl Iterator<Item = &str> {
        self.photos.split(',').filter(|hash| !hash.is_empty())
    }

    /// When it was given.
    ///
    /// # Errors
    /// When it is no instant.
    pub fn answered(&self) -> Result<DateTime<Utc>, DbErr> {
        instant(self.answered_at)
    }

    /// The resource whose evidence its pictures are.
    pub fn name(&self) -> String {
        let resumption = super::resumption_name(&self.organization, self.position);
        format!("{resumption}/items/{}", self.item)
    }
}

impl Store {
    /// Keeps answers; each replaces the one before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_resumption_answers(tx: &Tx, rows: &[AnswerRow]) -> Result<(), DbErr> {
        AnswerRow::save(tx, rows).await
    }

    /// Answers of a resumption after one item, in the order of the items.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumption_answers(
        db: &impl ConnectionTrait,
        (organization, position): (&str, i16),
        after: &str,
        limit: u64,
    ) -> Result<Vec<AnswerRow>, DbErr> {
        let wheres = "organization = $1 AND position = $2 AND item > $3";
        let values = vec![organization.into(), position.into(), after.into()];
        AnswerRow::page(db, wheres, values, limit).await
    }

    /// All answers of a resumption by their items, as readiness counts them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resumption_said(
        db: &impl ConnectionTrait,
        of: (&str, i16),
    ) -> Result<BTreeMap<String, Answer>, DbErr> {
        let rows = Self::resumption_answers(db, of, "", MOST).await?;
        let answers = rows.into_iter().map(|row| {
            let answer = Answer {
                value: row.value()?,
                photos: row.hashes().count(),
            };
            Ok((row.item, answer))
        });
        answers.collect()
    }

    /// Forgets answers of a resumption: all, or those to some items.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_resumption_answers(
        tx: &Tx,
        (organization, position): (&str, i16),
        items: Option<Vec<String>>,
    ) -> Result<(), DbErr> {
        let sql = "DELETE FROM resumption_answers WHERE organization = $1 AND position = $2";
        let first: [sea_orm::Value; 2] = [organization.into(), position.into()];
        match items {
            None => {
                tx.execute_raw(statement(tx, sql, first)).await?;
                Ok(())
            }
            Some(items) => {
                let items = items.into_iter().map(Into::into).collect();
                kit::rows::execute_in(tx, &format!("{sql} AND item"), &first, items).await
            }
        }
    }
}

/// How many items a checklist has at most, with everything that was added to it.
const MOST: u64 = 5000;
