//! Lists: each reaches over everything at and below an organisation.

use kit::auth::{Caller, Permission};
use kit::page;
use kit::status::Problem;
use proto::safety as pb;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::weather::{StatesAsked, TasksAsked, Weather};
use crate::domain::weather::action::Action;
use crate::domain::weather::response::{ResponseState, SignalState};
use crate::domain::weather::state::State;
use crate::domain::weather::suspension::SuspensionState;
use crate::domain::weather::task::TaskState;
use crate::error::Error;
use crate::grpc::convert::{organization, weather as convert};

/// One page that is asked for: its size, and after what it begins.
struct Page<'a, K> {
    size: u64,
    after: Option<K>,
    binding: Vec<&'a str>,
}

impl<'a, K: Serialize + DeserializeOwned> Page<'a, K> {
    fn read(size: i32, token: &str, binding: Vec<&'a str>) -> Result<Self, Problem> {
        Ok(Self {
            size: page::size(size)?,
            after: page::after(token, &binding)?,
            binding,
        })
    }

    /// One more than the page has.
    fn limit(&self) -> u64 {
        self.size + 1
    }

    /// What the page has of what was found, and the token of the next one.
    fn cut<T>(&self, mut found: Vec<T>, key: impl Fn(&T) -> K) -> (Vec<T>, String) {
        let more = found.len() as u64 > self.size;
        found.truncate(usize::try_from(self.size).unwrap_or(usize::MAX));
        let token = match found.last() {
            Some(last) if more => page::next(&key(last), &self.binding),
            _ => String::new(),
        };
        (found, token)
    }
}

pub(super) async fn signals(
    app: &Weather,
    caller: &Caller,
    request: pb::ListWeatherSignalsRequest,
) -> Result<pb::ListWeatherSignalsResponse, Error> {
    caller.allowed(Permission::WeatherRead)?;
    let state = convert::optional("state", request.state, SignalState::from_number)?;
    let number = request.state.to_string();
    let page = Page::read(request.page_size, &request.page_token, vec![&*number])?;
    let found = app.signals(state, page.after, page.limit()).await?;
    let (found, next_page_token) = page.cut(found, |one| one.row.id);
    Ok(pb::ListWeatherSignalsResponse {
        weather_signals: found.into_iter().map(convert::signal).collect(),
        next_page_token,
    })
}

pub(super) async fn responses(
    app: &Weather,
    caller: &Caller,
    request: pb::ListResponseLevelsRequest,
) -> Result<pb::ListResponseLevelsResponse, Error> {
    let parent = organization("parent", &request.parent)?;
    let site = app.site(caller, Permission::WeatherRead, &parent).await?;
    let state = convert::optional("state", request.state, ResponseState::from_number)?;
    let number = request.state.to_string();
    let binding = vec![&*parent, &*number];
    let page = Page::read(request.page_size, &request.page_token, binding)?;
    let found = app
        .responses(&site, state, page.after, page.limit())
        .await?;
    let (found, next_page_token) = page.cut(found, |one| one.row.id);
    Ok(pb::ListResponseLevelsResponse {
        response_levels: found.into_iter().map(convert::response).collect(),
        next_page_token,
    })
}

pub(super) async fn states(
    app: &Weather,
    caller: &Caller,
    request: pb::ListWeatherStatesRequest,
) -> Result<pb::ListWeatherStatesResponse, Error> {
    let parent = organization("parent", &request.parent)?;
    let site = app.site(caller, Permission::WeatherRead, &parent).await?;
    let asked = StatesAsked {
        state: convert::optional("state", request.state, State::from_number)?,
        overdue: request.overdue,
    };
    let filter = format!("{}/{}", request.state, request.overdue);
    let binding = vec![&*parent, &*filter];
    let page: Page<'_, String> = Page::read(request.page_size, &request.page_token, binding)?;
    let after = page.after.as_deref().unwrap_or_default();
    let found = app.states(&site, asked, after, page.limit()).await?;
    let (found, next_page_token) = page.cut(found, |one| {
        let row = one.row.as_ref();
        row.map(|row| row.org_path.clone()).unwrap_or_default()
    });
    Ok(pb::ListWeatherStatesResponse {
        weather_states: found.into_iter().map(convert::state).collect(),
        next_page_token,
    })
}

pub(super) async fn tasks(
    app: &Weather,
    caller: &Caller,
    request: pb::ListWeatherTasksRequest,
) -> Result<pb::ListWeatherTasksResponse, Error> {
    let parent = organization("parent", &request.parent)?;
    let site = app.site(caller, Permission::WeatherRead, &parent).await?;
    let asked = TasksAsked {
        state: convert::optional("state", request.state, TaskState::from_number)?,
        action: convert::optional("action", request.action, Action::from_number)?,
        overdue: request.overdue,
    };
    let filter = format!("{}/{}/{}", request.state, request.action, request.overdue);
    let binding = vec![&*parent, &*filter];
    let page = Page::read(request.page_size, &request.page_token, binding)?;
    let after = page.after.clone();
    let found = app.tasks(&site, asked, after, page.limit()).await?;
    let (found, next_page_token) = page.cut(found, |one| (one.row.due_at, one.row.name.clone()));
    let tasks = found.iter().map(|one| convert::task(one, &caller.scope));
    Ok(pb::ListWeatherTasksResponse {
        weather_tasks: tasks.collect(),
        next_page_token,
    })
}

pub(super) async fn suspensions(
    app: &Weather,
    caller: &Caller,
    request: pb::ListWeatherSuspensionsRequest,
) -> Result<pb::ListWeatherSuspensionsResponse, Error> {
    let parent = organization("parent", &request.parent)?;
    let site = app.site(caller, Permission::WeatherRead, &parent).await?;
    let state = convert::optional("state", request.state, SuspensionState::from_number)?;
    let number = request.state.to_string();
    let binding = vec![&*parent, &*number];
    let page = Page::read(request.page_size, &request.page_token, binding)?;
    let found = app
        .suspensions(&site, state, page.after, page.limit())
        .await?;
    let (found, next_page_token) = page.cut(found, |one| one.row.id);
    Ok(pb::ListWeatherSuspensionsResponse {
        weather_suspensions: found.into_iter().map(convert::suspension).collect(),
        next_page_token,
    })
}

pub(super) async fn groups(
    app: &Weather,
    caller: &Caller,
    request: pb::ListMutualAidGroupsRequest,
) -> Result<pb::ListMutualAidGroupsResponse, Error> {
    let parent = organization("parent", &request.parent)?;
    let site = app.site(caller, Permission::WeatherRead, &parent).await?;
    let page = Page::read(request.page_size, &request.page_token, vec![&*parent])?;
    let found = app.groups(&site, page.after, page.limit()).await?;
    let (found, next_page_token) = page.cut(found, |one| one.row.id);
    Ok(pb::ListMutualAidGroupsResponse {
        mutual_aid_groups: found.into_iter().map(convert::group).collect(),
        next_page_token,
    })
}
