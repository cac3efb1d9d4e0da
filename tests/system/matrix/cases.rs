//! Who is asked what.

use std::collections::BTreeSet;
use std::fmt;

use kit::auth::Role;
use prost_reflect::DynamicMessage;
use tests::city::Door;
use tonic::{Request, Status};

use super::filled::Filler;
use super::places::{Level, Place, Where};
use super::{GATEWAY, PACKAGES, granted};
use crate::region::Region;
use crate::walk::{Method, every_method};

/// Methods whose requests name no place and nobody who is at one: of them no other place can be asked. The list
/// only shrinks.
pub(super) const PLACELESS: [&str; 46] = [
    "AlertService.ListAlertRules",
    "AuditLogService.ExportRecords",
    "AuditLogService.ListBreakGlassUses",
    "AuditLogService.ListCheckpoints",
    "AuditLogService.SearchRecords",
    "AuditLogService.VerifyChain",
    "AuditService.ExportAudit",
    "AuditService.SearchAudit",
    "AuditService.VerifyAudit",
    "CalendarService.ListCalendarYears",
    "CalendarService.ListSchoolDays",
    "ChannelService.ListChannels",
    "ClearanceFeed.Snapshot",
    "ClearanceFeed.Watch",
    "DeliveryService.ListDeadLetters",
    "DestructionService.ListDestructionJobs",
    "DestructionService.ProposeDestruction",
    "DivisionService.ListDivisions",
    "EmergencyService.DeclareEmergency",
    "EmergencyService.ListEmergencies",
    "GateService.ResolvePersonCode",
    "HazardService.ListMajorRules",
    "ImportService.Import",
    "ImportService.ListImportJobs",
    "NotificationFeed.Snapshot",
    "NotificationFeed.Watch",
    "OrganizationService.ListOrganizations",
    "PlanService.ListPlans",
    "PolicyService.ListPolicyProfiles",
    "ResultService.BatchSubmitResults",
    "ResultService.SubmitResults",
    "RosterFeed.Snapshot",
    "RosterFeed.Watch",
    "SafetyFeed.Snapshot",
    "SafetyFeed.Watch",
    "SamplingFeed.Snapshot",
    "SamplingFeed.Watch",
    "StudentService.LookUpStudent",
    "SupplyService.ListSupplyItems",
    "TemplateService.ListTemplates",
    "TemplateService.PreviewTemplate",
    "TemplateService.SaveTemplate",
    "WarningService.IngestWarning",
    "WarningService.ListWarnings",
    "WeatherService.IngestWarning",
    "WeatherService.ListWeatherSignals",
];

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// All that the contract requires.
    Whole,
    /// The name and nothing else, so that nothing is done.
    Bare,
}

/// One question.
pub(super) struct Case {
    pub(super) method: Method,
    /// Who is asked.
    pub(super) at: &'static str,
    pub(super) level: Level,
    pub(super) role: Role,
    /// Whether the role could do it somewhere.
    pub(super) may: bool,
    place: Where,
    form: Form,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {:?} at {} about {:?}",
            self.role, self.level, self.at, self.place
        )
    }
}

impl Case {
    /// A request about something of the place.
    pub(super) fn request(&self, region: &Region) -> DynamicMessage {
        let place = Place::of(region, self.place);
        let filler = Filler {
            place: &place,
            now: region.now(),
        };
        match self.form {
            Form::Whole => filler.whole(&self.method),
            Form::Bare => filler.bare(&self.method),
        }
    }

    /// Sends the request. Of a stream that is asked for what is closed the first answer is read; of one that is
    /// open, nothing: it may take its time.
    pub(super) async fn ask(
        &self,
        door: Door,
        request: DynamicMessage,
    ) -> Result<Vec<DynamicMessage>, Status> {
        let method = &self.method;
        let mut answers = method.open(door, Request::new(vec![request])).await?;
        let watches = method.answers_many() && !method.takes_many();
        let mut read = Vec::new();
        if watches && self.place == Where::Own && self.may {
            return Ok(read);
        }
        while let Some(answer) = answers.message().await? {
            read.push(answer);
            if watches {
                break;
            }
        }
        Ok(read)
    }

    /// Whether somebody who may asks about another place.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.may && self.place != Where::Own
    }

    /// Whether they ask about what lies above them, or of a list of their school for what is next door.
    pub(super) fn is_above(&self) -> bool {
        matches!(self.place, Where::Bureau | Where::Above | Where::NextClass)
    }

    /// Whether what is asked about may be said not to be there: it is not below an organisation.
    pub(super) fn is_hidden(&self) -> bool {
        !self.method.pattern().starts_with("organizations/")
    }
}

/// Who tells what is held about somebody, each for itself.
const HOLD_DATA: [&str; 3] = ["sampling", "safety-inspection", "notification"];

/// Every method that asks for a permission, with who answers it.
fn guarded() -> Vec<(Method, &'static str)> {
    let services = PACKAGES.into_iter();
    let logs = services.clone().map(|(_, at)| ("campus.audit.v1", at));
    let all = services
        .chain(logs)
        .chain(HOLD_DATA.map(|at| ("campus.subject.v1", at)))
        .chain([("campus.gateway.v1", GATEWAY)])
        .flat_map(|(package, at)| every_method(package).into_iter().map(move |one| (one, at)));
    all.filter(|(method, _)| {
        let access = proto::access(&method.path()).expect("every method has a rule");
        !access.any_caller
    })
    .collect()
}

/// Whether the gateway passes a method on, or answers it.
fn is_at_the_gateway(method: &Method) -> bool {
    let inside = ["/campus.audit.", "/campus.subject."];
    !inside
        .iter()
        .any(|package| method.path().starts_with(package))
}

/// Whether a request of a method names a place.
fn is_placed(region: &Region, method: &Method) -> bool {
    let place = Place::of(region, Where::Own);
    let filler = Filler {
        place: &place,
        now: region.now(),
    };
    filler.is_placed(method) || !method.pattern().is_empty()
}

/// Whether a request of a method names a class group, or somebody who is in one.
fn is_of_a_class(region: &Region, method: &Method) -> bool {
    let [own, next] = [Where::Own, Where::NextClass].map(|at| Place::of(region, at));
    let named = [own, next].map(|place| {
        let filler = Filler {
            place: &place,
            now: region.now(),
        };
        let mut named = crate::walk::texts(&filler.whole(method));
        let heads = ["organizations/", "students/"];
        named.retain(|(_, text)| heads.iter().any(|head| text.starts_with(head)));
        named
            .into_iter()
            .map(|(_, text)| class_part(&text))
            .collect::<BTreeSet<_>>()
    });
    named[0] != named[1]
}

/// The part of a name that differs from class group to class group.
fn class_part(name: &str) -> String {
    let parts: Vec<_> = name.split('/').take(4).collect();
    match parts[..] {
        ["organizations", _, "classGroups", class] => class.to_owned(),
        ["students", student, ..] => student.to_owned(),
        _ => String::new(),
    }
}

/// The names of the methods that name no place.
pub(super) fn placeless(region: &Region) -> BTreeSet<String> {
    let guarded = guarded().into_iter();
    guarded
        .filter(|(method, _)| !is_placed(region, method))
        .map(|(method, _)| method.name())
        .collect()
}

/// Every question that must be refused.
pub(super) fn closed(region: &Region) -> Vec<Case> {
    let granted = granted();
    let mut cases = Vec::new();
    for (method, service) in guarded() {
        let access = proto::access(&method.path()).expect("every method has a rule");
        let (placed, of_a_class) = (is_placed(region, &method), is_of_a_class(region, &method));
        for role in Role::ALL {
            let has = |name: &String| granted[role.as_str()].contains(name.as_str());
            let may = access.permissions.iter().any(has);
            let mut asked = Vec::new();
            if !may {
                asked.push((service, Level::School, Where::Own));
                if service != GATEWAY && is_at_the_gateway(&method) {
                    asked.push((GATEWAY, Level::School, Where::Own));
                }
            } else if placed {
                let beside = [Where::NextSchool, Where::Bureau, Where::Nowhere];
                asked.extend(beside.map(|place| (service, Level::School, place)));
                match Level::of(*role) {
                    Some(Level::Class) if of_a_class => {
                        asked.push((service, Level::Class, Where::NextClass));
                    }
                    Some(Level::District) => {
                        let beside = [Where::NextBureau, Where::Above, Where::Nowhere];
                        asked.extend(beside.map(|place| (service, Level::District, place)));
                    }
                    _ => {}
                }
            }
            cases.extend(asked.into_iter().map(|(at, level, place)| Case {
                method: method.clone(),
                at,
                level,
                role: *role,
                may,
                place,
                form: Form::Whole,
            }));
        }
    }
    cases
}

/// Methods that would undo the school of which everything is asked.
const UNDOES: [&str; 1] = ["OrganizationService.CloseOrganization"];

/// What those who may ask about what is theirs, where they hold their role. Reads are whole; of acts only what
/// they are about is said, so that nothing is done. What has no place of its own is asked for the whole city
/// only, since elsewhere it is not told from what is not there.
pub(super) fn home(region: &Region) -> Vec<Case> {
    let granted = granted();
    let mut cases = Vec::new();
    for (method, service) in guarded() {
        let name = method.name();
        if UNDOES.contains(&&*name) || !is_placed(region, &method) {
            continue;
        }
        let access = proto::access(&method.path()).expect("every method has a rule");
        let of_a_class = is_of_a_class(region, &method);
        let own_heads = ["organizations/", "students/", "staff/"];
        let pattern = method.pattern();
        let is_own = pattern.is_empty() || own_heads.iter().any(|head| pattern.starts_with(head));
        let form = if method.has_no_side_effects() {
            Form::Whole
        } else {
            Form::Bare
        };
        for role in Role::ALL {
            let Some(level) = Level::of(*role) else {
                continue;
            };
            let has = |name: &String| granted[role.as_str()].contains(name.as_str());
            let is_told = match level {
                Level::City => true,
                Level::Class => of_a_class && is_own,
                Level::School | Level::District => is_own,
            };
            if access.permissions.iter().any(has) && is_told {
                cases.push(Case {
                    method: method.clone(),
                    at: service,
                    level,
                    role: *role,
                    may: true,
                    place: Where::Own,
                    form,
                });
            }
        }
    }
    cases
}
