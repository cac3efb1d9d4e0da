//! Templates: saved, read, previewed.

use std::collections::BTreeMap;

use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use prost::Message;
use sea_orm::ConnectionTrait;

use super::{Base, denied};
use crate::domain::template::{RenderedText, Template, TemplateVersion, Values};
use crate::error::Error;
use crate::shipped;
use crate::store::Store;

/// The use cases of templates.
#[derive(Clone, Debug)]
pub(crate) struct Templates {
    base: Base,
}

/// What is previewed.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The latest version of one that is stored, by its id.
    Stored(String),
    /// One that need not be stored.
    Given(Template),
}

impl Templates {
    pub(crate) fn new(base: Base) -> Self {
        Self { base }
    }

    /// Stores each template that comes with the service: as its first version, and after a version that an
    /// older service came with. What the city saved stays in use, and no version comes back after another:
    /// services of two versions may start by turns.
    pub(crate) async fn ship(&self, templates: Vec<Template>) -> Result<(), sea_orm::DbErr> {
        let tx = self.base.store.database().begin().await?;
        for template in templates {
            let latest = Store::template(&tx, &template.id, None).await?;
            let Some(version) = after(latest.as_ref()) else {
                continue;
            };
            if Store::has_template_by(&tx, &template, shipped::AUTHOR).await? {
                continue;
            }
            let next = TemplateVersion {
                template,
                version,
                author: shipped::AUTHOR.to_owned(),
                created: self.base.clock.now(),
            };
            Store::insert_template(&tx, &next).await?;
        }
        tx.commit().await
    }

    /// Whether the caller may do something with templates. They are of the whole city, so that only
    /// whoever looks after all of it may change them.
    pub(crate) fn authorize(&self, caller: &Caller, permission: Permission) -> Result<(), Error> {
        let scope = caller.allowed(permission)?;
        match permission {
            Permission::TemplateWrite if scope.ids().count() > 1 => Err(denied(permission)),
            _ => Ok(()),
        }
    }

    /// Stores the version after `after`. The caller was authorised before.
    pub(crate) async fn save<R: Message + Default>(
        &self,
        caller: &Caller,
        template: Template,
        after: i32,
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(TemplateVersion) -> R,
    ) -> Result<R, Error> {
        let faults = template.faults();
        if !faults.is_empty() {
            return Err(Error::Template(faults));
        }
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, "SaveTemplate", request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let stale = || Error::Stale(template_name(&template.id));
        let latest = Store::template(&tx, &template.id, None).await?;
        if latest.map_or(0, |latest| latest.version) != after {
            return Err(stale());
        }
        let saved = TemplateVersion {
            template: template.clone(),
            version: after + 1,
            author: caller.subject.clone(),
            created: now,
        };
        if !Store::insert_template(&tx, &saved).await? {
            return Err(stale());
        }
        let answer = render(saved);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// One version of a template, the latest when none is asked for.
    pub(crate) async fn template(
        &self,
        id: &str,
        version: Option<i32>,
    ) -> Result<TemplateVersion, Error> {
        let found = Store::template(self.base.store.database().read(), id, version).await?;
        found.ok_or_else(|| Error::NotFound(template_name(id)))
    }

    /// The latest version of each template after `after`, by id.
    pub(crate) async fn list(
        &self,
        after: &str,
        limit: u64,
    ) -> Result<Vec<TemplateVersion>, Error> {
        Ok(self.base.store.templates(after, limit).await?)
    }

    /// The versions of one template before `before`, newest first.
    pub(crate) async fn versions(
        &self,
        id: &str,
        before: i32,
        limit: u64,
    ) -> Result<Vec<TemplateVersion>, Error> {
        self.template(id, None).await?;
        Ok(self.base.store.template_versions(id, before, limit).await?)
    }

    /// Every text of a template, filled with `values`, and with the examples where one is missing.
    pub(crate) async fn preview(
        &self,
        source: Source,
        values: BTreeMap<String, String>,
    ) -> Result<Vec<RenderedText>, Error> {
        let template = match source {
            Source::Stored(id) => self.template(&id, None).await?.template,
            Source::Given(template) => template,
        };
        let faults = template.faults();
        if !faults.is_empty() {
            return Err(Error::Template(faults));
        }
        let mut given = template.examples();
        given.extend(values);
        let values = fill(self.base.store.database().read(), &template, &given).await?;
        Ok(template.render_all(&values))
    }
}

/// The version that a template which comes with the service has after the latest that is stored; none when
/// the city saved that one.
fn after(latest: Option<&TemplateVersion>) -> Option<i32> {
    match latest {
        None => Some(1),
        Some(latest) if latest.author == shipped::AUTHOR => Some(latest.version + 1),
        Some(_) => None,
    }
}

/// The values of a template, with organisations by their display names.
pub(crate) async fn fill(
    db: &impl ConnectionTrait,
    template: &Template,
    given: &BTreeMap<String, String>,
) -> Result<Values, Error> {
    let names = Store::display_names(db, &template.organizations(given)).await?;
    Ok(template.values(given, |id| names.get(id).cloned())?)
}

/// The resource name of a template.
pub(crate) fn template_name(id: &str) -> String {
    format!("templates/{id}")
}
