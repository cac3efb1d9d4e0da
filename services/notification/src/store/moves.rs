//! An organisation that moves in the tree takes along what is kept of it: its old place grants
//! nothing any more, its new one everything.

use kit::db::{Tx, statement};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::Store;
use super::entity::alert::{self, Column};
use crate::domain::alert::Alert;

impl Store {
    /// Brings alerts and directives of an organisation to where it stands now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow_move(&self, tx: &Tx, organization: &str) -> Result<(), DbErr> {
        let Some(org_path) = self.org_path(tx, organization).await? else {
            return Ok(());
        };
        let left_behind = alert::Entity::find()
            .filter(Column::Organization.eq(organization))
            .filter(Column::OrgPath.ne(org_path.clone()));
        if left_behind.clone().one(tx).await?.is_some() {
            Self::lock_alerts(tx).await?;
            for row in left_behind.all(tx).await? {
                let alert = Alert {
                    org_path: org_path.clone(),
                    ..Alert::try_from(row)?
                };
                Self::save_locked(tx, alert).await?;
            }
        }
        for table in ["directives", "directive_recipients"] {
            let sql = format!(
                "UPDATE {table} SET org_path = $1, version = version + 1 \
                 WHERE organization = $2 AND org_path <> $1"
            );
            let values = [org_path.clone().into(), organization.into()];
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        Ok(())
    }
}
