//! Who attends a meeting: signatures, substitutes, lists (rule 5.40).

use kit::auth::{Caller, Permission};
use kit::org::OrgPath;
use kit::request::{Once, once};
use prost::Message;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::meetings::{Meetings, meeting_name};
use super::{denied, place, unknown};
use crate::domain::attendance::{Attendance, Verb};
use crate::domain::meeting::Meeting;
use crate::domain::party::Party;
use crate::error::{Error, Unfit};
use crate::store::Store;
use crate::store::attendances::Filter;
use crate::store::meetings::Hold;

/// Which attendance: who called the meeting, the meeting, and the id.
#[derive(Clone, Debug)]
pub(crate) struct AttendanceName {
    pub(crate) organization: String,
    pub(crate) meeting: Uuid,
    pub(crate) attendance: String,
}

/// What is asked for; what else a verb needs to know is read in the transaction.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Somebody is there, at a venue or, when empty, where they are expected.
    SignIn { attendee: Uuid, venue: String },
    /// They leave.
    SignOut,
    /// Somebody else is to come.
    RequestSubstitute { substitute: Uuid, reason: String },
    /// The request is granted, or else refused.
    Decide(bool),
}

/// Who acts on an attendance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Whoever handles directives at the organisation or above it: the desk at the door may be the
    /// convener's or the branch's.
    Desk,
    /// The organisation itself.
    Organization,
    /// Whoever may issue directives above the organisation.
    Above,
}

impl Meetings {
    /// An attendance moves on. The caller was authorised before.
    pub(crate) async fn act<R: Message + Default>(
        &self,
        caller: &Caller,
        name: &AttendanceName,
        (act, method): (Act, &'static str),
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Attendance) -> R,
    ) -> Result<R, Error> {
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        // The meeting must not end while somebody signs in.
        let found = Store::held_meeting(&tx, &name.organization, name.meeting, Hold::Use).await?;
        let meeting = found.ok_or(Error::Conflict)?;
        let found = Store::attendance(&tx, name.meeting, &name.attendance).await?;
        let attendance = found.ok_or(Error::Conflict)?;
        let verb = match act {
            Act::SignIn { attendee, venue } => {
                sign_in(&tx, &meeting, &attendance, (attendee, venue)).await?
            }
            Act::SignOut => Verb::SignOut,
            Act::RequestSubstitute { substitute, reason } => {
                let party = Party::Staff(substitute);
                let belonging = self.base.store.belonging(&tx, &party).await?;
                let of_staff =
                    belonging.is_some_and(|one| one.organization == attendance.organization);
                if !of_staff {
                    return Err(Error::MeetingField(
                        "substitute".to_owned(),
                        Unfit::Substitute,
                    ));
                }
                let substitute = party.name();
                Verb::RequestSubstitute { substitute, reason }
            }
            Act::Decide(approved) => {
                let decider = caller.subject.clone();
                Verb::Decide { approved, decider }
            }
        };
        let attendance = attendance.apply(verb, &meeting, now)?;
        let saved = Store::save_attendance(&tx, name.meeting, attendance).await?;
        let answer = render(saved.ok_or(Error::Conflict)?);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// Whether the caller may act on an attendance, by whom the act is for.
    pub(crate) async fn authorize(
        &self,
        caller: &Caller,
        name: &AttendanceName,
        by: By,
    ) -> Result<(), Error> {
        let permission = match by {
            By::Desk | By::Organization => Permission::DirectiveHandle,
            By::Above => Permission::DirectiveIssue,
        };
        let scope = caller.allowed(permission)?;
        let db = self.base.store.database().read();
        let meeting = Store::meeting(db, &name.organization, name.meeting).await?;
        let attendance = Store::attendance(db, name.meeting, &name.attendance).await?;
        let (Some(meeting), Some(attendance)) = (meeting, attendance) else {
            let meeting = meeting_name(&name.organization, name.meeting);
            let attendance = format!("{meeting}/attendances/{}", name.attendance);
            return Err(unknown(permission, scope, attendance));
        };
        let at = place(&attendance.org_path);
        let at = match by {
            By::Organization if *scope != at => return Err(denied(permission)),
            By::Desk | By::Organization => at,
            By::Above => above(&meeting, &at),
        };
        Ok(caller.require(permission, &at)?)
    }

    /// The attendances of a meeting at and below the caller's place, by place and id.
    pub(crate) async fn attendances(
        &self,
        caller: &Caller,
        (organization, id): (&str, Uuid),
        filter: Filter,
        after: Option<(String, String)>,
        limit: u64,
    ) -> Result<Vec<Attendance>, Error> {
        self.meeting(caller, organization, id).await?;
        let scope = caller.allowed(Permission::DirectiveRead)?;
        let store = &self.base.store;
        Ok(store
            .attendances(id, scope.as_str(), filter, after, limit)
            .await?)
    }
}

/// The place from which substitutes of an organisation are decided on: right above it, and for whoever
/// called the meeting its own.
fn above(meeting: &Meeting, at: &OrgPath) -> OrgPath {
    if at.as_str() == meeting.org_path {
        return at.clone();
    }
    at.parent().unwrap_or_default()
}

async fn sign_in(
    db: &impl ConnectionTrait,
    meeting: &Meeting,
    attendance: &Attendance,
    (attendee, venue): (Uuid, String),
) -> Result<Verb, Error> {
    let venue = if venue.is_empty() {
        attendance.venue.clone()
    } else {
        venue
    };
    if meeting.venue(&venue).is_none() {
        return Err(Error::MeetingField(
            "venue_id".to_owned(),
            Unfit::VenueUnknown,
        ));
    }
    let posts = std::slice::from_ref(&attendance.post);
    let holders = Store::holders(db, &attendance.org_path, posts).await?;
    Ok(Verb::SignIn {
        attendee: Party::Staff(attendee).name(),
        holds: holders.iter().any(|(holder, _)| *holder == attendee),
        venue,
    })
}
