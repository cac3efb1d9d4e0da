//! What refuses writes besides keys: checks, references and triggers.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::{Column, Loss, Table};
use crate::db::{Backend, Database};

/// What may refuse a write that was taken without it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// A check over these columns.
    Check { columns: Vec<String>, text: String },
    /// What these columns name has to be in another table.
    Reference { columns: Vec<String>, to: String },
    /// A row that is named from there cannot be deleted.
    Referenced { by: String },
    /// Whatever it does.
    Trigger { name: String, text: String },
}

impl Rule {
    /// What whoever writes the columns of `before` into `table` misses; nothing where it is about columns that
    /// they leave out.
    pub(super) fn loss(&self, table: &str, before: &BTreeMap<String, Column>) -> Option<Loss> {
        let table = table.to_owned();
        let concerns = |columns: &[String]| {
            columns.is_empty() || columns.iter().any(|column| before.contains_key(column))
        };
        match self {
            Self::Check { columns, .. } => {
                concerns(columns).then(|| Loss::Check(table, columns.join(", ")))
            }
            Self::Reference { columns, to } => {
                concerns(columns).then(|| Loss::Reference(table, columns.join(", "), to.clone()))
            }
            Self::Referenced { by } => Some(Loss::Referenced(table, by.clone())),
            Self::Trigger { name, .. } => Some(Loss::Trigger(table, name.clone())),
        }
    }
}

/// The rules of a database with `tables`, each with the table whose writes it may refuse.
///
/// # Errors
/// When they cannot be read.
pub(super) async fn read(
    db: &Database,
    tables: &BTreeMap<String, Table>,
) -> Result<Vec<(String, Rule)>, DbErr> {
    let sql = match db.backend() {
        Backend::Postgres => POSTGRES,
        Backend::Sqlite => SQLITE,
    };
    let read = db.read();
    let all = Statement::from_string(read.get_database_backend(), sql);
    let mut found = Vec::new();
    for row in read.query_all_raw(all).await? {
        let table: String = row.try_get_by_index(0)?;
        let kind: String = row.try_get_by_index(1)?;
        let columns: String = row.try_get_by_index(2)?;
        let text: String = row.try_get_by_index(3)?;
        let other: String = row.try_get_by_index(4)?;
        let keeps: bool = row.try_get_by_index(5)?;
        match &*kind {
            "reference" => {
                if keeps {
                    let by = format!("{table} ({columns})");
                    found.push((other.clone(), Rule::Referenced { by }));
                }
                let (columns, to) = (split(&columns), other);
                found.push((table, Rule::Reference { columns, to }));
            }
            "trigger" => found.push((table, Rule::Trigger { name: other, text })),
            "check" => {
                let mut columns = split(&columns);
                columns.sort();
                found.push((table, Rule::Check { columns, text }));
            }
            _ => {
                let known = tables.get(&table).map(|table| &table.columns);
                let checks = checks(&text).into_iter().map(|check| Rule::Check {
                    columns: known.map_or_else(Vec::new, |known| named(&check, known)),
                    text: check.join(" "),
                });
                found.extend(checks.map(|check| (table.clone(), check)));
            }
        }
    }
    Ok(found)
}

fn split(columns: &str) -> Vec<String> {
    let each = columns.split(", ").filter(|column| !column.is_empty());
    each.map(str::to_owned).collect()
}

/// Which of the columns an expression names.
fn named(expression: &[&str], known: &BTreeMap<String, Column>) -> Vec<String> {
    let words = expression
        .iter()
        .map(|word| word.trim_matches(['"', '`', '[', ']']));
    let words: Vec<_> = words.collect();
    let is_named = |column: &&String| words.iter().any(|word| word.eq_ignore_ascii_case(column));
    known.keys().filter(is_named).cloned().collect()
}

/// The expressions of the checks in the statement that makes a table, as SQLite keeps it; it tells them in no
/// other way.
fn checks(sql: &str) -> Vec<Vec<&str>> {
    let words = words(sql);
    let mut checks = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if !word.eq_ignore_ascii_case("CHECK") || words.get(at + 1) != Some(&"(") {
            continue;
        }
        let mut depth = 0_usize;
        let inside = words[at + 2..].iter().take_while(|word| {
            match **word {
                "(" => depth += 1,
                ")" if depth == 0 => return false,
                ")" => depth -= 1,
                _ => {}
            }
            true
        });
        checks.push(inside.copied().collect());
    }
    checks
}

/// The words, quoted pieces and signs of a statement, without its comments.
fn words(sql: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), sql.trim_start());
    while let Some(first) = rest.chars().next() {
        let is_comment = rest.starts_with("--") || rest.starts_with("/*");
        // Where the piece ends that begins here: behind its last sign, or with the statement.
        let behind = |end: Option<usize>| end.unwrap_or(rest.len());
        let length = match first {
            '-' if is_comment => behind(rest.find('\n')),
            '/' if is_comment => behind(rest.find("*/").map(|end| end + 2)),
            '\'' | '"' | '`' => behind(rest[1..].find(first).map(|end| end + 2)),
            '[' => behind(rest.find(']').map(|end| end + 1)),
            sign if sign.is_alphanumeric() || sign == '_' => {
                behind(rest.find(|sign: char| !sign.is_alphanumeric() && sign != '_'))
            }
            sign => sign.len_utf8(),
        };
        let (word, further) = rest.split_at(length);
        if !is_comment {
            words.push(word);
        }
        rest = further.trim_start();
    }
    words
}

const POSTGRES: &str = "SELECT c.relname::text, \
    CASE k.contype WHEN 'f' THEN 'reference' ELSE 'check' END, \
    coalesce((SELECT string_agg(a.attname::text, ', ' ORDER BY u.place) \
        FROM unnest(k.conkey) WITH ORDINALITY AS u (attribute, place) \
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attribute), ''), \
    coalesce(pg_get_expr(k.conbin, k.conrelid), pg_get_constraintdef(k.oid)), \
    coalesce(r.relname::text, ''), k.confdeltype IN ('a', 'r') \
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
    LEFT JOIN pg_class r ON r.oid = k.confrelid \
    WHERE k.contype IN ('c', 'f', 'x') AND c.relnamespace = current_schema()::regnamespace \
    UNION ALL SELECT c.relname::text, 'trigger', '', pg_get_triggerdef(t.oid), t.tgname::text, false \
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid \
    WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace";

const SQLITE: &str = "SELECT m.name, 'reference', group_concat(f.\"from\", ', '), '', f.\"table\", \
    f.on_delete IN ('NO ACTION', 'RESTRICT') \
    FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
    WHERE m.type = 'table' GROUP BY m.name, f.id, f.\"table\", f.on_delete \
    UNION ALL SELECT m.tbl_name, 'trigger', '', m.sql, m.name, 0 \
    FROM sqlite_master m WHERE m.type = 'trigger' \
    UNION ALL SELECT m.name, 'table', '', m.sql, '', 0 \
    FROM sqlite_master m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_found_beside_whatever_looks_like_one() {
        let sql = "CREATE TABLE t (a TEXT DEFAULT 'CHECK (''x'')', -- CHECK (y)\n \"check\" INTEGER /* CHECK \
            (z) */, [b c] INTEGER check( [b c]>0 AND (a <> ')')), CONSTRAINT one CHECK (a IN ('')))";
        let found = checks(sql);
        let found: Vec<_> = found.iter().map(|check| check.join(" ")).collect();
        assert_eq!(found, ["[b c] > 0 AND ( a < > ')' )", "a IN ( '' )"]);
    }
}
