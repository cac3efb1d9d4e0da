//! What the register hears, however long it is down, and what it does not.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::set_teaching_mode_request::Ground;
use proto::safety::weather_state::Teaching;
use proto::safety::weather_suspension::Cover;

use crate::city::{SCHOOL, SCHOOL_PATH};
use crate::decisions::{HEAD, decide, decided, lift};
use crate::storm::{Storm, alert, storms};

storms!(
    the_register_hears_of_it_however_long_it_is_down,
    the_weather_says_nothing_of_other_grounds,
);

async fn missed(storm: &Storm, count: usize) {
    for _ in 0..200 {
        if storm.roster.missed.lock().expect("a lock").len() >= count {
            return;
        }
        storm.world.clock.advance(TimeDelta::seconds(5));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the register was not called {count} times");
}

async fn there_and_back(storm: &mut Storm) {
    let suspension = decide(storm, HEAD, SCHOOL, decided(&[Cover::Schools])).await;
    let suspension = suspension.expect("decided");
    storm.until_told(&[SCHOOL_PATH]).await;
    lift(storm, HEAD, &suspension.name).await.expect("lifted");
    storm.check(SCHOOL_PATH, &[]).await.expect("recorded");
    storm.reopen(SCHOOL_PATH).await.expect("reopened");
    storm.until_told(&[SCHOOL_PATH]).await;
}

async fn the_register_hears_of_it_however_long_it_is_down(mut storm: Storm) {
    storm
        .ingest(&alert(1, "Orange", "350100"))
        .await
        .expect("taken");
    storm.roster.up.store(false, Ordering::SeqCst);
    let suspension = decide(&mut storm, HEAD, SCHOOL, decided(&[Cover::Schools])).await;
    let suspension = suspension.expect("decided");
    missed(&storm, 3).await;
    let state = storm.state(SCHOOL_PATH).await;
    assert_eq!(
        (state.teaching(), state.teaching_told),
        (Teaching::Online, false)
    );
    storm.roster.up.store(true, Ordering::SeqCst);
    storm.world.clock.advance(TimeDelta::minutes(5));
    storm.until_told(&[SCHOOL_PATH]).await;
    let (heard, missed) = {
        let heard = storm.roster.heard.lock().expect("a lock").clone();
        (heard, storm.roster.missed.lock().expect("a lock").clone())
    };
    assert_eq!(heard.len(), 1);
    assert!(
        missed.iter().all(|call| *call == heard[0]),
        "each attempt is one request"
    );
    assert_eq!(heard[0].teaching_mode(), TeachingMode::Online);
    assert!(
        heard[0].reason.contains(&suspension.name),
        "{}",
        heard[0].reason
    );
}

async fn the_weather_says_nothing_of_other_grounds(mut storm: Storm) {
    // A class is away for another reason; the register keeps it away when the storm is over.
    let away = crate::city::class_roll_taught(SCHOOL_PATH, 5, &[1, 2], TeachingMode::Suspended);
    crate::city::roster(&storm.world.db, &[away], 2).await;
    storm
        .ingest(&alert(1, "Blue", "350100"))
        .await
        .expect("taken");
    there_and_back(&mut storm).await;
    let school = |mode| (SCHOOL.to_owned(), mode);
    let expected = [TeachingMode::InPerson, TeachingMode::Online].map(school);
    assert_eq!(storm.heard(), expected);
    let heard = storm.roster.heard.lock().expect("a lock");
    assert!(heard.iter().all(|call| call.ground() == Ground::Weather));
}
