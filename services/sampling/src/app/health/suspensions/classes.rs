//! The class groups of a suspension: those that a human names, and what the roster has to hear of each.

use std::collections::{BTreeMap, HashMap};

use kit::db::Tx;
use kit::rows::{Lock, Row};
use kit::status::Problem;

use super::Asked;
use crate::domain::health::suspension::{
    Away, Classes, Decided, SuspensionState, Unlisted, Wanted, listed,
};
use crate::domain::roll::GroupKind;
use crate::error::Error;
use crate::store::health::suspensions::{ClassRow, IN_PERSON, SUSPENDED, SuspensionRow};
use crate::store::rolls::{self, GroupRow};

/// Who is asked for; the names of class groups are looked up among those of the school.
pub(super) async fn wanted(tx: &Tx, row: &SuspensionRow, asked: Asked) -> Result<Wanted, Error> {
    let names = match asked {
        Asked::Same => return Ok(Wanted::Same),
        Asked::Reach(reach) => return Ok(Wanted::Reach(reach)),
        Asked::Classes(names) => names,
    };
    let groups = of_school(tx, &row.school).await?;
    let by_name: BTreeMap<String, (String, i32)> = groups
        .into_iter()
        .map(|group| (group.name(), (group.path, group.grade)))
        .collect();
    let classes = listed(&names, &by_name).map_err(refused)?;
    Ok(Wanted::Classes(classes))
}

/// Why names are no list of class groups.
fn refused(why: Unlisted) -> Error {
    let field = |place: usize| format!("class_groups[{place}]");
    let (field, chinese, english) = match why {
        Unlisted::TooMany => (
            "class_groups".to_owned(),
            "最多 50 个班级",
            "must be at most 50 class groups",
        ),
        Unlisted::Twice(place) => (field(place), "同一班级重复", "is named twice"),
        Unlisted::Elsewhere(place) => (
            field(place),
            "不是该校的班级",
            "is no class group of the school of the suspension",
        ),
    };
    Problem::invalid(field, chinese, english).into()
}

/// The class groups of a school.
async fn of_school(tx: &Tx, school: &str) -> Result<Vec<GroupRow>, Error> {
    let mut groups = rolls::groups_below(tx, school).await?;
    groups.retain(|group| group.kind == GroupKind::Students);
    Ok(groups)
}

/// Keeps who stays away by a decision of which the roster has not heard; the class group that was
/// proposed stands in the row alone.
pub(super) async fn name(tx: &Tx, row: &mut SuspensionRow, away: &Away) -> Result<(), Error> {
    row.scope = away.reach().code();
    let Away::Classes(classes) = away else {
        return Ok(());
    };
    if *away == row.proposed().away {
        return Ok(());
    }
    let unheard = |(path, grade): (&String, &i32)| class_row(row, (path, *grade), (true, 0));
    let rows: Vec<ClassRow> = classes.iter().map(unheard).collect();
    row.classes = i32::try_from(rows.len()).unwrap_or(i32::MAX);
    Ok(ClassRow::save(tx, &rows).await?)
}

/// Keeps who stays away by an amendment, and who is back. `quiet` when the roster has heard of
/// everything that was decided before. The round is that in which it hears of the amendment.
pub(super) async fn rename(
    tx: &Tx,
    row: &mut SuspensionRow,
    known: Vec<ClassRow>,
    (before, after): (&Decided, &Decided),
    quiet: bool,
) -> Result<(), Error> {
    row.scope = after.away.reach().code();
    let mut known: HashMap<String, ClassRow> = known
        .into_iter()
        .map(|class| (class.group_path.clone(), class))
        .collect();
    let mut rows = Vec::new();
    match &after.away {
        Away::Classes(classes) => {
            for (path, grade) in classes {
                let class = known.remove(path).filter(|class| class.away);
                // Of whom a wider scope spoke, the roster has heard as well.
                let told = if quiet && before.away.covers(&Away::one(path, *grade)) {
                    SUSPENDED
                } else {
                    0
                };
                let fresh = || class_row(row, (path, *grade), (true, told));
                rows.push(class.unwrap_or_else(fresh));
            }
            let (gone, told): (Classes, i16) = if before.state == SuspensionState::Decided {
                let named = known.into_values();
                let named = named.map(|class| (class.group_path, class.grade));
                (named.collect(), IN_PERSON)
            } else {
                (let_go(tx, row, &before.away, classes).await?, 0)
            };
            for (path, grade) in &gone {
                rows.push(class_row(row, (path, *grade), (false, told)));
            }
        }
        // Who is among everybody of a wider scope is told with that, and with its end.
        wider => {
            for class in known.into_values() {
                if wider.covers(&Away::one(&class.group_path, class.grade)) {
                    let at = (class.group_path.as_str(), class.grade);
                    rows.push(class_row(row, at, (false, IN_PERSON)));
                }
            }
        }
    }
    ClassRow::save(tx, &rows).await?;
    let key = vec![row.id.as_str().into()];
    let kept = ClassRow::find(tx, "suspension", key, Lock::No).await?;
    row.classes = i32::try_from(kept.len()).unwrap_or(i32::MAX);
    Ok(())
}

/// The class groups that stayed away before and do not stay away any more.
async fn let_go(
    tx: &Tx,
    row: &SuspensionRow,
    before: &Away,
    after: &Classes,
) -> Result<Classes, Error> {
    let mut gone = match before {
        Away::Classes(classes) => classes.clone(),
        wider => {
            let groups = of_school(tx, &row.school).await?.into_iter();
            let among = groups.filter(|group| wider.covers(&Away::one(&group.path, group.grade)));
            among.map(|group| (group.path, group.grade)).collect()
        }
    };
    gone.retain(|path, _| !after.contains_key(path));
    Ok(gone)
}

fn class_row(
    row: &SuspensionRow,
    (path, grade): (&str, i32),
    (away, told): (bool, i16),
) -> ClassRow {
    ClassRow {
        suspension: row.id.clone(),
        group_path: path.to_owned(),
        grade,
        away,
        round: row.round,
        told,
    }
}
