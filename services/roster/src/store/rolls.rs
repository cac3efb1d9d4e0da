//! Rolls as other services need them: who is in a class group, who works where. A roll's version
//! grows with each change of anybody on it.

use std::collections::BTreeMap;

use kit::db::{Tx, statement};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

/// How many places one statement names.
const PLACES: usize = 500;

/// A class group at the head of its roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassHead {
    /// Its place.
    pub org_path: String,
    /// The id of its organisation.
    pub organization: String,
    /// Its own id.
    pub id: String,
    /// Shown to people.
    pub display_name: String,
    /// The number of its teaching mode in the contract.
    pub teaching_mode: i16,
    /// Taught; finished otherwise.
    pub active: bool,
    /// The latest school year that began for it.
    pub school_year: i32,
    /// The version of the roll.
    pub version: i64,
}

/// One student on a roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pupil {
    /// Who.
    pub id: Uuid,
    /// The number of the presence in the contract.
    pub presence: i16,
    /// Lives at the school.
    pub boarder: bool,
    /// The dormitory room.
    pub dormitory: String,
    /// May not be asked for a swab.
    pub swab_exempt: bool,
    /// The first civil day on this roll, YYYYMMDD.
    pub since: i32,
}

/// One member of staff on a roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Who.
    pub id: Uuid,
    /// On long leave.
    pub on_leave: bool,
    /// May not be asked for a swab.
    pub swab_exempt: bool,
    /// The first civil day there, YYYYMMDD; 0 for always.
    pub since: i32,
    /// The posts held: one bit for each number of a post.
    pub posts: i32,
    /// The grade worked with; 0 for none.
    pub grade: i16,
}

/// Raises the version of each of these class groups' rolls and gives them with their students, a
/// few hundred at a time, ordered by place: a city has a million and a half.
#[derive(Debug)]
pub struct ClassRolls {
    places: Vec<String>,
    school_year: i32,
    done: usize,
}

impl ClassRolls {
    /// The rolls of the class groups at `places`. One that is announced for the first time begins
    /// in `school_year`; afterwards only promoting begins another.
    pub fn of(mut places: Vec<String>, school_year: i32) -> Self {
        places.sort_unstable();
        places.dedup();
        Self {
            places,
            school_year,
            done: 0,
        }
    }

    /// The next few rolls; empty at the end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next(&mut self, tx: &Tx) -> Result<Vec<(ClassHead, Vec<Pupil>)>, DbErr> {
        while self.done < self.places.len() {
            let end = self.places.len().min(self.done + PLACES);
            let places = &self.places[self.done..end];
            self.done = end;
            let rolls = rolls(tx, places, self.school_year).await?;
            if !rolls.is_empty() {
                return Ok(rolls);
            }
        }
        Ok(Vec::new())
    }
}

async fn rolls(
    tx: &Tx,
    places: &[String],
    school_year: i32,
) -> Result<Vec<(ClassHead, Vec<Pupil>)>, DbErr> {
    let marks = marks(places.len());
    let values: Vec<Value> = places.iter().map(|place| place.as_str().into()).collect();
    let year = places.len() + 1;
    let raise = format!(
        "UPDATE class_groups SET roll_version = roll_version + 1, \
         school_year = CASE WHEN school_year = 0 THEN ${year} ELSE school_year END \
         WHERE org_path IN ({marks}) RETURNING org_path, organization, id, display_name, \
         teaching_mode, state, roll_version, school_year"
    );
    let raised = values.iter().cloned().chain([school_year.into()]);
    let rows = tx.query_all_raw(statement(tx, &raise, raised)).await?;
    let mut heads: Vec<ClassHead> = rows.iter().map(head).collect::<Result<_, _>>()?;
    heads.sort_unstable_by(|one, other| one.org_path.cmp(&other.org_path));
    let select = format!(
        "SELECT org_path, id, presence, boarder, dormitory, swab_exempt, start_day FROM students \
         WHERE state = 1 AND org_path IN ({marks}) ORDER BY org_path, id"
    );
    let mut rows = tx
        .query_all_raw(statement(tx, &select, values))
        .await?
        .into_iter()
        .peekable();
    let mut rolls = Vec::with_capacity(heads.len());
    for head in heads {
        let mut pupils = Vec::new();
        while let Some(row) = rows.next_if(|row| {
            row.try_get_by_index::<String>(0)
                .is_ok_and(|place| place <= head.org_path)
        }) {
            if row.try_get_by_index::<String>(0)? == head.org_path {
                pupils.push(pupil(&row)?);
            }
        }
        rolls.push((head, pupils));
    }
    Ok(rolls)
}

fn head(row: &QueryResult) -> Result<ClassHead, DbErr> {
    Ok(ClassHead {
        org_path: row.try_get_by_index(0)?,
        organization: row.try_get_by_index(1)?,
        id: row.try_get_by_index(2)?,
        display_name: row.try_get_by_index(3)?,
        teaching_mode: row.try_get_by_index(4)?,
        active: row.try_get_by_index::<i16>(5)? == 1,
        version: row.try_get_by_index(6)?,
        school_year: row.try_get_by_index(7)?,
    })
}

fn pupil(row: &QueryResult) -> Result<Pupil, DbErr> {
    Ok(Pupil {
        id: row.try_get_by_index(1)?,
        presence: row.try_get_by_index(2)?,
        boarder: row.try_get_by_index(3)?,
        dormitory: row.try_get_by_index(4)?,
        swab_exempt: row.try_get_by_index(5)?,
        since: row.try_get_by_index(6)?,
    })
}

/// An organisation at the head of its staff roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffHead {
    /// The id of the organisation.
    pub organization: String,
    /// Its place.
    pub org_path: String,
    /// The version of the roll.
    pub version: i64,
}

/// Raises the versions of the staff rolls of some hundred organisations and gives them with who
/// works there, ordered by place.
///
/// # Errors
/// When the database fails.
pub async fn staff(
    tx: &Tx,
    organizations: &[String],
) -> Result<Vec<(StaffHead, Vec<Worker>)>, DbErr> {
    let values = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect();
    let values: Vec<Value> = values(organizations);
    let raise = format!(
        "UPDATE organizations SET staff_version = staff_version + 1 WHERE id IN ({}) \
         RETURNING id, org_path, staff_version",
        marks(organizations.len())
    );
    let mut heads = Vec::with_capacity(organizations.len());
    for row in tx.query_all_raw(statement(tx, &raise, values)).await? {
        heads.push(StaffHead {
            organization: row.try_get_by_index(0)?,
            org_path: row.try_get_by_index(1)?,
            version: row.try_get_by_index(2)?,
        });
    }
    if heads.is_empty() {
        return Ok(Vec::new());
    }
    heads.sort_unstable_by(|one, other| one.org_path.cmp(&other.org_path));
    let places: Vec<Value> = heads
        .iter()
        .map(|head| head.org_path.as_str().into())
        .collect();
    let select = format!(
        "SELECT org_path, id, state, swab_exempt, start_day, posts, grade FROM staff \
         WHERE state <> 3 AND org_path IN ({}) ORDER BY org_path, id",
        marks(heads.len())
    );
    let mut workers: BTreeMap<String, Vec<Worker>> = BTreeMap::new();
    for row in tx.query_all_raw(statement(tx, &select, places)).await? {
        let worker = Worker {
            id: row.try_get_by_index(1)?,
            on_leave: row.try_get_by_index::<i16>(2)? == 2,
            swab_exempt: row.try_get_by_index(3)?,
            since: row.try_get_by_index::<Option<i32>>(4)?.unwrap_or_default(),
            posts: row.try_get_by_index(5)?,
            grade: row.try_get_by_index(6)?,
        };
        workers
            .entry(row.try_get_by_index(0)?)
            .or_default()
            .push(worker);
    }
    let rolls = heads.into_iter().map(|head| {
        let workers = workers.remove(&head.org_path).unwrap_or_default();
        (head, workers)
    });
    Ok(rolls.collect())
}

/// `$1, $2, …` for `count` values.
pub(crate) fn marks(count: usize) -> String {
    let marks: Vec<String> = (1..=count).map(|place| format!("${place}")).collect();
    marks.join(", ")
}
