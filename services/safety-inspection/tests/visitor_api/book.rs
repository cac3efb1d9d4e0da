//! Visits, brought to where a test needs them.

use std::time::Duration;

use kit::auth::{Caller, Issuer, Role};
use kit::clock::{Clock, civil_date};
use kit::field::{to_date, to_timestamp};
use proto::safety as pb;
use proto::safety::check_entry_request::Emergency;
use proto::safety::gate_observation::Colour;
use proto::safety::visit::State;
use proto::safety::visitor::DocumentKind;
use proto::safety::visitor_service_client::VisitorServiceClient;
use tonic::transport::Channel;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::city::world::{World, signed};
use crate::city::{SCHOOL, SCHOOL_PATH, roster, staff, tree};

/// The member of staff whom people visit.
pub(crate) const HOST: u128 = 21;
pub(crate) const NAME: &str = "林大山";
pub(crate) const NUMBER: &str = "11010519491231002X";
pub(crate) const PHONE: &str = "13800138000";

/// A call of `subject`, who is `person` of the register, with `role` at a place.
pub(crate) fn as_person<T>(
    (subject, person): (&str, Option<String>),
    role: Role,
    scope: &str,
    message: T,
) -> Request<T> {
    let caller = Caller {
        person,
        second_factor: true,
        ..Caller::new(subject, vec![role], scope.parse().expect("a scope"))
    };
    let start = "2022-04-05T00:00:00Z".parse().expect("an instant");
    let token = Issuer::development().issue(caller, start, Duration::from_secs(86_400 * 90));
    signed(&format!("Bearer {token}"), message)
}

pub(crate) fn host<T>(message: T) -> Request<T> {
    let who = ("host-1", Some(staff(HOST)));
    as_person(who, Role::ClassReporter, SCHOOL_PATH, message)
}

pub(crate) fn doctor<T>(message: T) -> Request<T> {
    as_person(("doctor-1", None), Role::SchoolDoctor, SCHOOL_PATH, message)
}

pub(crate) fn guard<T>(message: T) -> Request<T> {
    as_person(("guard-1", None), Role::Guard, SCHOOL_PATH, message)
}

pub(crate) fn principal<T>(message: T) -> Request<T> {
    as_person(("principal-1", None), Role::Principal, SCHOOL_PATH, message)
}

pub(crate) fn once() -> String {
    Uuid::new_v4().to_string()
}

/// The book of visitors of the first school.
pub(crate) struct Book {
    pub(crate) client: VisitorServiceClient<Channel>,
}

impl Book {
    /// The register knows the whole city.
    pub(crate) async fn of(world: &World) -> Self {
        roster(&world.db, &tree::tree(), 2).await;
        Self {
            client: VisitorServiceClient::new(world.channel.clone()),
        }
    }

    /// A visit of today for two hours, with one companion.
    pub(crate) fn wish(world: &World) -> pb::Visit {
        let now = world.clock.now();
        pb::Visit {
            visitor: Some(pb::Visitor {
                full_name: NAME.to_owned(),
                document_kind: DocumentKind::ResidentCard.into(),
                document_number: NUMBER.to_owned(),
                phone: PHONE.to_owned(),
                affiliation: "榕城物业".to_owned(),
                plate: "闽A12345".to_owned(),
                recent_regions: "近十四天在榕城".to_owned(),
            }),
            purpose: "检修电梯".to_owned(),
            host: staff(HOST),
            companion_count: 1,
            visit_date: Some(to_date(civil_date(now))),
            expected_leave_time: Some(to_timestamp(now + chrono::Duration::hours(2))),
            ..Default::default()
        }
    }

    pub(crate) async fn create(&mut self, visit: pb::Visit) -> Result<pb::Visit, Status> {
        let request = pb::CreateVisitRequest {
            parent: SCHOOL.to_owned(),
            visit: Some(visit),
            request_id: once(),
        };
        let created = self.client.create_visit(guard(request)).await?;
        Ok(created.into_inner())
    }

    pub(crate) async fn confirm(&mut self, name: &str) -> Result<pb::Visit, Status> {
        let request = pb::ConfirmVisitRequest {
            name: name.to_owned(),
            document_seen: true,
            request_id: once(),
        };
        Ok(self.client.confirm_visit(host(request)).await?.into_inner())
    }

    pub(crate) async fn approve(&mut self, name: &str) -> Result<pb::Visit, Status> {
        let request = pb::ApproveVisitRequest {
            name: name.to_owned(),
            request_id: once(),
        };
        Ok(self
            .client
            .approve_visit(doctor(request))
            .await?
            .into_inner())
    }

    pub(crate) async fn refuse(&mut self, name: &str) -> Result<pb::Visit, Status> {
        let request = pb::RefuseVisitRequest {
            name: name.to_owned(),
            reason: "改为线上沟通".to_owned(),
            request_id: once(),
        };
        Ok(self
            .client
            .refuse_visit(doctor(request))
            .await?
            .into_inner())
    }

    pub(crate) async fn cancel(&mut self, name: &str) -> Result<pb::Visit, Status> {
        let request = pb::CancelVisitRequest {
            name: name.to_owned(),
            request_id: once(),
        };
        Ok(self.client.cancel_visit(host(request)).await?.into_inner())
    }

    pub(crate) async fn pass(&mut self, name: &str) -> Result<pb::VisitPass, Status> {
        let request = pb::GetVisitPassRequest {
            name: format!("{name}/pass"),
        };
        Ok(self
            .client
            .get_visit_pass(host(request))
            .await?
            .into_inner())
    }

    pub(crate) async fn arrive(&mut self, pass_code: &str) -> Result<pb::Visit, Status> {
        let request = pb::ArriveVisitRequest {
            parent: SCHOOL.to_owned(),
            pass_code: pass_code.to_owned(),
            request_id: once(),
        };
        Ok(self.client.arrive_visit(guard(request)).await?.into_inner())
    }

    pub(crate) async fn check(
        &mut self,
        request: pb::CheckVisitRequest,
    ) -> Result<pb::Visit, Status> {
        Ok(self.client.check_visit(guard(request)).await?.into_inner())
    }

    pub(crate) async fn override_check(&mut self, name: &str) -> Result<pb::Visit, Status> {
        let request = pb::OverrideVisitRequest {
            name: name.to_owned(),
            reason: "已出示纸质核酸证明".to_owned(),
            request_id: once(),
        };
        let moved = self.client.override_visit(principal(request)).await?;
        Ok(moved.into_inner())
    }

    pub(crate) async fn leave(&mut self, name: &str, companions: i32) -> Result<pb::Visit, Status> {
        let request = pb::LeaveVisitRequest {
            name: name.to_owned(),
            companion_count: companions,
            request_id: once(),
        };
        Ok(self.client.leave_visit(guard(request)).await?.into_inner())
    }

    pub(crate) async fn emergency(&mut self) -> Result<pb::Visit, Status> {
        let request = pb::AdmitEmergencyRequest {
            parent: SCHOOL.to_owned(),
            emergency: Emergency::Fire.into(),
            people_count: 6,
            plate: "闽A119119".to_owned(),
            request_id: once(),
        };
        Ok(self
            .client
            .admit_emergency(guard(request))
            .await?
            .into_inner())
    }

    pub(crate) async fn after_entry(&mut self, name: &str) -> Result<pb::Visit, Status> {
        let request = pb::RecordAfterEntryRequest {
            name: name.to_owned(),
            visitor: Some(pb::Visitor {
                full_name: "陈消防".to_owned(),
                affiliation: "鼓山消防救援站".to_owned(),
                ..Default::default()
            }),
            purpose: "食堂后厨冒烟".to_owned(),
            request_id: once(),
        };
        let moved = self.client.record_after_entry(guard(request)).await?;
        Ok(moved.into_inner())
    }

    pub(crate) async fn get(&mut self, name: &str) -> Result<pb::Visit, Status> {
        let request = pb::GetVisitRequest {
            name: name.to_owned(),
        };
        Ok(self.client.get_visit(guard(request)).await?.into_inner())
    }

    /// A visit that both have approved, and its pass.
    pub(crate) async fn approved(&mut self, world: &World) -> (String, String) {
        let name = self
            .create(Self::wish(world))
            .await
            .expect("asked for")
            .name;
        self.confirm(&name).await.expect("confirmed");
        self.approve(&name).await.expect("approved");
        let pass = self.pass(&name).await.expect("a pass");
        (name, pass.pass_code)
    }

    /// Brings a new visit to a state; with the pass where there was one.
    pub(crate) async fn bring(&mut self, world: &World, state: State) -> (String, Option<String>) {
        if state == State::AdmittedEmergency {
            return (self.emergency().await.expect("admitted").name, None);
        }
        if matches!(state, State::Requested | State::HostApproved) {
            let name = self
                .create(Self::wish(world))
                .await
                .expect("asked for")
                .name;
            if state == State::HostApproved {
                self.confirm(&name).await.expect("confirmed");
            }
            return (name, None);
        }
        let (name, pass) = self.approved(world).await;
        match state {
            State::Refused => drop(self.refuse(&name).await.expect("refused")),
            State::Cancelled => drop(self.cancel(&name).await.expect("cancelled")),
            State::EpidemicApproved => {}
            State::Expired => {
                world.clock.advance(chrono::Duration::hours(24));
                self.until(&name, State::Expired).await;
            }
            _ => {
                self.arrive(&pass).await.expect("arrived");
                self.bring_in(world, &name, state).await;
            }
        }
        (name, Some(pass))
    }

    async fn bring_in(&mut self, world: &World, name: &str, state: State) {
        let mut seen = check_of(world, name);
        match state {
            State::Arrived => return,
            State::Denied => {
                if let Some(seen) = &mut seen.observation {
                    seen.colour = Colour::Red.into();
                }
                self.check(seen).await.expect("checked");
                return;
            }
            _ => drop(self.check(seen).await.expect("checked")),
        }
        match state {
            State::Left => drop(self.leave(name, 1).await.expect("left")),
            State::Overstay => {
                world.clock.advance(chrono::Duration::minutes(135));
                self.until(name, State::Overstay).await;
            }
            _ => {}
        }
    }

    /// Waits for what the clock does, at most twenty seconds.
    pub(crate) async fn until(&mut self, name: &str, state: State) -> pb::Visit {
        for _ in 0..400 {
            let visit = self.get(name).await.expect("read");
            if visit.state() == state {
                return visit;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the visit never came to {state:?}");
    }
}

/// A visitor and a companion who are well.
pub(crate) fn check_of(world: &World, name: &str) -> pb::CheckVisitRequest {
    let seen = pb::GateObservation {
        temperature_decidegrees: Some(365),
        colour: Colour::Green.into(),
        travel_card: Some(pb::TravelCard {
            show_date: Some(to_date(civil_date(world.clock.now()))),
            starred: false,
            ..Default::default()
        }),
        ..Default::default()
    };
    pb::CheckVisitRequest {
        name: name.to_owned(),
        observation: Some(seen.clone()),
        companion_observations: vec![seen],
        mask_worn: true,
        device: "东门-1".to_owned(),
        badge: "017".to_owned(),
        request_id: once(),
        ..Default::default()
    }
}
