//! The size of class groups, and the posts of staff.

use std::collections::BTreeMap;

use kit::db::statement;
use kit::rows::{Lock, Row, row};
use sea_orm::{ConnectionTrait, DbErr};

use crate::store::{Store, unreadable};

row! {
    /// A class group as the register told it.
    ClassGroupRow in "class_groups" by ["name"] {
        /// `organizations/{organization}/classGroups/{class_group}`.
        name: String,
        /// The id of the school.
        organization: String,
        /// The place in the tree.
        org_path: String,
        /// Shown to people.
        display_name: String,
        /// 1 to 12, or 0.
        grade: i32,
        /// The number of the teaching mode.
        teaching_mode: i16,
        /// How many students are expected in person.
        expected: i32,
        /// How many of all its students board.
        boarders: i32,
        /// Grows with each change.
        version: i64,
        /// The snapshot that mentioned it last.
        generation: i64,
    }
}

row! {
    /// The staff of an organisation as the register told it.
    StaffRollRow in "staff_rolls" by ["organization"] {
        /// The id of the organisation.
        organization: String,
        /// How many are expected in person.
        expected: i32,
        /// How many hold each post.
        posts: String,
        /// Grows with each change.
        version: i64,
        /// The snapshot that mentioned it last.
        generation: i64,
    }
}

/// A class group with how many it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassGroup {
    /// `organizations/{organization}/classGroups/{class_group}`.
    pub name: String,
    /// The place in the tree.
    pub org_path: String,
    /// Shown to people.
    pub display_name: String,
    /// 1 to 12, or 0.
    pub grade: i32,
    /// Its students come to school.
    pub in_person: bool,
    /// How many students are expected when they come.
    pub expected: u32,
    /// How many of all its students board.
    pub boarders: u32,
}

/// The number of the mode in which students come to school.
const IN_PERSON: i16 = 1;

/// How many class groups one school has at most.
const MOST: i64 = 2000;

/// How many hold each post, as it is stored.
pub fn posts_text(posts: &BTreeMap<String, u32>) -> String {
    serde_json::to_string(posts).unwrap_or_default()
}

impl StaffRollRow {
    /// How many hold each post.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub(in crate::store) fn posts(&self) -> Result<BTreeMap<String, u32>, DbErr> {
        serde_json::from_str(&self.posts).map_err(|_| unreadable("posts"))
    }
}

impl Store {
    /// The class groups of a school, in the order of their grades.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn class_groups(
        db: &impl ConnectionTrait,
        organization: &str,
    ) -> Result<Vec<ClassGroup>, DbErr> {
        let sql = format!(
            "SELECT {} FROM class_groups WHERE organization = $1 ORDER BY grade, name LIMIT $2",
            ClassGroupRow::COLUMNS.join(", ")
        );
        let values = [organization.into(), MOST.into()];
        let rows = db.query_all_raw(statement(db, &sql, values)).await?;
        rows.iter()
            .map(|row| {
                let row = ClassGroupRow::read(row)?;
                Ok(ClassGroup {
                    in_person: row.teaching_mode == IN_PERSON,
                    expected: u32::try_from(row.expected).unwrap_or_default(),
                    boarders: u32::try_from(row.boarders).unwrap_or_default(),
                    name: row.name,
                    org_path: row.org_path,
                    display_name: row.display_name,
                    grade: row.grade,
                })
            })
            .collect()
    }

    /// How many work at an organisation, and how many hold each post.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn staff(
        db: &impl ConnectionTrait,
        organization: &str,
    ) -> Result<(u32, BTreeMap<String, u32>), DbErr> {
        let Some(row) = StaffRollRow::get(db, organization, Lock::No).await? else {
            return Ok((0, BTreeMap::new()));
        };
        let posts = row.posts()?;
        Ok((u32::try_from(row.expected).unwrap_or_default(), posts))
    }
}
