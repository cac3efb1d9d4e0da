//! Every way in which a use case can fail.

use kit::status::Problem;
use kit::vault::VaultError;
use sea_orm::DbErr;

use crate::domain::fact::Kind;
use crate::domain::rule::Fault;
use crate::domain::{
    alert, attendance, care, concern, directive, meeting, message, recipient, support, template,
    template_check,
};

/// Why a call could not be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing in the caller's scope has this name.
    #[error("{0} does not exist")]
    NotFound(String),
    /// Somebody else changed the resource meanwhile.
    #[error("somebody else changed it meanwhile")]
    Conflict,
    /// The alert refuses the verb.
    #[error(transparent)]
    Alert(#[from] alert::Refused),
    /// The directive refuses the verb.
    #[error(transparent)]
    Directive(#[from] directive::Refused),
    /// The recipient refuses the verb.
    #[error(transparent)]
    Recipient(#[from] recipient::Refused),
    /// Nobody is at or below the audience.
    #[error("nobody is at or below the audience")]
    NoRecipients,
    /// An organisation of the audience does not exist below the orderer: which list, and its place in it.
    #[error("audience.{0}[{1}] is not below the orderer")]
    Audience(&'static str, usize),
    /// The directive that replaces another one is not issued by the same organisation.
    #[error("the replacement is not an issued directive of the same organisation")]
    Replacement,
    /// The directive has no such demand.
    #[error("there is no item {0}")]
    ItemUnknown(String),
    /// The meeting refuses the verb.
    #[error(transparent)]
    Meeting(#[from] meeting::Refused),
    /// The attendance refuses the verb.
    #[error(transparent)]
    Attendance(#[from] attendance::Refused),
    /// A field of a meeting names something that does not fit it.
    #[error("{0} does not fit the meeting")]
    MeetingField(String, Unfit),
    /// The alert rule of this kind changed meanwhile.
    #[error("the rule of {} changed meanwhile", .0.as_str())]
    RuleChanged(Kind),
    /// An alert rule cannot be in force as it is.
    #[error("the rule is out of bounds")]
    Rule(Vec<Fault>),
    /// The message refuses the verb.
    #[error(transparent)]
    Message(#[from] message::Refused),
    /// Somebody who is to be told is not at or below the sender; the field that names them.
    #[error("{0} is not at or below the sender")]
    Beyond(String),
    /// There is no such template.
    #[error("there is no such template")]
    TemplateUnknown,
    /// There is no such channel; its place in the list.
    #[error("channel {0} does not exist")]
    Channel(usize),
    /// The channel carries the documents of warnings only; its place in the list.
    #[error("channel {0} carries documents of warnings only")]
    DocumentsOnly(usize),
    /// A channel and a message differ in being an exercise; the name of the channel.
    #[error("{0} and the message differ in being an exercise")]
    Exercise(String),
    /// The concern refuses the verb.
    #[error(transparent)]
    Concern(#[from] concern::Refused),
    /// The case refuses the verb.
    #[error(transparent)]
    SupportCase(#[from] support::Refused),
    /// The care task refuses the verb.
    #[error(transparent)]
    CareTask(#[from] care::Refused),
    /// What is sealed cannot be opened.
    #[error("what is sealed cannot be opened")]
    Sealed(#[from] VaultError),
    /// Somebody else saved another version meanwhile.
    #[error("{0} changed meanwhile")]
    Stale(String),
    /// The template cannot be read, or not be filled.
    #[error("the template has {} faults", .0.len())]
    Template(Vec<template_check::Fault>),
    /// The values are not those of the template.
    #[error(transparent)]
    TemplateValues(#[from] template::Unfit),
    /// The document of a warning is refused.
    #[error("the document has {} faults", .0.len())]
    Document(Vec<cap::Fault>),
    /// The document of a warning does not follow those that were written; its identifier.
    #[error("{0} does not follow the documents before")]
    WarningChain(String),
    /// The tables cannot be read or written.
    #[error("the database failed")]
    Database(#[from] DbErr),
    /// Refused by what all services share: scope, load, request ids.
    #[error(transparent)]
    Refused(#[from] Problem),
}

/// Why something that a meeting names does not fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The organisation of a venue is not at or below that of the meeting.
    VenueElsewhere,
    /// There is no such venue.
    VenueUnknown,
    /// The notice is no issued directive of the same organisation, or that of another meeting.
    Notice,
    /// The substitute is not of the staff of the organisation.
    Substitute,
    /// A meeting is not postponed to a time before, or one that has passed.
    NotLater,
}
