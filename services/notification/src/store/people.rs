//! Who belongs where: class groups and staffs with everybody on them.

use std::collections::{BTreeMap, BTreeSet};

use kit::bulk::{Column, insert, placeholders};
use kit::db::{Tx, statement};
use kit::rows::{Row, row};
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::{Store, below_end, unreadable};
use crate::domain::party::Party;

/// How many places one statement asks for.
const PLACES: usize = 1000;

/// What a roll is of; the numbers are those of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The pupils of a class group.
    Pupils = 1,
    /// The staff of an organisation.
    Staff = 2,
}

impl Group {
    fn from_code(code: i16) -> Option<Self> {
        [Self::Pupils, Self::Staff]
            .into_iter()
            .find(|group| *group as i16 == code)
    }
}

/// A class group or the staff of an organisation, with everybody on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roll {
    /// The resource name.
    pub name: String,
    /// What it is of.
    pub group: Group,
    /// The place of the class group or of the organisation.
    pub place: String,
    /// The organisation id.
    pub organization: String,
    /// Shown to people; empty for a staff.
    pub display_name: String,
    /// The grade of a class group; 0 when none.
    pub grade: i32,
    /// Grows with each change.
    pub version: i64,
    /// Everybody on it, with their posts.
    pub members: Vec<(Uuid, BTreeSet<String>)>,
}

/// What became of a roll: as it is, or gone with a version.
pub type RollChange = Result<Roll, i64>;

row! {
    /// A roll without its members.
    RollRow in "rolls" by ["name"] {
        /// The resource name.
        name: String,
        /// Class group (1) or staff (2).
        kind: i16,
        /// The place.
        place: String,
        /// The organisation id.
        organization: String,
        /// Shown to people.
        display_name: String,
        /// The grade.
        grade: i32,
        /// Grows with each change.
        version: i64,
        /// The snapshot that mentioned it last.
        generation: i64,
    }
}

/// Where somebody belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Belonging {
    /// Who.
    pub party: Party,
    /// The place of the class group or of the organisation.
    pub place: String,
    /// The organisation id.
    pub organization: String,
    /// The posts of staff.
    pub posts: BTreeSet<String>,
}

/// Posts as a text in which `,POST,` can be looked for.
fn posts_text(posts: &BTreeSet<String>) -> String {
    let mut text = String::new();
    for post in posts {
        text.push(',');
        text.push_str(post);
    }
    if !text.is_empty() {
        text.push(',');
    }
    text
}

impl Store {
    /// Writes rolls that are newer than what is stored, or seen first in a generation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_rolls(
        tx: &Tx,
        changes: BTreeMap<String, RollChange>,
        generation: i64,
    ) -> Result<(), DbErr> {
        let names: Vec<Value> = changes.keys().map(|name| name.as_str().into()).collect();
        let known = RollRow::find(tx, "name", names, kit::rows::Lock::Yes).await?;
        let known: BTreeMap<_, _> = known
            .into_iter()
            .map(|row| (row.name.clone(), row))
            .collect();
        let (mut rows, mut emptied, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        let mut people = BTreeMap::new();
        for (name, change) in changes {
            let before = known.get(&name);
            let version = change
                .as_ref()
                .map_or_else(|version| *version, |roll| roll.version);
            let news = before.is_none_or(|before| {
                version > before.version || (change.is_ok() && generation > before.generation)
            });
            if !news {
                continue;
            }
            emptied.extend(before.map(|before| (before.kind, before.place.clone())));
            let Ok(roll) = change else {
                gone.push(name);
                continue;
            };
            for (person, posts) in &roll.members {
                let at = (
                    roll.place.clone(),
                    roll.organization.clone(),
                    posts_text(posts),
                );
                people.insert((roll.group as i16, *person), at);
            }
            rows.push(RollRow {
                name,
                kind: roll.group as i16,
                place: roll.place,
                organization: roll.organization,
                display_name: roll.display_name,
                grade: roll.grade,
                version,
                generation,
            });
        }
        for (kind, place) in emptied {
            let sql = "DELETE FROM people WHERE place = $1 AND kind = $2";
            tx.execute_raw(statement(tx, sql, [place.into(), kind.into()]))
                .await?;
        }
        for name in gone {
            let sql = "DELETE FROM rolls WHERE name = $1";
            tx.execute_raw(statement(tx, sql, [name.into()])).await?;
        }
        RollRow::save(tx, &rows).await?;
        insert_people(tx, people).await
    }

    /// Removes the rolls that a snapshot of the register did not mention.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_rolls(tx: &Tx, generation: i64) -> Result<(), DbErr> {
        let sql = "DELETE FROM people WHERE EXISTS (SELECT 1 FROM rolls WHERE generation < $1 \
                   AND rolls.place = people.place AND rolls.kind = people.kind)";
        tx.execute_raw(statement(tx, sql, [generation.into()]))
            .await?;
        let sql = "DELETE FROM rolls WHERE generation < $1";
        tx.execute_raw(statement(tx, sql, [generation.into()]))
            .await?;
        Ok(())
    }

    /// Where somebody belongs; an organisation to itself. None when the register knows nobody of the name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn belonging(
        &self,
        db: &impl ConnectionTrait,
        party: &Party,
    ) -> Result<Option<Belonging>, DbErr> {
        let (kind, id) = match party {
            Party::Student(id) | Party::Family(id) | Party::Guardian(id, _) => (Group::Pupils, *id),
            Party::Staff(id) => (Group::Staff, *id),
            Party::Organization(id) => {
                let place = self.org_path(db, id).await?;
                return Ok(place.map(|place| Belonging {
                    party: party.clone(),
                    place,
                    organization: id.clone(),
                    posts: BTreeSet::new(),
                }));
            }
        };
        let sql = "SELECT place, organization, posts FROM people WHERE kind = $1 AND person = $2";
        let select = statement(db, sql, [(kind as i16).into(), id.into()]);
        let row = db.query_one_raw(select).await?;
        row.map(|row| {
            let posts: String = row.try_get_by_index(2)?;
            Ok(Belonging {
                party: party.clone(),
                place: row.try_get_by_index(0)?,
                organization: row.try_get_by_index(1)?,
                posts: posts
                    .split(',')
                    .filter(|post| !post.is_empty())
                    .map(ToOwned::to_owned)
                    .collect(),
            })
        })
        .transpose()
    }

    /// The class groups at or below `place`, in the order of their places: place and resource name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn class_groups(
        db: &impl ConnectionTrait,
        place: &str,
    ) -> Result<Vec<(String, String)>, DbErr> {
        let sql = "SELECT place, name FROM rolls WHERE kind = 1 \
                   AND (place = $1 OR (place > $2 AND place < $3)) ORDER BY place";
        let values = [
            place.into(),
            format!("{place}/").into(),
            below_end(place).into(),
        ];
        let rows = db.query_all_raw(statement(db, sql, values)).await?;
        rows.iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect()
    }

    /// Who holds which of `posts` at which of these places: place, post and person, in this order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holders_at(
        db: &impl ConnectionTrait,
        places: &[String],
        posts: &[String],
    ) -> Result<Vec<(String, String, Uuid)>, DbErr> {
        let mut found = Vec::new();
        for post in posts {
            for part in places.chunks(PLACES) {
                let sql = format!(
                    "SELECT place, person FROM people WHERE kind = 2 AND posts LIKE $1 \
                     AND place IN ({})",
                    placeholders(2, part.len())
                );
                let first = std::iter::once(Value::from(format!("%,{post},%")));
                let values = first.chain(part.iter().map(|place| place.as_str().into()));
                for row in db.query_all_raw(statement(db, &sql, values)).await? {
                    let place = row.try_get_by_index(0)?;
                    found.push((place, post.clone(), row.try_get_by_index(1)?));
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Those of the staff of an organisation who hold one of `posts`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holders(
        db: &impl ConnectionTrait,
        org_path: &str,
        posts: &[String],
    ) -> Result<Vec<(Uuid, String)>, DbErr> {
        let mut found = Vec::new();
        for post in posts {
            let sql = "SELECT person FROM people WHERE place = $1 AND kind = 2 AND posts LIKE $2 \
                       ORDER BY person";
            let values = [org_path.into(), format!("%,{post},%").into()];
            for row in db.query_all_raw(statement(db, sql, values)).await? {
                found.push((row.try_get_by_index(0)?, post.clone()));
            }
        }
        Ok(found)
    }
}

impl RollRow {
    /// What it is of.
    ///
    /// # Errors
    /// When the row is unreadable.
    pub fn group(&self) -> Result<Group, DbErr> {
        Group::from_code(self.kind).ok_or_else(|| unreadable("kind of roll"))
    }
}

/// Stores where people belong now.
async fn insert_people(
    tx: &Tx,
    people: BTreeMap<(i16, Uuid), (String, String, String)>,
) -> Result<(), DbErr> {
    let (mut kinds, mut ids) = (Vec::new(), Vec::new());
    let (mut places, mut organizations, mut posts) = (Vec::new(), Vec::new(), Vec::new());
    for ((kind, person), (place, organization, post)) in people {
        kinds.push(kind);
        ids.push(person);
        places.push(place);
        organizations.push(organization);
        posts.push(post);
    }
    let columns = vec![
        ("kind", Column::Small(kinds)),
        ("person", Column::Uuid(ids)),
        ("place", Column::Text(places)),
        ("organization", Column::Text(organizations)),
        ("posts", Column::Text(posts)),
    ];
    let conflict = "ON CONFLICT (kind, person) DO UPDATE SET place = excluded.place, \
                    organization = excluded.organization, posts = excluded.posts";
    insert(tx, "people", columns, conflict).await
}
