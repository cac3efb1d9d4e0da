//! Recipients of directives as rows, both ways.

use chrono::DateTime;
use sea_orm::DbErr;

use super::entity::directive_recipient::Model;
use super::unreadable;
use crate::domain::directive::TextHash;
use crate::domain::recipient::{Recipient, State};

/// The row of a recipient.
pub(super) fn model(recipient: Recipient, orderer: String) -> Model {
    let Recipient {
        directive,
        organization,
        org_path,
        upper,
        below,
        state,
        due,
        acknowledged,
        relayed,
        relay_note,
        report,
        progress,
        return_reason,
        updated,
        text_hash,
        version,
    } = recipient;
    Model {
        directive,
        organization,
        org_path,
        orderer,
        upper_organization: upper,
        below,
        state: state as i16,
        due_at: due.map(|due| due.timestamp_millis()),
        acknowledge_time: acknowledged,
        relay_time: relayed,
        relay_note,
        report,
        progress,
        return_reason,
        update_time: updated,
        text_sha256: text_hash.0.to_vec(),
        version,
        open: state != State::Accepted,
    }
}

impl TryFrom<Model> for Recipient {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let state = State::ALL
            .into_iter()
            .find(|state| *state as i16 == row.state);
        let hash = row.text_sha256.try_into().map_err(|_| unreadable("hash"))?;
        Ok(Self {
            directive: row.directive,
            organization: row.organization,
            org_path: row.org_path,
            upper: row.upper_organization,
            below: row.below,
            state: state.ok_or_else(|| unreadable("state"))?,
            due: row.due_at.and_then(DateTime::from_timestamp_millis),
            acknowledged: row.acknowledge_time,
            relayed: row.relay_time,
            relay_note: row.relay_note,
            report: row.report,
            progress: row.progress,
            return_reason: row.return_reason,
            updated: row.update_time,
            text_hash: TextHash(hash),
            version: row.version,
        })
    }
}
