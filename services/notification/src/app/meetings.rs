//! Meetings: called, postponed, ended, called off, and shown (rule 5.40).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Permission};
use kit::db::Tx;
use kit::request::{Once, once};
use prost::Message;
use uuid::Uuid;

use super::calling::Change;
use super::directives::directive_name;
use super::{Base, Organization, denied, missing, new_id, place};
use crate::domain::attendance::Attendance;
use crate::domain::audience::Audience;
use crate::domain::directive;
use crate::domain::meeting::{Meeting, State, Venue, Verb, venue_of};
use crate::domain::place::contains;
use crate::error::{Error, Unfit};
use crate::store::Store;
use crate::store::attendances::Turnout;
use crate::store::meetings::Hold;

/// The use cases of meetings.
#[derive(Clone, Debug)]
pub(crate) struct Meetings {
    pub(super) base: Base,
    /// The channels besides the inbox by which people are told.
    pub(super) channels: Vec<String>,
}

/// A meeting that is to be called.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) title: String,
    pub(crate) agenda: String,
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
    /// The rooms; where their organisations stand is looked up.
    pub(crate) venues: Vec<Venue>,
    pub(crate) audience: Audience,
    pub(crate) posts: Vec<String>,
    /// The id of the directive that is its notice.
    pub(crate) notice: Option<Uuid>,
}

impl Meetings {
    pub(crate) fn new(base: Base, channels: Vec<String>) -> Self {
        Self { base, channels }
    }

    /// An organisation at which the caller may do `permission`.
    pub(crate) async fn organization(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &str,
    ) -> Result<Organization, Error> {
        self.base.organization(caller, permission, id).await
    }

    /// Calls a meeting: every organisation of its audience is expected, once for each post.
    pub(crate) async fn convene<R: Message + Default>(
        &self,
        caller: &Caller,
        convener: Organization,
        call: Call,
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Meeting, Turnout) -> R,
    ) -> Result<R, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, "ConveneMeeting", request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let org_path = convener.path.to_string();
        self.base
            .require_below(&tx, &org_path, &call.audience)
            .await?;
        let id = new_id(now);
        let notice = match call.notice {
            Some(notice) => self.announce(&tx, &convener.id, notice, id).await?,
            None => String::new(),
        };
        let meeting = Meeting {
            venues: placed(&tx, &org_path, call.venues).await?,
            organization: convener.id,
            id,
            org_path,
            state: State::Convened,
            title: call.title,
            agenda: call.agenda,
            start: call.start,
            end: call.end,
            audience: call.audience,
            posts: call.posts,
            notice,
            convener: caller.subject.clone(),
            created: now,
            closed: None,
            minutes: String::new(),
            directive: String::new(),
            change_reason: String::new(),
            version: 1,
        };
        let expected = self.expected(&tx, &meeting).await?;
        if expected.is_empty() {
            return Err(Error::NoRecipients);
        }
        Store::insert_meeting(&tx, meeting.clone()).await?;
        self.tell_call(&tx, &meeting, &expected, now).await?;
        Store::insert_attendances(&tx, id, expected).await?;
        let turnout = turnout(&tx, id).await?;
        let answer = render(meeting, turnout);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    async fn expected(&self, tx: &Tx, meeting: &Meeting) -> Result<Vec<Attendance>, Error> {
        let (orderer, audience) = (&meeting.org_path, &meeting.audience);
        let addressed = self.base.addressed(tx, orderer, audience).await?;
        let expected = addressed.iter().flat_map(|one| {
            let venue = venue_of(&meeting.venues, &one.org_path);
            let posts = meeting.posts.iter();
            posts.map(move |post| Attendance::expected(&one.id, &one.org_path, post, venue))
        });
        Ok(expected.collect())
    }

    /// Makes an issued directive the notice of a meeting. Returns its name.
    async fn announce(
        &self,
        tx: &Tx,
        organization: &str,
        notice: Uuid,
        meeting: Uuid,
    ) -> Result<String, Error> {
        let found = Store::directive_to_change(tx, organization, notice).await?;
        let free = |one: &directive::Directive| {
            one.state == directive::State::Issued && one.meeting.is_empty()
        };
        let unfit = || Error::MeetingField("meeting.notice".to_owned(), Unfit::Notice);
        let mut directive = found.filter(free).ok_or_else(unfit)?;
        directive.meeting = meeting_name(organization, meeting);
        let saved = Store::save_directive(tx, directive).await?;
        saved.ok_or(Error::Conflict)?;
        Ok(directive_name(organization, notice))
    }

    /// Ends a meeting, postpones it or calls it off.
    pub(crate) async fn change<R: Message + Default>(
        &self,
        caller: &Caller,
        (organization, id): (&str, Uuid),
        (verb, method): (Verb, &'static str),
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Meeting, Turnout) -> R,
    ) -> Result<R, Error> {
        self.organization(caller, Permission::DirectiveIssue, organization)
            .await?;
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let found = Store::held_meeting(&tx, organization, id, Hold::Change).await?;
        let meeting = found.ok_or_else(|| Error::NotFound(meeting_name(organization, id)))?;
        let before = meeting.start;
        let meeting = meeting.apply(verb.clone(), now)?;
        if matches!(verb, Verb::Postpone { .. }) && meeting.start <= before.max(now) {
            return Err(Error::MeetingField(
                "start_time".to_owned(),
                Unfit::NotLater,
            ));
        }
        let meeting = Store::save_meeting(&tx, meeting).await?;
        match verb {
            Verb::End => {
                Store::close_attendances(&tx, id, now).await?;
                Store::forget_called(&tx, id).await?;
            }
            Verb::Postpone { .. } => {
                self.tell_change(&tx, &meeting, Change::Postponed(before), now)
                    .await?;
                Store::expect_again(&tx, id).await?;
            }
            Verb::Cancel { .. } => {
                self.tell_change(&tx, &meeting, Change::Cancelled, now)
                    .await?;
                Store::forget_called(&tx, id).await?;
            }
            // Minutes are published by a use case of their own.
            Verb::Publish { .. } => {}
        }
        let turnout = turnout(&tx, id).await?;
        let answer = render(meeting, turnout);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// One meeting, for those where it was called and those who are expected.
    pub(crate) async fn meeting(
        &self,
        caller: &Caller,
        organization: &str,
        id: Uuid,
    ) -> Result<(Meeting, Turnout), Error> {
        let permission = Permission::DirectiveRead;
        let scope = caller.allowed(permission)?;
        let store = &self.base.store;
        let db = store.database().read();
        let Some(meeting) = Store::meeting(db, organization, id).await? else {
            let name = meeting_name(organization, id);
            let path = self.base.path(db, organization).await?;
            return Err(missing(caller, permission, path.as_ref(), name));
        };
        let at = place(&meeting.org_path);
        if scope.contains(&at) {
            caller.require(permission, &at)?;
        } else if !store.is_expected(id, scope.as_str()).await? {
            return Err(denied(permission));
        }
        let turnout = turnout(db, id).await?;
        Ok((meeting, turnout))
    }

    /// The meetings that an organisation called, newest first.
    pub(crate) async fn list(
        &self,
        organization: &Organization,
        before: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<(Meeting, Turnout)>, Error> {
        let store = &self.base.store;
        let found = store.meetings(&organization.id, before, limit).await?;
        let ids: Vec<Uuid> = found.iter().map(|meeting| meeting.id).collect();
        let turnouts: HashMap<Uuid, Turnout> =
            Store::turnouts(store.database().read(), &ids).await?;
        let listed = found.into_iter().map(|meeting| {
            let turnout = turnouts.get(&meeting.id).copied().unwrap_or_default();
            (meeting, turnout)
        });
        Ok(listed.collect())
    }
}

/// The rooms with the places of their organisations, all at or below `convener`.
async fn placed(tx: &Tx, convener: &str, venues: Vec<Venue>) -> Result<Vec<Venue>, Error> {
    let named = venues.iter().filter(|venue| !venue.organization.is_empty());
    let named: Vec<String> = named.map(|venue| venue.organization.clone()).collect();
    let places = Store::places_of(tx, &named).await?;
    let placed = venues.into_iter().enumerate().map(|(index, mut venue)| {
        if venue.organization.is_empty() {
            return Ok(venue);
        }
        let path = places.get(&venue.organization);
        let path = path.filter(|path| contains(convener, path));
        let field = || format!("meeting.venues[{index}].organization");
        let elsewhere = || Error::MeetingField(field(), Unfit::VenueElsewhere);
        venue.org_path.clone_from(path.ok_or_else(elsewhere)?);
        Ok(venue)
    });
    placed.collect()
}

/// How many came to one meeting.
pub(super) async fn turnout(
    db: &impl sea_orm::ConnectionTrait,
    id: Uuid,
) -> Result<Turnout, Error> {
    let turnouts = Store::turnouts(db, &[id]).await?;
    Ok(turnouts.get(&id).copied().unwrap_or_default())
}

/// The resource name of a meeting.
pub(crate) fn meeting_name(organization: &str, id: Uuid) -> String {
    format!("organizations/{organization}/meetings/{}", id.hyphenated())
}
