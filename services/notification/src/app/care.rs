//! Care tasks: seen and done by those who look after a class group or a school.

use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use kit::rows::Lock;
use prost::Message;
use uuid::Uuid;

use super::concerns::narrower;
use super::{Base, denied, missing, place, unknown};
use crate::domain::care::{State, Task, Verb};
use crate::error::Error;
use crate::store::Store;
use crate::store::care::CareKey;

/// The use cases of care.
#[derive(Clone, Debug)]
pub(crate) struct Care {
    base: Base,
}

impl Care {
    pub(crate) fn new(base: Base) -> Self {
        Self { base }
    }

    /// The part of a school, or of one of its class groups, that the caller looks after.
    pub(crate) async fn place(
        &self,
        caller: &Caller,
        organization: &str,
        class_group: Option<&str>,
    ) -> Result<String, Error> {
        let permission = Permission::CareHandle;
        let scope = caller.allowed(permission)?;
        let name = || format!("organizations/{organization}");
        let db = self.base.store.database().read();
        let path = self.base.path(db, organization).await?;
        let path = path.ok_or_else(|| unknown(permission, scope, name()))?;
        let wanted = match class_group {
            Some(class_group) => path.join(class_group),
            None => path,
        };
        let part = narrower(wanted.as_str(), scope.as_str());
        let part = part.ok_or_else(|| denied(permission))?;
        caller.require(permission, &place(part))?;
        Ok(part.to_owned())
    }

    /// The tasks at and below a place, the earliest deadline first.
    pub(crate) async fn list(
        &self,
        place: &str,
        state: Option<State>,
        after: Option<CareKey>,
        limit: u64,
    ) -> Result<Vec<Task>, Error> {
        let now = self.base.clock.now();
        let db = self.base.store.database().read();
        let tasks = Store::tasks(db, place, state, after, limit).await?;
        Ok(tasks.into_iter().map(|task| task.at(now)).collect())
    }

    /// The caller says that a task is done.
    pub(crate) async fn complete<R: Message + Default>(
        &self,
        caller: &Caller,
        (organization, id): (&str, Uuid),
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Task) -> R,
    ) -> Result<R, Error> {
        self.authorize(caller, organization, id).await?;
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let method = "CompleteCareTask";
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let task = Store::task(&tx, organization, id, Lock::Yes).await?;
        let task = task.ok_or(Error::Conflict)?;
        let task = task.apply(Verb::Complete(caller.subject.clone()), now)?;
        Store::save_tasks(&tx, std::slice::from_ref(&task)).await?;
        let answer = render(task);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    async fn authorize(&self, caller: &Caller, organization: &str, id: Uuid) -> Result<(), Error> {
        let permission = Permission::CareHandle;
        caller.allowed(permission)?;
        let db = self.base.store.database().read();
        if let Some(task) = Store::task(db, organization, id, Lock::No).await? {
            return Ok(caller.require(permission, &place(&task.org_path))?);
        }
        let path = self.base.path(db, organization).await?;
        let name = task_name(organization, id);
        Err(missing(caller, permission, path.as_ref(), name))
    }
}

/// The resource name of a task.
pub(crate) fn task_name(organization: &str, id: Uuid) -> String {
    format!("organizations/{organization}/careTasks/{}", id.hyphenated())
}
