//! What happens when a deadline passes: one replica looks each second, each deadline has its own
//! transaction, and what it did not get to is done later.

use std::time::Duration;

use kit::db::Tx;
use kit::drain::Drain;
use kit::lease::{self, Lease};
use sea_orm::DbErr;
use uuid::Uuid;

use crate::app::App;
use crate::error::Error;
use crate::store::health::deadlines::{self, DeadlineRow};
use kit::rows::Row;

/// The name of the lease: one replica looks at a time.
const LEASE: &str = "deadlines";
/// How long a replica that vanished keeps others from it.
const TTL: Duration = Duration::from_secs(10);
/// How often to look.
const PERIOD: Duration = Duration::from_secs(1);
/// How many are handled before the lease is taken anew.
const TOGETHER: u64 = 200;

/// What somebody waits for. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub(crate) enum Deadline {
    /// The checks of a slot are due; the entity is the day and the slot.
    Checks = 1,
    /// Somebody is reached about an absence (rule 1.11); the entity is its identifier.
    AbsenceContact = 2,
    /// An absence asks for an interview (rule 1.12).
    AbsenceInterview = 3,
    /// An illness is uploaded (rule 1.8).
    AbsenceUpload = 4,
    /// A cluster is reported; the entity is its identifier.
    ClusterReport = 5,
    /// The roster is told that teaching is suspended; the entity is the suspension's identifier.
    SuspensionApply = 6,
    /// The roster is told that teaching begins again; the entity is the suspension's identifier.
    SuspensionEnd = 7,
    /// The checks of a slot are looked at for what is improbable.
    Signals = 8,
    /// The receipt of a report is due; the entity is the case and the level that reports.
    ReportHop = 10,
    /// A follow-up report is due; the entity is the case.
    FollowUpReport = 11,
    /// The control of a contact may end; the entity is the case and the person.
    ControlEnds = 12,
    /// A control from outside ends; the entity is its identifier.
    MeasureEnds = 13,
}

impl Deadline {
    const ALL: [Self; 12] = [
        Self::Checks,
        Self::AbsenceContact,
        Self::AbsenceInterview,
        Self::AbsenceUpload,
        Self::ClusterReport,
        Self::SuspensionApply,
        Self::SuspensionEnd,
        Self::Signals,
        Self::ReportHop,
        Self::FollowUpReport,
        Self::ControlEnds,
        Self::MeasureEnds,
    ];
}

/// From now on somebody waits for this until `due`, milliseconds since 1970; an earlier wait for
/// the same thing is replaced.
pub(crate) async fn wait(tx: &Tx, deadline: Deadline, entity: &str, due: i64) -> Result<(), DbErr> {
    let row = DeadlineRow {
        kind: deadline as i16,
        entity: entity.to_owned(),
        due,
    };
    DeadlineRow::save(tx, std::slice::from_ref(&row)).await
}

/// From now on somebody waits for each of these until its time, milliseconds since 1970.
pub(crate) async fn wait_all(tx: &Tx, waits: Vec<(Deadline, String, i64)>) -> Result<(), DbErr> {
    let row = |(deadline, entity, due): (Deadline, String, i64)| DeadlineRow {
        kind: deadline as i16,
        entity,
        due,
    };
    let rows: Vec<DeadlineRow> = waits.into_iter().map(row).collect();
    DeadlineRow::save(tx, &rows).await
}

/// Nobody waits for this any more; whether somebody did.
pub(crate) async fn settle(tx: &Tx, deadline: Deadline, entity: &str) -> Result<bool, DbErr> {
    deadlines::remove(tx, deadline as i16, entity).await
}

/// Looks each second until the drain.
pub(crate) async fn watch(app: App, drain: Drain) {
    let holder = Uuid::new_v4().to_string();
    let mut planned = None;
    loop {
        let today = app.today();
        if planned != Some(today) {
            match begin(&app).await {
                Ok(()) => planned = Some(today),
                Err(err) => tracing::warn!(error = %err, "cannot begin the day yet"),
            }
        }
        if let Err(err) = pass_all(&app, &holder).await {
            tracing::warn!(error = %err, "cannot look for deadlines, trying again");
        }
        if !drain.sleep(PERIOD).await {
            return;
        }
    }
}

/// A day begins: its checks are waited for, and who is ill still is counted.
async fn begin(app: &App) -> Result<(), Error> {
    app.plan_checks().await?;
    app.count_going_on().await
}

/// Handles everything that is due unless another replica is at it.
async fn pass_all(app: &App, holder: &str) -> Result<(), DbErr> {
    loop {
        let now = app.clock.now().timestamp_millis();
        let due = deadlines::due(app.db.read(), now, TOGETHER).await?;
        if due.is_empty() {
            return Ok(());
        }
        let Some(lease) = lease::take(&app.db, LEASE, holder, TTL).await? else {
            return Ok(());
        };
        let mut stuck = 0;
        for row in &due {
            if let Err(err) = pass(app, &lease, row).await {
                let kind = row.kind;
                tracing::warn!(kind, error = %err, "a deadline could not be handled");
                stuck += 1;
            }
        }
        if stuck == due.len() {
            return lease.release(&app.db).await;
        }
    }
}

/// Handles one, in one transaction. What it is about is locked first, in the order of all writers:
/// they lock it before they move its deadline.
async fn pass(app: &App, lease: &Lease, row: &DeadlineRow) -> Result<(), Error> {
    let tx = app.db.begin().await?;
    if !lease.holds(&tx).await? {
        return Ok(());
    }
    let now = app.clock.now();
    let kind = Deadline::ALL
        .into_iter()
        .find(|kind| *kind as i16 == row.kind);
    match kind {
        Some(Deadline::Checks) => {
            if deadlines::take(&tx, row).await? {
                app.checks_due(&tx, &row.entity).await?;
            }
        }
        Some(
            kind
            @ (Deadline::AbsenceContact | Deadline::AbsenceInterview | Deadline::AbsenceUpload),
        ) => {
            let absence = app.lock_absence(&tx, &row.entity).await?;
            if deadlines::take(&tx, row).await?
                && let Some(absence) = absence
            {
                app.pass_absence(&tx, kind, absence).await?;
            }
        }
        Some(Deadline::Signals) => {
            if deadlines::take(&tx, row).await? {
                app.look_for_signals(&tx, &row.entity).await?;
            }
        }
        Some(Deadline::ClusterReport) => {
            let cluster = app.locked_cluster(&tx, &row.entity).await?;
            if deadlines::take(&tx, row).await?
                && let Some(cluster) = cluster
            {
                app.report_is_due(&tx, cluster).await?;
            }
        }
        Some(kind @ (Deadline::SuspensionApply | Deadline::SuspensionEnd)) => {
            let suspension = app.locked_suspension(&tx, &row.entity).await?;
            if deadlines::take(&tx, row).await?
                && let Some(suspension) = suspension
            {
                let call = app.teaching_changes(&tx, kind, suspension).await?;
                tx.commit().await?;
                if let Some(call) = call {
                    tokio::spawn(app.clone().tell_roster(call));
                }
                return Ok(());
            }
        }
        Some(Deadline::ReportHop | Deadline::FollowUpReport) => {
            app.lock_case_deadline(&tx, &row.entity).await?;
            if deadlines::take(&tx, row).await? {
                app.case_due(&tx, &row.entity, now).await?;
            }
        }
        Some(Deadline::ControlEnds) => {
            let contact = app.locked_contact(&tx, &row.entity).await?;
            if deadlines::take(&tx, row).await?
                && let Some(contact) = contact
            {
                app.control_ends(&tx, contact, now).await?;
            }
        }
        Some(Deadline::MeasureEnds) => {
            let measure = app.locked_measure(&tx, &row.entity).await?;
            if deadlines::take(&tx, row).await?
                && let Some(measure) = measure
            {
                app.measure_ends(&tx, measure, now).await?;
            }
        }
        None => {
            deadlines::take(&tx, row).await?;
            tracing::warn!(kind = row.kind, "a deadline of an unknown kind is let go");
        }
    }
    tx.commit().await?;
    Ok(())
}
