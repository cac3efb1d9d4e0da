//! Whose receipt counts at which level, by where disease control works (rules 1.16, 1.17, 5.35).

use kit::auth::Role;
use proto::roster::Disease;
use proto::roster::report_policy::Level;
use proto::sampling::case_report::Kind;
use proto::sampling::report_service_client::ReportServiceClient;
use proto::sampling::{AcknowledgeReportRequest, ReportStep, report_step};
use tonic::Status;

use super::cases::{get, of_person, open};
use super::clinic::denied;
use super::reports::write;
use super::site::Site;
use super::town::{CITY, DISTRICT, on_both_databases, reason};

on_both_databases!(disease_control_receives_for_its_own_county_and_the_city_for_any);

async fn receive(site: &Site, scope: &str, case: &str, level: Level) -> Result<ReportStep, Status> {
    let door = site.0.authorised(&[Role::DiseaseControl], scope);
    let request = AcknowledgeReportRequest {
        case: case.to_owned(),
        level: level.into(),
        request_id: uuid::Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let mut client = ReportServiceClient::new(door);
    Ok(client.acknowledge_report(request).await?.into_inner())
}

async fn disease_control_receives_for_its_own_county_and_the_city_for_any(
    database: kit::scratch::Scratch,
) {
    let site = Site::open(database).await;
    let case = open(&site, of_person(1, Disease::Covid19)).await.name;
    write(&site, &case, Kind::First).await.expect("first");
    let own = format!("{CITY}/{DISTRICT}");
    let other = format!("{CITY}/350103");
    for (scope, level) in [
        (&other, Level::CountyHealth),
        (&other, Level::City),
        (&own, Level::City),
    ] {
        let refused = receive(&site, scope, &case, level).await;
        assert_eq!(reason(&refused.expect_err("not theirs")), denied());
    }
    assert!(get(&site, &case).await.hops[0].receive_time.is_none());
    let step = receive(&site, CITY, &case, Level::CountyHealth).await;
    let step = step.expect("in the county's place");
    assert_eq!(
        (step.kind(), step.level()),
        (report_step::Kind::Received, Level::CountyHealth)
    );
    let known = get(&site, &case).await;
    let received: Vec<bool> = known
        .hops
        .iter()
        .map(|hop| hop.receive_time.is_some())
        .collect();
    assert_eq!(
        received,
        [true, false, false, false, false],
        "it is the county's receipt, and nobody else's"
    );
    let step = receive(&site, CITY, &case, Level::City).await;
    step.expect("its own receipt");
    let known = get(&site, &case).await;
    assert!(known.hops[2].receive_time.is_some() && !known.late);
}
