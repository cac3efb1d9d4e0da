//! The minutes of a meeting become a directive (rule 5.40).

use kit::auth::{Caller, Permission};
use kit::request::{Once, once};
use prost::Message;
use uuid::Uuid;

use super::directives::{Draft, directive_name, drafted};
use super::meetings::{Meetings, meeting_name, turnout};
use crate::domain::content::{Content, Item};
use crate::domain::directive::Urgency;
use crate::domain::meeting::{Meeting, Verb};
use crate::error::Error;
use crate::store::Store;
use crate::store::attendances::Turnout;
use crate::store::meetings::Hold;

/// The minutes of a meeting and its demands.
#[derive(Clone, Debug)]
pub(crate) struct Minutes {
    pub(crate) minutes: String,
    pub(crate) items: Vec<Item>,
    pub(crate) urgency: Urgency,
    pub(crate) to_class_groups: bool,
}

impl Meetings {
    /// Keeps the minutes of a meeting and drafts the directive that they become: under the heading of
    /// the meeting, to its audience, with its demands as items.
    pub(crate) async fn publish<R: Message + Default>(
        &self,
        caller: &Caller,
        (organization, id): (&str, Uuid),
        published: Minutes,
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Meeting, Turnout) -> R,
    ) -> Result<R, Error> {
        let permission = Permission::DirectiveIssue;
        let orderer = self.organization(caller, permission, organization).await?;
        let now = self.base.clock.now();
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, "PublishMinutes", request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let found = Store::held_meeting(&tx, organization, id, Hold::Change).await?;
        let meeting = found.ok_or_else(|| Error::NotFound(meeting_name(organization, id)))?;
        let Minutes {
            minutes,
            items,
            urgency,
            to_class_groups,
        } = published;
        let draft = Draft {
            urgency,
            content: Content {
                title: meeting.title.clone(),
                text: minutes.clone(),
                items,
                attachments: Vec::new(),
            },
            audience: meeting.audience.clone(),
            to_class_groups,
        };
        let mut draft = drafted(orderer, draft, &caller.subject, now);
        draft.meeting = meeting_name(organization, id);
        let directive = directive_name(organization, draft.id);
        let meeting = meeting.apply(Verb::Publish { minutes, directive }, now)?;
        let meeting = Store::save_meeting(&tx, meeting).await?;
        Store::insert_directive(&tx, draft).await?;
        let turnout = turnout(&tx, id).await?;
        let answer = render(meeting, turnout);
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}
