//! Days of a city, drawn for all of it and verified from what is published.

use super::town::{CITY, DISTRICT, Roster, Town, class, school_path};
use proto::sampling::sampling_plan::Kind;
use proto::sampling::{GetCoverageRequest, GetVerificationKeyRequest};
use sampling::domain::commitment::PublicKey;

#[tokio::test(flavor = "multi_thread")]
async fn a_small_city_is_drawn_and_verified_on_sqlite() {
    run(kit::scratch::sqlite(), 20, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_city_is_drawn_and_verified_on_postgres() {
    let Some(database) = kit::scratch::postgres().await else {
        return;
    };
    run(database, 20, 10).await;
}

async fn run(database: kit::scratch::Scratch, schools: u32, classes: u32) {
    let roster = Roster::town();
    let mut first = 0;
    for school in 0..schools {
        let id = format!("21350{school:05}");
        roster.organization(&id, &school_path(&id));
        for number in 0..classes {
            let size = 30 + (school + number) % 17;
            roster.class(class(&id, &format!("p2019-{number:02}"), first, size));
            first += size;
        }
    }
    let (people, groups) = (first, schools * classes);
    let town = Town::start(database, roster).await;
    town.plan("students", Kind::StudentRotation).await;

    for day in 1..=3 {
        let drawn = town.draw("students", CITY).await;
        assert_eq!(drawn.class_group_count.unsigned_abs(), groups);
        assert_eq!(drawn.drawn_school_count.unsigned_abs(), schools);
        assert_eq!(town.draw("students", CITY).await.class_group_count, 0);
        if day < 3 {
            town.next_day();
        }
    }
    let request = || GetCoverageRequest {
        scope: format!("organizations/{CITY}"),
    };
    for _ in 0..20 {
        let coverage = town
            .coverage()
            .get_coverage(request())
            .await
            .expect("coverage")
            .into_inner();
        assert_eq!(coverage.eligible_count, i64::from(people));
    }

    town.next_day();
    let one = town.draw("students", "2135000000").await;
    assert_eq!(one.class_group_count.unsigned_abs(), classes);

    // The draws of the day before are closed by this one for every school.
    town.draw("students", DISTRICT).await;
    town.clock.advance(chrono::Duration::days(-1));
    let file = town.export("students", CITY).await;
    let key = town
        .draws()
        .get_verification_key(GetVerificationKeyRequest {})
        .await
        .expect("a key");
    let key: [u8; 32] = key
        .into_inner()
        .public_key
        .as_ref()
        .try_into()
        .expect("32 bytes");
    let key = PublicKey::from_bytes(&key).expect("a key");
    let report = sampling::verify(file.as_slice(), &key).expect("a true file");
    assert_eq!(report.candidates, people as usize);
}
