//! The ledger of a message is written from the register, a part in each transaction.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kit::bulk::{Column, insert};
use kit::db::{Backend, Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::ledger_rows::{GUARDIAN, recipient};
use super::messages::Figures;
use super::{Store, unreadable};
use crate::domain::delivery::State;
use crate::domain::message::{Group, Message, Phase};
use crate::domain::party::Party;

/// In `message_targets`: an organisation of the audience.
const ORGANIZATION: i16 = 4;
/// In `message_targets`: the place of a class group.
const CLASS_GROUP: i16 = 5;

/// Some of the recipients of a message, as a query of kind and recipient; its values stand from $1, the
/// message first.
#[derive(Clone, Debug)]
pub struct Source {
    sql: String,
    values: Vec<Value>,
    /// Nobody of them has a row.
    fresh: bool,
}

/// The people of one phase that are written together.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Those people.
    pub source: Source,
    /// The last of them; none when nobody of the phase comes after.
    pub up_to: Option<Uuid>,
}

/// People by a condition whose placeholders are those of `values`.
fn people(tx: &Tx, condition: &str, values: Vec<Value>) -> Source {
    let bytes = match tx.backend() {
        Backend::Postgres => "uuid_send(p.person)",
        Backend::Sqlite => "p.person",
    };
    Source {
        sql: format!(
            "SELECT p.kind AS kind, {bytes} AS recipient FROM people p WHERE {condition} \
             ORDER BY p.person"
        ),
        values,
        fresh: false,
    }
}

impl Store {
    /// Keeps whom a message is for until it is expanded: organisations of its audience by id, class
    /// groups by place, and parties.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_targets(
        tx: &Tx,
        message: Uuid,
        (organizations, places, parties): (Vec<String>, Vec<String>, &[Party]),
    ) -> Result<(), DbErr> {
        let (mut kinds, mut targets, mut recipients) = (Vec::new(), Vec::new(), Vec::new());
        let mut keep = |kind, target: String, bytes| {
            kinds.push(kind);
            targets.push(target);
            recipients.push(bytes);
        };
        for party in parties {
            let (kind, bytes) = recipient(party);
            keep(kind, party.name(), bytes);
        }
        for id in organizations {
            let bytes = id.as_bytes().to_vec();
            keep(ORGANIZATION, id, bytes);
        }
        for place in places {
            keep(CLASS_GROUP, place, Vec::new());
        }
        let columns = vec![
            ("message", Column::Uuid(vec![message; kinds.len()])),
            ("kind", Column::Small(kinds)),
            ("target", Column::Text(targets)),
            ("recipient", Column::Bytes(recipients)),
        ];
        insert(tx, "message_targets", columns, "ON CONFLICT DO NOTHING").await
    }

    /// Those of the first phase: parties, organisations, families of class groups.
    pub fn few(tx: &Tx, message: &Message) -> Vec<Source> {
        let values = vec![message.id.into()];
        let targets = |kind: &str, which: &str| Source {
            sql: format!(
                "SELECT {kind} AS kind, t.recipient AS recipient FROM message_targets t \
                 WHERE t.message = $1 AND {which}"
            ),
            values: values.clone(),
            fresh: false,
        };
        let mut few = vec![targets("t.kind", "t.kind NOT IN (4, 5)")];
        if message.recipients.groups.contains(&Group::Organizations) {
            few.push(targets("3", "t.kind = 4"));
        }
        if !message.recipients.class_groups.is_empty() {
            let condition = "p.kind = 1 AND p.place IN (SELECT t.target FROM message_targets t \
                             WHERE t.message = $1 AND t.kind = 5)";
            few.push(people(tx, condition, values.clone()));
        }
        few
    }

    /// The next people of a phase: all at once, by their places, when there are at most `chunk` of them;
    /// else those among the next `chunk` people of the register, in the order of their ids.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn slice(tx: &Tx, message: &Message, chunk: u32) -> Result<Slice, DbErr> {
        let kind: i16 = match message.progress.phase {
            Phase::Families => 1,
            Phase::Staff => 2,
            Phase::Few | Phase::Done => return Err(unreadable("phase")),
        };
        let after = message.progress.after;
        // Each person is in one slice of one phase.
        let fresh = !message.recipients.names_people();
        let mut values: Vec<Value> = vec![message.id.into(), kind.into()];
        let posts = posts(tx, message, kind, &mut values);
        let at_places = format!(
            "p.kind = $2 AND p.place IN (SELECT r.place FROM rolls r JOIN message_targets t \
             ON t.target = r.organization WHERE t.message = $1 AND t.kind = 4 AND r.kind = $2){posts}"
        );
        if after.is_nil() {
            let sql = format!(
                "SELECT COUNT(*) FROM (SELECT 1 FROM people p WHERE {at_places} LIMIT {}) found",
                u64::from(chunk) + 1
            );
            let row = tx
                .query_one_raw(statement(tx, &sql, values.clone()))
                .await?;
            let count: i64 = row
                .ok_or_else(|| unreadable("count"))?
                .try_get_by_index(0)?;
            if count <= i64::from(chunk) {
                let source = people(tx, &at_places, values);
                return Ok(Slice {
                    source: Source { fresh, ..source },
                    up_to: None,
                });
            }
        }
        // PostgreSQL would sort the whole register for each part where it has no statistics yet, and compile
        // for longer than it saves.
        if tx.backend() == Backend::Postgres {
            tx.execute_unprepared("SET LOCAL enable_sort = off; SET LOCAL jit = off")
                .await?;
        }
        let sql = format!(
            "SELECT person FROM people WHERE kind = $1 AND person > $2 ORDER BY person \
             LIMIT 1 OFFSET {}",
            chunk.max(1) - 1
        );
        let last = statement(tx, &sql, [kind.into(), after.into()]);
        let last = tx.query_one_raw(last).await?;
        let up_to: Option<Uuid> = last.map(|row| row.try_get_by_index(0)).transpose()?;
        let next = values.len() + 1;
        values.extend([after.into(), up_to.unwrap_or(Uuid::max()).into()]);
        // COALESCE keeps the list from becoming a join, which PostgreSQL would rather loop over: its
        // organisations are hashed once.
        let in_order = format!(
            "p.kind = $2 AND p.person > ${next} AND p.person <= ${} AND COALESCE(p.organization IN \
             (SELECT t.target FROM message_targets t WHERE t.message = $1 AND t.kind = 4), FALSE)\
             {posts}",
            next + 1
        );
        let source = people(tx, &in_order, values);
        Ok(Slice {
            source: Source { fresh, ..source },
            up_to,
        })
    }

    /// Writes rows for some of the recipients of a message: one in the inbox, and one for each other
    /// channel by which they, or for a family each of the guardians, can be reached, the first only of those
    /// with the same address and the same preferences. Who has a row already is passed over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_rows(
        tx: &Tx,
        message: &Message,
        source: &Source,
        now: DateTime<Utc>,
    ) -> Result<Figures, DbErr> {
        let over = message.is_over(now);
        let (inbox, queued) = if over {
            (State::Expired, State::Expired)
        } else {
            (State::Sent, State::Queued)
        };
        let mut figures = Figures::default();
        let part = message.progress.parts + 1;
        let next = source.values.len() + 1;
        let millis = now.timestamp_millis();
        // Looking for a row that stands in the way takes as long as writing one.
        let conflict = if source.fresh {
            ""
        } else {
            " ON CONFLICT DO NOTHING"
        };
        let sql = format!(
            "INSERT INTO deliveries (message, recipient, channel, kind, state, attempts, failure, \
             part, sent_at) SELECT $1, s.recipient, 'inbox', s.kind, ${next}, 0, 0, ${}, ${} \
             FROM ({}) s WHERE true{conflict}",
            next + 1,
            next + 2,
            source.sql
        );
        let sent = (!over).then_some(millis);
        let values = source.values.iter().cloned();
        let values = values.chain([(inbox as i16).into(), part.into(), sent.into()]);
        let written = tx.execute_raw(statement(tx, &sql, values)).await?;
        let written = i64::try_from(written.rows_affected()).unwrap_or(i64::MAX);
        figures.recipients += written;
        figures.counts.add(inbox, written);
        let due = millis - message.urgency.head_start().num_milliseconds();
        for channel in &message.channels {
            for whose in Whose::ALL {
                let sql = format!(
                    "INSERT INTO deliveries (message, recipient, channel, kind, state, attempts, \
                     failure, part, next_attempt) SELECT $1, c.party, ${next}, c.party_kind, ${}, 0, \
                     0, ${}, ${} FROM ({}) s {} AND NOT EXISTS ({}){conflict}",
                    next + 1,
                    next + 2,
                    next + 3,
                    source.sql,
                    whose.joined(tx, next),
                    same_address(tx, whose, (next, next + 2)),
                );
                let values = source.values.iter().cloned().chain([
                    channel.as_str().into(),
                    (queued as i16).into(),
                    part.into(),
                    (!over).then_some(due).into(),
                ]);
                let written = tx.execute_raw(statement(tx, &sql, values)).await?;
                let written = i64::try_from(written.rows_affected()).unwrap_or(i64::MAX);
                figures.counts.add(queued, written);
            }
        }
        Ok(figures)
    }

    /// Ends the transaction of a part: counts what it wrote and gives it its place in the order of
    /// commits. Others that would end theirs wait until the commit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_part(tx: &Tx, message: &Message, figures: Figures) -> Result<(), DbErr> {
        Self::count_deliveries(tx, BTreeMap::from([(message.id, figures)])).await?;
        let sql = "UPDATE messages_revision SET value = value + 1 WHERE id = 1 RETURNING value";
        let row = tx.query_one_raw(statement(tx, sql, [])).await?;
        let revision: i64 = row
            .ok_or_else(|| unreadable("revision"))?
            .try_get_by_index(0)?;
        let sql = "INSERT INTO message_parts (message, part, revision) VALUES ($1, $2, $3)";
        let values = [
            message.id.into(),
            message.progress.parts.into(),
            revision.into(),
        ];
        tx.execute_raw(statement(tx, sql, values)).await?;
        Ok(())
    }
}

/// Whose contact points lead to a recipient `s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// Those of the recipient.
    Own,
    /// For a family those of its guardians.
    Guardians,
}

impl Whose {
    /// Both, in the order in which rows are written.
    const ALL: [Self; 2] = [Self::Own, Self::Guardians];

    /// Joins the contact points `c` of recipients `s` by the channel `${channel}`, and begins the condition.
    /// Each recipient's are looked up: a part does not read those of everybody.
    fn joined(self, tx: &Tx, channel: usize) -> String {
        let whose = match self {
            Self::Own => "c.party_kind = s.kind AND c.party = s.recipient",
            // Naming their kind would invite a look at all guardians.
            Self::Guardians => "s.kind = 1 AND c.family = s.recipient",
        };
        let leads = format!("{whose} AND c.channel = ${channel} AND c.unreachable = FALSE");
        match tx.backend() {
            Backend::Postgres => format!(
                "CROSS JOIN LATERAL (SELECT * FROM contact_points c WHERE {leads} OFFSET 0) c \
                 WHERE true"
            ),
            Backend::Sqlite => format!("CROSS JOIN contact_points c WHERE {leads}"),
        }
    }

    /// The condition that the message goes to the contact point `o` by the channel `${channel}`: its row was
    /// written before, or is written with those of `${part}` and comes before that of `c`. Inboxes are
    /// written before channels, and all other rows of a part before those of guardians.
    fn goes_to(self, tx: &Tx, (channel, part): (usize, usize)) -> String {
        let fence = fence(tx);
        let found = "EXISTS (SELECT 1 FROM deliveries d WHERE d.message = $1 AND d.kind";
        let own = format!("{found} = o.party_kind AND d.recipient = o.party AND");
        let with_this = format!("d.channel = 'inbox' AND d.part = ${part}");
        match self {
            Self::Own => format!(
                "{own} (d.channel = ${channel} OR ({with_this} \
                 AND (o.party_kind, o.party) < (s.kind, s.recipient))){fence})"
            ),
            Self::Guardians => format!(
                "({own} d.channel = ${channel}{fence}) OR (o.party_kind = {GUARDIAN} \
                 AND o.party < c.party AND {found} = s.kind AND d.recipient = o.family \
                 AND {with_this}{fence})))"
            ),
        }
    }
}

/// What keeps PostgreSQL from reading a whole table where a few rows are looked up, whatever its statistics
/// say. SQLite never does.
fn fence(tx: &Tx) -> &'static str {
    match tx.backend() {
        Backend::Postgres => " OFFSET 0",
        Backend::Sqlite => "",
    }
}

/// A query of others with the address and the preferences of the contact point `c` of a recipient `s`, to
/// whom the message goes by the channel `${channel}`.
fn same_address(tx: &Tx, whose_rows: Whose, (channel, part): (usize, usize)) -> String {
    // Neither of them ever said, or both did and said the same.
    let same = PREFERENCES.map(|column| format!("p.{column} = q.{column}"));
    format!(
        "SELECT 1 FROM contact_points o WHERE o.channel = ${channel} \
         AND o.hashed_at >= 0 AND o.address_hash = CASE WHEN c.hashed_at = c.update_time \
         THEN c.address_hash END AND o.hashed_at = o.update_time AND o.unreachable = FALSE \
         AND (o.party_kind <> c.party_kind OR o.party <> c.party) AND {} \
         AND (SELECT COUNT(*) FROM preferences p WHERE {}) + \
         (SELECT COUNT(*) FROM preferences p JOIN preferences q ON {} WHERE {} AND {}) IN (0, 3){}",
        whose_rows.goes_to(tx, (channel, part)),
        format_args!("{} OR {}", whose('p', 'o'), whose('p', 'c')),
        same.join(" AND "),
        whose('p', 'o'),
        whose('q', 'c'),
        fence(tx),
    )
}

/// What somebody prefers, besides when they said so.
const PREFERENCES: [&str; 6] = [
    "language",
    "plain_speech",
    "quiet_start",
    "quiet_end",
    "inbox_only",
    "digest_minute",
];

/// The condition that preferences are those of the party of a contact point.
fn whose(preferences: char, contact: char) -> String {
    let (p, c) = (preferences, contact);
    format!("({p}.party_kind = {c}.party_kind AND {p}.party = {c}.party)")
}

/// The condition that somebody holds one of the posts; empty when none is asked for.
fn posts(tx: &Tx, message: &Message, kind: i16, values: &mut Vec<Value>) -> String {
    let posts = &message.recipients.posts;
    if kind != 2 || posts.is_empty() {
        return String::new();
    }
    let place = match tx.backend() {
        Backend::Postgres => "strpos",
        Backend::Sqlite => "instr",
    };
    let holds: Vec<String> = posts
        .iter()
        .map(|post| {
            values.push(format!(",{post},").into());
            format!("{place}(p.posts, ${}) > 0", values.len())
        })
        .collect();
    format!(" AND ({})", holds.join(" OR "))
}
