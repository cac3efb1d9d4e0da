//! The database: rows in and out. The only user of sea-orm.

pub mod alert_clock;
mod alert_rows;
pub mod alert_rules;
pub mod alert_writes;
pub mod alerts;
mod answers;
pub mod attendances;
pub mod audience;
mod break_glass;
pub mod calendar;
pub mod care;
pub mod carriers;
pub mod channels;
mod concern_rows;
pub mod concerns;
pub mod contacts;
pub mod controlled;
pub mod counts;
pub mod deliveries;
pub mod destruction;
pub mod direct;
mod directive_rows;
pub mod directive_sums;
pub mod directives;
mod entity;
pub mod expansion;
pub mod facts;
mod figures;
mod hearers;
pub mod held;
pub mod inbox;
pub mod items;
pub mod late;
pub mod ledger;
mod ledger_rows;
pub mod meetings;
mod message_rows;
pub mod messages;
pub mod moves;
pub mod notices;
pub mod overdue;
pub mod people;
mod policy_rows;
pub mod progress;
mod reach;
pub mod receipts;
mod recipient_rows;
pub mod recipients;
pub mod register;
pub mod retention;
pub mod sending;
pub mod silences;
pub mod support;
pub mod support_clock;
pub mod templates;
pub mod told;
mod unannounced;
mod upper_notes;
pub mod warning_exports;
mod warning_news;
mod warning_rows;
pub mod warnings;

use kit::db::Database;
use sea_orm::DbErr;

/// The tables of this service.
#[derive(Clone, Debug)]
pub struct Store {
    db: Database,
}

impl Store {
    /// The tables in `db`.
    pub fn new(db: Database) -> Self {
        Self { db }
    }

    /// The database beneath.
    pub fn database(&self) -> &Database {
        &self.db
    }
}

fn unreadable(what: &str) -> DbErr {
    DbErr::Type(format!("a row with an unreadable {what}"))
}

/// The first text that sorts after everything below `place`.
fn below_end(place: &str) -> String {
    format!("{place}0")
}
