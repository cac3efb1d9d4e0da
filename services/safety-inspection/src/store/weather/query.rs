//! Conditions with their values.

use sea_orm::Value;

use super::below_end;

/// What a statement asks for, put together piece by piece.
#[derive(Debug, Default)]
pub(super) struct Where {
    clauses: Vec<String>,
    pub(super) values: Vec<Value>,
}

impl Where {
    /// After values that the statement has already.
    pub(super) fn after(values: Vec<Value>) -> Self {
        Self {
            clauses: Vec::new(),
            values,
        }
    }

    /// The placeholder of one more value.
    pub(super) fn value(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// One more condition.
    pub(super) fn and(&mut self, clause: impl Into<String>) {
        self.clauses.push(clause.into());
    }

    /// `column` is a place at or below `place`.
    pub(super) fn below(&mut self, column: &str, place: &str) {
        if place.is_empty() {
            return;
        }
        let own = self.value(place);
        let (from, to) = (
            self.value(format!("{place}/")),
            self.value(below_end(place)),
        );
        self.and(format!(
            "({column} = {own} OR ({column} > {from} AND {column} < {to}))"
        ));
    }

    /// `column` is a division within one of these; any when there is none.
    pub(super) fn within(&mut self, column: &str, prefixes: &[&str]) {
        let among: Vec<String> = prefixes
            .iter()
            .map(|prefix| {
                let length = prefix.len();
                let prefix = self.value(*prefix);
                format!("substr({column}, 1, {length}) = {prefix}")
            })
            .collect();
        if !among.is_empty() {
            self.and(format!("({})", among.join(" OR ")));
        }
    }

    /// All of it.
    pub(super) fn sql(&self) -> String {
        if self.clauses.is_empty() {
            "TRUE".to_owned()
        } else {
            self.clauses.join(" AND ")
        }
    }
}
