//! Schedules: who inspects what how often, at and below an organisation.

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::org::OrgPath;
use kit::rows::Lock;
use kit::status::Problem;
use prost::Message;

use super::{Inspections, checklists};
use crate::app::{Site, new_id};
use crate::domain::checklist::item::PlaceKind;
use crate::domain::checklist::template::TemplateId;
use crate::domain::inspection::schedule::{Cadence, Level, Schedule};
use crate::error::Error;
use crate::store::Store;

/// What is entered.
#[derive(Clone, Debug)]
pub(crate) struct Timetable {
    /// Shown to people.
    pub(crate) display_name: String,
    /// By which list.
    pub(crate) template: TemplateId,
    /// What is inspected.
    pub(crate) place_kind: PlaceKind,
    /// Who inspects.
    pub(crate) level: Level,
    /// How often.
    pub(crate) cadence: Cadence,
    /// Its first day.
    pub(crate) start: NaiveDate,
}

impl Inspections {
    /// Enters a schedule.
    ///
    /// # Errors
    /// CHECKLIST_NOT_APPLICABLE when the list is not in force there or not for such places.
    pub(crate) async fn enter_schedule<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        timetable: Timetable,
        once: (&str, &impl Message),
        render: impl FnOnce(Schedule) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            let (base, _) = checklists::applicable(tx, site, &timetable.template).await?;
            if !base.content.place_kinds.contains(&timetable.place_kind) {
                return Err(Error::ChecklistNotApplicable(checklists::name(&base.id)));
            }
            let schedule = Schedule {
                id: new_id(now).hyphenated().to_string(),
                organization: site.organization.id.clone(),
                org_path: site.organization.org_path.clone(),
                display_name: timetable.display_name,
                template: timetable.template,
                place_kind: timetable.place_kind,
                level: timetable.level,
                cadence: timetable.cadence,
                start: timetable.start,
                end: None,
            };
            Store::save_inspection_schedule(tx, &schedule).await?;
            Ok(render(schedule))
        };
        self.base
            .act(caller, "CreateInspectionSchedule", once, work)
            .await
    }

    /// Ends a schedule after `end`; one that ends before stays as it is.
    ///
    /// # Errors
    /// SCOPE_DENIED, not found, or INVALID_FIELD for a day in the past.
    pub(crate) async fn end_schedule<R: Message + Default>(
        &self,
        caller: &Caller,
        id: &str,
        end: impl FnOnce(NaiveDate) -> Result<NaiveDate, Problem>,
        once: (&str, &impl Message),
        render: impl FnOnce(Schedule) -> R,
    ) -> Result<R, Error> {
        let name = format!("inspectionSchedules/{id}");
        let permission = Permission::InspectionPlanWrite;
        let scope = caller.allowed(permission)?;
        let db = self.base.store.database().read();
        let Some(held) = Store::inspection_schedule(db, id, Lock::No).await? else {
            return Err(crate::app::unknown(permission, scope, name));
        };
        let owner: OrgPath = crate::app::place(&held.org_path);
        caller.require(permission, &owner)?;
        let end = end(self.today())?;
        let work = async |tx: &Tx, _now| {
            let held = Store::inspection_schedule(tx, id, Lock::Yes).await?;
            let mut schedule = held.ok_or(Error::NotFound(name))?;
            if schedule.end.is_none_or(|held| end < held) {
                schedule.end = Some(end);
                Store::save_inspection_schedule(tx, &schedule).await?;
            }
            Ok(render(schedule))
        };
        self.base
            .act(caller, "EndInspectionSchedule", once, work)
            .await
    }

    /// The schedules around a place after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn schedules(
        &self,
        site: &Site,
        after: &str,
        limit: u64,
    ) -> Result<Vec<Schedule>, Error> {
        let db = self.base.store.database().read();
        Ok(Store::inspection_schedules(db, &site.path, after, limit).await?)
    }
}
