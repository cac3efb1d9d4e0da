//! What is found by more than the name of the person: addresses, messages, concerns and cases of support.

use std::collections::BTreeMap;

use kit::bulk::placeholders;
use kit::db::{Tx, statement};
use kit::rows::Row;
use kit::subject::{Asked, Group, MOST, Record, Viewer, day_time};
use proto::notification::{concern, delivery, message};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use crate::domain::support::Case;
use crate::seal::Seal;
use crate::store::Store;
use crate::store::contacts::ContactRow;
use crate::store::message_rows::values_of;

/// How many messages one statement looks into the ledger for.
const TOGETHER: usize = 500;
/// How many cases of a school are looked through at most.
const CASES: u64 = 5000;
/// The kinds of the family, of staff and of the pupil in the ledger.
const FAMILY: i16 = 1;
const STAFF: i16 = 2;
const PUPIL: i16 = 6;

/// The kinds under which a person receives something, as a list of SQL.
fn kinds(group: Group) -> String {
    match group {
        Group::Students => format!("{FAMILY}, {PUPIL}"),
        Group::Staff => STAFF.to_string(),
    }
}

/// A message as its head tells it.
struct Head {
    id: Uuid,
    record: Record,
    confidential: bool,
    values: String,
}

/// To whom what the person was sent is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// To whoever was meant: with its values.
    Recipient,
    /// To others: that it was sent, unless it is confidential.
    Others,
}

impl Told {
    /// How a row of the ledger of this kind is told to a reader.
    fn of(viewer: Viewer, kind: i16) -> Self {
        match (viewer, kind) {
            (Viewer::Guardian, FAMILY) | (Viewer::Pupil, PUPIL) | (Viewer::Own, STAFF) => {
                Self::Recipient
            }
            _ => Self::Others,
        }
    }
}

/// What was sent to the pupil and to the family, or to a member of staff, the latest first.
///
/// Senders stand above the school or are the school, so their messages are few, and each is one look into the
/// ledger: rows that were read stand in no index by their recipient.
///
/// # Errors
/// When the database fails or a row is unreadable.
pub async fn letters(store: &Store, asked: &Asked) -> Result<Vec<Record>, DbErr> {
    let db = store.database().read();
    let mut senders = vec![asked.school()];
    while let Some(above) = senders.last().and_then(kit::org::OrgPath::parent) {
        senders.push(above);
    }
    let sql = format!(
        "SELECT id, organization, category, urgency, template, confidential, created_at, body \
         FROM messages WHERE org_path IN ({}) ORDER BY id DESC LIMIT {MOST}",
        placeholders(1, senders.len())
    );
    let values = senders.iter().map(|sender| Value::from(sender.as_str()));
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    let heads: Vec<Head> = rows.iter().map(head).collect::<Result<_, DbErr>>()?;
    let mut records = Vec::new();
    for heads in heads.chunks(TOGETHER) {
        let sql = format!(
            "SELECT message, kind, channel, state, sent_at, delivered_at, read_at FROM deliveries \
             WHERE message IN ({}) AND kind IN ({}) AND recipient = $1 \
             ORDER BY message DESC, kind, channel",
            placeholders(2, heads.len()),
            kinds(asked.group)
        );
        let mut values: Vec<Value> = vec![asked.person.as_bytes().to_vec().into()];
        values.extend(heads.iter().map(|head| Value::from(head.id)));
        let known: BTreeMap<Uuid, &Head> = heads.iter().map(|head| (head.id, head)).collect();
        for row in &db.query_all_raw(statement(db, &sql, values)).await? {
            let id: Uuid = row.try_get_by_index(0)?;
            if let Some(head) = known.get(&id) {
                records.extend(letter(head, row, asked.viewer)?);
            }
        }
    }
    Ok(records)
}

fn head(row: &QueryResult) -> Result<Head, DbErr> {
    let organization: String = row.try_get_by_index(1)?;
    let (category, urgency): (i16, i16) = (row.try_get_by_index(2)?, row.try_get_by_index(3)?);
    let template: String = row.try_get_by_index(4)?;
    let body: String = row.try_get_by_index(7)?;
    let category = message::Category::try_from(i32::from(category)).unwrap_or_default();
    let urgency = message::Urgency::try_from(i32::from(urgency)).unwrap_or_default();
    let values = values_of(&body)?.into_iter();
    let values = values.map(|(name, value)| format!("{name}：{value}"));
    Ok(Head {
        id: row.try_get_by_index(0)?,
        record: Record::new()
            .with("sender", format!("organizations/{organization}"))
            .with("category", category.as_str_name())
            .with("urgency", urgency.as_str_name())
            .with("template", template)
            .with("create_time", day_time(row.try_get_by_index(6)?)),
        confidential: row.try_get_by_index(5)?,
        values: values.collect::<Vec<_>>().join("；"),
    })
}

/// One row of the ledger; nothing where it is confidential between others.
fn letter(head: &Head, row: &QueryResult, viewer: Viewer) -> Result<Option<Record>, DbErr> {
    let kind: i16 = row.try_get_by_index(1)?;
    let told = Told::of(viewer, kind);
    if head.confidential && told == Told::Others {
        return Ok(None);
    }
    let state: i16 = row.try_get_by_index(3)?;
    let state = delivery::State::try_from(i32::from(state)).unwrap_or_default();
    let time = |at: usize| -> Result<String, DbErr> {
        let millis: Option<i64> = row.try_get_by_index(at)?;
        Ok(millis.map(day_time).unwrap_or_default())
    };
    let channel: String = row.try_get_by_index(2)?;
    let record = head.record.clone();
    let record = if told == Told::Recipient {
        record.with("content", head.values.clone())
    } else {
        record
    };
    Ok(Some(
        record
            .with("recipient", if kind == FAMILY { "家庭" } else { "本人" })
            .with("channel", channel)
            .with("state", state.as_str_name())
            .with("sent_time", time(4)?)
            .with("delivered_time", time(5)?)
            .with("read_time", time(6)?),
    ))
}

impl Store {
    /// Where the pupil, the family and each guardian can be reached, or a member of staff.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn addresses_of(&self, asked: &Asked) -> Result<Vec<ContactRow>, DbErr> {
        let db = self.database().read();
        let bytes = asked.person.as_bytes().to_vec();
        let wheres = format!("party_kind IN ({}) AND party = $1", kinds(asked.group));
        let values = vec![bytes.clone().into()];
        let most = u64::try_from(MOST).unwrap_or(u64::MAX);
        let mut found = ContactRow::page(db, &wheres, values, most).await?;
        if asked.group == Group::Staff {
            return Ok(found);
        }
        let values = vec![bytes.into()];
        found.extend(ContactRow::page(db, "family = $1", values, most).await?);
        Ok(found)
    }

    /// The concerns that the account with this veil handed in at a school, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn concerns_by(&self, school: &str, author: Vec<u8>) -> Result<Vec<Record>, DbErr> {
        let db = self.database().read();
        let sql = format!(
            "SELECT id, category, state, create_at, answer_at FROM concerns \
             WHERE org_path = $1 AND author = $2 AND anonymous = FALSE \
             ORDER BY id DESC LIMIT {MOST}"
        );
        let values: [Value; 2] = [school.into(), author.into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        let told = rows.iter().map(|row| {
            let id: Uuid = row.try_get_by_index(0)?;
            let (category, state): (i16, i16) =
                (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            let category = concern::Category::try_from(i32::from(category)).unwrap_or_default();
            let state = concern::State::try_from(i32::from(state)).unwrap_or_default();
            Ok(Record::new()
                .with("concern", id.hyphenated().to_string())
                .with("category", category.as_str_name())
                .with("state", state.as_str_name())
                .with("create_time", day_time(row.try_get_by_index(3)?))
                .with("answer_time", day_time(row.try_get_by_index(4)?)))
        });
        told.collect()
    }

    /// The cases of support of a school that are about somebody. Whom a case is about is sealed, so each is
    /// opened.
    ///
    /// # Errors
    /// When the database fails, or a case cannot be opened.
    pub async fn cases_about(
        tx: &Tx,
        school: &str,
        person: &str,
        seal: &Seal,
    ) -> Result<Vec<Case>, DbErr> {
        let mut cases = Self::cases(tx, school, (true, None), CASES, seal).await?;
        cases.retain(|case| case.person == person);
        Ok(cases)
    }
}
