//! Tubes and what happened to them.

use kit::db::statement;
use kit::org::OrgPath;
use sea_orm::{ConnectionTrait, DbErr, Value};

use kit::rows::{Row, row};

row! {
    /// A tube. Times are milliseconds, 0 for none.
    TubeRow in "tubes" by ["code"] {
        /// Its code.
        code: String,
        /// Who printed it.
        laboratory: String,
        /// The lot.
        lot: String,
        /// How many swabs it takes.
        capacity: i16,
        /// People, objects or environment.
        subject: i16,
        /// Where it stands.
        state: i16,
        /// The place: of the class group or school once open.
        org_path: String,
        /// The class group's resource name.
        class_group: String,
        /// The sampling point's resource name.
        point: String,
        /// The draw's resource name.
        draw: String,
        /// The campaign day.
        day: i32,
        /// How many swabs it has.
        swab_count: i32,
        /// The tube whose hold ordered it.
        parent: String,
        /// When sealed.
        seal_time: i64,
        /// By whom.
        sealed_by: String,
        /// Who carries it.
        courier: String,
        /// When received.
        receive_time: i64,
        /// Too long on the way.
        late: bool,
        /// When the result is due.
        due_time: i64,
        /// The result in force.
        result: i16,
        /// Its version.
        result_version: i32,
        /// Why it came to nothing.
        reason: String,
        /// The policy.
        policy_version: String,
        /// How many singles were positive.
        positives: i32,
        /// The disease for which it is tested.
        disease: i16,
        /// Whether a positive result holds its people; decided when it is opened.
        holds: bool,
        /// Grows with each change.
        version: i64,
    }
}

row! {
    /// One thing that happened to a tube; never changed.
    CustodyRow in "custody" by ["tube", "sequence"] {
        /// The tube.
        tube: String,
        /// The version of the tube after it.
        sequence: i64,
        /// When.
        time: i64,
        /// What.
        verb: String,
        /// Who.
        actor: String,
        /// The state afterwards.
        state: i16,
        /// Signatures or reason.
        note: String,
    }
}

/// Whose tubes to list.
#[derive(Clone, Debug)]
pub enum Whose {
    /// Those at or below a place.
    Below(OrgPath),
    /// Those that a laboratory printed.
    Laboratory(String),
}

/// Which tubes to list.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Whose.
    pub whose: Whose,
    /// In this state only.
    pub state: Option<i16>,
    /// Those only whose result was due before this instant and is not there.
    pub due_before: Option<i64>,
    /// After this code.
    pub after: String,
    /// At most so many.
    pub limit: u64,
}

/// Tubes by code.
///
/// # Errors
/// When the database fails.
pub async fn list<C: ConnectionTrait + Sync>(
    connection: &C,
    filter: Filter,
) -> Result<Vec<TubeRow>, DbErr> {
    let Filter {
        whose,
        state,
        due_before,
        after,
        limit,
    } = filter;
    let mut wheres = "code > $1".to_owned();
    let mut values: Vec<Value> = vec![after.into()];
    match whose {
        Whose::Laboratory(laboratory) => {
            wheres.push_str(" AND laboratory = $2");
            values.push(laboratory.into());
        }
        Whose::Below(place) => {
            wheres.push_str(" AND (org_path = $2 OR (org_path >= $3 AND org_path < $4))");
            values.extend(below(&place));
        }
    }
    if let Some(state) = state {
        values.push(state.into());
        wheres.push_str(&format!(" AND state = ${}", values.len()));
    }
    if let Some(due_before) = due_before {
        values.push(due_before.into());
        // Sealed, on the way, at the laboratory or being tested.
        wheres.push_str(&format!(
            " AND state IN (3, 4, 5, 6) AND due_time > 0 AND due_time < ${}",
            values.len()
        ));
    }
    TubeRow::page(connection, &wheres, values, limit).await
}

/// A tube that waits for its next step or its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Where it is from.
    pub org_path: String,
    /// When it was sealed, in milliseconds since 1970.
    pub sealed: i64,
    /// When its result is due, in milliseconds since 1970.
    pub due: i64,
}

/// The tubes that are in a state between their seal and their result, those whose result is due first; at most
/// `limit`.
///
/// # Errors
/// When the database fails.
pub async fn waiting<C: ConnectionTrait + Sync>(
    connection: &C,
    state: i16,
    limit: u64,
) -> Result<Vec<Waiting>, DbErr> {
    // The list of states is that of the index.
    let sql = format!(
        "SELECT org_path, seal_time, due_time FROM tubes WHERE state IN (3, 4, 5, 6) AND state = $1 \
         ORDER BY due_time LIMIT {limit}"
    );
    let rows = connection
        .query_all_raw(statement(connection, &sql, [state.into()]))
        .await?;
    let waiting = rows.iter().map(|row| {
        Ok(Waiting {
            org_path: row.try_get_by_index(0)?,
            sealed: row.try_get_by_index(1)?,
            due: row.try_get_by_index(2)?,
        })
    });
    waiting.collect()
}

/// The three values that bound everything at or below a place.
pub(in crate::store) fn below(place: &OrgPath) -> [Value; 3] {
    [
        place.as_str().into(),
        format!("{place}/").into(),
        place.below_end().into(),
    ]
}

/// What happened to a tube after an event.
///
/// # Errors
/// When the database fails.
pub async fn custody<C: ConnectionTrait + Sync>(
    connection: &C,
    tube: &str,
    after: i64,
    limit: u64,
) -> Result<Vec<CustodyRow>, DbErr> {
    let values = vec![tube.into(), after.into()];
    CustodyRow::page(connection, "tube = $1 AND sequence > $2", values, limit).await
}
