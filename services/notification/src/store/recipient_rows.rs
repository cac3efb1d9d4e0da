//! Recipients of directives as rows, both ways.

use chrono::{DateTime, Datelike, NaiveDate};
use sea_orm::DbErr;

use super::entity::directive_recipient::Model;
use super::unreadable;
use crate::domain::chain::Level;
use crate::domain::content::TextHash;
use crate::domain::recipient::{Recipient, State};

/// The row of a recipient that has acted.
pub(super) fn model(recipient: Recipient, orderer: String) -> Model {
    let Recipient {
        directive,
        id,
        org_path,
        level,
        district,
        upper,
        below,
        state,
        due,
        items_due,
        acknowledged,
        relayed,
        relay_due,
        judge_due,
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
        organization: id,
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
        level: level as i16,
        district,
        acknowledged_at: acknowledged.map(|signed| signed.timestamp_millis()),
        items_due: items_due.map(number_of),
        relay_due_at: relay_due.map(|due| due.timestamp_millis()),
        judge_due_at: judge_due.map(|due| due.timestamp_millis()),
        announced: version,
    }
}

/// A civil day as `YYYYMMDD`.
pub(super) fn number_of(day: NaiveDate) -> i32 {
    let in_year = i32::try_from(day.month() * 100 + day.day()).unwrap_or_default();
    day.year() * 10_000 + in_year
}

fn day_of(number: i32) -> Option<NaiveDate> {
    let in_year = u32::try_from(number % 10_000).ok()?;
    NaiveDate::from_ymd_opt(number / 10_000, in_year / 100, in_year % 100)
}

impl TryFrom<Model> for Recipient {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let state = State::ALL
            .into_iter()
            .find(|state| *state as i16 == row.state);
        let level = Level::ALL
            .into_iter()
            .find(|level| *level as i16 == row.level);
        let hash = row.text_sha256.try_into().map_err(|_| unreadable("hash"))?;
        Ok(Self {
            directive: row.directive,
            id: row.organization,
            org_path: row.org_path,
            level: level.ok_or_else(|| unreadable("level"))?,
            district: row.district,
            upper: row.upper_organization,
            below: row.below,
            state: state.ok_or_else(|| unreadable("state"))?,
            due: row.due_at.and_then(DateTime::from_timestamp_millis),
            items_due: row.items_due.and_then(day_of),
            acknowledged: row.acknowledge_time,
            relayed: row.relay_time,
            relay_due: row.relay_due_at.and_then(DateTime::from_timestamp_millis),
            judge_due: row.judge_due_at.and_then(DateTime::from_timestamp_millis),
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
