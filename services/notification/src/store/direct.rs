//! Messages to one recipient each, stored with their whole ledger, many in a few statements.

use std::collections::{BTreeMap, BTreeSet};

use kit::bulk::{Column, insert};
use kit::db::{Tx, statement};
use kit::rows::Row;
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::ledger_rows::recipient;
use super::message_rows::{MessageRow, row};
use super::messages::Figures;
use super::{Store, unreadable};
use crate::domain::delivery::{INBOX, State};
use crate::domain::message::{Message, Phase, Progress, State as MessageState};
use crate::domain::party::Party;

/// A way by which a message goes to its recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Into the inbox, with the commit.
    Inbox,
    /// By a channel of the settings, once it is sent.
    Channel(String),
}

/// A message that one recipient gets.
#[derive(Clone, Debug)]
pub struct Direct {
    /// The message: not over.
    pub message: Message,
    /// Who gets it.
    pub recipient: Party,
    /// By which ways.
    pub ways: Vec<Way>,
}

/// The columns of the ledger, by rows.
#[derive(Default)]
struct Rows {
    messages: Vec<Uuid>,
    kinds: Vec<i16>,
    recipients: Vec<Vec<u8>>,
    channels: Vec<String>,
    times: Vec<i64>,
}

impl Rows {
    fn add(&mut self, message: Uuid, party: &Party, channel: &str, at: i64) {
        let (kind, bytes) = recipient(party);
        self.messages.push(message);
        self.kinds.push(kind);
        self.recipients.push(bytes);
        self.channels.push(channel.to_owned());
        self.times.push(at);
    }

    /// Writes the rows; `time` is the column of their instants.
    async fn write(self, tx: &Tx, state: State, time: &str) -> Result<(), DbErr> {
        let count = self.messages.len();
        let same = |number: i16| Column::Small(vec![number; count]);
        let columns = vec![
            ("message", Column::Uuid(self.messages)),
            ("kind", Column::Small(self.kinds)),
            ("recipient", Column::Bytes(self.recipients)),
            ("channel", Column::Text(self.channels)),
            ("state", same(state as i16)),
            ("attempts", same(0)),
            ("failure", same(0)),
            ("part", Column::Int(vec![1; count])),
            (time, Column::Big(self.times)),
        ];
        insert(tx, "deliveries", columns, "").await
    }
}

impl Store {
    /// Stores messages with a row for each of their ways. Each has an id that is not stored yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_direct(tx: &Tx, direct: Vec<Direct>) -> Result<(), DbErr> {
        let (mut inbox, mut queued) = (Rows::default(), Rows::default());
        let (mut figures, mut arrived, mut rows) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        for one in direct {
            let mut message = one.message;
            let now = message.created.timestamp_millis();
            let due = now - message.urgency.head_start().num_milliseconds();
            let counted: &mut Figures = figures.entry(message.id).or_default();
            counted.recipients = 1;
            for way in &one.ways {
                match way {
                    Way::Inbox => {
                        inbox.add(message.id, &one.recipient, INBOX, now);
                        counted.counts.add(State::Sent, 1);
                        arrived.insert(message.id);
                    }
                    Way::Channel(channel) => {
                        queued.add(message.id, &one.recipient, channel, due);
                        counted.counts.add(State::Queued, 1);
                    }
                }
            }
            message.state = MessageState::Expanded;
            message.expanded = Some(message.created);
            message.progress = Progress {
                phase: Phase::Done,
                parts: 1,
                ..Progress::BEGIN
            };
            rows.push(row(message));
        }
        MessageRow::add(tx, &rows).await?;
        inbox.write(tx, State::Sent, "sent_at").await?;
        queued.write(tx, State::Queued, "next_attempt").await?;
        Self::count_deliveries(tx, figures).await?;
        Self::place_arrivals(tx, arrived).await
    }

    /// Gives messages of one part each their places in the order of commits. Others who would take theirs
    /// wait until the commit.
    async fn place_arrivals(tx: &Tx, messages: BTreeSet<Uuid>) -> Result<(), DbErr> {
        let Ok(count @ 1..) = i64::try_from(messages.len()) else {
            return Ok(());
        };
        let sql = "UPDATE messages_revision SET value = value + $1 WHERE id = 1 RETURNING value";
        let row = tx.query_one_raw(statement(tx, sql, [count.into()])).await?;
        let last: i64 = row
            .ok_or_else(|| unreadable("revision"))?
            .try_get_by_index(0)?;
        let columns = vec![
            ("part", Column::Int(vec![1; messages.len()])),
            ("revision", Column::Big((last - count + 1..=last).collect())),
            ("message", Column::Uuid(messages.into_iter().collect())),
        ];
        insert(tx, "message_parts", columns, "").await
    }
}
