//! The notice of the meeting: written, approved, issued, relayed with additions, signed for; and late.

use kit::auth::Role;
use proto::notification::directive::{State, Urgency};
use proto::notification::directive_recipient;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::level_progress::Level;
use proto::notification::{
    ApproveDirectiveRequest, Directive, DirectiveProgress, DraftDirectiveRequest,
    IssueDirectiveRequest, LevelProgress,
};
use tests::city::Door;
use tests::town::{CITY, DISTRICT, school, school_path};
use tonic::{Code, Status};

use super::april_evening::{NOTICE_TEXT, NOTICE_TITLE};
use super::steps::{SIGN, Step, overdue, progress, read, recipients, step, steps};
use crate::region::{FAR, OTHER_BUREAU, Region, SCHOOLS, everybody, far, municipal};
use crate::verbs::{denied, expect, request_id};

/// What the bureau adds for its schools.
const ADDITION: &str = "请各校于4月6日18时前报送参会名单";

/// Clerk and chief of the city bureau write, approve and issue the notice at 15:00.
pub(super) async fn is_issued(region: &Region) -> Directive {
    region.at(6, 15, 0);
    let request = DraftDirectiveRequest {
        parent: format!("organizations/{CITY}"),
        urgency: Urgency::Urgent.into(),
        title: NOTICE_TITLE.to_owned(),
        text: NOTICE_TEXT.to_owned(),
        audience: Some(everybody()),
        request_id: request_id(),
        ..DraftDirectiveRequest::default()
    };
    let clerk = region.officer("clerk");
    let [bureau, _] = region.bureaus();
    let guard = region.city.door(Role::Guard, CITY);
    for door in [region.acting(&bureau), region.acting(&municipal()), guard] {
        let mut client = DirectiveServiceClient::new(door);
        denied(
            "an order of the city",
            client.draft_directive(request.clone()).await,
        );
    }
    let mut client = DirectiveServiceClient::new(clerk.clone());
    let drafted = client.draft_directive(request.clone()).await;
    let drafted = drafted.expect("is drafted").into_inner();
    assert_eq!((drafted.state(), &*drafted.author), (State::Draft, "clerk"));
    let again = client.draft_directive(request).await;
    assert_eq!(again.expect("is answered again").into_inner(), drafted);

    expect(
        "one's own draft",
        approve(&clerk, &drafted.name).await,
        Code::FailedPrecondition,
        "DIRECTIVE_SELF_APPROVAL",
    );
    denied(
        "approval",
        approve(&region.acting(&bureau), &drafted.name).await,
    );
    denied(
        "a draft",
        read(&region.acting(&bureau), &drafted.name).await,
    );
    issue(region, &drafted.name).await
}

/// The chief of the city bureau approves and issues a draft.
pub(super) async fn issue(region: &Region, draft: &str) -> Directive {
    let chief = region.officer("chief");
    let approved = approve(&chief, draft).await.expect("is approved");
    assert_eq!(
        (approved.state(), &*approved.approver),
        (State::Approved, "chief")
    );
    let request = IssueDirectiveRequest {
        name: draft.to_owned(),
        request_id: request_id(),
    };
    let mut bureau = DirectiveServiceClient::new(region.acting(&region.bureaus()[0]));
    denied("issuing", bureau.issue_directive(request.clone()).await);
    let issued = DirectiveServiceClient::new(chief)
        .issue_directive(request)
        .await;
    let issued = issued.expect("is issued").into_inner();
    assert_eq!(issued.state(), State::Issued);
    issued
}

async fn approve(door: &Door, draft: &str) -> Result<Directive, Status> {
    let request = ApproveDirectiveRequest {
        name: draft.to_owned(),
        request_id: request_id(),
    };
    let mut client = DirectiveServiceClient::new(door.clone());
    Ok(client.approve_directive(request).await?.into_inner())
}

/// Bureaus relay it with additions, never with changes; all schools but one sign in time.
pub(super) async fn reaches_every_school(region: &Region, notice: &Directive) {
    let name = &*notice.name;
    let [own, other] = region.bureaus();
    assert_eq!(notice.recipient_count, 2 + region.schools().len() as i32);

    region.at(6, 15, 5);
    steps(&region.acting(&municipal()), name, &municipal().0, &SIGN).await;
    let first = (school(1), school_path(1));
    denied(
        "before the bureau relays",
        read(&region.acting(&first), name).await,
    );

    region.at(6, 15, 10);
    relay(region, notice).await;
    let hash = &notice.text_sha256;
    let theirs = region.acting(&other);
    steps(&theirs, name, OTHER_BUREAU, &SIGN).await;
    steps(&theirs, name, OTHER_BUREAU, &[Step::Relay(hash, "")]).await;

    region.at(6, 15, 20);
    for at in 1..SCHOOLS {
        let place = (school(at), school_path(at));
        let sibling = (school(at + 1), school_path(at + 1));
        let door = region.acting(&sibling);
        denied(
            "another school's",
            step(&door, name, &place.0, Step::Deliver).await,
        );
        let above = region.acting(&own);
        denied("below", step(&above, name, &place.0, Step::Deliver).await);
        steps(&region.acting(&place), name, &place.0, &SIGN).await;
    }
    steps(&region.acting(&far()), name, FAR, &SIGN).await;
    what_a_school_reads(region, notice).await;
    one_school_is_late(region, name).await;
}

/// The bureau of the town signs and relays.
async fn relay(region: &Region, notice: &Directive) {
    let name = &*notice.name;
    let [own, other] = region.bureaus();
    let door = region.acting(&own);
    steps(&door, name, DISTRICT, &SIGN).await;
    let mut changed = notice.text_sha256.to_vec();
    changed[0] ^= 1;
    expect(
        "another text",
        step(&door, name, DISTRICT, Step::Relay(&changed, ADDITION)).await,
        Code::FailedPrecondition,
        "DIRECTIVE_TEXT_CHANGED",
    );
    let relay = Step::Relay(&notice.text_sha256, ADDITION);
    let guard = region.city.door(Role::Guard, &own.1);
    for wrong in [region.acting(&other), guard, region.officer("clerk")] {
        denied(
            "a relay of others",
            step(&wrong, name, DISTRICT, relay).await,
        );
    }
    let relayed = steps(&door, name, DISTRICT, &[relay]).await;
    assert_eq!(relayed.state(), directive_recipient::State::Relayed);
}

/// The text of the city word for word, with its hash, and beside it what the bureau adds.
async fn what_a_school_reads(region: &Region, notice: &Directive) {
    let door = region.acting(&(school(1), school_path(1)));
    let seen = read(&door, &notice.name).await.expect("reads");
    assert_eq!(
        (&*seen.title, &*seen.text, &seen.text_sha256),
        (NOTICE_TITLE, NOTICE_TEXT, &notice.text_sha256)
    );
    let listed = recipients(&door, &notice.name).await.expect("its own");
    let [mine] = &listed[..] else {
        panic!("a school sees itself alone: {listed:?}");
    };
    assert_eq!(mine.text_sha256, notice.text_sha256);
    assert_eq!(mine.upper_notes, [ADDITION]);
}

fn level(progress: &DirectiveProgress, level: Level) -> LevelProgress {
    let found = progress.levels.iter().find(|one| one.level() == level);
    *found.expect("the level")
}

/// Two hours after the relay the last school has not signed: every one above it sees so, until it does.
async fn one_school_is_late(region: &Region, name: &str) {
    let late = (school(SCHOOLS), school_path(SCHOOLS));
    let [own, other] = region.bureaus();
    let (city, bureau) = (region.officer("chief"), region.acting(&own));
    region.at(6, 17, 10);
    assert_eq!(overdue(&city, CITY).await.expect("listed"), [""; 0]);
    region.at(6, 17, 11);
    for (door, at) in [(&city, CITY), (&bureau, DISTRICT)] {
        let listed = overdue(door, at).await;
        assert_eq!(listed.expect("listed"), [&*late.0]);
    }
    let elsewhere = region.acting(&other);
    denied("another bureau's", overdue(&elsewhere, DISTRICT).await);
    let listed = overdue(&elsewhere, OTHER_BUREAU).await;
    assert_eq!(listed.expect("listed"), [""; 0]);
    denied("progress", progress(&bureau, name).await);
    let before = progress(&city, name).await.expect("progress");
    let schools = level(&before, Level::School);
    assert_eq!((schools.overdue_count, schools.late_count), (1, 0));
    assert_eq!((schools.first_minutes, schools.last_minutes), (5, -1));

    region.at(6, 17, 30);
    steps(&region.acting(&late), name, &late.0, &SIGN).await;
    assert_eq!(overdue(&city, CITY).await.expect("listed"), [""; 0]);
    let after = progress(&city, name).await.expect("progress");
    let schools = level(&after, Level::School);
    assert_eq!((schools.overdue_count, schools.late_count), (0, 1));
    assert_eq!(schools.last_minutes, 150);
}
