//! The whole city around the schools at whose gates people stand: bureaus, a kindergarten, a training
//! institution and an off-campus base, class groups, staff with posts, who answers for what, and
//! the policy that ships.

use proto::roster as pb;
use proto::roster::organization::Kind;
use proto::roster::roster_event::State;
use proto::roster::{ClassGroupRoll, PolicyProfile, ResponsibilityDuty, ResponsibilityRoll, Stage};

use super::{event, roll_member, staff, student};

pub(crate) const CITY: &str = "organizations/fz";
pub(crate) const CITY_PATH: &str = "fz";
pub(crate) const BUREAU: &str = "organizations/350102";
pub(crate) const BUREAU_PATH: &str = "fz/350102";
pub(crate) const OTHER_BUREAU_PATH: &str = "fz/350103";
pub(crate) const SISTER: &str = "organizations/2135010003";
pub(crate) const SISTER_PATH: &str = "fz/350102/2135010003";
pub(crate) const KINDERGARTEN: &str = "organizations/3135010001";
pub(crate) const KINDERGARTEN_PATH: &str = "fz/350102/3135010001";
pub(crate) const TRAINING: &str = "organizations/4135010001";
pub(crate) const TRAINING_PATH: &str = "fz/350102/4135010001";
pub(crate) const BASE: &str = "organizations/5135010001";
pub(crate) const BASE_PATH: &str = "fz/350103/5135010001";

/// The head of the first school, its deputy for safety, its fire warden, and a teacher.
pub(crate) const HEAD: u128 = 31;
pub(crate) const DEPUTY: u128 = 32;
pub(crate) const WARDEN: u128 = 33;
pub(crate) const TEACHER: u128 = 34;
/// The officers for safety of the first district and of the city.
pub(crate) const DISTRICT_DEPUTY: u128 = 41;
pub(crate) const CITY_DEPUTY: u128 = 51;

/// An organisation with its name and division.
pub(crate) fn place(
    id: &str,
    path: &str,
    kind: Kind,
    (name, division): (&str, &str),
) -> pb::RosterEvent {
    let stages = match kind {
        Kind::MunicipalSchool => vec![Stage::Junior.into(), Stage::Senior.into()],
        Kind::School => vec![Stage::Primary.into()],
        Kind::Kindergarten => vec![Stage::Kindergarten.into()],
        _ => Vec::new(),
    };
    let organization = pb::Organization {
        name: format!("organizations/{id}"),
        kind: kind.into(),
        display_name: name.to_owned(),
        org_path: path.to_owned(),
        division_code: division.to_owned(),
        stages,
        boarding: kind == Kind::MunicipalSchool,
        ..Default::default()
    };
    event(
        &format!("organizations/{id}"),
        path,
        2,
        State::Organization(organization),
    )
}

/// A class group of `size` students, the first of whom has the number `first`.
pub(crate) fn group(
    path: &str,
    (id, grade): (&str, i32),
    first: u128,
    size: u128,
) -> pb::RosterEvent {
    let school = path.rsplit('/').next().unwrap_or_default();
    let name = format!("organizations/{school}/classGroups/{id}");
    let roll = ClassGroupRoll {
        class_group: name.clone(),
        organization: format!("organizations/{school}"),
        display_name: format!("{grade} 年级"),
        grade,
        teaching_mode: pb::class_group_roll::TeachingMode::InPerson.into(),
        members: (first..first + size)
            .map(|number| roll_member(student(number)))
            .collect(),
    };
    event(
        &name,
        &format!("{path}/{id}"),
        2,
        State::ClassGroupRoll(roll),
    )
}

/// Who works at the organisation at `path`: number and post.
pub(crate) fn employees(path: &str, version: i64, members: &[(u128, &str)]) -> pb::RosterEvent {
    let school = path.rsplit('/').next().unwrap_or_default();
    let members = members.iter().map(|(number, post)| pb::StaffRollMember {
        member: Some(roll_member(staff(*number))),
        posts: vec![(*post).to_owned()],
        grade: 0,
    });
    let roll = pb::StaffRoll {
        organization: format!("organizations/{school}"),
        members: members.collect(),
    };
    let name = format!("organizations/{school}/staffRoll");
    event(&name, path, version, State::StaffRoll(roll))
}

/// Who answers for what at the organisation at `path`: subject, place and the number of the person.
pub(crate) fn duties(path: &str, version: i64, duties: &[(&str, &str, u128)]) -> pb::RosterEvent {
    let id = path.rsplit('/').next().unwrap_or_default();
    let duties = duties
        .iter()
        .map(|(subject, place, person)| ResponsibilityDuty {
            subject: (*subject).to_owned(),
            place: (*place).to_owned(),
            staff_member: staff(*person),
        });
    let roll = ResponsibilityRoll {
        organization: format!("organizations/{id}"),
        duties: duties.collect(),
    };
    let name = format!("organizations/{id}/responsibilityRoll");
    event(&name, path, version, State::ResponsibilityRoll(roll))
}

/// The policy that ships, in force since 2022.
pub(crate) fn shipped() -> PolicyProfile {
    let shipped = ::roster::shipped_policies(chrono::DateTime::UNIX_EPOCH);
    let mut policy = shipped.into_iter().next().expect("Fuzhou ships");
    policy.effective_date = Some(proto::Date {
        year: 2022,
        month: 1,
        day: 1,
    });
    policy
}

/// The shipped policy, changed, as the register tells it.
pub(crate) fn enacted(
    region: &str,
    version: i64,
    change: impl FnOnce(&mut PolicyProfile),
) -> pb::RosterEvent {
    let mut profile = shipped();
    change(&mut profile);
    let name = if region.is_empty() { "city" } else { "region" };
    event(
        &format!("policyProfiles/{name}-1"),
        region,
        version,
        State::PolicyProfile(profile),
    )
}

/// The calendar of 2022: Tomb-sweeping, and work on the Saturday before it.
fn calendar() -> pb::RosterEvent {
    let day = |month, day| pb::calendar_year::NamedDay {
        date: Some(proto::Date {
            year: 2022,
            month,
            day,
        }),
        display_name: "清明节".to_owned(),
    };
    let year = pb::CalendarYear {
        name: "calendarYears/2022".to_owned(),
        year: 2022,
        days_off: vec![day(4, 4), day(4, 5)],
        makeup_days: vec![day(4, 2)],
        ..Default::default()
    };
    event("calendarYears/2022", "", 2, State::CalendarYear(year))
}

/// All of the city. The first school is a boarding school of the grades 7 to 12.
pub(crate) fn tree() -> Vec<pb::RosterEvent> {
    vec![
        place("fz", CITY_PATH, Kind::CityBureau, ("榕城教育局", "350100")),
        place(
            "350102",
            BUREAU_PATH,
            Kind::CountyBureau,
            ("鼓山区教育局", "350102"),
        ),
        place(
            "350103",
            OTHER_BUREAU_PATH,
            Kind::CountyBureau,
            ("台屿区教育局", "350103"),
        ),
        place(
            "2135010001",
            super::SCHOOL_PATH,
            Kind::MunicipalSchool,
            ("榕城第一中学", "350102"),
        ),
        place(
            "2135010003",
            SISTER_PATH,
            Kind::School,
            ("鼓山实验小学", "350102"),
        ),
        place(
            "2135010002",
            super::OTHER_PATH,
            Kind::School,
            ("台屿中心小学", "350103"),
        ),
        place(
            "3135010001",
            KINDERGARTEN_PATH,
            Kind::Kindergarten,
            ("鼓山幼儿园", "350102"),
        ),
        place(
            "4135010001",
            TRAINING_PATH,
            Kind::TrainingInstitution,
            ("新叶培训", "350102"),
        ),
        place(
            "5135010001",
            BASE_PATH,
            Kind::OffCampusBase,
            ("台屿研学基地", "350103"),
        ),
        group(super::SCHOOL_PATH, ("j2019-01", 9), 1000, 45),
        group(super::SCHOOL_PATH, ("s2019-01", 12), 1100, 40),
        group(super::SCHOOL_PATH, ("s2021-01", 10), 1200, 42),
        group(SISTER_PATH, ("p2019-01", 3), 2000, 30),
        group(KINDERGARTEN_PATH, ("k2020-01", 0), 3000, 25),
        employees(
            super::SCHOOL_PATH,
            2,
            &[
                (HEAD, "PRINCIPAL"),
                (DEPUTY, "SAFETY_DEPUTY"),
                (WARDEN, "TEACHER"),
                (TEACHER, "TEACHER"),
                (21, "GUARD"),
            ],
        ),
        duties(
            super::SCHOOL_PATH,
            2,
            &[
                ("FIRE", "", WARDEN),
                ("OVERALL_HEAD", "", HEAD),
                ("SAFETY", "", DEPUTY),
            ],
        ),
        duties(BUREAU_PATH, 2, &[("SAFETY", "", DISTRICT_DEPUTY)]),
        duties(CITY_PATH, 2, &[("SAFETY", "", CITY_DEPUTY)]),
        calendar(),
        enacted("", 2, |_| {}),
    ]
}
