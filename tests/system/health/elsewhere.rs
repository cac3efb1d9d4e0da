//! T24: who works elsewhere learns nothing of the day, not even by id, and is answered alike whether
//! something is there.

use kit::auth::Role;
use kit::field::to_date;
use proto::roster::check_policy::Slot;
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::case_service_client::CaseServiceClient;
use proto::sampling::cluster_service_client::ClusterServiceClient;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::health_service_client::HealthServiceClient;
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::suspension_service_client::SuspensionServiceClient;
use proto::sampling::{
    ExportCaseRequest, ExportFormat, GetAbsenceRequest, GetCaseRequest, GetCheckRequest,
    GetClusterRequest, GetHealthCoverageRequest, GetHealthStateRequest, GetSuspensionRequest,
    ListAbsencesRequest, ListCasesRequest, ListClustersRequest, ListMissingRequest,
    ListSuspensionsRequest,
};
use tests::city::{City, Door};
use tests::town::{CITY, school, school_path};
use uuid::Uuid;

use super::{FEVERISH, HERE};
use crate::verbs::denied;

/// The resource names of what happened.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) cluster: String,
    pub(super) absence: String,
    pub(super) suspension: String,
    pub(super) case: String,
}

/// Neither another district nor another school is told anything.
pub(super) async fn sees_nothing(city: &City, seen: &Seen) {
    let nothing = |kind: &str| format!("{kind}/{}", Uuid::new_v4());
    let unseen = Seen {
        cluster: nothing("clusters"),
        absence: nothing("absences"),
        suspension: nothing("suspensions"),
        case: nothing("cases"),
    };
    let district = city.door(Role::DistrictOfficer, &format!("{CITY}/350181"));
    let school = city.door(Role::SchoolDoctor, &school_path(HERE + 1));
    for door in [district.clone(), school.clone()] {
        for one in [seen, &unseen] {
            by_id(&door, one).await;
        }
        lists(city, &door).await;
    }
    let nobody = format!("students/{}", Uuid::new_v4());
    for door in [district.clone(), school] {
        for person in [city.student(HERE, FEVERISH, 2), &nobody] {
            let request = GetHealthStateRequest {
                name: format!("{person}/health"),
            };
            let mut client = HealthServiceClient::new(door.clone());
            denied("a pupil", client.get_health_state(request).await);
        }
    }
    for case in [&seen.case, &unseen.case] {
        let request = ExportCaseRequest {
            name: case.clone(),
            format: ExportFormat::Csv.into(),
            purpose: "核查".to_owned(),
        };
        let mut client = CaseServiceClient::new(district.clone());
        denied("a document", client.export_case(request).await);
    }
}

async fn by_id(door: &Door, seen: &Seen) {
    let request = GetClusterRequest {
        name: seen.cluster.clone(),
    };
    let mut clusters = ClusterServiceClient::new(door.clone());
    denied("a cluster", clusters.get_cluster(request).await);
    let request = GetAbsenceRequest {
        name: seen.absence.clone(),
    };
    let mut absences = AbsenceServiceClient::new(door.clone());
    denied("an absence", absences.get_absence(request).await);
    let request = GetSuspensionRequest {
        name: seen.suspension.clone(),
    };
    let mut suspensions = SuspensionServiceClient::new(door.clone());
    denied("a suspension", suspensions.get_suspension(request).await);
    let request = GetCaseRequest {
        name: seen.case.clone(),
    };
    let mut cases = CaseServiceClient::new(door.clone());
    denied("a case", cases.get_case(request).await);
}

async fn lists(city: &City, door: &Door) {
    let organization = format!("organizations/{}", school(HERE));
    let request = ListClustersRequest {
        organization: organization.clone(),
        ..ListClustersRequest::default()
    };
    let mut clusters = ClusterServiceClient::new(door.clone());
    denied("clusters", clusters.list_clusters(request).await);
    let request = ListSuspensionsRequest {
        organization: organization.clone(),
        ..ListSuspensionsRequest::default()
    };
    let mut suspensions = SuspensionServiceClient::new(door.clone());
    denied("suspensions", suspensions.list_suspensions(request).await);
    let request = ListCasesRequest {
        organization: organization.clone(),
        ..ListCasesRequest::default()
    };
    let mut cases = CaseServiceClient::new(door.clone());
    denied("cases", cases.list_cases(request).await);
    let request = ListAbsencesRequest {
        scope: organization.clone(),
        ..ListAbsencesRequest::default()
    };
    let mut absences = AbsenceServiceClient::new(door.clone());
    denied("absences", absences.list_absences(request).await);
    let request = GetHealthCoverageRequest {
        scope: organization.clone(),
        check_date: Some(to_date(city.town.today)),
    };
    let mut coverage = CoverageServiceClient::new(door.clone());
    denied("figures", coverage.get_health_coverage(request).await);

    let mut screening = ScreeningServiceClient::new(door.clone());
    let request = ListMissingRequest {
        scope: organization,
        slot: Slot::Noon.into(),
        ..ListMissingRequest::default()
    };
    denied("who is missing", screening.list_missing(request).await);
    for class in [FEVERISH, 77] {
        let group = city.town.class_group(HERE, class);
        let day = city.town.today.format("%Y%m%d");
        let request = GetCheckRequest {
            name: format!("{group}/checks/{day}-morning"),
        };
        denied("a check", screening.get_check(request).await);
    }
}
