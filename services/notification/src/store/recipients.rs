//! What each recipient does with a directive.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use kit::bulk;
use kit::db::{Tx, statement};
use kit::feed::announce;
use sea_orm::sea_query::NullOrdering;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, Order,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::entity::directive_recipient::{self, Column};
use super::recipient_rows::{model, number_of};
use super::{Store, below_end, unreadable};
use crate::domain::directive::Directive;
use crate::domain::recipient::{Below, Recipient, State};
use crate::grpc::announced::recipient_change;

/// A recipient and the organisation id of who ordered.
pub type Owed = (Recipient, String);

/// Where a list of what is owed goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OwedKey {
    /// The deadline in milliseconds since 1970.
    pub due_at: i64,
    /// The directive.
    pub directive: Uuid,
    /// The recipient id.
    pub recipient: String,
}

impl Store {
    /// Stores the recipients of a directive that is issued: all of them PENDING, with the hash of what it
    /// says. Any number takes a few statements.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_recipients(
        tx: &Tx,
        directive: &Directive,
        recipients: &[Recipient],
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let text = |of: fn(&Recipient) -> &String| {
            bulk::Column::Text(recipients.iter().map(of).cloned().collect())
        };
        let number =
            |of: fn(&Recipient) -> i64| bulk::Column::Big(recipients.iter().map(of).collect());
        let levels = recipients.iter().map(|one| one.level as i16).collect();
        let below = recipients.iter().map(|one| one.below).collect();
        let columns = vec![
            ("id", text(|one| &one.id)),
            ("place", text(|one| &one.org_path)),
            ("level", bulk::Column::Small(levels)),
            ("district", text(|one| &one.district)),
            ("upper", text(|one| &one.upper)),
            ("below", bulk::Column::Int(below)),
            (
                "due",
                number(|one| one.due.map_or(0, |due| due.timestamp_millis())),
            ),
        ];
        let items_due = recipients.first().and_then(|one| one.items_due);
        for (list, mut values) in bulk::listed(tx, columns) {
            let next = values.len() + 1;
            values.extend([
                directive.id.into(),
                directive.organization.clone().into(),
                (State::Pending as i16).into(),
                now.into(),
                directive.text_hash.0.to_vec().into(),
                items_due.map(number_of).into(),
            ]);
            let marks: Vec<_> = (next..next + 6).map(|place| format!("${place}")).collect();
            let [id, orderer, state, now, hash, items_due] = &marks[..] else {
                return Err(unreadable("list of recipients"));
            };
            let sql = format!(
                "WITH listed (id, place, level, district, upper, below, due) AS ({list}) \
                 INSERT INTO directive_recipients (directive, organization, org_path, orderer, \
                 upper_organization, below, state, due_at, relay_note, report, progress, \
                 return_reason, update_time, text_sha256, version, open, level, district, items_due) \
                 SELECT {id}, id, place, {orderer}, upper, below, {state}, NULLIF(due, 0), '', '', 0, \
                 '', {now}, {hash}, 1, TRUE, level, district, {items_due} FROM listed"
            );
            tx.execute_raw(statement(tx, &sql, values)).await?;
        }
        Self::count_issued(tx, directive.id, recipients).await
    }

    /// One recipient.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recipient(
        &self,
        db: &impl ConnectionTrait,
        directive: Uuid,
        id: &str,
    ) -> Result<Option<Recipient>, DbErr> {
        let key = (directive, id.to_owned());
        let row = directive_recipient::Entity::find_by_id(key).one(db).await?;
        row.map(Recipient::try_from).transpose()
    }

    /// Stores, counts and announces what became of a recipient of a directive in force; none when
    /// somebody else changed it meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_recipient(
        tx: &Tx,
        orderer: &str,
        (before, after): (&Recipient, Recipient),
    ) -> Result<Option<Recipient>, DbErr> {
        let recipient = Recipient {
            version: before.version + 1,
            ..after
        };
        let row = model(recipient.clone(), orderer.to_owned());
        let saved = directive_recipient::Entity::update_many()
            .set(sea_orm::ActiveModelTrait::reset_all(
                row.into_active_model(),
            ))
            .filter(Column::Directive.eq(recipient.directive))
            .filter(Column::Organization.eq(recipient.id.clone()))
            .filter(Column::Version.eq(before.version))
            .exec(tx)
            .await?;
        if saved.rows_affected != 1 {
            return Ok(None);
        }
        Self::count_move(tx, before, &recipient).await?;
        announce(tx, vec![recipient_change(&recipient, orderer, true)]).await?;
        Ok(Some(recipient))
    }

    /// Starts the clocks of those to whom `upper` passes a directive on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reach(
        tx: &Tx,
        directive: Uuid,
        upper: &str,
        now: DateTime<Utc>,
        acknowledge: Duration,
    ) -> Result<(), DbErr> {
        let update = statement(
            tx,
            "UPDATE directive_recipients SET due_at = $1, update_time = $2, \
             version = version + 1 \
             WHERE directive = $3 AND upper_organization = $4 AND due_at IS NULL \
             RETURNING level, district",
            [
                (now + acknowledge).timestamp_millis().into(),
                now.into(),
                directive.into(),
                upper.into(),
            ],
        );
        let reached = tx.query_all_raw(update).await?;
        let reached = reached
            .iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)));
        let reached: Result<Vec<_>, DbErr> = reached.collect();
        Self::count_reached(tx, directive, (upper, now + acknowledge), reached?).await
    }

    /// Nothing is owed any more: the directive has ended. Its recipients leave the feed soon after.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close_recipients(tx: &Tx, directive: Uuid) -> Result<(), DbErr> {
        let sql = "UPDATE directive_recipients SET open = FALSE, version = version + 1 \
                   WHERE directive = $1";
        tx.execute_raw(statement(tx, sql, [directive.into()]))
            .await?;
        Ok(())
    }

    /// How many recipients are right below, and how many of them are accepted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn below(
        tx: &Tx,
        directive: Uuid,
        upper: &str,
        percent: i32,
    ) -> Result<Below, DbErr> {
        let sql = "SELECT COUNT(*), COUNT(CASE WHEN state = $3 THEN 1 END) \
             FROM directive_recipients WHERE directive = $1 AND upper_organization = $2";
        let accepted = State::Accepted as i16;
        let select = statement(tx, sql, [directive.into(), upper.into(), accepted.into()]);
        let row = tx
            .query_one_raw(select)
            .await?
            .ok_or_else(|| unreadable("count"))?;
        let count = |index: usize| {
            let count: i64 = row.try_get_by_index(index)?;
            i32::try_from(count).map_err(|_| unreadable("count"))
        };
        Ok(Below {
            all: count(0)?,
            accepted: count(1)?,
            percent,
        })
    }

    /// The recipients of a directive at and below `place` after the path `after`, by path.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recipients(
        &self,
        directive: Uuid,
        place: &str,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<Recipient>, DbErr> {
        let mut select = directive_recipient::Entity::find()
            .filter(Column::Directive.eq(directive))
            .filter(at_or_below(place));
        if let Some(after) = after {
            select = select.filter(Column::OrgPath.gt(after));
        }
        let rows = select
            .order_by_asc(Column::OrgPath)
            .limit(limit)
            .all(self.db.read())
            .await?;
        rows.into_iter().map(Recipient::try_from).collect()
    }

    /// Whether a directive has reached somebody at or below `place`, or, where nobody there
    /// receives it, the nearest recipient of those at the places `above`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_reached(
        &self,
        directive: Uuid,
        place: &str,
        above: Vec<String>,
    ) -> Result<bool, DbErr> {
        let of = || directive_recipient::Entity::find().filter(Column::Directive.eq(directive));
        let here = of()
            .filter(at_or_below(place))
            .order_by_with_nulls(Column::DueAt, Order::Asc, NullOrdering::Last)
            .one(self.db.read())
            .await?;
        if let Some(here) = here {
            return Ok(here.due_at.is_some());
        }
        let above = of().filter(Column::OrgPath.is_in(above));
        let above = above.all(self.db.read()).await?;
        let nearest = above.into_iter().max_by_key(|row| row.org_path.len());
        Ok(nearest.is_some_and(|row| row.due_at.is_some()))
    }

    /// What is owed at and below `place`, the earliest deadline first; with an instant and its civil day
    /// only what is overdue then: the signature, the relay, a demand, or the judgement of a report.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn owed(
        &self,
        place: &str,
        overdue: Option<(DateTime<Utc>, NaiveDate)>,
        after: Option<OwedKey>,
        limit: u64,
    ) -> Result<Vec<Owed>, DbErr> {
        let mut select = directive_recipient::Entity::find()
            .filter(Column::Open.eq(true))
            .filter(Column::DueAt.is_not_null())
            .filter(at_or_below(place));
        if let Some((now, today)) = overdue {
            let unsigned = Condition::all()
                .add(Column::DueAt.lt(now.timestamp_millis()))
                .add(Column::AcknowledgedAt.is_null());
            let waits = |state: State, due: Column| {
                Condition::all()
                    .add(Column::State.eq(state as i16))
                    .add(due.lt(now.timestamp_millis()))
            };
            let overdue = Condition::any()
                .add(unsigned)
                .add(waits(State::Acked, Column::RelayDueAt))
                .add(Column::ItemsDue.lt(number_of(today)))
                .add(waits(State::Reported, Column::JudgeDueAt));
            select = select.filter(overdue);
        }
        if let Some(OwedKey {
            due_at,
            directive,
            recipient,
        }) = after
        {
            let same_directive = Condition::all()
                .add(Column::DueAt.eq(due_at))
                .add(Column::Directive.eq(directive))
                .add(Column::Organization.gt(recipient));
            let same_time = Condition::all()
                .add(Column::DueAt.eq(due_at))
                .add(Column::Directive.gt(directive));
            let later = Condition::any()
                .add(Column::DueAt.gt(due_at))
                .add(same_time)
                .add(same_directive);
            select = select.filter(later);
        }
        let rows = select
            .order_by_asc(Column::DueAt)
            .order_by_asc(Column::Directive)
            .order_by_asc(Column::Organization)
            .limit(limit)
            .all(self.db.read())
            .await?;
        rows.into_iter()
            .map(|row| {
                let orderer = row.orderer.clone();
                Ok((Recipient::try_from(row)?, orderer))
            })
            .collect()
    }
}

fn at_or_below(place: &str) -> Condition {
    if place.is_empty() {
        return Condition::all();
    }
    let below = Condition::all()
        .add(Column::OrgPath.gt(format!("{place}/")))
        .add(Column::OrgPath.lt(below_end(place)));
    Condition::any().add(Column::OrgPath.eq(place)).add(below)
}
