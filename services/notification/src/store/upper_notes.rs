//! What those above a recipient added when they passed a directive on.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::Store;
use super::entity::directive_recipient::{Column, Entity};
use super::items::RecipientKey;
use crate::domain::recipient::Recipient;

/// Ids in one statement: far below the limit of values of both databases.
const IDS: usize = 1000;
/// How many stand above a recipient at most.
const DEPTH: usize = 8;

/// The recipients above some others: who is above each of them, and what it added.
#[derive(Clone, Debug, Default)]
pub struct UpperNotes(HashMap<RecipientKey, (String, String)>);

impl UpperNotes {
    /// What was added on the way to a recipient, from the top; who added nothing is left out.
    pub fn to(&self, recipient: &Recipient) -> Vec<String> {
        let mut notes = Vec::new();
        let mut upper = &recipient.upper;
        for _ in 0..DEPTH {
            let Some((above, note)) = self.0.get(&(recipient.directive, upper.clone())) else {
                break;
            };
            if !note.is_empty() {
                notes.push(note.clone());
            }
            upper = above;
        }
        notes.reverse();
        notes
    }
}

impl Store {
    /// What those above these recipients added, in a statement for each level above them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn upper_notes<'a>(
        db: &impl ConnectionTrait,
        recipients: impl Iterator<Item = &'a Recipient>,
    ) -> Result<UpperNotes, DbErr> {
        let mut notes = UpperNotes::default();
        let uppers = recipients.map(|one| (one.directive, one.upper.clone()));
        let mut wanted: BTreeSet<RecipientKey> = uppers.collect();
        for _ in 0..DEPTH {
            wanted.retain(|key| !key.1.is_empty() && !notes.0.contains_key(key));
            if wanted.is_empty() {
                break;
            }
            let keys: Vec<RecipientKey> = std::mem::take(&mut wanted).into_iter().collect();
            for keys in keys.chunks(IDS) {
                for (directive, id, upper, note) in relayed(db, keys).await? {
                    wanted.insert((directive, upper.clone()));
                    notes.0.insert((directive, id), (upper, note));
                }
            }
        }
        Ok(notes)
    }
}

/// Directive, id, the one above and what was added, of recipients among which are those of `keys`.
async fn relayed(
    db: &impl ConnectionTrait,
    keys: &[RecipientKey],
) -> Result<Vec<(Uuid, String, String, String)>, DbErr> {
    let directives: BTreeSet<Uuid> = keys.iter().map(|key| key.0).collect();
    let ids: BTreeSet<&str> = keys.iter().map(|key| key.1.as_str()).collect();
    Entity::find()
        .select_only()
        .columns([
            Column::Directive,
            Column::Organization,
            Column::UpperOrganization,
            Column::RelayNote,
        ])
        .filter(Column::Directive.is_in(directives))
        .filter(Column::Organization.is_in(ids))
        .into_tuple()
        .all(db)
        .await
}
