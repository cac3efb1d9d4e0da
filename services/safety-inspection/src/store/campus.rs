//! How many people a campus has, by what the register told.

use sea_orm::{ConnectionTrait, DbErr};

use super::Store;
use crate::domain::protection::guards::People;
use crate::domain::supply::item::Heads;

/// The post of a guard, as the register spells it.
const GUARD: &str = "GUARD";

impl Store {
    /// The people of a campus, and its heads as supplies count them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn campus_people(
        db: &(impl ConnectionTrait + Sync),
        organization: &str,
    ) -> Result<(People, Heads), DbErr> {
        let groups = Self::class_groups(db, organization).await?;
        let (staff, posts) = Self::staff(db, organization).await?;
        let people = People {
            pupils: groups.iter().map(|group| group.expected).sum(),
            boarders: groups.iter().map(|group| group.boarders).sum(),
            staff,
            guards: posts.get(GUARD).copied().unwrap_or_default(),
        };
        let heads = Heads {
            classes: u32::try_from(groups.len()).unwrap_or(u32::MAX),
            persons: people.pupils.saturating_add(staff),
        };
        Ok((people, heads))
    }
}
