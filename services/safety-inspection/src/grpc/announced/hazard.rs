//! Hazards, and campaigns of inspections.

use kit::field::{to_date, to_timestamp};
use proto::safety as pb;
use proto::safety::safety_event::State as EventState;

use super::{Telling, tomorrow};
use crate::domain::figures::{Counts, Metric};
use crate::domain::hazard::course::Supervision;
use crate::domain::hazard::entry::Hazard;
use crate::domain::inspection::campaign::{Campaign, State};
use crate::store::told::NEVER;

/// A hazard, until it is closed or dismissed.
pub(crate) fn hazard(hazard: &Hazard) -> Telling {
    let home = (&*hazard.home.organization, &*hazard.home.org_path);
    let telling = Telling::gone("hazards", hazard.name(), home);
    if hazard.state.is_final() {
        return telling;
    }
    let overdue = hazard.course.overdue_told;
    let [open, late] = Metric::of_hazards(hazard.grade);
    let counts = Counts::default()
        .with(open, 1)
        .with(late, i64::from(overdue))
        .with(
            Metric::HazardsMoved,
            i64::from(hazard.course.extensions > 0),
        );
    telling.with(
        Some(EventState::Hazard(told_hazard(hazard, overdue))),
        counts,
    )
}

fn told_hazard(hazard: &Hazard, overdue: bool) -> pb::Hazard {
    let progress = hazard.course.progress_due;
    pb::Hazard {
        name: hazard.name(),
        state: hazard.state as i32,
        grade: hazard.grade.map_or(0, |grade| grade as i32),
        category: hazard.category as i32,
        source: hazard.source as i32,
        major_rules: hazard.major_rules.clone(),
        find_time: Some(to_timestamp(hazard.found)),
        due_date: Some(to_date(hazard.due)),
        overdue,
        escalation: hazard.escalation.map_or(0, |bureau| bureau as i32),
        progress_due_date: progress.map(|due| to_date(due.day)),
        progress_overdue: progress.is_some_and(|due| due.told),
        supervision: hazard.supervised().map(told_supervision),
        ..pb::Hazard::default()
    }
}

fn told_supervision(supervision: &Supervision) -> pb::HazardSupervision {
    pb::HazardSupervision {
        level: supervision.bureau as i32,
        start_time: Some(to_timestamp(supervision.start)),
        ..pb::HazardSupervision::default()
    }
}

/// A campaign, while it is open; it is looked at again once what was not inspected is a finding.
pub(crate) fn campaign(campaign: &Campaign) -> Telling {
    let organization = &*campaign.organization;
    let id = campaign.id.hyphenated();
    let name = format!("organizations/{organization}/inspectionCampaigns/{id}");
    let home = (organization, &*campaign.org_path);
    let told = pb::InspectionCampaign {
        name: name.clone(),
        state: campaign.state as i32,
        occasion: campaign.occasion as i32,
        checklist_template: format!("checklistTemplates/{}", campaign.template),
        level: campaign.level as i32,
        start_date: Some(to_date(campaign.start)),
        end_date: Some(to_date(campaign.end)),
        ..pb::InspectionCampaign::default()
    };
    let (open, wakes) = match campaign.state {
        State::Open => (true, tomorrow(campaign.end)),
        State::Closed => (false, 0),
        State::Cancelled => (false, NEVER),
    };
    let state = open.then_some(EventState::InspectionCampaign(told));
    Telling::gone("inspectionCampaigns", name, home)
        .with(state, Counts::default())
        .wakes(wakes)
}
