//! A register that publishes the invented city without storing it, so that what stands below
//! roster can be measured by itself: a million and a half students are there in seconds.

mod teaching;

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use kit::drain::Drain;
use kit::field::to_date;
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::class_group_service_server::ClassGroupServiceServer;
use proto::roster::organization::Kind;
use proto::roster::organization_service_server::{OrganizationService, OrganizationServiceServer};
use proto::roster::roll_member::Presence;
use proto::roster::roster_event::State;
use proto::roster::roster_feed_server::{RosterFeed, RosterFeedServer};
use proto::roster::{
    CalendarYear, ClassGroupRoll, CloseOrganizationRequest, CreateOrganizationRequest,
    GetOrganizationRequest, ListOrganizationsRequest, ListOrganizationsResponse, Organization,
    PolicyProfile, ResponsibilityDuty, ResponsibilityRoll, RollMember, RosterEvent,
    SnapshotRequest, SnapshotResponse, StaffRoll, StaffRollMember, UpdateOrganizationRequest,
    WatchRequest, WatchResponse,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status};

use crate::city::{CITY_DIVISION, CITY_ID, CITY_NAME, City, DISTRICTS, School, Stage};

/// How many events one message carries.
const PART: usize = 100;
/// How often whoever watches hears that nothing has changed.
const BOOKMARK: Duration = Duration::from_secs(5);

/// Publishes `city` until the drain; gives the address.
pub(super) async fn publish(city: Arc<City>, drain: Drain) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let register = Register(city);
    let organizations = OrganizationServiceServer::new(register.clone());
    let class_groups = ClassGroupServiceServer::new(register.clone());
    let feed = RosterFeedServer::new(register).max_encoding_message_size(64 << 20);
    let server = tonic::transport::Server::builder()
        .add_service(feed)
        .add_service(organizations)
        .add_service(class_groups);
    let end = async move { drain.draining().await };
    tokio::spawn(server.serve_with_incoming_shutdown(TcpListenerStream::new(listener), end));
    Ok(address)
}

#[derive(Clone)]
struct Register(Arc<City>);

#[tonic::async_trait]
impl RosterFeed for Register {
    type SnapshotStream = BoxStream<'static, Result<SnapshotResponse, Status>>;
    type WatchStream = BoxStream<'static, Result<WatchResponse, Status>>;

    async fn snapshot(
        &self,
        _: Request<SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let (sender, receiver) = tokio::sync::mpsc::channel(4);
        let city = self.0.clone();
        tokio::task::spawn_blocking(move || {
            let mut part = facts(&city);
            for school in city.schools() {
                tell(&mut part, &school);
                if part.len() >= PART {
                    let events = std::mem::take(&mut part);
                    let page_token = school.plan.index.to_string();
                    let response = SnapshotResponse {
                        events,
                        page_token,
                        resume_token: String::new(),
                    };
                    if sender.blocking_send(Ok(response)).is_err() {
                        return;
                    }
                }
            }
            let last = SnapshotResponse {
                events: part,
                page_token: String::new(),
                resume_token: "end".to_owned(),
            };
            // The reader may be gone by now, which is its right.
            let _ = sender.blocking_send(Ok(last));
        });
        Ok(Response::new(ReceiverStream::new(receiver).boxed()))
    }

    async fn watch(&self, _: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        // Nothing changes in this register: its bookmarks confirm what was published.
        let bookmarks = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(BOOKMARK).await;
            let bookmark = WatchResponse {
                resume_token: "end".to_owned(),
                ..WatchResponse::default()
            };
            Some((Ok(bookmark), ()))
        });
        Ok(Response::new(bookmarks.boxed()))
    }
}

#[tonic::async_trait]
impl OrganizationService for Register {
    async fn get_organization(
        &self,
        request: Request<GetOrganizationRequest>,
    ) -> Result<Response<Organization>, Status> {
        let name = request.into_inner().name;
        let found = self.find(name.trim_start_matches("organizations/"));
        let found = found.ok_or_else(|| Status::not_found("no such organisation"))?;
        Ok(Response::new(found))
    }

    async fn list_organizations(
        &self,
        _: Request<ListOrganizationsRequest>,
    ) -> Result<Response<ListOrganizationsResponse>, Status> {
        Err(fixed())
    }

    async fn create_organization(
        &self,
        _: Request<CreateOrganizationRequest>,
    ) -> Result<Response<Organization>, Status> {
        Err(fixed())
    }

    async fn update_organization(
        &self,
        _: Request<UpdateOrganizationRequest>,
    ) -> Result<Response<Organization>, Status> {
        Err(fixed())
    }

    async fn close_organization(
        &self,
        _: Request<CloseOrganizationRequest>,
    ) -> Result<Response<Organization>, Status> {
        Err(fixed())
    }
}

impl Register {
    /// An organisation with its name and its place.
    fn find(&self, id: &str) -> Option<Organization> {
        let district = DISTRICTS.iter().find(|one| one.division == id);
        let schools = self.0.plan().schools();
        let (org_path, display_name) = if id == CITY_ID {
            (CITY_ID.to_owned(), CITY_NAME.to_owned())
        } else if let Some(district) = district {
            let path = format!("{CITY_ID}/{}", district.division);
            (path, district.name.to_owned())
        } else {
            let school = schools.iter().find(|school| school.code == id)?;
            (school.org_path(), school.name.clone())
        };
        Some(Organization {
            name: format!("organizations/{id}"),
            org_path,
            display_name,
            ..Organization::default()
        })
    }
}

/// The answer to whoever wants more than what the overview asks.
fn fixed() -> Status {
    Status::unimplemented("this register only tells what the overview asks")
}

fn event(entity: String, org_path: String, state: State) -> RosterEvent {
    RosterEvent {
        entity,
        version: 1,
        org_path,
        removed: false,
        state: Some(state),
    }
}

fn organization(id: &str, path: String, kind: Kind, name: &str, division: &str) -> RosterEvent {
    let organization = Organization {
        name: format!("organizations/{id}"),
        kind: kind.into(),
        display_name: name.to_owned(),
        org_path: path.clone(),
        division_code: division.to_owned(),
        ..Organization::default()
    };
    event(
        organization.name.clone(),
        path,
        State::Organization(organization),
    )
}

/// The tree above the schools, the policy and the calendar.
fn facts(city: &City) -> Vec<RosterEvent> {
    let root = CITY_ID.to_owned();
    let mut events = vec![organization(
        CITY_ID,
        root.clone(),
        Kind::CityBureau,
        CITY_NAME,
        CITY_DIVISION,
    )];
    events.extend(DISTRICTS.iter().map(|district| {
        let path = format!("{CITY_ID}/{}", district.division);
        organization(
            district.division,
            path,
            Kind::CountyBureau,
            district.name,
            district.division,
        )
    }));
    let policy = policy(city.school_year());
    events.push(event(
        policy.name.clone(),
        root.clone(),
        State::PolicyProfile(policy),
    ));
    for year in [city.school_year(), city.school_year() + 1] {
        let name = format!("calendarYears/{year}");
        let calendar = CalendarYear {
            name: name.clone(),
            year,
            ..CalendarYear::default()
        };
        events.push(event(name, root.clone(), State::CalendarYear(calendar)));
    }
    events
}

/// The profile `fuzhou-2022-04`, in force in the measured school year.
fn policy(year: i32) -> PolicyProfile {
    let shipped = roster::shipped_policies(chrono::DateTime::UNIX_EPOCH);
    let profile = shipped.into_iter().next().unwrap_or_default();
    PolicyProfile {
        organization: format!("organizations/{CITY_ID}"),
        effective_date: NaiveDate::from_ymd_opt(year, 9, 1).map(to_date),
        ..profile
    }
}

/// A school, its class groups, its staff and its duties.
fn tell(events: &mut Vec<RosterEvent>, school: &School<'_>) {
    let (plan, path) = (school.plan, school.plan.org_path());
    let name = format!("organizations/{}", plan.code);
    let kind = match plan.stage {
        Stage::Kindergarten => Kind::Kindergarten,
        Stage::Primary | Stage::Junior | Stage::Senior => Kind::School,
    };
    let division = plan.district.division;
    events.push(organization(
        &plan.code,
        path.clone(),
        kind,
        &plan.name,
        division,
    ));
    let before = match plan.stage {
        Stage::Kindergarten | Stage::Primary => 0,
        Stage::Junior => 6,
        Stage::Senior => 9,
    };
    for class in &school.classes {
        let mut members: Vec<RollMember> = class
            .students
            .iter()
            .map(|student| RollMember {
                person: format!("students/{}", student.id),
                boarder: student.boarder,
                dormitory: student.dormitory.clone(),
                ..member(class.entry_year)
            })
            .collect();
        members.sort_unstable_by(|a, b| a.person.cmp(&b.person));
        let grade = if plan.stage == Stage::Kindergarten {
            0
        } else {
            before + class.plan.grade as i32
        };
        let roll = ClassGroupRoll {
            class_group: format!("{name}/classGroups/{}", class.id),
            organization: name.clone(),
            display_name: class.title(plan.stage),
            grade,
            teaching_mode: TeachingMode::InPerson.into(),
            members,
        };
        let path = format!("{path}/{}", class.id);
        events.push(event(
            roll.class_group.clone(),
            path,
            State::ClassGroupRoll(roll),
        ));
    }
    let mut members: Vec<StaffRollMember> = school
        .staff
        .iter()
        .map(|one| StaffRollMember {
            member: Some(RollMember {
                person: format!("staff/{}", one.id),
                ..member(2015)
            }),
            posts: vec![one.post.code().to_owned()],
            grade: before + one.grade as i32,
        })
        .collect();
    members.sort_unstable_by(|a, b| {
        a.member
            .as_ref()
            .map(|m| &m.person)
            .cmp(&b.member.as_ref().map(|m| &m.person))
    });
    let roll = StaffRoll {
        organization: name.clone(),
        members,
    };
    events.push(event(
        format!("{name}/staffRoll"),
        path.clone(),
        State::StaffRoll(roll),
    ));
    let duties = school.responsibilities().map(|duty| ResponsibilityDuty {
        subject: duty.subject.to_owned(),
        staff_member: format!("staff/{}", duty.staff),
        place: duty.class,
    });
    let roll = ResponsibilityRoll {
        organization: name.clone(),
        duties: duties.collect(),
    };
    events.push(event(
        format!("{name}/responsibilityRoll"),
        path,
        State::ResponsibilityRoll(roll),
    ));
}

fn member(entry_year: i32) -> RollMember {
    RollMember {
        presence: Presence::Expected.into(),
        since: entry_year * 10_000 + 901,
        ..RollMember::default()
    }
}
