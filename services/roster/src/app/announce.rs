//! Facts for other services, announced in the transaction of their cause.

use kit::db::Tx;
use kit::feed::{Change, announce};
use kit::org::OrgPath;
use prost::Message;
use proto::roster::roll_member::Presence;
use proto::roster::roster_event::State;
use proto::roster::staff_member::Post;
use proto::roster::{
    ClassGroupRoll, ResponsibilityDuty, ResponsibilityRoll, RollMember, RosterEvent, StaffRoll,
    StaffRollMember,
};
use sea_orm::DbErr;

use crate::domain::class_group;
use crate::domain::emergency::Emergency;
use crate::domain::import::{ClassGroupId, school_year};
use crate::domain::organization::Organization;
use crate::domain::policy;
use crate::domain::responsibility::{Duty, roll};
use crate::grpc::{calendar_convert, convert, destruction_convert, policy_convert};
use crate::store::duties;
use crate::store::rolls::{self, ClassHead, ClassRolls, Pupil, StaffHead, Worker};
use crate::store::{calendars, destruction, policies};

/// The name of this service's feed.
pub(crate) const FEED: &str = "roster";

/// How many organisations one statement names.
const AT_ONCE: usize = 500;

/// One entity as the feed carries it.
#[derive(Debug)]
pub(crate) struct Fact {
    /// What kind of entity.
    pub(crate) kind: &'static str,
    /// Its resource name.
    pub(crate) entity: String,
    /// Grows with each change.
    pub(crate) version: i64,
    /// Where it stands.
    pub(crate) org_path: String,
    /// Its state; none once it is gone.
    pub(crate) state: Option<State>,
}

impl From<Fact> for Change {
    fn from(fact: Fact) -> Self {
        let Fact {
            kind,
            entity,
            version,
            org_path,
            state,
        } = fact;
        let removed = state.is_none();
        let place: OrgPath = org_path.parse().unwrap_or_default();
        let event = RosterEvent {
            entity: entity.clone(),
            version,
            org_path,
            removed,
            state,
        };
        Self {
            feed: FEED,
            kind,
            entity,
            version,
            removed,
            org_path: place,
            payload: event.encode_to_vec(),
            latest: true,
        }
    }
}

/// Announces facts in their order.
pub(crate) async fn tell(tx: &Tx, facts: impl IntoIterator<Item = Fact>) -> Result<(), DbErr> {
    announce(tx, facts.into_iter().map(Change::from).collect()).await
}

/// An organisation; one that is closed is gone for others.
pub(crate) fn organization(organization: &Organization) -> Fact {
    let state = organization
        .closed
        .is_none()
        .then(|| State::Organization(convert::organization(organization.clone())));
    Fact {
        kind: "organization",
        entity: organization.name(),
        version: organization.version,
        org_path: organization.org_path.clone(),
        state,
    }
}

/// A policy profile that was activated; one that was replaced is gone for others. That of the whole
/// city stands above the root of the tree.
pub(crate) fn policy_profile(stored: &policies::Stored) -> Fact {
    let active = stored.state == policy::State::Active;
    Fact {
        kind: "policy_profile",
        entity: stored.id.name(),
        version: stored.version,
        org_path: stored.org_path.clone(),
        state: active.then(|| State::PolicyProfile(policy_convert::message(stored.clone()))),
    }
}

/// The calendar of one year, which stands above the root of the tree.
pub(crate) fn calendar_year(stored: &calendars::Stored) -> Fact {
    Fact {
        kind: "calendar_year",
        entity: calendar_convert::name(stored.year),
        version: stored.version,
        org_path: String::new(),
        state: Some(State::CalendarYear(calendar_convert::message(
            stored.clone(),
        ))),
    }
}

/// An emergency, which stands above the root of the tree.
pub(crate) fn emergency(emergency: &Emergency) -> Fact {
    Fact {
        kind: "emergency",
        entity: emergency.name(),
        version: emergency.version(),
        org_path: String::new(),
        state: Some(State::Emergency(destruction_convert::emergency(
            emergency.clone(),
        ))),
    }
}

/// What services have to destroy from the moment on at which a job runs.
pub(crate) fn destruction_order(stored: &destruction::Stored, emergency: &Emergency) -> Fact {
    Fact {
        kind: "destruction_order",
        entity: stored.name(),
        version: 1,
        org_path: String::new(),
        state: Some(State::DestructionOrder(destruction_convert::order(
            stored, emergency,
        ))),
    }
}

/// Announces the rolls of the class groups at `places`; `today` decides their grades.
pub(crate) async fn class_rolls(
    tx: &Tx,
    places: Vec<String>,
    today: chrono::NaiveDate,
) -> Result<(), DbErr> {
    let mut rolls = ClassRolls::of(places, school_year(today));
    loop {
        let some = rolls.next(tx).await?;
        if some.is_empty() {
            return Ok(());
        }
        tell(
            tx,
            some.into_iter()
                .map(|(head, pupils)| class_roll(head, pupils, today)),
        )
        .await?;
    }
}

fn class_roll(head: ClassHead, pupils: Vec<Pupil>, today: chrono::NaiveDate) -> Fact {
    let ClassHead {
        org_path,
        organization,
        id,
        display_name,
        teaching_mode,
        active,
        school_year,
        version,
    } = head;
    let entity = class_group::name(&organization, &id);
    let organization = format!("organizations/{organization}");
    let (grade, display_name) = match id.parse::<ClassGroupId>() {
        Ok(id) => (
            class_group::roll_grade(&id, school_year, today),
            class_group::shown_name(&display_name, &id, school_year, today),
        ),
        Err(()) => (0, display_name),
    };
    let state = active.then(|| {
        State::ClassGroupRoll(ClassGroupRoll {
            class_group: entity.clone(),
            organization,
            display_name,
            grade,
            teaching_mode: teaching_mode.into(),
            members: pupils.into_iter().map(pupil).collect(),
        })
    });
    Fact {
        kind: "class_group_roll",
        entity,
        version,
        org_path,
        state,
    }
}

fn pupil(pupil: Pupil) -> RollMember {
    let Pupil {
        id,
        presence,
        boarder,
        dormitory,
        swab_exempt,
        since,
    } = pupil;
    RollMember {
        person: format!("students/{id}"),
        presence: presence.into(),
        boarder,
        dormitory,
        swab_exempt,
        since,
    }
}

/// Announces who works at an organisation.
pub(crate) async fn staff_roll(tx: &Tx, organization: &str) -> Result<(), DbErr> {
    staff_rolls(tx, vec![organization.to_owned()]).await
}

/// Announces who works at each of these organisations.
pub(crate) async fn staff_rolls(tx: &Tx, organizations: Vec<String>) -> Result<(), DbErr> {
    for some in organizations.chunks(AT_ONCE) {
        let rolls = rolls::staff(tx, some).await?;
        tell(
            tx,
            rolls
                .into_iter()
                .map(|(head, workers)| staff_fact(head, workers)),
        )
        .await?;
    }
    Ok(())
}

fn staff_fact(head: StaffHead, workers: Vec<Worker>) -> Fact {
    let StaffHead {
        organization,
        org_path,
        version,
    } = head;
    let organization = format!("organizations/{organization}");
    let entity = format!("{organization}/staffRoll");
    let members = workers.into_iter().map(worker).collect();
    let state = Some(State::StaffRoll(StaffRoll {
        organization,
        members,
    }));
    Fact {
        kind: "staff_roll",
        entity,
        version,
        org_path,
        state,
    }
}

fn worker(worker: Worker) -> StaffRollMember {
    let Worker {
        id,
        on_leave,
        swab_exempt,
        since,
        posts,
        grade,
    } = worker;
    let presence = if on_leave {
        Presence::OnLeave
    } else {
        Presence::Expected
    };
    let held = (1..31).filter(|number| posts & (1 << number) != 0);
    let posts = held.filter_map(|number| Post::try_from(number).ok());
    StaffRollMember {
        member: Some(RollMember {
            person: format!("staff/{id}"),
            presence: presence.into(),
            boarder: false,
            dormitory: String::new(),
            swab_exempt,
            since,
        }),
        posts: posts
            .map(|post| post.as_str_name().trim_start_matches("POST_").to_owned())
            .collect(),
        grade: grade.into(),
    }
}

/// How many organisations one statement names.
const ORGANIZATIONS: usize = 300;

/// Announces who answers for what at each of `organizations` at the instant `now`.
pub(crate) async fn responsibility_rolls(
    tx: &Tx,
    mut organizations: Vec<String>,
    now: i64,
) -> Result<(), DbErr> {
    organizations.sort_unstable();
    organizations.dedup();
    for some in organizations.chunks(ORGANIZATIONS) {
        let heads = duties::raise(tx, some).await?;
        if heads.is_empty() {
            continue;
        }
        let ids: Vec<String> = heads.iter().map(|head| head.id.clone()).collect();
        let charts = duties::charts(tx, &ids, now, now).await?;
        let facts = heads.into_iter().zip(charts).map(|(head, chart)| {
            let organization = format!("organizations/{}", head.id);
            let entity = format!("{organization}/responsibilityRoll");
            let state = State::ResponsibilityRoll(ResponsibilityRoll {
                organization,
                duties: roll(&chart).into_iter().map(duty).collect(),
            });
            Fact {
                kind: "responsibility_roll",
                entity,
                version: head.version,
                org_path: head.org_path,
                state: head.active.then_some(state),
            }
        });
        tell(tx, facts).await?;
    }
    Ok(())
}

fn duty(duty: Duty) -> ResponsibilityDuty {
    let Duty {
        subject,
        place,
        holder,
    } = duty;
    ResponsibilityDuty {
        subject: subject.as_str().to_owned(),
        staff_member: format!("staff/{holder}"),
        place: place.to_string(),
    }
}
