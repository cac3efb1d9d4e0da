//! An incident with its receipts and notices.

use kit::db::Tx;
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::number;
use crate::domain::hazard::report;
use crate::domain::incident::category::{Category, Confidential};
use crate::domain::incident::file::{Chain, File, Incident, Limits};
use crate::domain::incident::harm::{Casualties, Level, TableName};
use crate::domain::incident::state::State;
use crate::domain::incident::step::{Kind, Medium, Receiver, Step};
use crate::grpc::announced;
use crate::store::{Store, unreadable};

row! {
    /// An incident. Instants and spans are milliseconds, 0 for none; enums are numbers, 0 for none.
    IncidentRow in "incidents" by ["id"] {
        /// Sorts by when it was noticed.
        id: Uuid,
        /// The id of the organisation.
        organization: String,
        /// Its place in the tree.
        org_path: String,
        /// The district it counts for.
        district: String,
        /// What it is.
        category: i16,
        /// What kind of accident.
        hazard_category: i16,
        /// Why it is confidential.
        confidential: i16,
        /// Since when it is.
        confidential_since: i64,
        /// The place within the organisation.
        place: String,
        /// What happened.
        summary: String,
        /// When it happened.
        occurred: i64,
        /// When it was noticed.
        detected: i64,
        /// Who noticed it.
        detector: String,
        /// Why it goes straight to the city.
        over_level_reason: String,
        /// How far it is.
        state: i16,
        /// Its level.
        level: i16,
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
        /// The policy whose limits hold.
        policy_version: String,
        /// By which table its level is told.
        level_table: i16,
        /// To tell by telephone.
        phone_sla: i64,
        /// To report in writing.
        written_sla: i64,
        /// From level to level.
        hop_sla: i64,
        /// From follow-up to follow-up.
        follow_up: i64,
        /// From when the danger is over to the final report.
        final_sla: i64,
        /// Where its chain begins.
        begins: i16,
        /// Whether a district stands in the chain.
        has_district: bool,
        /// When the first report was written.
        first_reported: i64,
        /// When the next follow-up is due.
        follow_due: i64,
        /// When the newest report was written.
        reported: i64,
        /// Which occasion that was.
        reported_occasion: i32,
        /// When the final report is due.
        final_due: i64,
        /// When its level last rose after the first report.
        raised: i64,
        /// How long after that the level above is told by telephone.
        raised_phone: i64,
        /// Which occasion that was.
        raised_occasion: i32,
        /// How often there was something new to tell.
        occasions: i32,
        /// Since when the government must hear of it.
        government_since: i64,
        /// How many reports there are.
        reports: i32,
        /// How many events there are.
        events: i32,
        /// Something was late.
        late: bool,
        /// What is due next.
        next_due: i64,
        /// When it was over.
        ended: i64,
    }
}

row! {
    /// A receipt or a notice; never changed.
    StepRow in "incident_steps" by ["incident", "occasion", "kind", "receiver", "medium"] {
        /// The incident.
        incident: Uuid,
        /// Of which occasion they know.
        occasion: i32,
        /// What.
        kind: i16,
        /// Who.
        receiver: i16,
        /// By what.
        medium: i16,
        /// When.
        time: i64,
        /// Who said so.
        actor: String,
        /// The receiver's own number.
        reference: String,
    }
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// Casualties as columns: deaths, missing, serious, minor, loss.
pub(super) fn harm_columns(harm: &Casualties) -> (i32, i32, i32, i32, i64) {
    let loss = i64::try_from(harm.loss_yuan).unwrap_or(i64::MAX);
    let [deaths, missing, serious, minor] =
        [harm.deaths, harm.missing, harm.serious, harm.minor].map(count);
    (deaths, missing, serious, minor, loss)
}

/// Casualties from columns.
pub(super) fn harm(
    (deaths, missing, serious, minor, loss): (i32, i32, i32, i32, i64),
) -> Casualties {
    Casualties {
        deaths: deaths.unsigned_abs(),
        missing: missing.unsigned_abs(),
        serious: serious.unsigned_abs(),
        minor: minor.unsigned_abs(),
        loss_yuan: loss.unsigned_abs(),
    }
}

/// The second id of a place, or its only one.
fn district(org_path: &str) -> String {
    let mut ids = org_path.split('/');
    let first = ids.next().unwrap_or_default();
    ids.next().unwrap_or(first).to_owned()
}

impl From<&File> for IncidentRow {
    fn from(file: &File) -> Self {
        let incident = &file.incident;
        let limits = &incident.limits;
        let (deaths, missing, serious, minor, loss_yuan) = harm_columns(&incident.harm);
        Self {
            id: incident.id,
            organization: incident.organization.clone(),
            org_path: incident.org_path.clone(),
            district: district(&incident.org_path),
            category: incident.category as i16,
            hazard_category: number(incident.hazard_category, |of| of as i16),
            confidential: number(incident.confidential, |of| of as i16),
            confidential_since: incident.confidential_since,
            place: incident.place.clone(),
            summary: incident.summary.clone(),
            occurred: incident.occurred,
            detected: incident.detected,
            detector: incident.detector.clone(),
            over_level_reason: incident.over_level_reason.clone(),
            state: incident.state as i16,
            level: incident.level as i16,
            deaths,
            missing,
            serious,
            minor,
            loss_yuan,
            policy_version: limits.policy_version.clone(),
            level_table: limits.table as i16,
            phone_sla: limits.phone,
            written_sla: limits.written,
            hop_sla: limits.hop,
            follow_up: limits.follow_up,
            final_sla: limits.final_report,
            begins: incident.chain.begins as i16,
            has_district: incident.chain.has_district,
            first_reported: incident.first_reported,
            follow_due: incident.follow_due,
            reported: incident.reported,
            reported_occasion: incident.reported_occasion,
            final_due: incident.final_due,
            raised: incident.raised,
            raised_phone: incident.raised_phone,
            raised_occasion: incident.raised_occasion,
            occasions: incident.occasions,
            government_since: incident.government_since,
            reports: incident.reports,
            events: incident.events,
            late: incident.late,
            next_due: file.next_due(),
            ended: incident.ended,
        }
    }
}

impl IncidentRow {
    /// The incident.
    ///
    /// # Errors
    /// When a number is none of the domain's.
    pub(super) fn incident(self) -> Result<Incident, DbErr> {
        let bad = || unreadable("incident");
        Ok(Incident {
            category: Category::from_number(self.category.into()).ok_or_else(bad)?,
            hazard_category: report::Category::from_number(self.hazard_category.into()),
            confidential: Confidential::from_number(self.confidential.into()),
            state: State::from_number(self.state.into()).ok_or_else(bad)?,
            level: Level::from_number(self.level.into()).ok_or_else(bad)?,
            harm: harm((
                self.deaths,
                self.missing,
                self.serious,
                self.minor,
                self.loss_yuan,
            )),
            limits: Limits {
                policy_version: self.policy_version,
                table: TableName::from_number(self.level_table.into()).ok_or_else(bad)?,
                phone: self.phone_sla,
                written: self.written_sla,
                hop: self.hop_sla,
                follow_up: self.follow_up,
                final_report: self.final_sla,
            },
            chain: Chain {
                begins: Receiver::from_number(self.begins.into()).ok_or_else(bad)?,
                has_district: self.has_district,
            },
            id: self.id,
            organization: self.organization,
            org_path: self.org_path,
            confidential_since: self.confidential_since,
            place: self.place,
            summary: self.summary,
            occurred: self.occurred,
            detected: self.detected,
            detector: self.detector,
            over_level_reason: self.over_level_reason,
            first_reported: self.first_reported,
            follow_due: self.follow_due,
            reported: self.reported,
            reported_occasion: self.reported_occasion,
            final_due: self.final_due,
            raised: self.raised,
            raised_phone: self.raised_phone,
            raised_occasion: self.raised_occasion,
            occasions: self.occasions,
            government_since: self.government_since,
            reports: self.reports,
            events: self.events,
            late: self.late,
            ended: self.ended,
        })
    }
}

impl StepRow {
    fn new(incident: Uuid, step: &Step) -> Self {
        Self {
            incident,
            occasion: step.occasion,
            kind: step.kind as i16,
            receiver: step.receiver as i16,
            medium: step.medium as i16,
            time: step.time,
            actor: step.actor.clone(),
            reference: step.reference.clone(),
        }
    }

    fn step(self) -> Result<Step, DbErr> {
        let bad = || unreadable("receipt");
        Ok(Step {
            kind: Kind::from_number(self.kind.into()).ok_or_else(bad)?,
            receiver: Receiver::from_number(self.receiver.into()).ok_or_else(bad)?,
            medium: Medium::from_number(self.medium.into()).ok_or_else(bad)?,
            occasion: self.occasion,
            time: self.time,
            actor: self.actor,
            reference: self.reference,
        })
    }
}

impl Store {
    /// An incident of an organisation; `lock` keeps others from changing it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn incident(
        db: &impl ConnectionTrait,
        organization: &str,
        id: Uuid,
        lock: Lock,
    ) -> Result<Option<File>, DbErr> {
        let found = IncidentRow::find(db, "id", vec![id.into()], lock).await?;
        let Some(row) = found
            .into_iter()
            .find(|row| row.organization == organization)
        else {
            return Ok(None);
        };
        let rows = StepRow::find(db, "incident", vec![id.into()], Lock::No).await?;
        let mut steps = rows
            .into_iter()
            .map(StepRow::step)
            .collect::<Result<Vec<_>, _>>()?;
        steps.sort_by_key(|step| (step.time, step.occasion));
        let incident = row.incident()?;
        Ok(Some(File { incident, steps }))
    }

    /// Keeps an incident as it is at `now`, in milliseconds since 1970, with its receipts and notices.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_incident(tx: &Tx, file: &File, now: i64) -> Result<(), DbErr> {
        IncidentRow::save(tx, &[file.into()]).await?;
        let id = file.incident.id;
        let steps: Vec<_> = file
            .steps
            .iter()
            .map(|step| StepRow::new(id, step))
            .collect();
        StepRow::add(tx, &steps).await?;
        Self::tell(tx, vec![announced::incident(file, now)]).await
    }
}
