//! Whoever the safety service names for a place is whom the register names for it (rule 5.1): over all
//! organisations, fields of hazards and places of the region.

use std::collections::HashMap;

use proto::roster::responsibility_node::Subject;
use proto::roster::responsibility_service_client::ResponsibilityServiceClient;
use proto::roster::{
    AssignResponsibilityRequest, ResolveResponsibilityRequest, ResponsibilityNode,
};
use proto::safety::accountability_record::Act;
use proto::safety::accountability_service_client::AccountabilityServiceClient;
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::{
    Hazard, HazardCategory, ListAccountabilityRecordsRequest, ReportHazardRequest,
};
use tests::city::Door;
use tests::every;
use tests::town::school;

use super::people::call;
use crate::region::Region;
use crate::verbs::request_id;

/// Which duty answers for which field of hazards.
const SUBJECTS: [(HazardCategory, Subject); 17] = [
    (HazardCategory::Fire, Subject::Fire),
    (HazardCategory::Building, Subject::Buildings),
    (HazardCategory::Food, Subject::Food),
    (HazardCategory::Laboratory, Subject::Laboratories),
    (HazardCategory::Traffic, Subject::Traffic),
    (HazardCategory::Crowd, Subject::Safety),
    (HazardCategory::SpecialEquipment, Subject::Safety),
    (HazardCategory::Utilities, Subject::Safety),
    (HazardCategory::Perimeter, Subject::Security),
    (HazardCategory::GeologyFlood, Subject::Weather),
    (HazardCategory::Drowning, Subject::Safety),
    (HazardCategory::Violence, Subject::Security),
    (HazardCategory::Network, Subject::Data),
    (HazardCategory::Psychology, Subject::Psychology),
    (HazardCategory::Training, Subject::Safety),
    (HazardCategory::OffCampusBase, Subject::Safety),
    (HazardCategory::Epidemic, Subject::EpidemicControl),
];
/// Places within an organisation: all of it, one below another, and one that nobody is named for.
const PLACES: [&str; 4] = ["", "building-1", "building-1/floor-2", "yard"];
/// Places of the first school that somebody of their own answers for.
const NAMED: [(Subject, &str, &str); 4] = [
    (Subject::Fire, "building-1", "班主任"),
    (Subject::Fire, "building-1/floor-2", "疫情报告人"),
    (Subject::Safety, "building-1", "心理教师"),
    (Subject::Food, "", "保安"),
];
/// The organisation that is founded when all services have heard of those.
const HEARD: &str = "base-03";

pub(super) async fn is_the_same_everywhere(region: &Region) {
    for named in NAMED {
        assign(region, named).await;
    }
    region.city.catch_up(HEARD).await;
    let register = region.officer("inspector");
    let mut different = Vec::new();
    let mut answering = Vec::new();
    let places = region.bureaus().into_iter().chain(region.schools());
    for (organization, _) in places {
        let hazards = report_everywhere(region, &organization).await;
        let told = told(region, &organization).await;
        for (name, category, subject, place) in hazards {
            let registered = resolve(&register, &organization, subject, place).await;
            if told.get(&name) != Some(&registered) {
                different.push((
                    organization.clone(),
                    category,
                    place,
                    told.get(&name).cloned(),
                ));
            }
            answering.push(registered);
        }
    }
    assert!(different.is_empty(), "{different:#?}");
    answering.sort_unstable();
    answering.dedup();
    assert!(
        answering.len() >= 15,
        "a chain in which nearly everybody answers for everything shows little: {answering:?}"
    );
}

async fn assign(region: &Region, (subject, place, post): (Subject, &str, &str)) {
    let request = AssignResponsibilityRequest {
        parent: format!("organizations/{}", school(1)),
        responsibility_node: Some(ResponsibilityNode {
            subject: subject.into(),
            place: place.to_owned(),
            staff_member: region.staff(&school(1), post).to_owned(),
            ..ResponsibilityNode::default()
        }),
        request_id: request_id(),
    };
    let named = call!(
        ResponsibilityServiceClient,
        region.officer("clerk"),
        assign_responsibility,
        request
    );
    named.expect("somebody answers");
}

/// A hazard of each field at each place of an organisation: names, with what is asked of the register.
async fn report_everywhere(
    region: &Region,
    organization: &str,
) -> Vec<(String, HazardCategory, Subject, &'static str)> {
    let mut client = HazardServiceClient::new(region.officer("inspector"));
    let mut reported = Vec::new();
    for (category, subject) in SUBJECTS {
        for place in PLACES {
            let request = ReportHazardRequest {
                parent: format!("organizations/{organization}"),
                hazard: Some(Hazard {
                    category: category.into(),
                    place: place.to_owned(),
                    description: "巡查发现".to_owned(),
                    ..Hazard::default()
                }),
                request_id: request_id(),
            };
            let hazard = client.report_hazard(request).await;
            let name = hazard.expect("is reported").into_inner().name;
            reported.push((name, category, subject, place));
        }
    }
    reported
}

/// Whom the safety service told of each hazard that was found at an organisation.
async fn told(region: &Region, organization: &str) -> HashMap<String, String> {
    let client = AccountabilityServiceClient::new(region.officer("inspector"));
    let parent = format!("organizations/{organization}");
    let records = every(|page_token| {
        let request = ListAccountabilityRecordsRequest {
            parent: parent.clone(),
            page_token,
            ..ListAccountabilityRecordsRequest::default()
        };
        let mut client = client.clone();
        async move {
            let page = client.list_accountability_records(request).await?;
            let page = page.into_inner();
            Ok((page.accountability_records, page.next_page_token))
        }
    });
    let records = records.await.expect("records").into_iter();
    let own = records.filter(|one| one.act() == Act::Found);
    own.map(|one| (one.hazard, one.staff_member)).collect()
}

/// Whom the register names.
async fn resolve(door: &Door, organization: &str, subject: Subject, place: &str) -> String {
    let request = ResolveResponsibilityRequest {
        organization: format!("organizations/{organization}"),
        subject: subject.into(),
        place: place.to_owned(),
        time: None,
    };
    let found = call!(
        ResponsibilityServiceClient,
        door.clone(),
        resolve_responsibility,
        request
    );
    let node = found.expect("somebody answers").responsibility_node;
    node.expect("a node").staff_member
}
