//! Campus cards: the number itself is not kept.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::entity::card;
use crate::domain::person::PersonName;
use crate::store::Store;

/// Of how many people cards are read at once.
const PEOPLE: usize = 500;

impl Store {
    /// Whose card it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn card_holder(&self, card_hash: [u8; 32]) -> Result<Option<PersonName>, DbErr> {
        let row = card::Entity::find_by_id(card_hash.to_vec())
            .one(self.db.read())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let person = row.person.parse();
        person
            .map(Some)
            .map_err(|_| DbErr::Type("card with an unreadable person".to_owned()))
    }

    /// Binds a card to a person, also when it was another's before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn bind_card(
        tx: &Tx,
        (card_hash, credential): ([u8; 32], [u8; 32]),
        person: PersonName,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let upsert = statement(
            tx,
            "INSERT INTO cards (card_hash, person, bind_time, credential) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (card_hash) DO UPDATE \
             SET person = excluded.person, bind_time = excluded.bind_time, \
             credential = excluded.credential",
            [
                card_hash.to_vec().into(),
                person.to_string().into(),
                now.into(),
                credential.to_vec().into(),
            ],
        );
        tx.execute_raw(upsert).await?;
        Ok(())
    }

    /// Whose cards are known without a network: person and what stands for the number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn credentials_of(
        &self,
        people: &[PersonName],
    ) -> Result<Vec<(PersonName, [u8; 32])>, DbErr> {
        let mut found = Vec::new();
        for people in people.chunks(PEOPLE) {
            let rows = card::Entity::find()
                .filter(card::Column::Person.is_in(people.iter().map(ToString::to_string)))
                .filter(card::Column::Credential.is_not_null())
                .all(self.db.read())
                .await?;
            let known = rows.into_iter().filter_map(|row| {
                let credential = row.credential?.try_into().ok()?;
                Some((row.person.parse().ok()?, credential))
            });
            found.extend(known);
        }
        Ok(found)
    }
}
