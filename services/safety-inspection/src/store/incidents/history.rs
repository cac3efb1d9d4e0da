//! What was written, done and found about an incident. Only added.

use kit::db::{Tx, statement};
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::file::{harm, harm_columns};
use super::{AFTER, number};
use crate::domain::incident::file::Event;
use crate::domain::incident::harm::Casualties;
use crate::domain::incident::state::Verb;
use crate::store::Store;

row! {
    /// One report. Times are milliseconds since 1970, 0 for none.
    ReportRow in "incident_reports" by ["incident", "sequence"] {
        /// The incident.
        incident: Uuid,
        /// 1, 2, …
        sequence: i32,
        /// First, follow-up or final.
        kind: i16,
        /// How things stand.
        situation: String,
        /// What was done.
        measures: String,
        /// Deaths.
        deaths: i32,
        /// Missing people.
        missing: i32,
        /// Serious injuries.
        serious: i32,
        /// Other injuries.
        minor: i32,
        /// Loss in yuan.
        loss_yuan: i64,
        /// The cause.
        cause: String,
        /// What is learnt.
        lessons: String,
        /// Who answers questions.
        contact_post: String,
        /// When it was written.
        time: i64,
        /// When it was due.
        due: i64,
        /// Whether it was late.
        late: bool,
        /// Who wrote it.
        author: String,
        /// The level then.
        level: i16,
    }
}

row! {
    /// One entry of the history.
    EventRow in "incident_events" by ["incident", "sequence"] {
        /// The incident.
        incident: Uuid,
        /// 1, 2, …
        sequence: i32,
        /// What.
        verb: i16,
        /// The state before.
        from_state: i16,
        /// The state after.
        to_state: i16,
        /// The level before.
        from_level: i16,
        /// The level after.
        to_level: i16,
        /// When.
        time: i64,
        /// Who.
        actor: String,
        /// In words.
        reason: String,
    }
}

row! {
    /// A cause that the review found.
    CauseRow in "incident_causes" by ["incident", "sequence"] {
        /// The incident.
        incident: Uuid,
        /// 1, 2, …
        sequence: i32,
        /// What must be removed.
        description: String,
        /// The number of the field.
        category: i16,
        /// Where in the organisation.
        place: String,
        /// The hazard it became.
        hazard: String,
    }
}

row! {
    /// Somebody held to account.
    AccountabilityRow in "incident_accountability" by ["incident", "sequence"] {
        /// The incident.
        incident: Uuid,
        /// 1, 2, …
        sequence: i32,
        /// The post.
        post: String,
        /// `staff/{staff_member}`; may be empty.
        staff_member: String,
        /// What was done.
        measure: i16,
        /// On what basis.
        basis: String,
    }
}

impl ReportRow {
    /// The casualties it tells of.
    pub fn harm(&self) -> Casualties {
        harm((
            self.deaths,
            self.missing,
            self.serious,
            self.minor,
            self.loss_yuan,
        ))
    }

    /// With these casualties.
    pub fn with_harm(self, casualties: &Casualties) -> Self {
        let (deaths, missing, serious, minor, loss_yuan) = harm_columns(casualties);
        Self {
            deaths,
            missing,
            serious,
            minor,
            loss_yuan,
            ..self
        }
    }
}

impl EventRow {
    fn new(incident: Uuid, event: Event) -> Self {
        Self {
            incident,
            sequence: event.sequence,
            verb: event.verb as i16,
            from_state: number(event.from_state, |state| state as i16),
            to_state: event.to_state as i16,
            from_level: number(event.from_level, |level| level as i16),
            to_level: event.to_level as i16,
            time: event.time,
            actor: event.actor,
            reason: event.reason,
        }
    }
}

/// What a review found: causes and accountability.
pub type Findings = (Vec<CauseRow>, Vec<AccountabilityRow>);

impl Store {
    /// Adds to the history of an incident.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_incident_events(
        tx: &Tx,
        incident: Uuid,
        events: Vec<Event>,
    ) -> Result<(), DbErr> {
        let row = |event| EventRow::new(incident, event);
        let rows: Vec<EventRow> = events.into_iter().map(row).collect();
        EventRow::add(tx, &rows).await
    }

    /// Keeps a report.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_incident_report(tx: &Tx, row: &ReportRow) -> Result<(), DbErr> {
        ReportRow::add(tx, std::slice::from_ref(row)).await
    }

    /// Keeps what a review found.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_incident_findings(
        tx: &Tx,
        (causes, accountability): &Findings,
    ) -> Result<(), DbErr> {
        CauseRow::add(tx, causes).await?;
        AccountabilityRow::add(tx, accountability).await
    }

    /// What the review of an incident found; nothing before it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incident_findings(
        db: &impl ConnectionTrait,
        incident: Uuid,
    ) -> Result<Findings, DbErr> {
        let key = || vec![incident.into()];
        let causes = CauseRow::find(db, "incident", key(), Lock::No).await?;
        let accountability = AccountabilityRow::find(db, "incident", key(), Lock::No).await?;
        Ok((causes, accountability))
    }

    /// The reports of an incident after one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incident_reports(
        db: &impl ConnectionTrait,
        incident: Uuid,
        after: i32,
        limit: u64,
    ) -> Result<Vec<ReportRow>, DbErr> {
        ReportRow::page(db, AFTER, vec![incident.into(), after.into()], limit).await
    }

    /// The history of an incident after one entry.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incident_events(
        db: &impl ConnectionTrait,
        incident: Uuid,
        after: i32,
        limit: u64,
    ) -> Result<Vec<EventRow>, DbErr> {
        EventRow::page(db, AFTER, vec![incident.into(), after.into()], limit).await
    }

    /// Whether somebody noticed or handled an incident.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn handled_incident(
        db: &impl ConnectionTrait,
        incident: Uuid,
        actor: &str,
    ) -> Result<bool, DbErr> {
        let verbs = Verb::ALL.iter().filter(|verb| verb.handles());
        let verbs: Vec<String> = verbs.map(|verb| (*verb as i16).to_string()).collect();
        let sql = format!(
            "SELECT 1 FROM incident_events WHERE incident = $1 AND actor = $2 \
             AND verb IN ({}) LIMIT 1",
            verbs.join(", ")
        );
        let found = db
            .query_one_raw(statement(db, &sql, [incident.into(), actor.into()]))
            .await?;
        Ok(found.is_some())
    }
}
