//! Campus cards: the number itself is not kept.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};

use super::entity::card;
use crate::domain::person::PersonName;
use crate::store::Store;

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
        card_hash: [u8; 32],
        person: PersonName,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let upsert = statement(
            tx,
            "INSERT INTO cards (card_hash, person, bind_time) VALUES ($1, $2, $3) \
             ON CONFLICT (card_hash) DO UPDATE \
             SET person = excluded.person, bind_time = excluded.bind_time",
            [
                card_hash.to_vec().into(),
                person.to_string().into(),
                now.into(),
            ],
        );
        tx.execute_raw(upsert).await?;
        Ok(())
    }
}
