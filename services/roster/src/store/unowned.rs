//! What nobody answers for by name, over a whole part of the tree at once.

use kit::db::statement;
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::{unreadable, within};
use crate::domain::organization::Kind;
use crate::domain::responsibility::{Subject, must_be_owned};
use crate::domain::staff::Posts;

/// Something that nobody answers for by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The place in the tree: of the organisation or of the class group.
    pub org_path: String,
    /// The code of the organisation.
    pub organization: String,
    /// What is missing.
    pub subject: Subject,
    /// The id of the class group; empty for the organisation.
    pub class_group: String,
}

/// One page of what nobody answers for at `now` at or below `scope`, ordered by place in the tree
/// and subject, after `after`: head, party secretary and deputy for safety of organisations that
/// must have them, and class groups without head teacher. Holders must work there and be present.
///
/// # Errors
/// When the database fails.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: &OrgPath,
    now: i64,
    after: &(String, i16),
    limit: u64,
) -> Result<Vec<Gap>, DbErr> {
    let (organizations, scope_values) = within("o.org_path", 1, scope);
    let (class_groups, _) = within("c.org_path", 1, scope);
    let wanted: Vec<String> = Subject::INDISPENSABLE
        .iter()
        .map(|subject| {
            let offices: Posts = subject.offices().iter().copied().collect();
            format!(
                "SELECT {} AS subject, {} AS offices",
                subject.code(),
                offices.bits()
            )
        })
        .collect();
    let wanted = wanted.join(" UNION ALL ");
    let kinds: Vec<String> = Kind::ALL
        .iter()
        .filter(|kind| must_be_owned(**kind))
        .map(|kind| kind.code().to_string())
        .collect();
    let kinds = kinds.join(", ");
    let class_group = Subject::ClassGroup.code();
    // Whoever is named for `$subject` at `$place` of the organisation `o` and can answer.
    let named = |subject: &str, place: &str| {
        format!(
            "EXISTS (SELECT 1 FROM responsibility_nodes n JOIN staff s ON s.id = n.staff_member \
             WHERE n.organization = o.id AND n.subject = {subject} AND n.place = {place} \
             AND n.start_time <= $4 AND (n.end_time IS NULL OR n.end_time > $4) \
             AND s.state = 1 AND s.org_path = o.org_path)"
        )
    };
    let (of_organization, of_class_group) = (
        named("w.subject", "''"),
        named(&class_group.to_string(), "c.id"),
    );
    let sql = format!(
        "SELECT * FROM (SELECT o.org_path AS path, o.id AS organization, w.subject AS subject, \
             '' AS class_group FROM organizations o CROSS JOIN ({wanted}) w \
             WHERE {organizations} AND o.state = 1 AND o.kind IN ({kinds}) \
             AND o.org_path >= $5 AND (o.org_path > $5 OR w.subject > $6) \
             AND NOT EXISTS (SELECT 1 FROM staff s WHERE s.org_path = o.org_path \
                 AND s.state = 1 AND (s.posts & w.offices) <> 0) \
             AND NOT {of_organization} \
             ORDER BY o.org_path, w.subject LIMIT $7) one \
         UNION ALL \
         SELECT * FROM (SELECT c.org_path AS path, c.organization AS organization, \
             {class_group} AS subject, c.id AS class_group \
             FROM class_groups c JOIN organizations o ON o.id = c.organization \
             WHERE {class_groups} AND c.state = 1 \
             AND c.org_path >= $5 AND (c.org_path > $5 OR {class_group} > $6) \
             AND NOT EXISTS (SELECT 1 FROM staff s WHERE s.id = c.head_teacher \
                 AND s.state = 1 AND s.org_path = o.org_path) \
             AND NOT {of_class_group} \
             ORDER BY c.org_path LIMIT $7) other \
         ORDER BY path, subject LIMIT $7"
    );
    let (path, subject) = after;
    let rest: [Value; 4] = [
        now.into(),
        path.as_str().into(),
        i32::from(*subject).into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let values = scope_values.into_iter().chain(rest);
    let rows = db.query_all_raw(statement(db, &sql, values)).await?;
    rows.iter()
        .map(|row| {
            let subject: i32 = row.try_get_by_index(2)?;
            let subject = i16::try_from(subject).ok().and_then(Subject::from_code);
            Ok(Gap {
                org_path: row.try_get_by_index(0)?,
                organization: row.try_get_by_index(1)?,
                subject: subject.ok_or_else(|| unreadable("a subject"))?,
                class_group: row.try_get_by_index(3)?,
            })
        })
        .collect()
}
