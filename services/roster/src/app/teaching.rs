//! Acts on many class groups at once: how they are taught, and the beginning of a school year.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use kit::auth::{Caller, Permission};
use kit::org::OrgPath;
use kit::request::{Once, once};
use prost::Message;
use proto::roster as pb;

use super::{Act, App, announce, class_groups};
use crate::domain::class_group::{Ground, Promotion, State, TeachingMode, roll_grade};
use crate::domain::import::{ClassGroupId, school_year};
use crate::error::Error;
use crate::store::class_groups as groups;
use crate::store::organizations;
use crate::store::teaching::{self as store, TeachingChange};

/// How class groups are to be taught from now on.
#[derive(Clone, Debug)]
pub(crate) struct Teaching {
    /// The organisation above them, or the one of the class group.
    pub(crate) organization: String,
    /// The one class group that is meant; none for all below the organisation.
    pub(crate) class_group: Option<ClassGroupId>,
    /// The resource name that says the same.
    pub(crate) name: String,
    pub(crate) mode: TeachingMode,
    pub(crate) ground: Ground,
    /// Only these grades; empty for all.
    pub(crate) grades: Vec<i32>,
    /// Why.
    pub(crate) reason: String,
}

impl App {
    /// Changes how one class group, or those below an organisation, are taught.
    pub(crate) async fn set_teaching_mode(
        &self,
        caller: &Caller,
        teaching: Teaching,
        act: Act<'_, impl Message>,
    ) -> Result<pb::SetTeachingModeResponse, Error> {
        let place = self.taught_place(caller, &teaching).await?;
        let (now, today) = (self.clock.now(), self.clock.today());
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let Teaching {
            organization: _,
            class_group: _,
            name,
            mode,
            ground,
            grades,
            reason,
        } = teaching;
        let mut named = store::lock(&tx, &place).await?;
        named.retain(|group| {
            let grade = roll_grade(&group.id, group.school_year, today);
            grades.is_empty() || grades.contains(&grade)
        });
        let places: Vec<String> = named.iter().map(|group| group.org_path.clone()).collect();
        store::hold(&tx, &places, ground, mode).await?;
        let mut holds = store::holds(&tx, &place).await?;
        let mut changed = Vec::new();
        let mut moved: BTreeMap<i16, (TeachingMode, Vec<String>)> = BTreeMap::new();
        let mut held_count = 0;
        for group in named {
            let grounds = holds.remove(&group.org_path).unwrap_or_default();
            let strictest = TeachingMode::strictest(grounds);
            held_count += i32::from(strictest != mode);
            if strictest != group.mode {
                let (_, places) = moved
                    .entry(strictest.code())
                    .or_insert_with(|| (strictest, Vec::new()));
                places.push(group.org_path.clone());
                changed.push(group.org_path);
            }
        }
        for (mode, places) in moved.into_values() {
            store::set(&tx, &places, mode, now.timestamp_millis()).await?;
        }
        let changed_count = i32::try_from(changed.len()).unwrap_or(i32::MAX);
        let kept = TeachingChange {
            id: (self.new_id)(),
            name: &name,
            org_path: place.as_str(),
            grades: &grades,
            mode,
            ground,
            reason: &reason,
            principal: &caller.subject,
            changed: changed_count,
            time: now.timestamp_millis(),
        };
        store::keep(&tx, kept).await?;
        announce::class_rolls(&tx, changed, today).await?;
        let answer = pb::SetTeachingModeResponse {
            changed_count,
            held_count,
        };
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }

    /// The place at and below which teaching changes, where the caller may change it.
    async fn taught_place(&self, caller: &Caller, teaching: &Teaching) -> Result<OrgPath, Error> {
        let (permission, organization) = (Permission::TeachingModeWrite, &teaching.organization);
        let place = match &teaching.class_group {
            Some(id) => {
                let found = self
                    .class_group(caller, permission, organization, id)
                    .await?;
                class_groups::taught(found)?.org_path
            }
            None => {
                let found = self.organization(caller, permission, organization).await?;
                if found.closed.is_some() {
                    return Err(Error::Closed(found.name()));
                }
                found.org_path
            }
        };
        Ok(place.parse().unwrap_or_default())
    }

    /// Begins the school year of `date` at a school.
    pub(crate) async fn promote_class_groups(
        &self,
        caller: &Caller,
        organization: &str,
        date: NaiveDate,
        act: Act<'_, impl Message>,
    ) -> Result<pb::PromoteClassGroupsResponse, Error> {
        let seen = self
            .organization(caller, Permission::TeachingModeWrite, organization)
            .await?;
        let now = self.clock.now();
        let tx = self.db.begin().await?;
        let Act {
            method,
            request_id,
            request,
        } = act;
        let ticket = match once(&tx, caller, method, request_id, request, now).await? {
            Once::First(ticket) => ticket,
            Once::Repeat(answer) => return Ok(answer),
        };
        let school = organizations::lock(&tx, organization).await?;
        let school = school.ok_or_else(|| Error::NotFound(seen.name()))?;
        if school.closed.is_some() {
            return Err(Error::Closed(school.name()));
        }
        if !school.kind.teaches() {
            return Err(Error::Kind(school.name()));
        }
        let mut answer = pb::PromoteClassGroupsResponse::default();
        let mut places = Vec::new();
        let time = now.timestamp_millis();
        for mut group in groups::lock_taught(&tx, organization).await? {
            match group.promotion(date) {
                Ok(Promotion::Finishes(last)) => {
                    let left = groups::graduate_students(&tx, &group.org_path, last, time).await?;
                    answer.graduated_student_count += i32::try_from(left).unwrap_or(i32::MAX);
                    answer.graduated_count += 1;
                    group.state = State::Graduated;
                }
                Ok(Promotion::GoesOn) => {
                    answer.promoted_count += 1;
                    group.school_year = school_year(date);
                }
                Ok(Promotion::Stays) | Err(_) => continue,
            }
            group.version += 1;
            group.update_time = time;
            groups::update(&tx, &group).await?;
            places.push(group.org_path);
        }
        announce::class_rolls(&tx, places, self.clock.today()).await?;
        ticket.record(&tx, &answer).await?;
        tx.commit().await?;
        Ok(answer)
    }
}
