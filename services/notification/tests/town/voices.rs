//! Who speaks up in the town, who hears them, and what is under control.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use kit::auth::{Caller, Issuer, Role};
use kit::db::{Database, statement};
use kit::field::to_timestamp;
use kit::projection::Projection;
use kit::scratch::Scratch;
use notification::ClearanceProjection;
use notification::domain::notice::Event;
use notification::domain::party::Party;
use notification::store::notices::Message;
use proto::notification as pb;
use proto::notification::concern_service_client::ConcernServiceClient;
use proto::notification::support_service_client::SupportServiceClient;
use proto::roster as rpb;
use proto::roster::roster_event::State;
use proto::sampling as spb;
use sea_orm::ConnectionTrait;
use tonic::transport::Channel;
use tonic::{Request, Status};
use uuid::Uuid;

use super::world::World;
use super::{BUREAU_PATH, OTHER_PATH, SCHOOL, SCHOOL_PATH, SISTER_PATH, event, staff, student};

pub(crate) const CLASS_PATH: &str = "fz/350102/2135010001/p2019-01";
pub(crate) const NEXT_CLASS_PATH: &str = "fz/350102/2135010001/p2019-02";

/// Somebody with a token.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) subject: &'static str,
    pub(crate) role: Role,
    pub(crate) scope: &'static str,
    pub(crate) person: Option<String>,
}

pub(crate) fn parent() -> Who {
    who(
        "sub-guardian-77",
        Role::Guardian,
        CLASS_PATH,
        Some(student(1)),
    )
}

pub(crate) fn pupil() -> Who {
    who("sub-pupil-31", Role::Student, CLASS_PATH, Some(student(2)))
}

pub(crate) fn teacher() -> Who {
    who(
        "sub-teacher-5",
        Role::ClassReporter,
        CLASS_PATH,
        Some(staff(2)),
    )
}

pub(crate) fn principal() -> Who {
    who(
        "sub-principal-1",
        Role::Principal,
        SCHOOL_PATH,
        Some(staff(1)),
    )
}

pub(crate) fn district() -> Who {
    who(
        "sub-district-4",
        Role::DistrictOfficer,
        BUREAU_PATH,
        Some(staff(20)),
    )
}

pub(crate) fn city() -> Who {
    who("sub-city-9", Role::CityOfficer, "fz", None)
}

pub(crate) fn counsellor() -> Who {
    who(
        "sub-counsellor-6",
        Role::Counsellor,
        SCHOOL_PATH,
        Some(staff(3)),
    )
}

pub(crate) fn admin() -> Who {
    who("sub-admin-1", Role::SystemAdmin, "fz", None)
}

pub(crate) fn who(
    subject: &'static str,
    role: Role,
    scope: &'static str,
    person: Option<String>,
) -> Who {
    Who {
        subject,
        role,
        scope,
        person,
    }
}

impl Who {
    pub(crate) fn asks<T>(&self, message: T) -> Request<T> {
        let caller = Caller {
            person: self.person.clone(),
            second_factor: true,
            ..Caller::new(
                self.subject.to_owned(),
                vec![self.role],
                self.scope.parse().expect("a scope"),
            )
        };
        let days = Duration::from_secs(86_400 * 90);
        let start = "2022-04-01T00:00:00Z".parse().expect("an instant");
        let token = Issuer::development().issue(caller, start, days);
        let mut request = Request::new(message);
        let bearer = format!("Bearer {token}").parse().expect("a header");
        request.metadata_mut().insert("authorization", bearer);
        request
    }
}

fn member(person: String) -> rpb::RollMember {
    rpb::RollMember {
        person,
        ..Default::default()
    }
}

pub(crate) fn class_group(path: &str, students: &[u128]) -> rpb::RosterEvent {
    let id = path.rsplit('/').next().unwrap_or_default();
    let name = format!("{SCHOOL}/classGroups/{id}");
    let roll = rpb::ClassGroupRoll {
        class_group: name.clone(),
        organization: SCHOOL.to_owned(),
        members: students.iter().map(|one| member(student(*one))).collect(),
        ..Default::default()
    };
    event(&name, path, 1, State::ClassGroupRoll(roll))
}

fn staff_roll(path: &str, people: &[u128]) -> rpb::RosterEvent {
    let id = path.rsplit('/').next().unwrap_or_default();
    let organization = format!("organizations/{id}");
    let one = |number: &u128| rpb::StaffRollMember {
        member: Some(member(staff(*number))),
        ..Default::default()
    };
    let roll = rpb::StaffRoll {
        organization: organization.clone(),
        members: people.iter().map(one).collect(),
    };
    let name = format!("{organization}/staffRoll");
    event(&name, path, 1, State::StaffRoll(roll))
}

/// Two class groups of the school, and the staff of the school, its bureau and schools beside it.
pub(crate) fn people() -> Vec<rpb::RosterEvent> {
    vec![
        class_group(CLASS_PATH, &[1, 2, 3]),
        class_group(NEXT_CLASS_PATH, &[4]),
        staff_roll(SCHOOL_PATH, &[1, 2, 3]),
        staff_roll(BUREAU_PATH, &[20]),
        staff_roll(SISTER_PATH, &[30]),
        staff_roll(OTHER_PATH, &[40]),
    ]
}

/// The calendar of 2022 with one day off.
pub(crate) fn calendar(year: i32, month: i32, day: i32) -> rpb::RosterEvent {
    let date = Some(proto::Date { year, month, day });
    let calendar = rpb::CalendarYear {
        name: format!("calendarYears/{year}"),
        year,
        days_off: vec![rpb::calendar_year::NamedDay {
            date,
            display_name: "调休".to_owned(),
        }],
        ..Default::default()
    };
    let name = calendar.name.clone();
    event(&name, "", 1, State::CalendarYear(calendar))
}

/// A pupil is kept at home, or free again.
pub(crate) fn clearance(
    number: u128,
    version: i64,
    since: Option<DateTime<Utc>>,
) -> spb::ClearanceEvent {
    let clearance = since.map(|since| spb::Clearance {
        person: student(number),
        control: spb::clearance::Control::CloseContact.into(),
        medical: spb::clearance::Medical::Normal.into(),
        effective_time: Some(to_timestamp(since)),
        rule: "1.24".to_owned(),
        basis: "cases/K7".to_owned(),
        ..Default::default()
    });
    spb::ClearanceEvent {
        entity: student(number),
        version,
        org_path: CLASS_PATH.to_owned(),
        removed: clearance.is_none(),
        clearance,
    }
}

impl World {
    /// The service with the register of the town and its people.
    pub(crate) async fn peopled(scratch: Scratch) -> Self {
        let world = Self::new(scratch).await;
        super::roster(&world.db, &people(), 1).await;
        world
    }

    /// The same with a folder for the secrets of emergencies.
    pub(crate) async fn confiding(scratch: Scratch, folder: PathBuf) -> Self {
        let world = Self::keeping_secrets(scratch, folder).await;
        super::roster(&world.db, &people(), 1).await;
        world
    }

    pub(crate) fn concerns(&self) -> ConcernServiceClient<Channel> {
        ConcernServiceClient::new(self.channel())
    }

    pub(crate) fn support(&self) -> SupportServiceClient<Channel> {
        SupportServiceClient::new(self.channel())
    }

    /// What the clearance feed tells.
    pub(crate) async fn hear_clearance(&self, events: &[spb::ClearanceEvent], generation: i64) {
        let projection = self.clearances();
        let tx = self.db.begin().await.expect("a transaction");
        let applied = projection.apply(&tx, events, generation).await;
        applied.expect("applied");
        tx.commit().await.expect("committed");
    }

    pub(crate) fn clearances(&self) -> ClearanceProjection {
        ClearanceProjection::new(std::sync::Arc::new(self.clock.clone()))
    }

    /// What is in the queue; it is empty afterwards.
    pub(crate) async fn notices(&self) -> Vec<Message> {
        take(&self.db).await
    }

    /// Hands in a concern about the school.
    pub(crate) async fn submit(
        &self,
        who: &Who,
        concern: pb::Concern,
    ) -> Result<pb::SubmitConcernResponse, Status> {
        let ask = pb::SubmitConcernRequest {
            parent: SCHOOL.to_owned(),
            concern: Some(concern),
            request_id: super::officers::once(),
        };
        let answer = self.concerns().submit_concern(who.asks(ask)).await?;
        Ok(answer.into_inner())
    }

    /// A concern of the parent about the school.
    pub(crate) async fn submitted(&self, category: pb::concern::Category) -> pb::Concern {
        let answer = self.submit(&parent(), concern(category)).await;
        answer.expect("submitted").concern.expect("a concern")
    }

    pub(crate) async fn look(
        &self,
        who: &Who,
        name: &str,
        receipt_code: &str,
    ) -> Result<pb::Concern, Status> {
        let ask = pb::GetConcernRequest {
            name: name.to_owned(),
            receipt_code: receipt_code.to_owned(),
        };
        Ok(self
            .concerns()
            .get_concern(who.asks(ask))
            .await?
            .into_inner())
    }

    /// The concerns about the organisation `parent` and those below.
    pub(crate) async fn concerns_at(
        &self,
        who: &Who,
        parent: &str,
        ask: pb::ListConcernsRequest,
    ) -> Result<pb::ListConcernsResponse, Status> {
        let ask = pb::ListConcernsRequest {
            parent: parent.to_owned(),
            ..ask
        };
        let listed = self.concerns().list_concerns(who.asks(ask)).await?;
        Ok(listed.into_inner())
    }

    pub(crate) async fn triage(
        &self,
        who: &Who,
        name: &str,
        category: pb::concern::Category,
    ) -> Result<pb::Concern, Status> {
        let ask = pb::TriageConcernRequest {
            name: name.to_owned(),
            category: category.into(),
            request_id: super::officers::once(),
            ..Default::default()
        };
        let answer = self.concerns().triage_concern(who.asks(ask)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn assign(
        &self,
        who: &Who,
        name: &str,
        assignee: String,
    ) -> Result<pb::Concern, Status> {
        let ask = pb::AssignConcernRequest {
            name: name.to_owned(),
            assignee,
            request_id: super::officers::once(),
        };
        let answer = self.concerns().assign_concern(who.asks(ask)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn answer(&self, who: &Who, name: &str) -> Result<pb::Concern, Status> {
        let ask = pb::AnswerConcernRequest {
            name: name.to_owned(),
            answer: "已与食堂核实，即日起加装保温设备。".to_owned(),
            request_id: super::officers::once(),
        };
        let answer = self.concerns().answer_concern(who.asks(ask)).await?;
        Ok(answer.into_inner())
    }

    pub(crate) async fn rate(
        &self,
        who: &Who,
        name: &str,
        (satisfaction, receipt_code): (i32, &str),
    ) -> Result<pb::Concern, Status> {
        let ask = pb::RateAnswerRequest {
            name: name.to_owned(),
            satisfaction,
            remark: "谢谢，已看到改进。".to_owned(),
            receipt_code: receipt_code.to_owned(),
            request_id: super::officers::once(),
        };
        let answer = self.concerns().rate_answer(who.asks(ask)).await?;
        Ok(answer.into_inner())
    }

    /// Brings a concern to its answer, by the principal and the teacher.
    pub(crate) async fn answered(&self, name: &str) -> pb::Concern {
        let living = pb::concern::Category::Living;
        self.triage(&principal(), name, living)
            .await
            .expect("triaged");
        let assigned = self.assign(&principal(), name, staff(2)).await;
        assigned.expect("assigned");
        self.answer(&teacher(), name).await.expect("answered")
    }
}

pub(crate) const TEXT: &str = "孩子反映食堂的饭菜经常是凉的，\n希望改善。";

pub(crate) fn concern(category: pb::concern::Category) -> pb::Concern {
    pb::Concern {
        submitter: pb::concern::Submitter::Guardian.into(),
        category: category.into(),
        text: TEXT.to_owned(),
        ..Default::default()
    }
}

/// What was put into the queue since the last look, whether it was made a message of or not.
pub(crate) async fn take(db: &Database) -> Vec<Message> {
    let tx = db.begin().await.expect("a transaction");
    // One statement: what is put in meanwhile waits for the next look.
    let sql = "UPDATE notices SET create_at = -1 WHERE create_at >= 0 \
        RETURNING event, basis, party, together, details";
    let rows = tx.query_all_raw(statement(&tx, sql, [])).await;
    let mut taken: BTreeMap<String, Message> = BTreeMap::new();
    for row in rows.expect("read") {
        let text = |index: usize| -> String { row.try_get_by_index(index).expect("a text") };
        let event: i16 = row.try_get_by_index(0).expect("a number");
        let event = Event::ALL.into_iter().find(|it| *it as i16 == event);
        let message = taken.entry(text(3)).or_insert_with(|| Message {
            event: event.expect("an event"),
            party: Party::parse(&text(2)).expect("a party"),
            bases: Vec::new(),
            details: serde_json::from_str(&text(4)).expect("details"),
        });
        message.bases.push(text(1));
    }
    tx.commit().await.expect("committed");
    for message in taken.values_mut() {
        message.bases.sort();
    }
    taken.into_values().collect()
}

/// Looks until there is something.
pub(crate) async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it never came")
}

pub(crate) fn id_of(name: &str) -> Uuid {
    let id = name.rsplit('/').next().unwrap_or_default();
    id.parse().expect("an id")
}
