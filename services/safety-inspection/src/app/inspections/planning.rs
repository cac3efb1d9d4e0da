//! Inspections are planned, begun, accepted, disputed and given up.

use chrono::{DateTime, NaiveDate, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::rows::Lock;
use kit::status::Problem;
use prost::Message;
use uuid::Uuid;

use super::{Found, Inspections, actor, checklists, note};
use crate::app::{Site, denied, new_id};
use crate::domain::checklist::item::PlaceKind;
use crate::domain::checklist::template::{TemplateId, entries};
use crate::domain::inspection::place::places_of;
use crate::domain::inspection::schedule::Level;
use crate::domain::inspection::state::{Figures, Inspection, State, Verb};
use crate::error::Error;
use crate::store::Store;

/// What is planned.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The list.
    pub(crate) template: TemplateId,
    /// What is inspected.
    pub(crate) place_kind: PlaceKind,
    /// The place within the organisation; empty for all of it.
    pub(crate) place: String,
    /// Who inspects.
    pub(crate) level: Level,
    /// For which day.
    pub(crate) planned: NaiveDate,
}

impl Inspections {
    /// Plans an inspection.
    ///
    /// # Errors
    /// CHECKLIST_NOT_APPLICABLE, SCOPE_DENIED for a level that the caller does not have there, or
    /// INVALID_FIELD for a place that the organisation did not enter.
    pub(crate) async fn plan<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        plan: Plan,
        once: (&str, &impl Message),
        render: impl FnOnce(Found) -> R,
    ) -> Result<R, Error> {
        may_run(caller, site, plan.level)?;
        let work = async |tx: &Tx, now| {
            let (base, additions) = checklists::applicable(tx, site, &plan.template).await?;
            let entries = entries(&base, &additions, plan.planned);
            if entries.is_empty() || !base.content.place_kinds.contains(&plan.place_kind) {
                return Err(Error::ChecklistNotApplicable(checklists::name(&base.id)));
            }
            known_place(tx, site, &plan).await?;
            let mut inspection = Inspection {
                id: new_id(now),
                organization: site.organization.id.clone(),
                org_path: site.organization.org_path.clone(),
                state: State::Planned,
                template: base.id,
                added: additions.into_iter().map(|one| one.id).collect(),
                place_kind: plan.place_kind,
                place: plan.place,
                level: plan.level,
                planned: plan.planned,
                inspector: String::new(),
                answerable: String::new(),
                items: u32::try_from(entries.len()).unwrap_or(u32::MAX),
                figures: Figures::default(),
                created: now,
                started: None,
                submitted: None,
            };
            name_answerable(tx, site, &mut inspection).await?;
            let steps = (0, (actor(caller), ""));
            keep(tx, &inspection, steps, now).await?;
            Ok(render(Found::read(tx, inspection).await?))
        };
        self.base.act(caller, "CreateInspection", once, work).await
    }

    /// Begins, accepts, disputes or gives up, for `reason` where one is asked for.
    ///
    /// # Errors
    /// INSPECTION_STATE, INSPECTION_OWN_PLACE, INSPECTION_NOT_ANSWERABLE, or not found.
    pub(crate) async fn step<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, id): (&Site, Uuid),
        (verb, method): (Verb, &'static str),
        reason: &str,
        once: (&str, &impl Message),
        render: impl FnOnce(Found) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now| {
            let mut held = held(tx, site, id).await?;
            if matches!(verb, Verb::Start | Verb::Cancel) {
                may_run(caller, site, held.level)?;
            }
            let before = held.state as i32;
            name_answerable(tx, site, &mut held).await?;
            let moved = held.apply(verb, actor(caller), now)?;
            let steps = (before, (actor(caller), reason));
            keep(tx, &moved, steps, now).await?;
            Ok(render(Found::read(tx, moved).await?))
        };
        self.base.act(caller, method, once, work).await
    }
}

/// An inspection of an organisation, held until the end of the transaction.
pub(super) async fn held(tx: &Tx, site: &Site, id: Uuid) -> Result<Inspection, Error> {
    let organization = &site.organization.id;
    let found = Store::inspection(tx, organization, id, Lock::Yes).await?;
    found.ok_or_else(|| {
        let id = id.hyphenated();
        Error::NotFound(format!("organizations/{organization}/inspections/{id}"))
    })
}

/// Whoever inspects for a bureau or another authority stands above the organisation.
pub(super) fn may_run(caller: &Caller, site: &Site, level: Level) -> Result<(), Problem> {
    let permission = Permission::InspectionRun;
    let scope = caller.allowed(permission)?;
    if level.is_outside() && *scope == site.path {
        Err(denied(permission))
    } else {
        Ok(())
    }
}

/// Names who answers for the place now.
pub(super) async fn name_answerable(
    tx: &Tx,
    site: &Site,
    inspection: &mut Inspection,
) -> Result<(), Error> {
    let list = Store::checklist(tx, &inspection.template, Lock::No).await?;
    let Some(list) = list else {
        return Ok(());
    };
    let subject = list.template.content.category.subject();
    let found = Store::answerable(tx, &site.path, subject, &inspection.place).await?;
    inspection.answerable = found.map(|one| one.staff_member).unwrap_or_default();
    Ok(())
}

/// Stores an inspection and the step that led there: the state before, who and why.
pub(super) async fn keep(
    tx: &Tx,
    inspection: &Inspection,
    (before, by): (i32, (&str, &str)),
    now: DateTime<Utc>,
) -> Result<(), Error> {
    Store::save_inspection(tx, inspection).await?;
    let states = (before, inspection.state as i32);
    note(tx, &inspection.name(), states, by, now).await?;
    Ok(())
}

/// Checks that there is such a place at the organisation.
async fn known_place(tx: &Tx, site: &Site, plan: &Plan) -> Result<(), Error> {
    let organization = &site.organization;
    let entered = Store::inspection_places(tx, std::slice::from_ref(&organization.id)).await?;
    let premises = Store::premises(tx, std::slice::from_ref(organization)).await?;
    let has = premises.get(&organization.id).copied().unwrap_or_default();
    let places = places_of(plan.place_kind, (organization.kind, has), &entered);
    let there = places.iter().any(|(place, stock)| {
        *place == plan.place && stock.closed.is_none_or(|closed| closed > plan.planned)
    });
    if there {
        return Ok(());
    }
    let zh = "该单位没有登记此场所，请先登记或更正";
    let en = "the organisation has no such place of this kind";
    Err(Problem::invalid("inspection.place", zh, en).into())
}
