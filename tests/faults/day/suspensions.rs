//! A class group of which two pupils have hand, foot and mouth disease: the bureau suspends its teaching, and amends that
//! each evening: others stay away or are back, or it lasts a day longer. The register hears of each.

use std::time::Duration;

use chrono::Days;
use kit::auth::Role;
use kit::field::{from_date, to_date};
use proto::roster::check_policy::Slot;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::{Disease, Symptom};
use proto::sampling::decide_suspension_request::Decision;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::suspension_service_client::SuspensionServiceClient;
use proto::sampling::{
    AmendSuspensionRequest, CheckFinding, CheckSubmission, DecideSuspensionRequest,
    ListSuspensionsRequest, Suspension, suspension,
};
use tests::checks::{finding, submit, zero};
use tests::city::{City, Door};
use tests::town::{CITY, DISTRICT, school_path};
use tests::until;

use super::{Office, organization};
use crate::campaign::Campaign;
use crate::judge::same;
use crate::reads;

const DECIDE: &str = "campus.sampling.v1.SuspensionService/DecideSuspension";
const AMEND: &str = "campus.sampling.v1.SuspensionService/AmendSuspension";

/// The school where somebody else is called instead of whom a draw called: all of it is taught.
const CALLED: u32 = 1;
/// The class group with ill pupils, and the one that stays away on some days. Nobody else needs them.
const ILL: u32 = 4;
const BESIDE: u32 = 3;
/// For how many days teaching is suspended at first, and how often that is amended at most: every second time by a day
/// more, and thirty days are the most.
const FIRST: i32 = 10;
const AMENDMENTS: usize = 38;
/// When the register has heard at the latest: a call that was cut off is made again after half a minute, and one that
/// failed later each time.
const HEARD: Duration = Duration::from_secs(240);
/// How long whoever waits for that does so before asking again.
const PAUSE: Duration = Duration::from_millis(100);

/// The bureau of the school, before the service.
fn bureau(office: &Office<'_>) -> SuspensionServiceClient<Door> {
    let place = format!("{CITY}/{DISTRICT}");
    SuspensionServiceClient::new(office.city.door(Role::DistrictOfficer, &place))
}

/// The bureau decides, and on other evenings amends what it decided.
pub(super) async fn is_decided(office: &mut Office<'_>) {
    if office.at == CALLED {
        return;
    }
    let known = office.days.suspensions.pop();
    let stands = match known {
        None => decided(office).await,
        Some(known) if known.amendments.len() < AMENDMENTS => amended(office, known).await,
        Some(known) => known,
    };
    office.days.suspensions.push(stands);
}

async fn decided(office: &mut Office<'_>) -> Suspension {
    let name = proposed(office).await;
    let bureau = bureau(office);
    let decided = office.act(DECIDE, |request_id| {
        let (mut client, name) = (bureau.clone(), name.clone());
        let request = DecideSuspensionRequest {
            name,
            decision: Decision::Approve.into(),
            decided_by: "王主任".to_owned(),
            reason: "手足口病聚集".to_owned(),
            advice: "县疾控建议停课".to_owned(),
            suspend_days: FIRST,
            request_id,
            ..DecideSuspensionRequest::default()
        };
        async move { Ok(client.decide_suspension(request).await?.into_inner()) }
    });
    decided.await
}

/// A check tells of the ill ones, so that a rule proposes to suspend the class group; gives the proposal.
async fn proposed(office: &Office<'_>) -> String {
    let Office {
        campaign, city, at, ..
    } = *office;
    let hfmd = |place| CheckFinding {
        preliminary_disease: Disease::Hfmd.into(),
        ..finding(city.student(at, ILL, place), Symptom::Rash, 0)
    };
    let check = CheckSubmission {
        findings: vec![hfmd(1), hfmd(2)],
        ..zero(&city.town, at, ILL, Slot::Morning)
    };
    let reporter = city.door(Role::EpidemicReporter, &school_path(at));
    let send = || submit(&reporter, &check);
    let submitted = campaign.insist("sampling", "a check", send).await;
    let verdict = submitted.verdict();
    assert!(
        matches!(verdict, Verdict::Stored | Verdict::Repeated),
        "{submitted:?}"
    );
    let request = ListSuspensionsRequest {
        organization: organization(at),
        state: suspension::State::Proposed.into(),
        ..ListSuspensionsRequest::default()
    };
    let bureau = bureau(office);
    until("a suspension is proposed", || async {
        let mut client = bureau.clone();
        let listed = client.list_suspensions(request.clone()).await.ok()?;
        let mut proposals = listed.into_inner().suspensions.into_iter();
        let of_class = |one: &Suspension| one.class_group == city.town.class_group(at, ILL);
        Some(proposals.find(of_class)?.name)
    })
    .await
}

/// What stands with one more amendment.
async fn amended(office: &mut Office<'_>, known: Suspension) -> Suspension {
    let (town, at) = (office.city.town, office.at);
    let mut amendment = AmendSuspensionRequest {
        name: known.name,
        amended_by: "王主任".to_owned(),
        reason: "疫情变化".to_owned(),
        ..AmendSuspensionRequest::default()
    };
    if known.amendments.len().is_multiple_of(2) {
        let mut away = vec![town.class_group(at, ILL)];
        if known.class_groups.len() == 1 {
            away.push(town.class_group(at, BESIDE));
        }
        amendment.class_groups = away;
    } else {
        let back = known.return_date.and_then(from_date);
        let later = back.expect("a day of return") + Days::new(1);
        amendment.return_date = Some(to_date(later));
    }
    let bureau = bureau(office);
    let amended = office.act(AMEND, |request_id| {
        let (mut client, base) = (bureau.clone(), amendment.clone());
        let request = AmendSuspensionRequest { request_id, ..base };
        async move { Ok(client.amend_suspension(request).await?.into_inner()) }
    });
    amended.await
}

/// What a human said of a suspension, the same from the answer on: all but how far the register has heard of it.
fn said(one: &Suspension) -> Suspension {
    Suspension {
        state: 0,
        failed_attempt_count: 0,
        apply_time: None,
        etag: String::new(),
        ..one.clone()
    }
}

/// Each decision stands with each of its amendments once, and the register teaches as they say, once it has heard.
pub(super) async fn are_kept(campaign: &Campaign, city: &City, told: &[Suspension]) {
    let listed = campaign.read("sampling", "suspensions", || reads::suspensions(city));
    let mut kept = listed.await;
    kept.retain(|one| one.decide_time.is_some());
    let kept: Vec<_> = kept.iter().map(said).collect();
    let expected = told.iter().map(said).collect();
    same("suspensions", kept, expected, |one| one.name.clone());

    let begun = hears("decisions are in force", || async {
        let listed = campaign.read("sampling", "suspensions", || reads::suspensions(city));
        let mut decided = listed.await;
        decided.retain(|one| one.decide_time.is_some());
        let mut states = decided.iter().map(Suspension::state);
        states.all(|state| state == suspension::State::InForce)
    });
    begun.await;
    let town = city.town;
    let classes = (1..=town.schools)
        .flat_map(|at| (1..=town.classes).map(move |class| town.class_group(at, class)));
    for class_group in classes {
        let mut away = told.iter().flat_map(|one| &one.class_groups);
        let expected = if away.any(|one| *one == class_group) {
            TeachingMode::Suspended
        } else {
            TeachingMode::InPerson
        };
        let what = format!("{class_group}: {expected:?}");
        let taught = hears(&what, || async {
            let read = campaign.read("roster", "a class group", || {
                reads::teaching_mode(city, &class_group)
            });
            read.await == expected
        });
        taught.await;
    }
}

/// Waits until the register has heard of something.
async fn hears<F, Fut>(what: &str, mut ask: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let hearing = async {
        while !ask().await {
            tokio::time::sleep(PAUSE).await;
        }
    };
    let heard = tokio::time::timeout(HEARD, hearing).await;
    assert!(heard.is_ok(), "the register never heard: {what}");
}
