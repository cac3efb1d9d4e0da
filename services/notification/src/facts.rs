//! What sampling tells, read as facts that ask somebody to do something. People are counted, never
//! named.

use chrono::{DateTime, Duration, Utc};
use kit::field::from_timestamp;
use proto::roster::Recipient;
use proto::roster::check_policy::Slot;
use proto::roster::outbreak_policy;
use proto::roster::report_policy;
use proto::sampling as pb;
use proto::sampling::sampling_event::State;

use crate::domain::fact::{Entity, Fact, Figures, Kind, Word};
use crate::domain::hearer::Hearer;
use crate::domain::place::leaf;
use crate::store::facts::Told;

/// The collections whose entities have facts.
const COLLECTIONS: &[&str] = &[
    "absences",
    "cases",
    "clusters",
    "holds",
    "screeningDays",
    "suspensions",
];

/// What must be reported so soon is graver than what has a day (rule 1.18).
const REPORTED_AT_ONCE: Duration = Duration::hours(2);

/// The clock of sampling, which says that something is overdue, may be as far ahead of this one.
const CLOCKS_DIFFER: Duration = Duration::seconds(5);

/// What an event tells of its entity: the facts that are, all others being over. None for an
/// entity that never has any, and for one that a newer peer tells in a way unknown here.
pub(crate) fn told(event: &pb::SamplingEvent, now: DateTime<Utc>) -> Option<Told> {
    let facts = match &event.state {
        _ if event.removed => {
            let collection = event.entity.rsplit('/').nth(1)?;
            COLLECTIONS.contains(&collection).then(Vec::new)?
        }
        Some(State::Hold(hold)) => Vec::from_iter(hold_placed(event, hold, now)),
        Some(State::Cluster(cluster)) => Vec::from_iter(cluster_found(event, cluster, now)),
        Some(State::Suspension(told)) => Vec::from_iter(suspension_proposed(event, told, now)),
        Some(State::Absence(absence)) => of_absence(event, absence, now),
        Some(State::ScreeningDay(day)) => Vec::from_iter(checks_missing(event, day, now)),
        Some(State::Case(case)) => of_case(event, case, now),
        _ => return None,
    };
    Some(Told {
        entity: event.entity.clone(),
        version: event.version,
        gone: event.removed,
        facts,
    })
}

/// The members of a tube are held: from its result until everybody is free. What is left when
/// singles were positive is for a person to end.
fn hold_placed(event: &pb::SamplingEvent, hold: &pb::Hold, now: DateTime<Utc>) -> Option<Fact> {
    use pb::hold::State;
    let stands = match hold.state() {
        State::ResolvedNegative | State::Released => return None,
        State::ResolvedPositive => false,
        // What a newer peer means by a value unknown here is not a reason to end an alert.
        State::Active | State::Unspecified => true,
    };
    let path = if event.org_path.is_empty() {
        &hold.org_path
    } else {
        &event.org_path
    };
    // A tube that is of no class group stands at its organisation.
    let entity = entity(&event.entity, &hold.class_group, path);
    let placed = instant(hold.start_time, now);
    Some(Fact {
        subjects: named([&hold.class_group, &hold.tube]),
        figures: Figures {
            people: i32::try_from(hold.members.len()).unwrap_or(i32::MAX),
            ..Figures::default()
        },
        stands,
        ..Fact::new(Kind::HoldPlaced, entity, placed)
    })
}

/// An absence asks up to three things at once: to reach somebody, until they are or the person is
/// back; to hold an interview, until it is held or the person is back; and to upload an illness,
/// until it is.
fn of_absence(event: &pb::SamplingEvent, absence: &pb::Absence, now: DateTime<Utc>) -> Vec<Fact> {
    use pb::absence::State;
    let ended = absence.state() == State::Ended;
    let interview = absence.interview_due && absence.interview_time.is_none() && !ended;
    let upload = absence.upload_overdue && absence.upload_time.is_none();
    let asked = [
        (absence.state() == State::Escalated)
            .then_some((Kind::AbsenceUntraced, absence.contact_due_time)),
        interview.then_some((Kind::InterviewDue, None)),
        upload.then_some((Kind::UploadOverdue, absence.upload_due_time)),
    ];
    let fact = |(kind, since)| Fact {
        subjects: named([&absence.class_group]),
        figures: Figures {
            people: 1,
            ..Figures::default()
        },
        ..Fact::new(
            kind,
            entity(&event.entity, &absence.class_group, &event.org_path),
            instant(since, now),
        )
    };
    asked.into_iter().flatten().map(fact).collect()
}

/// Checks of a school and slot are missing: until none is.
fn checks_missing(
    event: &pb::SamplingEvent,
    day: &pb::ScreeningDay,
    now: DateTime<Utc>,
) -> Option<Fact> {
    let word = match day.slot() {
        Slot::Morning => Word::Morning,
        Slot::Noon => Word::Noon,
        Slot::Evening => Word::Evening,
        Slot::Unspecified => Word::None,
    };
    let entity = entity(&event.entity, &day.organization, &event.org_path);
    (day.missing_count > 0).then(|| Fact {
        figures: Figures {
            people: 0,
            amount: day.missing_count,
            total: day.expected_count,
            word,
        },
        ..Fact::new(Kind::ChecksMissing, entity, instant(day.due_time, now))
    })
}

/// Illnesses belong together: until the cluster is closed or part of another, or below its rule again and
/// no report on it is waited for any more.
fn cluster_found(
    event: &pb::SamplingEvent,
    cluster: &pb::Cluster,
    now: DateTime<Utc>,
) -> Option<Fact> {
    use pb::cluster::State;
    use proto::roster::cluster_policy::Scope;
    let is_awaited = cluster.report_due_time.is_some() && cluster.report_time.is_none();
    let is_ended = matches!(cluster.state(), State::Closed | State::Merged);
    let over = is_ended || !(cluster.stands || is_awaited);
    let rule = cluster.rule.as_ref();
    let word = match rule.map(pb::ClusterRule::scope) {
        Some(Scope::ClassGroup) => Word::ClassGroup,
        Some(Scope::Dormitory) => Word::Dormitory,
        Some(Scope::School) => Word::School,
        Some(Scope::Meal | Scope::Water | Scope::Unspecified) | None => Word::None,
    };
    let fired = instant(cluster.fire_time, now);
    let limit = cluster.report_due_time.and_then(from_timestamp);
    let soon = limit.is_some_and(|limit| limit - fired <= REPORTED_AT_ONCE);
    // A rule may ask to tell at once and give its report time (rule 1.12).
    let at_once = soon || rule.is_some_and(|rule| rule.alert_at_once);
    let entity = entity(&event.entity, &cluster.organization, &event.org_path);
    (!over).then(|| Fact {
        subjects: named([&cluster.class_group]),
        named: rule.map(recipients).unwrap_or_default(),
        figures: Figures {
            people: cluster.person_count,
            word,
            ..Figures::default()
        },
        grave: at_once
            || rule.is_some_and(|rule| rule.level() == outbreak_policy::Level::EventReport),
        limit,
        seen: cluster.state() == State::Acknowledged,
        ..Fact::new(Kind::ClusterFound, entity, fired)
    })
}

/// Whom the rule of a cluster names; one that a newer peer names is left out.
fn recipients(rule: &pb::ClusterRule) -> Vec<Hearer> {
    let hearer = |recipient| match recipient {
        Recipient::Principal => Some(Hearer::Principal),
        Recipient::SchoolDoctor => Some(Hearer::SchoolDoctor),
        Recipient::EpidemicReporter => Some(Hearer::EpidemicReporter),
        Recipient::DistrictBureau => Some(Hearer::Above),
        Recipient::CityBureau => Some(Hearer::CityBureau),
        Recipient::DiseaseControl => Some(Hearer::DiseaseControl),
        Recipient::Unspecified => None,
    };
    rule.recipients().filter_map(hearer).collect()
}

/// A rule proposes to suspend teaching: until a human has decided, or it is withdrawn.
fn suspension_proposed(
    event: &pb::SamplingEvent,
    suspension: &pb::Suspension,
    now: DateTime<Utc>,
) -> Option<Fact> {
    use pb::suspension::{Scope, State};
    let word = match suspension.scope() {
        Scope::ClassGroup => Word::ClassGroup,
        Scope::Grade => Word::Grade,
        Scope::School => Word::School,
        Scope::Unspecified => Word::None,
    };
    let entity = entity(&event.entity, &suspension.organization, &event.org_path);
    let proposed = instant(suspension.propose_time, now);
    (suspension.state() == State::Proposed).then(|| Fact {
        subjects: named([&suspension.class_group, &suspension.cluster]),
        figures: Figures {
            amount: suspension.suspend_days,
            word,
            ..Figures::default()
        },
        ..Fact::new(Kind::SuspensionProposed, entity, proposed)
    })
}

/// A case asks at once for its first report, until it is written or the case is over (rule 1.16), and
/// then for up to two things: to have its report received, and to follow it up. Each of these is a fact
/// once its limit has passed, until it is done.
fn of_case(event: &pb::SamplingEvent, case: &pb::Case, now: DateTime<Utc>) -> Vec<Fact> {
    let place = || entity(&event.entity, &case.organization, &event.org_path);
    let unreported = case.last_report_kind() == pb::case_report::Kind::Unspecified
        && case.state() != pb::case::State::Closed;
    let opened = unreported.then(|| Fact {
        figures: Figures {
            people: case.person_count,
            ..Figures::default()
        },
        grave: case.urgent,
        limit: case.first_report_due_time.and_then(from_timestamp),
        ..Fact::new(Kind::CaseOpened, place(), instant(case.open_time, now))
    });
    let waiting = case.hops.iter().filter(|hop| hop.receive_time.is_none());
    let late = waiting.filter(|hop| hop.late);
    let hop = late.min_by_key(|hop| hop.due_time.map(|due| due.seconds));
    let report = hop.map(|hop| {
        let due = instant(hop.due_time, now);
        (Kind::ReportOverdue, receiver(hop.to_level()), due)
    });
    let follow = case.follow_up_due_time.and_then(from_timestamp);
    let follow = follow
        .filter(|due| case.late && *due <= now + CLOCKS_DIFFER)
        .map(|due| (Kind::FollowUpOverdue, Word::None, due));
    let fact = |(kind, word, due)| Fact {
        figures: Figures {
            word,
            ..Figures::default()
        },
        grave: case.urgent,
        ..Fact::new(kind, place(), due)
    };
    let late = [report, follow].into_iter().flatten().map(fact);
    opened.into_iter().chain(late).collect()
}

/// To whom a report goes.
fn receiver(level: report_policy::Level) -> Word {
    use report_policy::Level;
    match level {
        Level::CountyHealth => Word::CountyHealth,
        Level::CountyGovernment => Word::CountyGovernment,
        Level::City => Word::City,
        Level::Province => Word::Province,
        Level::State => Word::State,
        Level::School | Level::Unspecified => Word::None,
    }
}

/// The entity `name` at the organisation that `within` names, else at the last one of `path`.
pub(crate) fn entity(name: &str, within: &str, path: &str) -> Entity {
    let organization = match within.split('/').collect::<Vec<_>>()[..] {
        ["organizations", organization, ..] => organization,
        _ => leaf(path),
    };
    Entity {
        name: name.to_owned(),
        organization: organization.to_owned(),
        org_path: place_of(organization, path).to_owned(),
    }
}

/// The place of an organisation, whose id stands in a longer path.
fn place_of<'a>(organization: &str, path: &'a str) -> &'a str {
    let mut end = 0;
    for id in path.split('/') {
        end += id.len();
        if id == organization {
            return &path[..end];
        }
        end += 1;
    }
    path
}

pub(crate) fn instant(
    time: Option<prost_types::Timestamp>,
    otherwise: DateTime<Utc>,
) -> DateTime<Utc> {
    time.and_then(from_timestamp).unwrap_or(otherwise)
}

/// Those of `names` that are not empty.
fn named<const N: usize>(names: [&String; N]) -> Vec<String> {
    let named = names.into_iter().filter(|name| !name.is_empty());
    named.cloned().collect()
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
