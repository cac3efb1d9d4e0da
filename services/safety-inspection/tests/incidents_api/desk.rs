//! Who does what about an incident, as tests say it.

use chrono::TimeDelta;
use kit::auth::{Caller, Department, Role};
use prost_types::Timestamp;
use proto::roster::incident_policy::Level;
use proto::safety as pb;
use proto::safety::incident_report::Kind;
use proto::safety::incident_service_client::IncidentServiceClient;
use proto::safety::incident_step::{Medium, Receiver};
use tonic::Status;
use tonic::transport::Channel;
use uuid::Uuid;

use crate::city::tree::{BUREAU_PATH, CITY_PATH, tree};
use crate::city::world::{World, told};
use crate::city::{SCHOOL, SCHOOL_PATH, roster};

/// An account, its role and its scope.
pub(crate) type Who = (&'static str, Role, &'static str);

pub(crate) const GUARD: Who = ("guard-1", Role::Guard, SCHOOL_PATH);
pub(crate) const OFFICER: Who = ("safety-1", Role::SafetyOfficer, SCHOOL_PATH);
pub(crate) const HEAD: Who = ("head-1", Role::Principal, SCHOOL_PATH);
pub(crate) const DISTRICT: Who = ("district-1", Role::DistrictOfficer, BUREAU_PATH);
pub(crate) const REVIEWER: Who = ("district-2", Role::DistrictOfficer, BUREAU_PATH);
pub(crate) const CITY: Who = ("city-1", Role::CityOfficer, CITY_PATH);
pub(crate) const COMMAND: Who = ("command-centre", Role::PartnerSystem, CITY_PATH);

pub(crate) const POLICE: Who = ("police-110", Role::PartnerSystem, CITY_PATH);
pub(crate) const FIRE: Who = ("fire-119", Role::PartnerSystem, CITY_PATH);
/// Another system, of no department.
pub(crate) const VENDOR: Who = ("vendor-1", Role::PartnerSystem, CITY_PATH);

/// The caller, with the department that it speaks for.
pub(crate) fn caller((subject, role, scope): Who) -> Caller {
    let department = match subject {
        "command-centre" => Some(Department::Government),
        "police-110" => Some(Department::Police),
        "fire-119" => Some(Department::Fire),
        _ => None,
    };
    Caller {
        department,
        ..Caller::new(subject, vec![role], scope.parse().expect("a scope"))
    }
}

/// A city with a client of its incidents.
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) client: IncidentServiceClient<Channel>,
}

/// A call of `$who`.
macro_rules! call {
    ($desk:expr, $method:ident, $who:expr, $request:expr) => {{
        let request = $desk.world.of($crate::desk::caller($who), $request);
        let answer = $desk.client.clone().$method(request).await;
        answer.map(tonic::Response::into_inner)
    }};
}
pub(crate) use call;

pub(crate) fn id() -> String {
    Uuid::new_v4().to_string()
}

/// What a refusal is: its reason, and its sentence.
pub(crate) fn why<T: std::fmt::Debug>(answer: Result<T, Status>) -> (String, String) {
    let (_, reason, zh) = told(&answer.expect_err("refused"));
    (reason, zh)
}

pub(crate) fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    why(answer).0
}

pub(crate) fn deaths(deaths: i32) -> pb::Casualties {
    pb::Casualties {
        deaths,
        ..Default::default()
    }
}

pub(crate) fn report(incident: &str, kind: Kind) -> pb::WriteIncidentReportRequest {
    pb::WriteIncidentReportRequest {
        incident: incident.to_owned(),
        report: Some(pb::IncidentReport {
            kind: kind.into(),
            situation: "已疏散，现场可控".to_owned(),
            measures: "封闭看台，组织救护".to_owned(),
            cause: "焊缝开裂".to_owned(),
            lessons: "看台每月检查焊缝".to_owned(),
            contact_post: "SAFETY_DEPUTY".to_owned(),
            ..Default::default()
        }),
        request_id: id(),
        ..Default::default()
    }
}

pub(crate) fn with_casualties(
    mut request: pb::WriteIncidentReportRequest,
    casualties: pb::Casualties,
) -> pb::WriteIncidentReportRequest {
    if let Some(report) = &mut request.report {
        report.casualties = Some(casualties);
    }
    request
}

pub(crate) fn receipt(
    name: &str,
    receiver: Receiver,
    medium: Medium,
) -> pb::AcknowledgeIncidentRequest {
    pb::AcknowledgeIncidentRequest {
        name: name.to_owned(),
        receiver: receiver.into(),
        medium: medium.into(),
        request_id: id(),
    }
}

pub(crate) fn review(name: &str) -> pb::ReviewIncidentRequest {
    pb::ReviewIncidentRequest {
        name: name.to_owned(),
        causes: vec![pb::IncidentCause {
            description: "看台焊缝无定期检查".to_owned(),
            hazard_category: pb::HazardCategory::Building.into(),
            place: "stand-1".to_owned(),
            hazard: String::new(),
        }],
        accountability: vec![pb::Accountability {
            post: "SAFETY_DEPUTY".to_owned(),
            staff_member: crate::city::staff(32),
            measure: pb::accountability::Measure::Reminded.into(),
            basis: "未按期组织检查".to_owned(),
        }],
        request_id: id(),
    }
}

/// Something with a name, words and a request id.
macro_rules! said {
    ($message:ident, $name:expr, $field:ident) => {
        proto::safety::$message {
            name: $name.to_owned(),
            $field: "经现场核实".to_owned(),
            request_id: $crate::desk::id(),
            ..Default::default()
        }
    };
}
pub(crate) use said;

impl Desk {
    pub(crate) async fn new(world: World) -> Self {
        roster(&world.db, &tree(), 2).await;
        let client = IncidentServiceClient::new(world.channel.clone());
        Self { world, client }
    }

    pub(crate) fn now(&self) -> Timestamp {
        use kit::clock::Clock;
        kit::field::to_timestamp(self.world.clock.now())
    }

    pub(crate) fn wait(&self, minutes: i64) {
        self.world.clock.advance(TimeDelta::minutes(minutes));
    }

    /// An accident at the first school, just noticed.
    pub(crate) fn accident(&self, casualties: pb::Casualties) -> pb::CreateIncidentRequest {
        pb::CreateIncidentRequest {
            parent: SCHOOL.to_owned(),
            incident: Some(pb::Incident {
                category: pb::incident::Category::Accident.into(),
                hazard_category: pb::HazardCategory::Building.into(),
                place: "操场看台".to_owned(),
                summary: "看台一段护栏坠落".to_owned(),
                occur_time: Some(self.now()),
                casualties: Some(casualties),
                ..Default::default()
            }),
            request_id: id(),
        }
    }

    pub(crate) async fn noticed(&self, casualties: pb::Casualties) -> pb::Incident {
        let request = self.accident(casualties);
        call!(self, create_incident, GUARD, request).expect("noticed")
    }

    pub(crate) async fn get(&self, who: Who, name: &str) -> pb::Incident {
        let name = name.to_owned();
        call!(self, get_incident, who, pb::GetIncidentRequest { name }).expect("read")
    }

    pub(crate) async fn write(&self, who: Who, name: &str, kind: Kind) -> pb::IncidentReport {
        call!(self, write_incident_report, who, report(name, kind)).expect("written")
    }

    pub(crate) async fn receive(&self, who: Who, name: &str, receiver: Receiver) -> pb::Incident {
        let request = receipt(name, receiver, Medium::Written);
        call!(self, acknowledge_incident, who, request).expect("received")
    }

    /// From DETECTED to the state of this number along the way of rule 5.36; 10 is a false alarm.
    pub(crate) async fn bring_to(&self, name: &str, state: i32) {
        if state == 10 {
            let request = said!(DismissIncidentRequest, name, reason);
            call!(self, dismiss_incident, DISTRICT, request).expect("dismissed");
            return;
        }
        for step in 2..=state {
            self.step(name, step).await;
        }
    }

    /// One step along the way, to the state of this number.
    pub(crate) async fn step(&self, name: &str, step: i32) {
        match step {
            2 => drop(self.write(OFFICER, name, Kind::First).await),
            3 => {
                let request = said!(ConfirmIncidentRequest, name, reason);
                call!(self, confirm_incident, DISTRICT, request).expect("confirmed");
            }
            4 => {
                let request = said!(RespondIncidentRequest, name, measures);
                call!(self, respond_incident, OFFICER, request).expect("responded");
            }
            5 => drop(self.write(OFFICER, name, Kind::FollowUp).await),
            6 => {
                let request = said!(ControlIncidentRequest, name, measures);
                call!(self, control_incident, OFFICER, request).expect("controlled");
            }
            7 => drop(self.write(OFFICER, name, Kind::Final).await),
            8 => {
                call!(self, review_incident, REVIEWER, review(name)).expect("reviewed");
            }
            _ => {
                let request = said!(CloseIncidentRequest, name, reason);
                call!(self, close_incident, DISTRICT, request).expect("closed");
            }
        }
    }

    pub(crate) async fn relevel(&self, name: &str, level: Level) -> Result<pb::Incident, Status> {
        let request = pb::RelevelIncidentRequest {
            level: level.into(),
            ..said!(RelevelIncidentRequest, name, reason)
        };
        call!(self, relevel_incident, DISTRICT, request)
    }

    pub(crate) async fn supplement(
        &self,
        name: &str,
        casualties: pb::Casualties,
    ) -> Result<pb::Incident, Status> {
        let request = pb::SupplementCasualtiesRequest {
            casualties: Some(casualties),
            ..said!(SupplementCasualtiesRequest, name, reason)
        };
        call!(self, supplement_casualties, OFFICER, request)
    }

    pub(crate) async fn events(&self, who: Who, name: &str) -> Vec<pb::IncidentEvent> {
        let request = pb::ListIncidentEventsRequest {
            parent: name.to_owned(),
            page_size: 1000,
            ..Default::default()
        };
        let found = call!(self, list_incident_events, who, request);
        found.expect("listed").incident_events
    }

    pub(crate) async fn list(
        &self,
        who: Who,
        request: pb::ListIncidentsRequest,
    ) -> Vec<pb::Incident> {
        call!(self, list_incidents, who, request)
            .expect("listed")
            .incidents
    }
}
