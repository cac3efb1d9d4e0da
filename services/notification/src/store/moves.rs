//! An organisation that moves in the tree takes along what is kept of it: its old place grants
//! nothing any more, its new one everything.

use chrono::{DateTime, Utc};
use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr};

use super::Store;
use super::alerts::select_alerts;
use crate::domain::alert::Alert;
use crate::domain::chain::Level;
use crate::domain::change::Change;

/// How many alerts move with an organisation at once: more than any has.
const MOST: u64 = 1_000_000;

impl Store {
    /// Brings everything that is kept of an organisation to where it stands now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow_move(
        &self,
        tx: &Tx,
        organization: &str,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let Some(org_path) = self.org_path(tx, organization).await? else {
            return Ok(());
        };
        let wheres = "organization = $1 AND org_path <> $2";
        let values = || vec![organization.into(), org_path.clone().into()];
        let any = select_alerts(tx, wheres, values(), "sequence", 1).await?;
        if !any.is_empty() {
            Self::lock_alerts(tx).await?;
            let left_behind = select_alerts(tx, wheres, values(), "sequence", MOST).await?;
            let moved = left_behind.into_iter().map(|alert| {
                Change::from(Alert {
                    org_path: org_path.clone(),
                    ..alert
                })
            });
            Self::write_alerts(tx, moved.collect(), now).await?;
        }
        for table in ["silences", "messages"] {
            let sql = format!(
                "UPDATE {table} SET org_path = $1 WHERE organization = $2 AND org_path <> $1"
            );
            let values = [org_path.clone().into(), organization.into()];
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        for table in [
            "directives",
            "directive_recipients",
            "meetings",
            "attendances",
        ] {
            let sql = format!(
                "UPDATE {table} SET org_path = $1, version = version + 1 \
                 WHERE organization = $2 AND org_path <> $1"
            );
            let values = [org_path.clone().into(), organization.into()];
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        // Class groups go with their school: the id of one stands behind that of the school and a sign.
        let sql = "UPDATE directive_recipients \
             SET org_path = $1 || '/' || SUBSTR(organization, $3), version = version + 1 \
             WHERE level = $4 AND upper_organization = $2 AND directive IN \
             (SELECT d.directive FROM directive_recipients d WHERE d.organization = $2)";
        let behind = i32::try_from(organization.len() + 2).unwrap_or(i32::MAX);
        let values = [
            org_path.clone().into(),
            organization.into(),
            behind.into(),
            (Level::ClassGroup as i16).into(),
        ];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Self::move_voices(tx, organization, &org_path).await
    }
}
