//! An accident from the minute it is noticed to its review: each level, the fire brigade, the police and the
//! government of the city answer for themselves (rules 5.32 to 5.36).

use kit::auth::Caller;
use kit::field::to_timestamp;
use proto::roster::incident_policy::Level;
use proto::safety::accountability::Measure;
use proto::safety::hazard::Source;
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::incident::{Category, State};
use proto::safety::incident_clock::Duty;
use proto::safety::incident_report::Kind;
use proto::safety::incident_service_client::IncidentServiceClient;
use proto::safety::incident_step::{Medium, Receiver};
use proto::safety::{
    Accountability, AcknowledgeIncidentRequest, Casualties, ConfirmIncidentRequest,
    CreateIncidentRequest, GetHazardRequest, GetIncidentRequest, HazardCategory, Incident,
    IncidentCause, IncidentReport, ListIncidentEventsRequest, WriteIncidentReportRequest,
};
use tests::city::{Door, caller};
use tests::town::{CITY, DISTRICT};
use tonic::{Code, Status};

use super::people::{call, once, organization};
use crate::region::Region;
use crate::verbs::{denied, expect, request_id};

const REFUSED: Code = Code::FailedPrecondition;

/// Ten hurt seriously: level II, half an hour to telephone and an hour to write.
fn harm() -> Casualties {
    Casualties {
        serious_injuries: 10,
        minor_injuries: 4,
        ..Casualties::default()
    }
}

async fn get(door: Door, name: &str) -> Result<Incident, Status> {
    let request = GetIncidentRequest {
        name: name.to_owned(),
    };
    call!(IncidentServiceClient, door, get_incident, request)
}

async fn write(region: &Region, name: &str, kind: Kind) -> Result<IncidentReport, Status> {
    let report = IncidentReport {
        kind: kind.into(),
        situation: "看台护栏坠落，伤者已送医，现场可控".to_owned(),
        measures: "封闭看台，清点学生，告知家长".to_owned(),
        casualties: Some(harm()),
        cause: "焊缝开裂".to_owned(),
        lessons: "看台每月检查焊缝".to_owned(),
        contact_post: "SAFETY_DEPUTY".to_owned(),
        ..IncidentReport::default()
    };
    let request = WriteIncidentReportRequest {
        incident: name.to_owned(),
        report: Some(report),
        over_level_reason: String::new(),
        request_id: request_id(),
    };
    call!(
        IncidentServiceClient,
        region.deputy(),
        write_incident_report,
        request
    )
}

async fn receive(
    door: Door,
    name: &str,
    receiver: Receiver,
    medium: Medium,
) -> Result<Incident, Status> {
    let request: AcknowledgeIncidentRequest = once!(
        AcknowledgeIncidentRequest,
        name,
        receiver: receiver.into(),
        medium: medium.into()
    );
    call!(IncidentServiceClient, door, acknowledge_incident, request)
}

/// Noticed by the guard, told within half an hour, written within an hour, and up to the government of the
/// city with two hours for each hop.
pub(super) async fn goes_up_hop_by_hop(region: &Region) -> String {
    region.at(7, 10, 30);
    let request = CreateIncidentRequest {
        parent: organization(1),
        incident: Some(Incident {
            category: Category::Accident.into(),
            hazard_category: HazardCategory::Building.into(),
            place: "操场看台".to_owned(),
            summary: "看台一段护栏坠落".to_owned(),
            occur_time: Some(to_timestamp(region.now())),
            casualties: Some(harm()),
            ..Incident::default()
        }),
        request_id: request_id(),
    };
    let noticed = call!(
        IncidentServiceClient,
        region.guard(),
        create_incident,
        request.clone()
    );
    let again = call!(
        IncidentServiceClient,
        region.guard(),
        create_incident,
        request
    );
    let (noticed, again) = (noticed.expect("is noted"), again.expect("is noted once"));
    assert_eq!(noticed.name, again.name);
    assert_eq!(
        (noticed.state(), noticed.level()),
        (State::Detected, Level::Ii)
    );
    let name = &*noticed.name;
    denied("next door", get(region.sibling(), name).await);

    region.at(7, 10, 50);
    let (phone, written) = (Medium::Phone, Medium::Written);
    let own = receive(region.head(), name, Receiver::District, phone).await;
    denied("a school is no bureau", own);
    let told = receive(region.bureau(), name, Receiver::District, phone).await;
    told.expect("the bureau was telephoned");
    for (minute, who, receiver) in [
        (52, "fire-brigade", Receiver::Fire),
        (55, "police", Receiver::Police),
    ] {
        region.at(7, 10, minute);
        let told = receive(region.authority(who), name, receiver, phone).await;
        told.expect(who);
    }
    region.at(7, 11, 20);
    let first = write(region, name, Kind::First).await;
    assert!(!first.expect("is written").late);
    let command = region.authority("command-centre");
    let over = receive(command.clone(), name, Receiver::Government, written).await;
    expect("over the city's head", over, REFUSED, "INCIDENT_OVER_LEVEL");
    for (hour, door, receiver) in [
        (12, region.bureau(), Receiver::District),
        (13, region.officer("chief"), Receiver::City),
        (14, command, Receiver::Government),
    ] {
        region.at(7, hour, 40);
        let received = receive(door, name, receiver, written).await;
        received.expect("is received");
    }
    in_time(&get(region.head(), name).await.expect("an incident"));
    noticed.name
}

/// Every duty was done in time, and who received is named.
fn in_time(incident: &Incident) {
    let clocks = incident.clocks.iter();
    let done: Vec<(Duty, Receiver)> = clocks
        .filter(|clock| clock.done_time.is_some() && !clock.late)
        .map(|clock| (clock.duty(), clock.to_receiver()))
        .collect();
    assert_eq!(
        done,
        [
            (Duty::Phone, Receiver::Unspecified),
            (Duty::FirstReport, Receiver::Unspecified),
            (Duty::Hop, Receiver::District),
            (Duty::Hop, Receiver::City),
            (Duty::Hop, Receiver::Government),
        ],
        "{incident:?}"
    );
    let steps = incident.steps.iter();
    let actors: Vec<&str> = steps.map(|step| &*step.actor).collect();
    assert_eq!(
        actors,
        [
            "test-district-officer",
            "fire-brigade",
            "police",
            "test-district-officer",
            "chief",
            "command-centre"
        ]
    );
    assert!(!incident.overdue);
}

/// Confirmed, responded to, under control, reviewed by somebody above who had no hand in it, and closed.
pub(super) async fn ends_with_its_review(region: &Region, name: &str) {
    let confirm = || ConfirmIncidentRequest {
        name: name.to_owned(),
        reason: "经现场核实".to_owned(),
        request_id: request_id(),
        ..ConfirmIncidentRequest::default()
    };
    let own = call!(
        IncidentServiceClient,
        region.head(),
        confirm_incident,
        confirm()
    );
    denied("a school confirms nothing", own);
    call!(
        IncidentServiceClient,
        region.bureau(),
        confirm_incident,
        confirm()
    )
    .expect("is confirmed");
    let respond = once!(RespondIncidentRequest, name, measures: "组织救护".to_owned());
    call!(
        IncidentServiceClient,
        region.bureau(),
        respond_incident,
        respond
    )
    .expect("is responded to");
    write(region, name, Kind::FollowUp).await.expect("follows");
    let control = once!(ControlIncidentRequest, name, measures: "看台已拆除".to_owned());
    call!(
        IncidentServiceClient,
        region.deputy(),
        control_incident,
        control
    )
    .expect("is under control");
    write(region, name, Kind::Final).await.expect("is final");

    let review = || {
        let cause = IncidentCause {
            description: "看台焊缝无定期检查".to_owned(),
            hazard_category: HazardCategory::Building.into(),
            place: "stand-1".to_owned(),
            hazard: String::new(),
        };
        let blame = Accountability {
            post: "SAFETY_DEPUTY".to_owned(),
            measure: Measure::Reminded.into(),
            basis: "未按期组织检查".to_owned(),
            ..Accountability::default()
        };
        once!(ReviewIncidentRequest, name, causes: vec![cause], accountability: vec![blame])
    };
    let school = call!(
        IncidentServiceClient,
        region.head(),
        review_incident,
        review()
    );
    expect(
        "too grave for a school",
        school,
        REFUSED,
        "INCIDENT_REVIEW_LEVEL",
    );
    let handled = call!(
        IncidentServiceClient,
        region.bureau(),
        review_incident,
        review()
    );
    expect(
        "whoever handled it",
        handled,
        REFUSED,
        "INCIDENT_SECOND_PERSON",
    );
    let (role, scope) = (
        kit::auth::Role::DistrictOfficer,
        format!("{CITY}/{DISTRICT}"),
    );
    let inspector = region.city.door_of(Caller {
        subject: "inspector".to_owned(),
        ..caller(role, &scope)
    });
    let reviewed = call!(IncidentServiceClient, inspector, review_incident, review());
    let reviewed = reviewed.expect("is reviewed");
    let request = GetHazardRequest {
        name: reviewed.causes[0].hazard.clone(),
    };
    let cause = call!(HazardServiceClient, region.guard(), get_hazard, request);
    let cause = cause.expect("the cause is a hazard");
    assert_eq!((cause.source(), &*cause.origin), (Source::Incident, name));
    let close = once!(CloseIncidentRequest, name, reason: "已移交整改".to_owned());
    let closed = call!(
        IncidentServiceClient,
        region.bureau(),
        close_incident,
        close
    );
    assert_eq!(closed.expect("is closed").state(), State::Closed);
    what_was_done_is_kept(region, name).await;
}

async fn what_was_done_is_kept(region: &Region, name: &str) {
    let request = ListIncidentEventsRequest {
        parent: name.to_owned(),
        page_size: 1000,
        ..ListIncidentEventsRequest::default()
    };
    let events = call!(
        IncidentServiceClient,
        region.officer("chief"),
        list_incident_events,
        request
    );
    let events = events.expect("its history").incident_events;
    let unbroken = events.windows(2).all(|pair| {
        pair[0].to_state == pair[1].from_state && pair[0].sequence + 1 == pair[1].sequence
    });
    assert!(unbroken && events.len() == 15, "{events:?}");
}
