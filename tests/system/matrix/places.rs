//! Where somebody is, and where something is that they are asked about.

use kit::auth::{Caller, Department, Role};
use tests::city::caller;
use tests::town::{CITY, DISTRICT, school, school_path};
use uuid::Uuid;

use crate::region::{FAR, OTHER_BUREAU, Region};

/// Where somebody has their role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// At the first school, whatever the role.
    School,
    /// At its first class group.
    Class,
    /// At the bureau of the school.
    District,
    /// For the whole city.
    City,
}

impl Level {
    /// Where a role is held by those who hold it; none for families, who are somebody in particular.
    pub(super) fn of(role: Role) -> Option<Self> {
        match role {
            Role::Student | Role::Guardian => None,
            Role::ClassReporter => Some(Self::Class),
            Role::DistrictOfficer | Role::DiseaseControl => Some(Self::District),
            Role::CityOfficer
            | Role::Laboratory
            | Role::PartnerSystem
            | Role::SystemAdmin
            | Role::SecurityAdmin
            | Role::AuditAdmin
            | Role::Service => Some(Self::City),
            _ => Some(Self::School),
        }
    }

    /// Who holds `role` here.
    pub(super) fn caller(self, region: &Region, role: Role) -> Caller {
        let scope = match self {
            Self::School => school_path(1),
            Self::Class => format!("{}/{}", school_path(1), region.city.town.class_id(1)),
            Self::District => format!("{CITY}/{DISTRICT}"),
            Self::City => String::new(),
        };
        let above = matches!(self, Self::District | Self::City);
        Caller {
            laboratory: (above && role == Role::Laboratory).then(|| "L01".to_owned()),
            department: (above && role == Role::PartnerSystem).then_some(Department::Fire),
            ..caller(role, &scope)
        }
    }
}

/// Where something is, seen from whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Where {
    /// At the first school and in its first class group.
    Own,
    /// In the class group next door.
    NextClass,
    /// At the school next door.
    NextSchool,
    /// At the bureau above.
    Bureau,
    /// At the bureau next door.
    NextBureau,
    /// At the city above.
    Above,
    /// In no tree.
    Nowhere,
}

/// What there is at a place.
#[derive(Clone, Debug)]
pub(super) struct Place {
    organization: String,
    class_group: String,
    /// The name of a pupil.
    pub(super) student: String,
    staff: String,
}

impl Place {
    pub(super) fn of(region: &Region, at: Where) -> Self {
        let class_group = |number| region.city.town.class_id(number);
        let nobody = |collection: &str| format!("{collection}/{}", Uuid::new_v4());
        let of_school = |number: u32, class: u32| Self {
            organization: school(number),
            class_group: class_group(class),
            student: region.city.student(number, class, 1).to_owned(),
            staff: region.city.staff(number, "校长").to_owned(),
        };
        let next_door = || of_school(2, 1);
        match at {
            Where::Own => of_school(1, 1),
            Where::NextClass => of_school(1, 2),
            Where::NextSchool => next_door(),
            Where::Bureau => Self {
                organization: DISTRICT.to_owned(),
                ..next_door()
            },
            Where::NextBureau => Self {
                organization: OTHER_BUREAU.to_owned(),
                class_group: class_group(1),
                student: nobody("students"),
                staff: region.staff(FAR, "校长").to_owned(),
            },
            Where::Above => Self {
                organization: CITY.to_owned(),
                class_group: class_group(1),
                student: nobody("students"),
                staff: nobody("staff"),
            },
            Where::Nowhere => Self {
                organization: "2135019999".to_owned(),
                class_group: class_group(1),
                student: nobody("students"),
                staff: nobody("staff"),
            },
        }
    }

    /// The name of something of this place, or of nothing that is there, of a form such as
    /// `organizations/{organization}/hazards/{hazard}`.
    pub(super) fn name(&self, form: &str) -> String {
        let mut collection = "";
        let parts = form.split('/').map(|part| {
            let named = if part.contains('{') {
                self.id(collection, part)
            } else {
                part.to_owned()
            };
            collection = part;
            named
        });
        parts.collect::<Vec<_>>().join("/")
    }

    fn id(&self, collection: &str, part: &str) -> String {
        let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let organization = &self.organization;
        let class_group = &self.class_group;
        match collection {
            "" if part == "{scope}" => {
                format!("organizations/{organization}/classGroups/{class_group}")
            }
            "organizations" | "recipients" => organization.clone(),
            "classGroups" => class_group.clone(),
            "students" => last(&self.student),
            "staff" => last(&self.staff),
            // These are counted.
            "resumptionBatches" | "resumptions" | "reports" => "2".to_owned(),
            "patrolDays" => "2022-04-06".to_owned(),
            "checks" => "20220406-morning".to_owned(),
            "reportingSignals" => "20220406-0a".to_owned(),
            "dormitories" => "3-201".to_owned(),
            "checklistTemplates" => format!("{organization}~own~1"),
            "draws" => format!("daily~20220406~{organization}"),
            "attendances" => format!("{organization}~principal"),
            "tubes" | "holds" => "M1-0001".to_owned(),
            "calendarYears" => "2022".to_owned(),
            "divisions" => DISTRICT.to_owned(),
            "policyProfiles" => "matrix-1".to_owned(),
            "deliveries" => format!("sms~{}", self.student.replace('/', "~")),
            "templates" | "channels" | "plans" | "sharedGroups" => "nobody".to_owned(),
            _ => Uuid::new_v4().to_string(),
        }
    }
}
