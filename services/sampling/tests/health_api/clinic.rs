//! A school with its class reporter, its doctor and everybody above them.

use std::time::Duration;

use futures_util::StreamExt;
use kit::auth::Role;
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::clearance_feed_client::ClearanceFeedClient;
use proto::sampling::health_service_client::HealthServiceClient;
use proto::sampling::{
    Absence, AbsenceReason, Clearance, ClearanceSnapshotRequest, GetAbsenceRequest,
    GetHealthStateRequest, HealthState, ObservePersonRequest, RecordAbsenceRequest,
    ReleaseObservationRequest,
};
use tonic::{Code, Status};

use super::site::{CLASS, Site};
use super::town::{Authorised, CITY, DISTRICT, SCHOOL, school_path, student};

/// The site of the tubes, seen from the doctor's room.
pub(crate) struct Clinic(pub(crate) Site);

impl Clinic {
    pub(crate) async fn open(database: kit::scratch::Scratch) -> Self {
        Self(Site::open(database).await)
    }

    pub(crate) fn at(&self, role: Role, scope: &str) -> Authorised {
        self.0.0.authorised(&[role], scope)
    }

    fn role(&self, role: Role) -> Authorised {
        let school = school_path(SCHOOL);
        let scope = match role {
            Role::ClassReporter => format!("{school}/{CLASS}"),
            Role::DistrictOfficer => format!("{CITY}/{DISTRICT}"),
            Role::DiseaseControl | Role::CityOfficer => CITY.to_owned(),
            _ => school,
        };
        self.at(role, &scope)
    }

    pub(crate) fn absences(&self, role: Role) -> AbsenceServiceClient<Authorised> {
        AbsenceServiceClient::new(self.role(role))
    }

    pub(crate) fn health(&self, role: Role) -> HealthServiceClient<Authorised> {
        HealthServiceClient::new(self.role(role))
    }

    /// The class reporter records an absence from today.
    pub(crate) async fn record(&self, number: u32, reason: AbsenceReason) -> Absence {
        let request = RecordAbsenceRequest {
            absence: Some(absence(number, reason)),
            ..Default::default()
        };
        let mut client = self.absences(Role::ClassReporter);
        let recorded = client.record_absence(request).await;
        recorded.expect("recorded").into_inner()
    }

    /// An absence as the school doctor reads it.
    pub(crate) async fn absence(&self, name: &str) -> Absence {
        let request = GetAbsenceRequest {
            name: name.to_owned(),
        };
        let mut client = self.absences(Role::SchoolDoctor);
        let read = client.get_absence(request).await;
        read.expect("an absence").into_inner()
    }

    /// Waits until the absence is as it should be: deadlines are looked for once a second.
    pub(crate) async fn until(&self, name: &str, is: impl Fn(&Absence) -> bool) -> Absence {
        for _ in 0..600 {
            let absence = self.absence(name).await;
            if is(&absence) {
                return absence;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the deadline did not pass");
    }

    pub(crate) async fn state(&self, number: u32) -> HealthState {
        let request = GetHealthStateRequest {
            name: health_of(number),
        };
        let mut client = self.health(Role::SchoolDoctor);
        let read = client.get_health_state(request).await;
        read.expect("a state").into_inner()
    }

    pub(crate) async fn observe(&self, number: u32) -> Result<HealthState, Status> {
        let request = ObservePersonRequest {
            name: health_of(number),
            room: "隔离室".to_owned(),
            guardian_notified: true,
            ..Default::default()
        };
        let mut client = self.health(Role::SchoolDoctor);
        let observed = client.observe_person(request).await;
        observed.map(tonic::Response::into_inner)
    }

    /// The doctor lets somebody go.
    pub(crate) async fn release(&self, number: u32) -> HealthState {
        let request = ReleaseObservationRequest {
            name: health_of(number),
            readings_tenths: vec![368, 366, 367],
            no_symptoms: true,
            ..Default::default()
        };
        let mut client = self.health(Role::SchoolDoctor);
        let released = client.release_observation(request).await;
        released.expect("released").into_inner()
    }

    /// Waits until the feed tells the gate of a student what `is` says; nothing when clear.
    pub(crate) async fn told(
        &self,
        number: u32,
        is: impl Fn(Option<&Clearance>) -> bool,
    ) -> Option<Clearance> {
        for _ in 0..200 {
            let clearance = self.clearance(number).await;
            if is(clearance.as_ref()) {
                return clearance;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the gate was not told");
    }

    async fn clearance(&self, number: u32) -> Option<Clearance> {
        let mut feed = ClearanceFeedClient::new(self.role(Role::CityOfficer));
        let parts = feed.snapshot(ClearanceSnapshotRequest::default()).await;
        let parts: Vec<_> = parts.expect("a snapshot").into_inner().collect().await;
        let events = parts
            .into_iter()
            .flat_map(|part| part.expect("a part").events);
        let mut all = events.filter_map(|event| event.clearance);
        all.find(|clearance| clearance.person == student(number))
    }
}

pub(crate) fn absence(number: u32, reason: AbsenceReason) -> Absence {
    Absence {
        person: student(number),
        reason: reason.into(),
        ..Default::default()
    }
}

pub(crate) fn health_of(number: u32) -> String {
    format!("{}/health", student(number))
}

/// A refusal because the caller may not.
pub(crate) fn denied() -> (Code, String) {
    (Code::PermissionDenied, "SCOPE_DENIED".to_owned())
}
