//! What is kept of the register, on both databases.

mod city;

use chrono::NaiveDate;
use city::tree::{
    self, BUREAU_PATH, CITY_PATH, DEPUTY, HEAD, KINDERGARTEN_PATH, WARDEN, duties, enacted, group,
};
use city::{SCHOOL_PATH, roster, staff};
use kit::db::Database;
use kit::org::OrgPath;
use kit::projection::Projection;
use kit::scratch::Scratch;
use proto::roster as pb;
use safety_inspection::domain::organization::{Kind, Level};
use safety_inspection::store::Store;
use safety_inspection::{Migrator, RosterProjection};

macro_rules! suite {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(kit::scratch::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                let Some(scratch) = kit::scratch::postgres().await else { return };
                super::$test(scratch).await;
            })+
        }
    };
}

suite!(
    the_tree_is_read_by_place_and_kind,
    class_groups_and_posts_are_counted,
    one_person_answers_up_to_the_city,
    the_nearest_and_newest_policy_is_in_force,
    older_news_changes_nothing_and_what_is_gone_is_gone,
);

async fn told(scratch: &Scratch) -> Database {
    let db = scratch.open::<Migrator>().await;
    roster(&db, &tree::tree(), 1).await;
    db
}

fn path(text: &str) -> OrgPath {
    text.parse().expect("a place")
}

fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, month, day).expect("a day")
}

fn removed(entity: &str, path: &str, version: i64) -> pb::RosterEvent {
    pb::RosterEvent {
        entity: entity.to_owned(),
        version,
        org_path: path.to_owned(),
        removed: true,
        state: None,
    }
}

async fn the_tree_is_read_by_place_and_kind(scratch: Scratch) {
    let db = told(&scratch).await;
    let below = async |place: &str, kinds: &[Kind], after: &str, limit| {
        let found = Store::organizations_below(db.read(), place, kinds, after, limit);
        let found = found.await.expect("read").into_iter();
        found.map(|one| one.org_path).collect::<Vec<_>>()
    };
    assert_eq!(below(CITY_PATH, &[], "", 100).await.len(), 9);
    let district = below(BUREAU_PATH, &[], "", 100).await;
    assert_eq!(district.len(), 5);
    assert_eq!(district[0], BUREAU_PATH);
    assert_eq!(
        below(CITY_PATH, &[Kind::Kindergarten], "", 100).await,
        [KINDERGARTEN_PATH]
    );
    let first = below(BUREAU_PATH, &[], "", 2).await;
    let rest = below(BUREAU_PATH, &[], &first[1], 100).await;
    assert_eq!([first, rest].concat(), district);

    let school = Store::organization(db.read(), "2135010001").await;
    let school = school.expect("read").expect("a school");
    assert_eq!(
        (school.kind, school.level()),
        (Kind::MunicipalSchool, Level::School)
    );
    assert!(school.boarding && school.teaches(3) && !school.teaches(2));
    let unknown = Store::organization(db.read(), "nowhere").await;
    assert_eq!(unknown.expect("read"), None);
}

async fn class_groups_and_posts_are_counted(scratch: Scratch) {
    let db = told(&scratch).await;
    let groups = Store::class_groups(db.read(), "2135010001")
        .await
        .expect("read");
    let grades: Vec<_> = groups.iter().map(|one| (one.grade, one.expected)).collect();
    assert_eq!(grades, [(9, 45), (10, 42), (12, 40)]);
    assert!(groups.iter().all(|one| one.in_person && one.boarders == 0));
    let (expected, posts) = Store::staff(db.read(), "2135010001").await.expect("read");
    assert_eq!((expected, posts["GUARD"], posts["TEACHER"]), (5, 1, 2));
    let (expected, posts) = Store::staff(db.read(), "2135010003").await.expect("read");
    assert!(expected == 0 && posts.is_empty());
}

async fn one_person_answers_up_to_the_city(scratch: Scratch) {
    let db = told(&scratch).await;
    let who = async |place: &str, subject, room| {
        let found = Store::answerable(db.read(), &path(place), subject, room).await;
        let found = found.expect("read").expect("somebody answers");
        (found.staff_member, found.organization)
    };
    let told = |person, at: &str| (staff(person), at.to_owned());
    assert_eq!(
        who(SCHOOL_PATH, "FIRE", "hall").await,
        told(WARDEN, "2135010001")
    );
    assert_eq!(
        who(SCHOOL_PATH, "FOOD", "").await,
        told(DEPUTY, "2135010001")
    );
    assert_eq!(
        who(KINDERGARTEN_PATH, "FOOD", "").await,
        told(tree::DISTRICT_DEPUTY, "350102")
    );
    assert_eq!(
        who("fz/350103/2135010002", "FIRE", "").await,
        told(tree::CITY_DEPUTY, "fz")
    );
    roster(
        &db,
        &[duties(SCHOOL_PATH, 3, &[("OVERALL_HEAD", "", HEAD)])],
        1,
    )
    .await;
    assert_eq!(
        who(SCHOOL_PATH, "FIRE", "hall").await,
        told(HEAD, "2135010001")
    );
}

async fn the_nearest_and_newest_policy_is_in_force(scratch: Scratch) {
    let db = told(&scratch).await;
    let district = enacted(BUREAU_PATH, 3, |profile| {
        profile.policy_version = "district@1".to_owned();
        profile.effective_date = Some(kit::field::to_date(day(4, 10)));
    });
    roster(&db, &[district], 1).await;
    let rules = Store::rules(db.read()).await.expect("read");
    let version = |place: &str, on| {
        let policy = rules.policy(&path(place), on);
        policy.map(|policy| policy.policy_version.clone())
    };
    let shipped = Some(tree::shipped().policy_version);
    assert_eq!(version(SCHOOL_PATH, day(4, 9)), shipped);
    assert_eq!(
        version(SCHOOL_PATH, day(4, 10)),
        Some("district@1".to_owned())
    );
    assert_eq!(version("fz/350103", day(4, 10)), shipped);
    let before = NaiveDate::from_ymd_opt(2021, 12, 31).expect("a day");
    assert_eq!(rules.policy(&path(SCHOOL_PATH), before), None);
    assert!(rules.calendar.is_school_day(day(4, 2)) && !rules.calendar.is_school_day(day(4, 4)));
}

async fn older_news_changes_nothing_and_what_is_gone_is_gone(scratch: Scratch) {
    let db = told(&scratch).await;
    let size = async || {
        let groups = Store::class_groups(db.read(), "2135010003").await;
        groups.expect("read").first().map(|group| group.expected)
    };
    let again = group(tree::SISTER_PATH, ("p2019-01", 3), 2000, 7);
    let older = pb::RosterEvent {
        version: 1,
        ..again.clone()
    };
    roster(&db, std::slice::from_ref(&older), 1).await;
    assert_eq!(size().await, Some(30));
    let newer = pb::RosterEvent {
        version: 5,
        ..again.clone()
    };
    roster(&db, &[newer, older.clone()], 1).await;
    assert_eq!(size().await, Some(7), "the newest of a batch counts");
    let gone = |version| removed(&again.entity, &again.org_path, version);
    roster(&db, &[gone(4)], 1).await;
    assert_eq!(size().await, Some(7));
    roster(&db, &[gone(6)], 1).await;
    assert_eq!(size().await, None);

    // After a restore of the register its versions may be smaller: a new generation counts.
    roster(&db, &[older], 2).await;
    assert_eq!(size().await, Some(7));
    let tx = db.begin().await.expect("a transaction");
    RosterProjection::default()
        .sweep(&tx, 2)
        .await
        .expect("swept");
    tx.commit().await.expect("committed");
    assert_eq!(size().await, Some(7));
    let rules = Store::rules(db.read()).await.expect("read");
    assert_eq!(rules.policy(&path(SCHOOL_PATH), day(4, 9)), None);
    let school = Store::organization(db.read(), "2135010001").await;
    assert_eq!(school.expect("read"), None);
}
