//! Every table of a service is told or left out with a reason.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::Section;
use super::rows::{As, By, Field, Rows};
use crate::db::{Backend, Database};

/// Tables that are not told, and why.
#[derive(Clone, Copy, Debug)]
pub struct LeftOut {
    /// Why.
    pub reason: &'static str,
    /// The tables.
    pub tables: &'static [&'static str],
}

/// What every service holds: who read or changed something of the person here.
pub static ACCESSES: Section = Section {
    name: "accesses",
    title: "查阅与处理留痕",
    title_en: "who read or changed what, when and for which purpose",
    purpose: "查明谁在何时因何查阅或处理了个人信息",
    basis: "未成年人网络保护条例第三十六条、网络安全法第二十一条",
    retention: "不少于六个月",
    guard: None,
    only: None,
    reserve: None,
    tables: &["audit_records", "audit_names"],
    rows: Some(Rows {
        by: By::Name,
        from: "audit_names n JOIN audit_records r ON r.sequence = n.sequence \
               WHERE n.name = $1 AND r.kind IN (1, 2)",
        order: "n.sequence DESC",
        // Who it was stays with the auditors: it is somebody else's name.
        fields: &[
            Field("time", "r.time", As::Millis),
            Field("method", "r.method", As::Text),
            Field("roles", "r.roles", As::Text),
            Field("purpose", "r.purpose", As::Text),
            Field("place", "r.place", As::Text),
        ],
    }),
};

/// The tables that services have in common.
const COMMON: &[LeftOut] = &[
    LeftOut {
        reason: "no person: places in logs, keys, leases, emergencies",
        tables: &[
            "audit_checkpoints",
            "audit_head",
            "data_keys",
            "destructions",
            "emergency_keys",
            "feed_head",
            "heard_emergencies",
            "leases",
            "projections",
            "secrets",
        ],
    },
    LeftOut {
        reason: "on its way: records wait for moments until they are chained, and are told then",
        tables: &["audit_pending"],
    },
    LeftOut {
        reason: "copies of what the sections tell, on their way to the services below, cut by age",
        tables: &["feed_latest", "feed_log", "outbox"],
    },
    LeftOut {
        reason: "answers kept for seven days, so that a repeated request has one effect; by who sent them, and \
                 what they say is told by the sections",
        tables: &["requests"],
    },
];

/// What is wrong with what a service says that it tells: tables that are neither told nor left out, that are
/// both, that are left out without a reason, or that do not exist. Nothing where every table is accounted for once.
///
/// # Errors
/// When the tables cannot be listed.
pub async fn untold(
    db: &Database,
    sections: &[Section],
    left_out: &[LeftOut],
) -> Result<Vec<String>, DbErr> {
    let present = tables(db).await?;
    let mut accounted: BTreeMap<&str, usize> = BTreeMap::new();
    // A table may be told by several sections.
    let told = sections.iter().flat_map(|section| section.tables);
    let told: BTreeSet<&str> = told.chain(ACCESSES.tables).copied().collect();
    let left = left_out.iter().chain(COMMON).flat_map(|left| left.tables);
    for table in told.iter().chain(left) {
        *accounted.entry(table).or_default() += 1;
    }
    let mut wrong = Vec::new();
    for table in &present {
        if !accounted.contains_key(table.as_str()) {
            wrong.push(format!("{table} is neither told nor left out"));
        }
    }
    let common: BTreeSet<&str> = COMMON
        .iter()
        .flat_map(|left| left.tables)
        .copied()
        .collect();
    let silent = left_out.iter().filter(|left| left.reason.is_empty());
    for table in silent.flat_map(|left| left.tables) {
        wrong.push(format!("{table} is left out without a reason"));
    }
    for (table, count) in accounted {
        if count > 1 {
            wrong.push(format!("{table} is accounted for {count} times"));
        }
        if !present.contains(table) && !common.contains(table) {
            wrong.push(format!("{table} does not exist"));
        }
    }
    Ok(wrong)
}

/// What is wrong with how a service writes of what it tells: a name that two sections have, words that are not
/// Chinese, rows that are read where `gathered` names the section, or none where it does not. Nothing where all
/// is well.
pub fn miswritten(sections: &[Section], gathered: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for section in sections {
        let name = section.name;
        if !names.insert(name) {
            wrong.push(format!("{name} is the name of two sections"));
        }
        let words = [
            section.title,
            section.purpose,
            section.basis,
            section.retention,
        ];
        if words.iter().any(|words| words.is_ascii()) {
            wrong.push(format!("{name} is not told in Chinese"));
        }
        if section.rows.is_some() == gathered.contains(&name) {
            wrong.push(format!("{name} is read and gathered, or neither"));
        }
    }
    wrong
}

/// The tables of a service, without that of the migrations that were applied.
///
/// # Errors
/// When they cannot be listed.
pub async fn tables(db: &Database) -> Result<BTreeSet<String>, DbErr> {
    let sql = match db.backend() {
        Backend::Postgres => {
            "SELECT c.relname::text FROM pg_class c WHERE c.relkind IN ('r', 'p') \
             AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace"
        }
        Backend::Sqlite => {
            "SELECT name FROM sqlite_master \
             WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        }
    };
    let read = db.read();
    let select = Statement::from_string(read.get_database_backend(), sql);
    let rows = read.query_all_raw(select).await?;
    let names: Result<Vec<String>, DbErr> =
        rows.iter().map(|row| row.try_get_by_index(0)).collect();
    // What was applied to the schema is no data, and each service calls that table otherwise.
    let names = names?.into_iter();
    Ok(names
        .filter(|name| !name.ends_with("_migrations"))
        .collect())
}
