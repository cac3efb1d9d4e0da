//! Tasks of the weather: read, and reported done (rule 5.28).

use chrono::{DateTime, Utc};
use kit::auth::Caller;
use kit::db::Tx;
use kit::rows::Lock;
use prost::Message;
use sea_orm::ConnectionTrait;

use super::evidence::evidence;
use super::{TaskView, Weather};
use crate::app::Site;
use crate::domain::photo::Photo;
use crate::domain::weather::action::Action;
use crate::domain::weather::task::{TaskEvent, TaskState};
use crate::error::Error;
use crate::store::Store;
use crate::store::weather::Turn;
use crate::store::weather::tasks::{TaskRow, Tasks};

/// Which tasks are listed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TasksAsked {
    pub(crate) state: Option<TaskState>,
    pub(crate) action: Option<Action>,
    pub(crate) overdue: bool,
}

impl Weather {
    /// Reports that a task of an organisation is done.
    ///
    /// # Errors
    /// NOT_FOUND, WEATHER_TASK_STATE, or when the database fails.
    pub(crate) async fn complete<R: Message + Default>(
        &self,
        caller: &Caller,
        (site, name): (&Site, &str),
        (note, photos): (String, Vec<Photo>),
        once: (&str, &impl Message),
        render: impl FnOnce(TaskView) -> R,
    ) -> Result<R, Error> {
        let work = async |tx: &Tx, now: DateTime<Utc>| {
            let mut row = found(tx, site, name, Lock::Yes).await?;
            let from = row.state;
            let state = TaskState::from_number(from.into()).unwrap_or(TaskState::StoodDown);
            let to = state.after(TaskEvent::Complete);
            row.state = to.ok_or(Error::WeatherTaskState(state))? as i16;
            row.doer.clone_from(&caller.subject);
            row.done_at = now.timestamp_millis();
            row.note = note;
            let turn = Turn::of_one(&caller.subject, row.done_at);
            let own = (&*site.organization.id, &*site.organization.org_path);
            Store::add_photos(tx, own, name, &photos, now).await?;
            Store::save_weather_task(tx, &mut row, from, &turn).await?;
            Ok(render(view(tx, row, now).await?))
        };
        self.base
            .act(caller, "CompleteWeatherTask", once, work)
            .await
    }

    /// One task of an organisation.
    ///
    /// # Errors
    /// NOT_FOUND, or when the database fails.
    pub(crate) async fn task(&self, site: &Site, name: &str) -> Result<TaskView, Error> {
        let db = self.base.store.database().read();
        let row = found(db, site, name, Lock::No).await?;
        view(db, row, self.base.clock.now()).await
    }

    /// The tasks of the organisations at and below one, the first due first, after the task `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn tasks(
        &self,
        site: &Site,
        asked: TasksAsked,
        after: Option<(i64, String)>,
        limit: u64,
    ) -> Result<Vec<TaskView>, Error> {
        let now = self.base.clock.now().timestamp_millis();
        let wanted = Tasks {
            place: site.organization.org_path.clone(),
            state: asked.state,
            action: asked.action,
            overdue: asked.overdue.then_some(now),
        };
        let db = self.base.store.database().read();
        let rows = Store::weather_tasks(db, &wanted, after, limit).await?;
        let views = rows.into_iter().map(|row| TaskView {
            row,
            photos: Vec::new(),
            history: Vec::new(),
            now,
        });
        Ok(views.collect())
    }
}

async fn found(
    db: &impl ConnectionTrait,
    site: &Site,
    name: &str,
    lock: Lock,
) -> Result<TaskRow, Error> {
    let found = Store::weather_task(db, name, lock).await?;
    let own = found.filter(|row| row.organization == site.organization.id);
    own.ok_or_else(|| Error::NotFound(name.to_owned()))
}

async fn view(
    db: &impl ConnectionTrait,
    row: TaskRow,
    now: DateTime<Utc>,
) -> Result<TaskView, Error> {
    let photos = evidence(db, std::slice::from_ref(&row.name)).await?;
    Ok(TaskView {
        photos: photos.into_iter().map(|(_, photo)| photo).collect(),
        history: Store::weather_history(db, &row.name).await?,
        now: now.timestamp_millis(),
        row,
    })
}
