//! Versions of checklists: drafted, published, retired, and what they come to at one place.

use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::org::OrgPath;
use kit::rows::{Lock, Row};
use kit::status::Problem;
use prost::Message;
use proto::error::ErrorReason;

use super::{Inspections, actor, note};
use crate::app::{Site, place};
use crate::domain::checklist::item::PlaceKind;
use crate::domain::checklist::template::{
    Content, Entry, State, Template, TemplateId, Unaddable, Verb, entries,
};
use crate::error::Error;
use crate::store::Store;
use crate::store::inspections::{Change, Kept};
use crate::store::register::OrganizationRow;

/// What is drafted.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The same for each version.
    pub(crate) code: String,
    /// The version that it adds to.
    pub(crate) extended: Option<TemplateId>,
    /// What it says.
    pub(crate) content: Content,
}

/// Which versions are listed.
pub(crate) type Listed = (Option<PlaceKind>, Option<State>);

/// The resource name of a version.
pub(super) fn name(id: &TemplateId) -> String {
    format!("checklistTemplates/{id}")
}

impl Inspections {
    /// Lets those through who may change a version.
    ///
    /// # Errors
    /// SCOPE_DENIED, or not found.
    pub(crate) async fn changeable(&self, caller: &Caller, id: &TemplateId) -> Result<(), Error> {
        let permission = Permission::ChecklistWrite;
        if id.organization.is_empty() {
            caller.require(permission, &OrgPath::root())?;
        } else {
            self.site(caller, permission, &id.organization).await?;
        }
        Ok(())
    }

    /// One version with its history.
    ///
    /// # Errors
    /// SCOPE_DENIED, or not found.
    pub(crate) async fn checklist(
        &self,
        caller: &Caller,
        id: &TemplateId,
    ) -> Result<(Kept, Vec<Change>), Error> {
        if id.organization.is_empty() {
            caller.allowed(Permission::InspectionRead)?;
        } else {
            self.within_reach(caller, &id.organization).await?;
        }
        let db = self.base.store.database().read();
        let kept = Store::checklist(db, id, Lock::No).await?;
        let kept = kept.ok_or_else(|| Error::NotFound(name(id)))?;
        let changes = Store::inspection_changes(db, &name(id)).await?;
        Ok((kept, changes))
    }

    /// The versions around a place after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn checklists(
        &self,
        site: &Site,
        listed: Listed,
        after: &str,
        limit: u64,
    ) -> Result<Vec<Kept>, Error> {
        let db = self.base.store.database().read();
        Ok(Store::checklists_around(db, &site.path, listed, after, limit).await?)
    }

    /// Drafts the next version of a line.
    ///
    /// # Errors
    /// CHECKLIST_ADDITION, or not found for what it adds to.
    pub(crate) async fn draft<R: Message + Default>(
        &self,
        caller: &Caller,
        site: &Site,
        draft: Draft,
        once: (&str, &impl Message),
        render: impl FnOnce(Kept, Vec<Change>) -> R,
    ) -> Result<R, Error> {
        let method = "CreateChecklistTemplate";
        let work = async |tx: &Tx, now| {
            // Versions of one owner are counted one after the other.
            OrganizationRow::get(tx, &site.organization.id, Lock::Yes).await?;
            let mut id = TemplateId {
                organization: site.organization.id.clone(),
                code: draft.code,
                version: 0,
            };
            id.version = Store::newest_checklist(tx, &id.line()).await? + 1;
            let mut template = Template {
                id,
                org_path: site.organization.org_path.clone(),
                state: State::Draft,
                extended: draft.extended,
                content: draft.content,
            };
            check_addition(tx, &mut template).await?;
            let name = name(&template.id);
            let kept = Kept {
                template,
                created: now,
                revision: 1,
            };
            Store::save_checklist(tx, &kept).await?;
            let states = (0, State::Draft as i32);
            note(tx, &name, states, (actor(caller), ""), now).await?;
            let changes = Store::inspection_changes(tx, &name).await?;
            Ok(render(kept, changes))
        };
        self.base.act(caller, method, once, work).await
    }

    /// Moves a version on; `change` says what of a draft becomes otherwise.
    ///
    /// # Errors
    /// CHECKLIST_STATE, CHECKLIST_ADDITION, or what `change` failed with.
    pub(crate) async fn move_checklist<R: Message + Default>(
        &self,
        caller: &Caller,
        id: &TemplateId,
        (verb, method): (Verb, &'static str),
        once: (&str, &impl Message),
        change: impl FnOnce(&Kept) -> Result<Content, Problem>,
        render: impl FnOnce(Kept, Vec<Change>) -> R,
    ) -> Result<R, Error> {
        let name = name(id);
        let work = async |tx: &Tx, now| {
            let held = Store::checklist(tx, id, Lock::Yes).await?;
            let mut kept = held.ok_or_else(|| Error::NotFound(name.clone()))?;
            let before = kept.template.state;
            kept.template.state = before.after(verb).map_err(Error::ChecklistState)?;
            if verb == Verb::Change {
                kept.template.content = change(&kept)?;
            }
            if verb != Verb::Retire {
                check_addition(tx, &mut kept.template).await?;
            }
            kept.revision += 1;
            Store::save_checklist(tx, &kept).await?;
            if verb != Verb::Change {
                let states = (before as i32, kept.template.state as i32);
                note(tx, &name, states, (actor(caller), ""), now).await?;
            }
            let changes = Store::inspection_changes(tx, &name).await?;
            Ok(render(kept, changes))
        };
        self.base.act(caller, method, once, work).await
    }

    /// What is inspected at a place by a list: the lists and their items.
    ///
    /// # Errors
    /// CHECKLIST_NOT_APPLICABLE when the list is not in force there.
    pub(crate) async fn resolve(
        &self,
        site: &Site,
        id: &TemplateId,
    ) -> Result<(Vec<TemplateId>, Vec<Entry>), Error> {
        let db = self.base.store.database().read();
        let (base, additions) = applicable(db, site, id).await?;
        let entries = entries(&base, &additions, self.today());
        let lists = std::iter::once(&base).chain(&additions);
        Ok((lists.map(|list| list.id.clone()).collect(), entries))
    }
}

/// A list that is in force at an organisation and adds to no other, and what was added to it there.
pub(super) async fn applicable(
    db: &impl sea_orm::ConnectionTrait,
    site: &Site,
    id: &TemplateId,
) -> Result<(Template, Vec<Template>), Error> {
    let refused = || Error::ChecklistNotApplicable(name(id));
    let kept = Store::checklist(db, id, Lock::No).await?;
    let base = kept.ok_or_else(refused)?.template;
    let above = place(&base.org_path).contains(&site.path);
    if base.state != State::Published || base.extended.is_some() || !above {
        return Err(refused());
    }
    let additions = Store::checklist_additions(db, &id.line(), &site.path).await?;
    Ok((base, additions))
}

/// Gives an addition the kinds of place of what it adds to, and checks that it only adds.
async fn check_addition(tx: &Tx, template: &mut Template) -> Result<(), Error> {
    let Some(extended) = &template.extended else {
        return Ok(());
    };
    let base = Store::checklist(tx, extended, Lock::No).await?;
    let unknown = || Error::ChecklistAddition(Unaddable::NotInForce(extended.clone()));
    let base = base.ok_or_else(unknown)?.template;
    template.adds_to(&base).map_err(Error::ChecklistAddition)?;
    template.content.place_kinds = base.content.place_kinds;
    Ok(())
}

/// Refuses a change of something that is no longer as the caller knows it.
pub(crate) fn unchanged(known: &str, is: &str) -> Result<(), Problem> {
    if known.is_empty() || known == is {
        Ok(())
    } else {
        Err(Problem::new(ErrorReason::Conflict))
    }
}
