//! The town and what lies around it: a second bureau with a school, a school of the city itself, and
//! somebody for each duty; with a clock that stands still until a test moves it.

use std::collections::HashMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use kit::auth::{Caller, Role};
use kit::clock::{Clock, ManualClock, start_of};
use proto::notification::Audience;
use proto::roster::import_job::Mode;
use proto::roster::import_row::Record;
use proto::roster::organization::Kind;
use proto::roster::responsibility_node::Subject;
use proto::roster::responsibility_service_client::ResponsibilityServiceClient;
use proto::roster::staff_service_client::StaffServiceClient;
use proto::roster::{
    AssignResponsibilityRequest, ClassGroupRow, ListStaffMembersRequest, OrganizationRow,
    ResponsibilityNode, StaffMemberRow,
};
use tests::city::{City, Door, Store, caller};
use tests::import::Importer;
use tests::town::{CITY, DISTRICT, Town, numbered, school, school_path};

use crate::verbs::request_id;

/// The other bureau, its school, and the school of the city itself.
pub(crate) const OTHER_BUREAU: &str = "350103";
pub(crate) const FAR: &str = "2135010301";
pub(crate) const MUNICIPAL: &str = "2135010091";
/// How many schools the town's own bureau has.
pub(crate) const SCHOOLS: u32 = 3;
/// The organisation that is founded when everything is known.
pub(crate) const KNOWN: &str = "base-02";

/// A city in the evening of whose clock a test has the say.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) city: City,
    clock: ManualClock,
    /// Staff by organisation and post.
    staff: HashMap<(String, String), String>,
}

/// The id of an organisation or class group as a recipient, and its place.
pub(crate) type Place = (String, String);

impl Region {
    /// Opens the region at 08:00 on 6 April 2022; none where there is no PostgreSQL server.
    pub(crate) async fn open(store: Store) -> Option<Self> {
        let town = Town {
            students: 6,
            today: day(6),
            ..Town::of(SCHOOLS)
        };
        let clock = ManualClock::morning_of(town.today);
        let city = City::rehearse(store, town, clock.clone()).await?;
        let mut region = Self {
            city,
            clock,
            staff: HashMap::new(),
        };
        let officer = region.city.door(Role::CityOfficer, CITY);
        let importer = Importer::new(officer);
        importer.take(Mode::Delta, &region.around()).await;
        for (id, _) in region.bureaus().into_iter().chain(region.schools()) {
            region.know(&id).await;
            region.name_owners(&id).await;
        }
        region.city.catch_up(KNOWN).await;
        Some(region)
    }

    /// Goes on at an hour and minute of a day of April 2022.
    pub(crate) fn at(&self, of_april: u32, hour: i64, minute: i64) {
        let instant = start_of(day(of_april)) + Duration::minutes(hour * 60 + minute);
        assert!(self.clock.now() <= instant, "time goes forward");
        self.clock.set(instant);
    }

    /// What the clock shows.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// So many hours after the midnight with which a day of April 2022 begins.
    pub(crate) fn hour_of(&self, of_april: u32, hours: i64) -> DateTime<Utc> {
        start_of(day(of_april)) + Duration::hours(hours)
    }

    /// What the clock will show after some minutes.
    pub(crate) fn later(&self, minutes: i64) -> DateTime<Utc> {
        self.clock.now() + Duration::minutes(minutes)
    }

    /// The bureaus below the city.
    pub(crate) fn bureaus(&self) -> [Place; 2] {
        [DISTRICT, OTHER_BUREAU].map(|id| (id.to_owned(), format!("{CITY}/{id}")))
    }

    /// The schools: of the town's bureau, of the other one, of the city.
    pub(crate) fn schools(&self) -> Vec<Place> {
        let own = (1..=SCHOOLS).map(|at| (school(at), school_path(at)));
        own.chain([far(), municipal()]).collect()
    }

    /// The class groups of a school, as recipients.
    pub(crate) fn class_groups(&self, (school, path): &Place) -> Vec<Place> {
        let numbers = if [FAR, MUNICIPAL].contains(&&**school) {
            1..=1
        } else {
            1..=self.city.town.classes
        };
        let ids = numbers.map(|number| self.city.town.class_id(number));
        ids.map(|id| (format!("{school}~{id}"), format!("{path}/{id}")))
            .collect()
    }

    /// Who holds a post of an organisation.
    pub(crate) fn staff(&self, organization: &str, post: &str) -> &str {
        &self.staff[&(organization.to_owned(), called(organization, post))]
    }

    /// An officer of the city bureau by name: whoever approves is not who wrote.
    pub(crate) fn officer(&self, subject: &str) -> Door {
        self.city.door_of(Caller {
            subject: subject.to_owned(),
            ..caller(Role::CityOfficer, CITY)
        })
    }

    /// Whoever acts for a recipient: the bureau's officer, the principal, or a class's reporter.
    pub(crate) fn acting(&self, (id, path): &Place) -> Door {
        let role = match path.split('/').count() {
            _ if id.contains('~') => Role::ClassReporter,
            2 if id != MUNICIPAL => Role::DistrictOfficer,
            _ => Role::Principal,
        };
        self.city.door(role, path)
    }

    /// Somebody who is a person of the register.
    pub(crate) fn person(&self, role: Role, scope: &str, person: &str) -> Door {
        self.city.door_of(Caller {
            subject: format!("{role} {person}"),
            person: Some(person.to_owned()),
            ..caller(role, scope)
        })
    }

    /// Everything that is imported beside the town.
    fn around(&self) -> Vec<proto::roster::ImportRow> {
        let mut records = vec![
            organization(OTHER_BUREAU, "COUNTY_BUREAU", CITY, OTHER_BUREAU),
            organization(FAR, "SCHOOL", OTHER_BUREAU, OTHER_BUREAU),
            organization(MUNICIPAL, "MUNICIPAL_SCHOOL", CITY, "350100"),
        ];
        for place in [far(), municipal()] {
            let class_group = self.city.town.class_id(1);
            let row = ClassGroupRow {
                organization: place.0.clone(),
                class_group: class_group.clone(),
                display_name: "三年（1）班".to_owned(),
                grade: 3,
            };
            records.push((format!("c-{}", place.0), Record::ClassGroup(row)));
            let posts = ["校长", "疫情报告人", "安全副校长", "心理教师"];
            records.extend(posts.map(|post| staff(&place.0, post, "")));
            records.push(staff(&place.0, "班主任", &class_group));
        }
        for at in 1..=SCHOOLS {
            let posts = ["安全副校长", "心理教师"];
            records.extend(posts.map(|post| staff(&school(at), post, "")));
        }
        for (bureau, _) in self.bureaus() {
            let posts = ["校长", "疫情报告人", "安全副校长"];
            records.extend(posts.map(|post| staff(&bureau, post, "")));
        }
        numbered(records)
    }

    async fn know(&mut self, organization: &str) {
        let request = ListStaffMembersRequest {
            parent: format!("organizations/{organization}"),
            page_size: 1000,
            ..ListStaffMembersRequest::default()
        };
        let mut client = StaffServiceClient::new(self.city.door(Role::CityOfficer, CITY));
        let listed = client.list_staff_members(request).await.expect("staff");
        for member in listed.into_inner().staff {
            let key = (organization.to_owned(), member.display_name);
            self.staff.insert(key, member.name);
        }
    }

    /// Names who answers for the duties that no post has by office.
    async fn name_owners(&self, organization: &str) {
        let mut client = ResponsibilityServiceClient::new(self.officer("clerk"));
        for subject in [Subject::Security, Subject::Weather, Subject::Fire] {
            let request = AssignResponsibilityRequest {
                parent: format!("organizations/{organization}"),
                responsibility_node: Some(ResponsibilityNode {
                    subject: subject.into(),
                    staff_member: self.staff(organization, "安全副校长").to_owned(),
                    ..ResponsibilityNode::default()
                }),
                request_id: request_id(),
            };
            let named = client.assign_responsibility(request).await;
            named.expect("somebody answers");
        }
    }
}

fn day(of_april: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2022, 4, of_april).expect("a day")
}

/// The school of the other bureau.
pub(crate) fn far() -> Place {
    (FAR.to_owned(), format!("{CITY}/{OTHER_BUREAU}/{FAR}"))
}

/// The school of the city itself.
pub(crate) fn municipal() -> Place {
    (MUNICIPAL.to_owned(), format!("{CITY}/{MUNICIPAL}"))
}

/// Every bureau and every school of the city.
pub(crate) fn everybody() -> Audience {
    let kinds = [Kind::CountyBureau, Kind::School, Kind::MunicipalSchool];
    Audience {
        organizations: vec![format!("organizations/{CITY}")],
        kinds: kinds.map(i32::from).into(),
        ..Audience::default()
    }
}

fn called(organization: &str, post: &str) -> String {
    let own = (1..=SCHOOLS).find(|at| school(*at) == organization);
    match own {
        Some(at) => tests::town::staff_called(at, post),
        None => format!("{post}{organization}"),
    }
}

fn organization(id: &str, kind: &str, parent: &str, division: &str) -> (String, Record) {
    let is_school = kind.ends_with("SCHOOL");
    let row = OrganizationRow {
        organization: id.to_owned(),
        kind: kind.to_owned(),
        display_name: format!("机构{id}"),
        parent: parent.to_owned(),
        division_code: division.to_owned(),
        school_code: if is_school { id } else { "" }.to_owned(),
    };
    (id.to_owned(), Record::Organization(row))
}

fn staff(organization: &str, post: &str, class_group: &str) -> (String, Record) {
    let row = StaffMemberRow {
        organization: organization.to_owned(),
        display_name: called(organization, post),
        post: post.to_owned(),
        class_group: class_group.to_owned(),
        ..StaffMemberRow::default()
    };
    let id = format!("w-{organization}-{post}");
    (id, Record::StaffMember(row))
}
