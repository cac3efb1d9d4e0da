//! Who was swabbed when: written when a tube is sealed, taken back when it comes to nothing.

use kit::db::Tx;
use sea_orm::DbErr;

use super::coverage;
use super::rolls::{GroupRow, groups_at};
use crate::domain::day::Day;
use crate::domain::roll::PersonId;
use crate::domain::rotation::Rotation;
use kit::bulk::{Column, insert};

/// Notes that people of the group at `path` were swabbed on `day`: call it when their tube is
/// sealed. A repeat changes nothing.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn sampled(tx: &Tx, path: &str, people: &[PersonId], day: Day) -> Result<(), DbErr> {
    change(tx, path, |rotation| rotation.sampled(people, day)).await
}

/// Takes back a swab of `day`: call it when the tube is void, lost, rejected or invalid. The
/// people come first next time.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn put_back(tx: &Tx, path: &str, people: &[PersonId], day: Day) -> Result<(), DbErr> {
    change(tx, path, |rotation| rotation.put_back(people, day)).await
}

/// Notes that people were called on `day` and gave no swab: they come first next time.
///
/// # Errors
/// When the database fails or a row is corrupt.
pub async fn absent(tx: &Tx, path: &str, people: &[PersonId], day: Day) -> Result<(), DbErr> {
    change(tx, path, |rotation| rotation.absent(people, day)).await
}

/// Changes the rotation of one group and the counters of its school. Whoever left the group
/// meanwhile is not there to be noted.
async fn change(tx: &Tx, path: &str, apply: impl FnOnce(&mut Rotation)) -> Result<(), DbErr> {
    let school = path
        .rsplit_once('/')
        .map_or("", |(school, _)| school)
        .to_owned();
    let mut tallies = coverage::lock(tx, std::slice::from_ref(&school)).await?;
    let Some(mut group) = groups_at(tx, &[path.to_owned()]).await?.pop() else {
        return Ok(());
    };
    let before = coverage::of_group(&group)?;
    let mut rotation = group.rotation()?;
    apply(&mut rotation);
    group.entries = rotation.pack();
    if let Some(tally) = tallies.get_mut(&school) {
        tally.add(&before, -1);
        tally.add(&coverage::of_group(&group)?, 1);
    }
    save(tx, std::slice::from_ref(&group)).await?;
    coverage::save(tx, tallies).await
}

/// Stores the rotation of groups whose schools are locked.
pub(crate) async fn save(tx: &Tx, groups: &[GroupRow]) -> Result<(), DbErr> {
    let columns = vec![
        (
            "path",
            Column::Text(groups.iter().map(|group| group.path.clone()).collect()),
        ),
        (
            "entries",
            Column::Bytes(groups.iter().map(|group| group.entries.clone()).collect()),
        ),
    ];
    let conflict = "ON CONFLICT (path) DO UPDATE SET entries = excluded.entries";
    insert(tx, "rotation", columns, conflict).await
}
