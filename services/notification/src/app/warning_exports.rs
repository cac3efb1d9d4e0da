//! Messages of this service as documents for other systems.

use cap::{
    Area, Category, Certainty, Info, MessageType, Named, Reference, Scope, Severity, Status,
    Urgency, Version,
};
use chrono::{DateTime, Duration, SubsecRound, Utc};
use kit::auth::{Caller, Permission};
use kit::clock::shanghai;
use kit::request::{Once, once};
use kit::status::Problem;
use prost::Message;
use uuid::Uuid;

use super::messages::{is_shown, message_name};
use super::warnings::Warnings;
use super::{Organization, new_id};
use crate::domain::message as domain;
use crate::domain::party::Party;
use crate::domain::template::{Language, RenderedText};
use crate::domain::warning::{follows, identifier};
use crate::error::Error;
use crate::store::Store;
use crate::store::register::OrganizationFact;

/// What the note of an exercise says, as the standard asks for.
const EXERCISE: &str = "演练 (exercise)";
/// How long the cancel of a warning is sent at least, even when what it calls off is over.
const CANCEL_LASTS: Duration = Duration::days(1);

/// What a document tells of a message.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) message: domain::Message,
    pub(crate) sender: OrganizationFact,
    pub(crate) texts: Vec<RenderedText>,
}

/// What is asked of a document besides the message.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) message_type: MessageType,
    /// What happens, in words.
    pub(crate) event: String,
    pub(crate) severity: Severity,
    pub(crate) category: Category,
    /// None for what follows from the message.
    pub(crate) urgency: Option<Urgency>,
    pub(crate) certainty: Certainty,
    /// Whom it is restricted to; empty when it is public.
    pub(crate) restriction: String,
    /// What it adds; may be empty.
    pub(crate) note: String,
}

/// A document that was written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) document: String,
    pub(crate) identifier: String,
    /// The resource name of the message that carries it to other systems; none when there are none.
    pub(crate) carrier: Option<String>,
}

impl Warnings {
    /// The organisation whose messages the caller may write as documents.
    pub(crate) async fn sender(&self, caller: &Caller, id: &str) -> Result<Organization, Error> {
        self.base
            .organization(caller, Permission::WarningWrite, id)
            .await
    }

    /// A message of an organisation, as it reads in each language.
    pub(crate) async fn told(&self, organization: &Organization, id: Uuid) -> Result<Told, Error> {
        let missing = || {
            let (organization, id) = (&organization.id, id.hyphenated());
            Error::NotFound(format!("organizations/{organization}/messages/{id}"))
        };
        let db = self.base.store.database().read();
        let message = Store::message(db, id).await?;
        let message = message.filter(|message| is_shown(message, &organization.id));
        let message = message.ok_or_else(missing)?;
        let sender = Store::organization(db, &organization.id).await?;
        let version = Some(message.template_version);
        let template = Store::template(db, &message.template, version).await?;
        let template = template.ok_or_else(missing)?.template;
        let values = super::templates::fill(db, &template, &message.values).await?;
        let mut texts: Vec<RenderedText> = Vec::new();
        for language in Language::ALL {
            texts.extend(template.render(language, false, &values));
        }
        texts.dedup();
        Ok(Told {
            message,
            sender: sender.ok_or_else(missing)?,
            texts,
        })
    }

    /// Writes the next document of a message, and queues it for every channel that takes documents of its
    /// kind. The caller was authorised before.
    pub(crate) async fn export<R: Message + Default>(
        &self,
        caller: &Caller,
        told: Told,
        asked: Asked,
        (request_id, request): (&str, &impl Message),
        render: impl FnOnce(Written) -> R,
    ) -> Result<R, Error> {
        let now = self.base.clock.now().trunc_subsecs(0);
        if told.names_people() {
            let (zh, en) = (
                "发给个人的消息不能对外发布",
                "a message to people is not issued",
            );
            return Err(Problem::invalid("message", zh, en).into());
        }
        let message_type = asked.message_type;
        let (id, exercise) = (told.message.id, told.message.exercise);
        let tx = self.base.store.database().begin().await?;
        let ticket = match once(&tx, caller, "ExportWarning", request_id, request, now).await? {
            Once::Repeat(answer) => return Ok(answer),
            Once::First(ticket) => ticket,
        };
        let written = Store::exported(&tx, id).await?;
        let types: Vec<_> = written
            .iter()
            .map(|(message_type, _)| *message_type)
            .collect();
        let next = identifier(id, written.len() + 1);
        follows(&types, message_type).map_err(|_| Error::WarningChain(next.clone()))?;
        let references = (1..).zip(&written).map(|(number, (_, sent))| Reference {
            sender: self.sender.clone(),
            identifier: identifier(id, number),
            sent: sent.with_timezone(&shanghai()),
        });
        let status = if exercise {
            Status::Exercise
        } else {
            Status::Actual
        };
        let message = cap::Message {
            version: Version::V1_2,
            identifier: next.clone(),
            sender: self.sender.clone(),
            sent: now.with_timezone(&shanghai()),
            status,
            message_type,
            source: None,
            scope: match asked.restriction.is_empty() {
                true => Scope::Public,
                false => Scope::Restricted,
            },
            restriction: some(&asked.restriction),
            addresses: None,
            codes: Vec::new(),
            note: note(exercise, &asked.note),
            references: references.collect(),
            incidents: None,
            infos: infos(&told, &asked),
        };
        let document = cap::write(&message).map_err(Error::Document)?;
        let number = i32::try_from(written.len() + 1).unwrap_or(i32::MAX);
        if !Store::insert_export(&tx, (id, number), message_type, now).await? {
            return Err(Error::Conflict);
        }
        let carrier = self.carry(caller, told.message, message_type, now);
        let name = match carrier {
            Some(carrier) => {
                let name = message_name(&carrier.organization, carrier.id);
                Store::insert_carrier(&tx, carrier, (id, number), &document).await?;
                Some(name)
            }
            None => None,
        };
        let answer = render(Written {
            document,
            identifier: next,
            carrier: name,
        });
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}

impl Told {
    /// Whether the message is to people by name.
    fn names_people(&self) -> bool {
        let organization = |party: &Party| matches!(party, Party::Organization(_));
        !self.message.recipients.parties.iter().all(organization)
    }
}

impl Warnings {
    /// The message that carries a document of `message`; none when no channel takes it.
    fn carry(
        &self,
        caller: &Caller,
        message: domain::Message,
        message_type: MessageType,
        now: DateTime<Utc>,
    ) -> Option<domain::Message> {
        let channels = self.channels.documents(message.exercise);
        if channels.is_empty() {
            return None;
        }
        let expires = match message_type {
            MessageType::Cancel => message.expires.max(now + CANCEL_LASTS),
            MessageType::Alert | MessageType::Update | MessageType::Ack | MessageType::Error => {
                message.expires
            }
        };
        let sender = Party::Organization(message.organization.clone());
        Some(domain::Message {
            id: new_id(now),
            state: domain::State::Expanded,
            category: domain::Category::Warning,
            recipients: domain::Recipients {
                parties: vec![sender],
                ..domain::Recipients::default()
            },
            channels,
            author: caller.subject.clone(),
            basis: message_name(&message.organization, message.id),
            confidential: false,
            created: now,
            expires,
            expanded: Some(now),
            progress: domain::Progress::BEGIN,
            ..message
        })
    }
}

/// What the document says, in each language that the message has.
fn infos(told: &Told, asked: &Asked) -> Vec<Info> {
    let urgency = asked.urgency.unwrap_or(match told.message.urgency {
        domain::Urgency::Emergency => Urgency::Immediate,
        domain::Urgency::Urgent => Urgency::Expected,
        domain::Urgency::Ordinary => Urgency::Future,
    });
    let name = some(&told.sender.display_name);
    let area = Area {
        description: name.clone().unwrap_or_else(|| told.sender.id.clone()),
        geocodes: some(&told.sender.division)
            .map(|value| Named {
                name: "GB/T 2260".to_owned(),
                value,
            })
            .into_iter()
            .collect(),
        ..Area::default()
    };
    let info = |text: &RenderedText| Info {
        language: text.language.as_str().to_owned(),
        expires: Some(
            told.message
                .expires
                .trunc_subsecs(0)
                .with_timezone(&shanghai()),
        ),
        sender_name: name.clone(),
        headline: some(&text.title),
        description: some(&text.body),
        areas: vec![area.clone()],
        urgency,
        certainty: asked.certainty,
        ..Info::new(asked.category, &*asked.event, asked.severity)
    };
    told.texts.iter().map(info).collect()
}

/// The note of a document: that it is of an exercise, and what is added.
fn note(exercise: bool, added: &str) -> Option<String> {
    let exercise = exercise.then(|| EXERCISE.to_owned());
    let notes: Vec<String> = exercise.into_iter().chain(some(added)).collect();
    some(&notes.join("；"))
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
