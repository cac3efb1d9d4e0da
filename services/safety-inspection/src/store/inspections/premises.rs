//! What campuses are known to have.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbErr};

use crate::domain::inspection::premises::Premises;
use crate::domain::organization::Organization;
use crate::store::Store;
use crate::store::protection::Declared;

impl Store {
    /// What each of these organisations is known to have, by their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn premises(
        db: &impl ConnectionTrait,
        organizations: &[Organization],
    ) -> Result<HashMap<String, Premises>, DbErr> {
        let ids: Vec<&str> = organizations.iter().map(|one| &*one.id).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let owners = Self::bus_owners(db, &ids).await?;
        let declared = Self::declarations(db, &ids).await?;
        let declared: HashMap<&str, &Declared> = declared
            .iter()
            .map(|one| (&*one.organization, one))
            .collect();
        let known = organizations.iter().map(|one| {
            let declaration = declared.get(&*one.id).map(|declared| &declared.declaration);
            let premises = Premises::known(one.boarding, owners.contains(&one.id), declaration);
            (one.id.clone(), premises)
        });
        Ok(known.collect())
    }
}
