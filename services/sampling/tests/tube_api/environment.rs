//! Objects and environment go through the same tube (rule 2.23).

use kit::auth::Role;
use proto::sampling::environment_service_client::EnvironmentServiceClient;
use proto::sampling::sampling_point::{Kind, State};
use proto::sampling::{
    AddSwabRequest, CreateSamplingPointRequest, GetSamplingPointRequest, ListSamplingPointsRequest,
    ListSwabsRequest, OpenTubeRequest, PoolType, RecordDisinfectionRequest, ResultValue,
    RetireSamplingPointRequest, SamplingPoint, SingleReason, SubjectType, add_swab_response, tube,
};
use tonic::Code;

use super::site::{Site, refused};
use super::town::{Authorised, CITY, SCHOOL, on_both_databases, reason};

on_both_databases!(
    a_positive_point_is_sealed_until_a_negative_after_disinfection,
    points_are_due_after_as_many_days_as_the_policy_says,
    wrong_points_are_refused,
);

fn keeper(site: &Site) -> EnvironmentServiceClient<Authorised> {
    EnvironmentServiceClient::new(site.as_role(Role::SchoolDoctor, None))
}

fn canteen() -> SamplingPoint {
    SamplingPoint {
        display_name: "食堂案板".to_owned(),
        organization: format!("organizations/{SCHOOL}"),
        kind: Kind::Canteen.into(),
        subject_type: SubjectType::Environment.into(),
        ..Default::default()
    }
}

async fn create(site: &Site) -> SamplingPoint {
    let request = CreateSamplingPointRequest {
        sampling_point: Some(canteen()),
        request_id: "1c7a9f2e-8d57-4f2a-9d3b-1f2e3d4c5b6a".to_owned(),
    };
    let first = keeper(site).create_sampling_point(request.clone()).await;
    let again = keeper(site).create_sampling_point(request).await;
    let (first, again) = (first.expect("created"), again.expect("the same"));
    assert_eq!(first.get_ref(), again.get_ref());
    first.into_inner()
}

async fn get(site: &Site, name: &str) -> SamplingPoint {
    let request = GetSamplingPointRequest {
        name: name.to_owned(),
    };
    let point = keeper(site).get_sampling_point(request).await;
    point.expect("a point").into_inner()
}

/// A sample of the point in a tube at the bench.
async fn sample(site: &Site, code: &str, point: &str) {
    site.issue(PoolType::P10, &[code]).await;
    let open = OpenTubeRequest {
        name: format!("tubes/{code}"),
        point: point.to_owned(),
        ..Default::default()
    };
    let opened = site
        .sampler()
        .open_tube(open)
        .await
        .expect("open")
        .into_inner();
    assert_eq!(
        (opened.subject_type(), opened.point.as_str()),
        (SubjectType::Environment, point)
    );
    let swab = AddSwabRequest {
        tube: format!("tubes/{code}"),
        ..Default::default()
    };
    use add_swab_response::Outcome;
    for outcome in [Outcome::Added, Outcome::Repeated] {
        let added = site.sampler().add_swab(swab.clone()).await.expect("added");
        assert_eq!(
            (added.get_ref().outcome(), added.get_ref().swab_count),
            (outcome, 1)
        );
    }
    let pupil = site.add(code, 1, SingleReason::Unspecified).await;
    assert_eq!(
        pupil.expect_err("no place for people").code(),
        Code::InvalidArgument
    );
    site.bring(code, chrono::Duration::minutes(5)).await;
    let list = ListSwabsRequest {
        tube: format!("tubes/{code}"),
        ..Default::default()
    };
    let swabs = site.sampler().list_swabs(list).await.expect("swabs");
    let people: Vec<_> = swabs.into_inner().swabs;
    let people: Vec<_> = people.iter().map(|swab| swab.person.as_str()).collect();
    assert_eq!(people, [""]);
}

async fn a_positive_point_is_sealed_until_a_negative_after_disinfection(
    database: kit::scratch::Scratch,
) {
    let site = Site::open(database).await;
    let point = create(&site).await;
    assert_eq!(point.state(), State::Open);
    sample(&site, "EN-0001", &point.name).await;
    assert!(site.report("EN-0001", 1, ResultValue::Positive).await.0);
    assert_eq!(site.tube("EN-0001").await.state(), tube::State::Positive);
    assert_eq!(site.not_clear().await, 0, "nobody is held for a board");
    assert_eq!(get(&site, &point.name).await.state(), State::Sealed);
    let retire = RetireSamplingPointRequest {
        name: point.name.clone(),
        ..Default::default()
    };
    let sealed = keeper(&site).retire_sampling_point(retire.clone()).await;
    assert_eq!(reason(&sealed.expect_err("sealed")), refused("POINT_STATE"));
    let disinfect = RecordDisinfectionRequest {
        name: point.name.clone(),
        ..Default::default()
    };
    let done = keeper(&site).record_disinfection(disinfect.clone()).await;
    assert_eq!(
        done.expect("disinfected").into_inner().state(),
        State::Disinfected
    );
    let twice = keeper(&site).record_disinfection(disinfect).await;
    assert_eq!(reason(&twice.expect_err("done")), refused("POINT_STATE"));
    site.0.clock.advance(chrono::Duration::minutes(30));
    sample(&site, "EN-0002", &point.name).await;
    assert_eq!(get(&site, &point.name).await.state(), State::Disinfected);
    assert!(site.report("EN-0002", 1, ResultValue::Negative).await.0);
    assert_eq!(get(&site, &point.name).await.state(), State::Open);
    // A correction of the first result changes nothing; one of the retest seals again.
    assert!(site.report("EN-0001", 2, ResultValue::Suspect).await.0);
    assert_eq!(get(&site, &point.name).await.state(), State::Open);
    assert!(site.report("EN-0002", 2, ResultValue::Positive).await.0);
    assert_eq!(get(&site, &point.name).await.state(), State::Sealed);
    assert!(site.report("EN-0002", 3, ResultValue::Negative).await.0);
    let retired = keeper(&site).retire_sampling_point(retire).await;
    assert_eq!(
        retired.expect("retired").into_inner().state(),
        State::Retired
    );
}

async fn points_are_due_after_as_many_days_as_the_policy_says(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let point = create(&site).await;
    let due = async || {
        let request = ListSamplingPointsRequest {
            organization: format!("organizations/{CITY}"),
            due: true,
            ..Default::default()
        };
        let points = keeper(&site).list_sampling_points(request).await;
        points.expect("points").into_inner().sampling_points.len()
    };
    assert_eq!(due().await, 1, "a new point is due at once");
    sample(&site, "EN-0001", &point.name).await;
    assert_eq!(due().await, 0);
    let sampled = get(&site, &point.name).await;
    let week = site.0.today() + chrono::Days::new(7);
    assert_eq!(sampled.last_sample_date, Some(site.0.date()));
    assert_eq!(sampled.due_date, Some(kit::field::to_date(week)));
    assert!(site.report("EN-0001", 1, ResultValue::Invalid).await.0);
    assert_eq!(due().await, 1, "an invalid sample is none");
    assert_eq!(site.make_ups().await, []);
    sample(&site, "EN-0002", &point.name).await;
    site.0.clock.advance(chrono::Duration::days(7));
    assert_eq!(due().await, 1);
}

async fn wrong_points_are_refused(database: kit::scratch::Scratch) {
    let site = Site::open(database).await;
    let create = async |point: SamplingPoint| {
        let request = CreateSamplingPointRequest {
            sampling_point: Some(point),
            ..Default::default()
        };
        let refused = keeper(&site).create_sampling_point(request).await;
        refused.expect_err("refused").code()
    };
    let of_people = SamplingPoint {
        subject_type: SubjectType::Person.into(),
        ..canteen()
    };
    assert_eq!(create(of_people).await, Code::InvalidArgument);
    let nowhere = SamplingPoint {
        organization: "organizations/9999999999".to_owned(),
        ..canteen()
    };
    assert_eq!(create(nowhere).await, Code::NotFound);
    let mut laboratory =
        EnvironmentServiceClient::new(site.as_role(Role::Laboratory, Some("lab-1")));
    let request = CreateSamplingPointRequest {
        sampling_point: Some(canteen()),
        ..Default::default()
    };
    let denied = laboratory.create_sampling_point(request).await;
    assert_eq!(denied.expect_err("denied").code(), Code::PermissionDenied);
}
