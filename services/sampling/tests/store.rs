//! What the store remembers, the same on both databases.

use std::collections::BTreeMap;

use kit::bulk::{Column, insert};
use kit::db::Database;
use sampling::Migrator;
use sampling::domain::coverage::Tally;
use sampling::domain::day::Day;
use sampling::domain::plan::PlanId;
use sampling::domain::roll::{GroupKind, Member, PersonId, Roll};
use sampling::store::rolls::{self, GroupRow};
use sampling::store::{clearance, coverage, draws, people, plans, rotation};

kit::store_suite!(Migrator;
    paths_sort_by_bytes_and_ranges_hold_everything_below,
    a_swab_moves_its_person_and_comes_back,
    sealing_at_once_loses_nothing,
    bulk_rows_of_every_type_are_written,
    people_are_found_where_their_roll_is,
    nothing_is_found_where_nothing_is,
);

fn person(number: u8) -> PersonId {
    PersonId([number; 16])
}

fn day(number: u16) -> Day {
    Day::from_number(number)
}

fn group(school: &str, id: &str, people: std::ops::Range<u8>) -> GroupRow {
    let member = |number| Member {
        person: person(number),
        on_leave: false,
        exempt: false,
        since: day(8000),
        posts: 0,
    };
    GroupRow {
        path: format!("fz/350102/{school}/{id}"),
        organization: school.to_owned(),
        id: id.to_owned(),
        kind: GroupKind::Students,
        display_name: "三年（1）班".to_owned(),
        grade: 3,
        taught: true,
        version: 1,
        members: Roll::new(people.map(member).collect()).pack(GroupKind::Students),
        entries: Vec::new(),
    }
}

/// Stores groups as the projection does: with people and counters.
async fn save(db: &Database, groups: &[GroupRow]) {
    let tx = db.begin().await.expect("a transaction");
    let text =
        |of: fn(&GroupRow) -> &String| Column::Text(groups.iter().map(of).cloned().collect());
    let count = groups.len();
    let columns = vec![
        ("path", text(|group| &group.path)),
        ("organization", text(|group| &group.organization)),
        ("id", text(|group| &group.id)),
        ("kind", Column::Small(vec![1; count])),
        ("display_name", text(|group| &group.display_name)),
        ("grade", Column::Int(vec![3; count])),
        ("taught", Column::Bool(vec![true; count])),
        ("version", Column::Big(vec![1; count])),
        ("generation", Column::Big(vec![1; count])),
        (
            "members",
            Column::Bytes(groups.iter().map(|group| group.members.clone()).collect()),
        ),
    ];
    insert(&tx, "class_rolls", columns, "")
        .await
        .expect("groups");
    let schools: Vec<String> = groups
        .iter()
        .map(|group| group.school_path().to_owned())
        .collect();
    let mut tallies = coverage::lock(&tx, &schools).await.expect("counters");
    for group in groups {
        let tally = coverage::of_group(group).expect("a tally");
        tallies
            .get_mut(group.school_path())
            .expect("locked")
            .add(&tally, 1);
        let people: Vec<Vec<u8>> = group
            .roll()
            .expect("a roll")
            .members()
            .iter()
            .map(|m| m.person.0.to_vec())
            .collect();
        let columns = vec![
            ("path", Column::Text(vec![group.path.clone(); people.len()])),
            ("person", Column::Bytes(people)),
        ];
        insert(&tx, "people", columns, "").await.expect("people");
    }
    coverage::save(&tx, tallies).await.expect("saved");
    tx.commit().await.expect("committed");
}

async fn paths_sort_by_bytes_and_ranges_hold_everything_below(db: Database) {
    let groups = [
        group("2135010001", "p2019-01", 0..3),
        group("2135010001-b", "p2019-01", 3..6),
        group("2135010001", "p2019-02", 6..9),
        group("2135010002", "j2020-01", 9..12),
    ];
    save(&db, &groups).await;
    let found = rolls::groups_below(db.read(), "fz/350102/2135010001")
        .await
        .expect("groups");
    let ids: Vec<&str> = found.iter().map(|group| group.id.as_str()).collect();
    assert_eq!(
        ids,
        ["p2019-01", "p2019-02"],
        "its own, not those of a longer name"
    );
    let all = rolls::groups_below(db.read(), "fz").await.expect("groups");
    assert!(all.is_sorted_by_key(|group| group.path.clone()) && all.len() == 4);
    let schools = rolls::schools_below(db.read(), "fz/350102", &[GroupKind::Students]).await;
    let schools = schools.expect("schools");
    let between = rolls::groups_between(db.read(), &schools[0].0, &schools[2].0).await;
    assert_eq!(between.expect("groups"), all, "first to last is everything");
    assert_eq!(schools.iter().map(|(_, count)| count).sum::<i64>(), 4);
}

async fn a_swab_moves_its_person_and_comes_back(db: Database) {
    let row = group("2135010001", "p2019-01", 0..5);
    save(&db, std::slice::from_ref(&row)).await;
    let school = row.school_path().to_owned();
    let tally = async || {
        coverage::below(db.read(), &school)
            .await
            .expect("counters")
            .remove(0)
            .1
    };
    let before = tally().await;
    let both = [person(1), person(3)];
    for _ in 0..2 {
        let tx = db.begin().await.expect("a transaction");
        rotation::sampled(&tx, &row.path, &both, day(8010))
            .await
            .expect("swabbed");
        tx.commit().await.expect("committed");
    }
    let stored = rolls::group_named(db.read(), "2135010001", "p2019-01").await;
    let stored = stored.expect("read").expect("there");
    let lasts: Vec<Day> = (0..5)
        .map(|n| stored.rotation().expect("a rotation").last(person(n)))
        .collect();
    assert_eq!(
        lasts,
        [Day::NEVER, day(8010), Day::NEVER, day(8010), Day::NEVER]
    );
    assert_eq!(tally().await, coverage::of_group(&stored).expect("a tally"));
    assert_ne!(tally().await, before);

    let tx = db.begin().await.expect("a transaction");
    rotation::put_back(&tx, &row.path, &both, day(8010))
        .await
        .expect("put back");
    tx.commit().await.expect("committed");
    assert_eq!(tally().await, before, "as if nothing had happened");
    let stored = rolls::group_named(db.read(), "2135010001", "p2019-01").await;
    let rotation = stored
        .expect("read")
        .expect("there")
        .rotation()
        .expect("a rotation");
    assert_eq!(
        (rotation.last(person(1)), rotation.missed(person(1))),
        (Day::NEVER, day(8010))
    );
}

async fn sealing_at_once_loses_nothing(db: Database) {
    let groups: Vec<GroupRow> = (0..4)
        .map(|n| group("2135010001", &format!("p2019-0{n}"), n * 10..n * 10 + 10))
        .collect();
    save(&db, &groups).await;
    let mut tasks = Vec::new();
    for number in 0..40_u8 {
        let (db, path) = (db.clone(), groups[usize::from(number / 10)].path.clone());
        tasks.push(tokio::spawn(async move {
            let tx = db.begin().await.expect("a transaction");
            rotation::sampled(&tx, &path, &[person(number)], day(8010))
                .await
                .expect("swabbed");
            tx.commit().await.expect("committed");
        }));
    }
    for task in tasks {
        task.await.expect("done");
    }
    let stored = rolls::groups_below(db.read(), "fz").await.expect("groups");
    let mut expected = Tally::default();
    for group in &stored {
        let rotation = group.rotation().expect("a rotation");
        let roll = group.roll().expect("a roll");
        assert!(
            roll.members()
                .iter()
                .all(|member| rotation.last(member.person) == day(8010))
        );
        expected.add(&coverage::of_group(group).expect("a tally"), 1);
    }
    let tallies = coverage::below(db.read(), "fz").await.expect("counters");
    let tallies: BTreeMap<String, Tally> = tallies.into_iter().collect();
    assert_eq!(tallies.into_values().collect::<Vec<_>>(), [expected]);
}

async fn bulk_rows_of_every_type_are_written(db: Database) {
    let count = 1300_u16;
    let tx = db.begin().await.expect("a transaction");
    let columns = |version: i64| {
        vec![
            (
                "id",
                Column::Text((0..count).map(|n| format!("{n:05}")).collect()),
            ),
            (
                "org_path",
                Column::Text((0..count).map(|n| format!("fz/{n:05}")).collect()),
            ),
            ("version", Column::Big(vec![version; usize::from(count)])),
            ("generation", Column::Big(vec![1; usize::from(count)])),
        ]
    };
    insert(&tx, "organizations", columns(1), "")
        .await
        .expect("rows");
    let again = "ON CONFLICT (id) DO UPDATE SET version = excluded.version";
    insert(&tx, "organizations", columns(2), again)
        .await
        .expect("rows");
    insert(
        &tx,
        "organizations",
        vec![("id", Column::Text(Vec::new()))],
        "",
    )
    .await
    .expect("none");
    tx.commit().await.expect("committed");
    let below = rolls::organizations_below(db.read(), "fz")
        .await
        .expect("paths");
    assert_eq!(below.len(), usize::from(count));
    assert!(below.is_sorted());
    let path = rolls::organization_path(db.read(), "00007")
        .await
        .expect("read");
    assert_eq!(path.expect("there").as_str(), "fz/00007");
}

async fn people_are_found_where_their_roll_is(db: Database) {
    save(
        &db,
        &[
            group("2135010001", "p2019-01", 0..5),
            group("2135010002", "p2019-01", 5..9),
        ],
    )
    .await;
    let found = people::locate(db.read(), person(6))
        .await
        .expect("read")
        .expect("found");
    assert_eq!(
        found.group.name(),
        "organizations/2135010002/classGroups/p2019-01"
    );
    assert_eq!(found.member.person, person(6));
    let three = [person(1), person(8), person(200)];
    let all = people::locate_all(db.read(), &three).await.expect("read");
    assert_eq!(all.len(), 2);
    let tx = db.begin().await.expect("a transaction");
    let columns = vec![
        ("person", Column::Bytes(vec![person(1).0.to_vec()])),
        (
            "org_path",
            Column::Text(vec![all[&person(1)].group.path.clone()]),
        ),
        ("control", Column::Small(vec![2])),
        ("medical", Column::Small(vec![1])),
        ("effective_time", Column::Big(vec![0])),
        ("rule", Column::Text(vec!["2.19".to_owned()])),
        (
            "policy_version",
            Column::Text(vec!["fuzhou-2022-04@1".to_owned()]),
        ),
        ("basis", Column::Text(vec!["holds/1".to_owned()])),
        ("version", Column::Big(vec![1])),
    ];
    insert(&tx, "clearances", columns, "")
        .await
        .expect("not clear");
    tx.commit().await.expect("committed");
    let school = "fz/350102/2135010001";
    let held = clearance::not_clear(db.read(), school, school)
        .await
        .expect("read");
    assert_eq!(held, [person(1)].into());
    let other = "fz/350102/2135010002";
    assert!(
        clearance::not_clear(db.read(), other, other)
            .await
            .expect("read")
            .is_empty()
    );
}

async fn nothing_is_found_where_nothing_is(db: Database) {
    let read = db.read();
    assert_eq!(people::locate(read, person(1)).await.expect("read"), None);
    assert_eq!(
        rolls::organization_path(read, "fz").await.expect("read"),
        None
    );
    let plan = PlanId::new("students").expect("an identifier");
    assert_eq!(plans::get(read, &plan).await.expect("read"), None);
    assert_eq!(
        plans::cycle_at(read, &plan, day(8000)).await.expect("read"),
        None
    );
    let id = "draws/students~20220328~2135010001"
        .parse()
        .expect("a name");
    assert_eq!(draws::get(read, &id).await.expect("read"), None);
    assert!(
        draws::drawn(read, &plan, "fz", day(8000))
            .await
            .expect("read")
            .is_empty()
    );
    let tx = db.begin().await.expect("a transaction");
    rotation::sampled(&tx, "fz/1/2/3", &[person(1)], day(8000))
        .await
        .expect("nobody there");
    tx.commit().await.expect("committed");
}
