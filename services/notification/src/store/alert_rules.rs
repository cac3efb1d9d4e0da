//! Changes of alert rules. Each is kept: alerts go by the one that raised them.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use kit::bulk::Column;
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};

use super::alert_rows::{kind, severity};
use super::{Store, unreadable};
use crate::domain::directive::Urgency;
use crate::domain::fact::Kind;
use crate::domain::hearer::Hearer;
use crate::domain::rule::{Reaction, Rule, Within};
use crate::domain::rulebook::{Rulebook, shipped};

row! {
    /// A change of a rule.
    RuleRow in "alert_rules" by ["kind", "version"] {
        /// The kind of fact.
        kind: i16,
        /// The number of the change.
        version: i64,
        /// The rule as JSON.
        body: String,
        /// The subject of the token of who changed it.
        author: String,
        /// When.
        create_at: i64,
    }
}

#[derive(Serialize, Deserialize)]
struct RuleBody {
    ordinary: ReactionBody,
    grave: Option<ReactionBody>,
    duty: String,
    above: bool,
    /// Missing in a change from before it could be changed.
    also: Option<Vec<i32>>,
    inhibited_by: Vec<i16>,
    group_wait: i64,
    template: String,
}

/// Spans are in seconds.
#[derive(Serialize, Deserialize)]
struct ReactionBody {
    severity: i16,
    within: WithinBody,
    escalate_after: Vec<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WithinBody {
    Span(i64),
    HoldNotice,
    Routine,
    Urgent,
    ExtraUrgent,
}

impl Store {
    /// The rules in force, and these versions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rulebook(
        db: &impl ConnectionTrait,
        versions: &BTreeSet<(Kind, i64)>,
    ) -> Result<Rulebook, DbErr> {
        let mut book = Rulebook::default();
        let columns = RuleRow::COLUMNS.join(", ");
        let sql = format!(
            "SELECT {columns} FROM alert_rules r WHERE version = (SELECT MAX(version) \
             FROM alert_rules later WHERE later.kind = r.kind)"
        );
        for row in db.query_all_raw(statement(db, &sql, [])).await? {
            book.add(rule(RuleRow::read(&row)?)?);
        }
        let unknown = versions
            .iter()
            .filter(|(kind, version)| !book.knows(*kind, *version));
        let (kinds, numbers): (Vec<_>, Vec<_>) = unknown
            .map(|(kind, version)| (*kind as i16, *version))
            .unzip();
        let keys = vec![
            ("kind", Column::Small(kinds)),
            ("version", Column::Big(numbers)),
        ];
        for row in RuleRow::among(db, keys).await? {
            book.add(rule(row)?);
        }
        Ok(book)
    }

    /// Stores a change of a rule under [`Store::lock_alerts`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_rule(
        tx: &Tx,
        rule: &Rule,
        author: &str,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let row = RuleRow {
            kind: rule.kind as i16,
            version: rule.version,
            body: pack(rule),
            author: author.to_owned(),
            create_at: now.timestamp_millis(),
        };
        RuleRow::save(tx, &[row]).await
    }
}

fn pack(rule: &Rule) -> String {
    let Rule {
        kind: _,
        basis: _,
        ordinary,
        grave,
        duty,
        above,
        also,
        inhibited_by,
        group_wait,
        template,
        version: _,
    } = rule;
    let body = RuleBody {
        ordinary: pack_reaction(ordinary),
        grave: grave.as_ref().map(pack_reaction),
        duty: duty.clone(),
        above: *above,
        also: Some(also.iter().map(|hearer| *hearer as i32).collect()),
        inhibited_by: inhibited_by.iter().map(|kind| *kind as i16).collect(),
        group_wait: group_wait.num_seconds(),
        template: template.clone(),
    };
    serde_json::to_string(&body).unwrap_or_default()
}

fn pack_reaction(reaction: &Reaction) -> ReactionBody {
    let Reaction {
        severity,
        within,
        escalate_after,
    } = reaction;
    ReactionBody {
        severity: *severity as i16,
        within: match within {
            Within::Span(span) => WithinBody::Span(span.num_seconds()),
            Within::HoldNotice => WithinBody::HoldNotice,
            Within::As(Urgency::Routine) => WithinBody::Routine,
            Within::As(Urgency::Urgent) => WithinBody::Urgent,
            Within::As(Urgency::ExtraUrgent) => WithinBody::ExtraUrgent,
        },
        escalate_after: escalate_after.iter().map(Duration::num_seconds).collect(),
    }
}

fn rule(row: RuleRow) -> Result<Rule, DbErr> {
    let of = kind(row.kind)?;
    let body: RuleBody = serde_json::from_str(&row.body).map_err(|_| unreadable("rule"))?;
    let inhibited_by = body.inhibited_by.into_iter().map(kind);
    let hearer = |code| Hearer::from_code(code).ok_or_else(|| unreadable("hearer"));
    let also = match body.also {
        Some(also) => also.into_iter().map(hearer).collect::<Result<_, _>>()?,
        None => shipped(of).rule.also.clone(),
    };
    Ok(Rule {
        kind: of,
        basis: shipped(of).rule.basis.clone(),
        ordinary: reaction(body.ordinary)?,
        grave: body.grave.map(reaction).transpose()?,
        duty: body.duty,
        above: body.above,
        also,
        inhibited_by: inhibited_by.collect::<Result<_, _>>()?,
        group_wait: span(body.group_wait)?,
        template: body.template,
        version: row.version,
    })
}

fn reaction(body: ReactionBody) -> Result<Reaction, DbErr> {
    let steps = body.escalate_after.into_iter().map(span);
    Ok(Reaction {
        severity: severity(body.severity)?,
        within: match body.within {
            WithinBody::Span(seconds) => Within::Span(span(seconds)?),
            WithinBody::HoldNotice => Within::HoldNotice,
            WithinBody::Routine => Within::As(Urgency::Routine),
            WithinBody::Urgent => Within::As(Urgency::Urgent),
            WithinBody::ExtraUrgent => Within::As(Urgency::ExtraUrgent),
        },
        escalate_after: steps.collect::<Result<_, _>>()?,
    })
}

fn span(seconds: i64) -> Result<Duration, DbErr> {
    Duration::try_seconds(seconds).ok_or_else(|| unreadable("span"))
}
