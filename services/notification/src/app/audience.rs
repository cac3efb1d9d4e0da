//! Whom something is addressed to, in the tree as it is now.

use sea_orm::ConnectionTrait;

use super::Base;
use crate::domain::audience::Audience;
use crate::domain::organization::OrganizationFact;
use crate::domain::place::contains;
use crate::error::Error;
use crate::store::Store;

impl Base {
    /// Those at and below `orderer` that an audience addresses, by place.
    pub(crate) async fn addressed(
        &self,
        db: &impl ConnectionTrait,
        orderer: &str,
        audience: &Audience,
    ) -> Result<Vec<OrganizationFact>, Error> {
        let tree = Store::tree(db, orderer).await?;
        Ok(audience.addressed(tree))
    }

    /// The same for what goes down step by step: with the bureaus on the way.
    pub(crate) async fn passed_down(
        &self,
        db: &impl ConnectionTrait,
        orderer: &str,
        audience: &Audience,
    ) -> Result<Vec<OrganizationFact>, Error> {
        let tree = Store::tree(db, orderer).await?;
        Ok(audience.passed_down(tree))
    }

    /// Every organisation that an audience names is at or below `orderer`.
    pub(crate) async fn require_below(
        &self,
        db: &impl ConnectionTrait,
        orderer: &str,
        audience: &Audience,
    ) -> Result<(), Error> {
        let named: Vec<String> = audience.named().cloned().collect();
        let places = Store::places_of(db, &named).await?;
        let is_below = |id: &String| places.get(id).is_some_and(|path| contains(orderer, path));
        match named.iter().position(|id| !is_below(id)) {
            None => Ok(()),
            Some(index) => match index.checked_sub(audience.organizations.len()) {
                None => Err(Error::Audience("organizations", index)),
                Some(index) => Err(Error::Audience("listed", index)),
            },
        }
    }
}
