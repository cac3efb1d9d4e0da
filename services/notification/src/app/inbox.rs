//! Inboxes: what is unread, then what comes, as a stream.

use kit::auth::{Caller, Permission};
use kit::status::Problem;
use proto::error::ErrorReason;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::messages::Messages;
use super::{denied, is_own};
use crate::domain::message::Message;
use crate::domain::party::Party;
use crate::domain::text::Text;
use crate::error::Error;
use crate::store::Store;

/// How many items one answer carries at most.
const PAGE: u64 = 100;
/// How many transactions that wrote rows are looked through at once.
const SPAN: i64 = 2_000;

/// How far an inbox is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Everything that came up to this revision is told, but for what was unread before.
    revision: i64,
    /// What was unread before is told up to this message; none when all of it is.
    backlog: Option<Uuid>,
}

/// Some messages with what they say to the recipient, and how far the inbox is read with them.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) messages: Vec<(Message, Text)>,
    pub(crate) place: Place,
}

impl Messages {
    /// Checks that the caller may read an inbox: that of the person of the token, whose guardians have one
    /// apart from the pupil's, or of an organisation within its scope for those who may read messages
    /// there. Whoever receives the reports of a centre for disease control reads what is sent to the
    /// centre, and no messages of schools.
    pub(crate) async fn open_inbox(&self, caller: &Caller, party: &Party) -> Result<(), Error> {
        caller.allowed(Permission::InboxRead)?;
        match party {
            Party::Organization(id) => {
                let ids = std::slice::from_ref(id);
                let db = self.base.store.database().read();
                let permission = if Store::centres_among(db, ids).await?.is_empty() {
                    Permission::MessageRead
                } else {
                    Permission::ReportReceive
                };
                self.base.organization(caller, permission, id).await?;
                Ok(())
            }
            person if person.has_inbox() && is_own(caller, person) => Ok(()),
            Party::Student(_) | Party::Family(_) | Party::Guardian(..) | Party::Staff(_) => {
                Err(denied(Permission::InboxRead))
            }
        }
    }

    /// Streams an inbox that the caller may read: what is unread, then what comes; from `resume` on when
    /// it is given. Ends with UNAVAILABLE when the service stops: the watcher goes on elsewhere with its
    /// last token.
    pub(crate) fn watch(
        &self,
        party: Party,
        resume: Option<Place>,
    ) -> mpsc::Receiver<Result<Mail, Error>> {
        // A slow watcher holds back its own stream only.
        let (sender, receiver) = mpsc::channel(4);
        let messages = self.clone();
        tokio::spawn(async move {
            let ended = tokio::select! {
                ended = messages.push(&party, resume, &sender) => ended,
                () = sender.closed() => return,
                () = messages.drain.draining() => Err(Problem::new(ErrorReason::Unavailable).into()),
            };
            if let Err(err) = ended {
                // Nobody is left to tell when the watcher has gone.
                let _ = sender.send(Err(err)).await;
            }
        });
        receiver
    }

    async fn push(
        &self,
        party: &Party,
        resume: Option<Place>,
        sender: &mpsc::Sender<Result<Mail, Error>>,
    ) -> Result<(), Error> {
        let mut fresh = self.news.subscribe();
        let latest = self.base.store.messages_revision().await?;
        let mut place = match resume {
            // A place that does not exist yet is from before a restore.
            Some(place) if place.revision > latest => {
                return Err(Problem::new(ErrorReason::ResumeTokenExpired).into());
            }
            Some(place) => place,
            None => Place {
                revision: latest,
                backlog: Some(Uuid::nil()),
            },
        };
        let mut silent = resume.is_none();
        loop {
            let mail = self.after(party, place).await?;
            let on = mail.place != place;
            place = mail.place;
            // The first answer comes even when it is empty: the watcher knows that all is quiet.
            let tells = silent || !mail.messages.is_empty();
            if tells && sender.send(Ok(mail)).await.is_err() {
                return Ok(());
            }
            silent = false;
            if on {
                continue;
            }
            tokio::select! {
                // The sender lives in `self`, so this never fails.
                _ = fresh.changed() => {}
                () = tokio::time::sleep(self.heartbeat) => {
                    let mail = Mail { messages: Vec::new(), place };
                    if sender.send(Ok(mail)).await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// The next messages after a place; none and the same place when there is nothing new.
    async fn after(&self, party: &Party, place: Place) -> Result<Mail, Error> {
        let store = &self.base.store;
        let (arrivals, place) = match place.backlog {
            Some(after) => {
                let unread = store.unread(party, place.revision, after, PAGE).await?;
                let full = unread.len() as u64 == PAGE;
                let backlog = unread.last().filter(|_| full).map(|(id, _)| *id);
                (unread, Place { backlog, ..place })
            }
            None => {
                let latest = store.messages_revision().await?;
                let until = latest.min(place.revision.saturating_add(SPAN));
                if until <= place.revision {
                    let messages = Vec::new();
                    return Ok(Mail { messages, place });
                }
                let span = (place.revision, until);
                let arrivals = store.arrivals(party, span, PAGE).await?;
                let full = arrivals.len() as u64 == PAGE;
                let last = arrivals.last().filter(|_| full).map(|(_, at)| *at);
                let revision = last.unwrap_or(until);
                (arrivals, Place { revision, ..place })
            }
        };
        let ids: Vec<Uuid> = arrivals.into_iter().map(|(id, _)| id).collect();
        let mut found = Store::messages(store.database().read(), ids.iter().copied()).await?;
        let preferences = Store::preferences(store.database().read(), party).await?;
        let mut messages = Vec::new();
        for message in ids.iter().filter_map(|id| found.remove(id)) {
            let text = self.wording.text(&message, &preferences).await?;
            messages.push((message, text));
        }
        Ok(Mail { messages, place })
    }
}
