//! What the service tells operators of the duties of a day rises when nobody meets them, and falls when somebody
//! does.

#[path = "tube_api/site.rs"]
mod site;
#[expect(
    unused_imports,
    unused_macros,
    reason = "the databases follow one another here"
)]
mod town;

use kit::auth::Role;
use kit::db::Database;
use kit::lease::Held;
use kit::scratch::Scratch;
use kit::telemetry::{Looker, TelemetryConfig, Told};
use proto::roster::check_policy::Slot;
use proto::sampling::sampling_plan::Kind;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::{
    CheckSubmission, HandOverTubeRequest, PoolType, ReceiveTubeRequest, ResultValue,
    SealTubeRequest, SingleReason, StartTestingRequest, SubmitCheckRequest,
};

use site::Site;
use town::{CITY, Roster, SCHOOL, Town, class, school_path};

const CLASSES: [&str; 2] = ["p2019-01", "p2019-02"];
const COURIER: &str = "courier-7";
/// Sealed and left, handed over and not received, and at the bench without a result.
const TUBES: [&str; 3] = ["FZ-0001", "FZ-0002", "FZ-0003"];

async fn open(database: Scratch, telemetry: TelemetryConfig) -> Site {
    let roster = Roster::town();
    roster.class(class(SCHOOL, CLASSES[0], 0, 45));
    roster.class(class(SCHOOL, CLASSES[1], 100, 45));
    Site(Town::telling(database, roster, telemetry).await)
}

async fn seal(site: &Site, code: &str) {
    let name = format!("tubes/{code}");
    let request = SealTubeRequest {
        name,
        ..Default::default()
    };
    site.sampler().seal_tube(request).await.expect("sealed");
}

async fn hand_over(site: &Site, code: &str) {
    let request = HandOverTubeRequest {
        name: format!("tubes/{code}"),
        courier: COURIER.to_owned(),
        ..Default::default()
    };
    let handed = site.sampler().hand_over_tube(request).await;
    handed.expect("handed over");
}

/// Receives a tube, tests it and reports.
async fn test(site: &Site, code: &str) {
    let name = format!("tubes/{code}");
    let request = ReceiveTubeRequest {
        name: name.clone(),
        courier: COURIER.to_owned(),
        receiver: "desk-2".to_owned(),
        ..Default::default()
    };
    let received = site.laboratory().receive_tube(request).await;
    received.expect("received");
    let request = StartTestingRequest {
        name,
        ..Default::default()
    };
    let testing = site.laboratory().start_testing(request).await;
    testing.expect("testing");
    assert!(site.report(code, 1, ResultValue::Negative).await.0);
}

async fn submit(site: &Site, group: &str) {
    let doctor = site
        .0
        .authorised(&[Role::SchoolDoctor], &school_path(SCHOOL));
    let check = CheckSubmission {
        scope: format!("organizations/{SCHOOL}/classGroups/{group}"),
        check_date: Some(site.0.date()),
        slot: Slot::Morning.into(),
        roll_count: 45,
        present_count: 45,
        client_id: uuid::Uuid::new_v4().to_string(),
        ..CheckSubmission::default()
    };
    let request = SubmitCheckRequest { check: Some(check) };
    let submitted = ScreeningServiceClient::new(doctor)
        .submit_check(request)
        .await;
    submitted.expect("submitted");
}

async fn a_day_that_nobody_minds_until_somebody_does(
    database: Scratch,
    telemetry: TelemetryConfig,
) {
    const OVERDUE: &str = "campus_sampling_overdue";
    const MISSING: &str = "campus_sampling_checks_missing";
    const DEADLINES: &str = "campus_sampling_deadlines_due";
    const AGE: &str = "campus_sampling_deadlines_age_seconds";
    const MORNING: &str = "slot=\"morning\"";
    let mut site = open(database, telemetry).await;
    let look = Looker::at(site.0.page());
    let db = Database::connect(&site.0.database).await.expect("opens");
    site.0.plan("students", Kind::StudentRotation).await;
    site.issue(PoolType::P10, &TUBES).await;
    for (number, code) in (0..).zip(TUBES) {
        site.open_tube(code, "").await;
        let added = site.add(code, number, SingleReason::Unspecified).await;
        added.expect("added");
    }
    seal(&site, TUBES[0]).await;
    seal(&site, TUBES[1]).await;
    hand_over(&site, TUBES[1]).await;
    site.bring(TUBES[2], chrono::Duration::zero()).await;
    let nothing = [
        (OVERDUE, "what=\"draws\"", 0.0),
        (OVERDUE, "what=\"tubes_not_handed_over\"", 0.0),
        (OVERDUE, "what=\"tubes_not_received\"", 0.0),
        (OVERDUE, "what=\"tubes_without_result\"", 0.0),
        (MISSING, MORNING, 0.0),
        (DEADLINES, "service", 0.0),
        (AGE, "service", 0.0),
    ];
    look.all(&nothing).await;

    // Tuesday at noon: nobody is drawn, no tube has moved, and nobody acts on what was due.
    // Nobody acts when deadlines pass.
    let lease = Held::take(&db, "deadlines").await;
    site.0.clock.advance(chrono::Duration::hours(28));
    let late = [
        (OVERDUE, "what=\"draws\"", 1.0),
        (OVERDUE, "what=\"tubes_not_handed_over\"", 1.0),
        (OVERDUE, "what=\"tubes_not_received\"", 1.0),
        (OVERDUE, "what=\"tubes_without_result\"", 3.0),
    ];
    look.all(&late).await;
    // The morning of Tuesday was due at half past eight, and that of Monday a day before.
    look.until(AGE, "service", |age| age >= 3.5 * 3600.0).await;

    lease.release();
    look.all(&[
        (AGE, "service", 0.0),
        (DEADLINES, "service", 0.0),
        (MISSING, MORNING, 2.0),
    ])
    .await;
    site.0.draw("students", CITY).await;
    hand_over(&site, TUBES[0]).await;
    test(&site, TUBES[0]).await;
    test(&site, TUBES[1]).await;
    assert!(site.report(TUBES[2], 1, ResultValue::Negative).await.0);
    for group in CLASSES {
        submit(&site, group).await;
    }
    look.all(&nothing).await;
    db.close().await;
    site.0.stop().await;
}

/// One test, since telemetry starts once a process.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_does_in_time_is_told_until_somebody_has_done_it() {
    let told = Told::start("sampling");
    told.on_both(async |database| {
        a_day_that_nobody_minds_until_somebody_does(database, told.config.clone()).await;
    })
    .await;
}
