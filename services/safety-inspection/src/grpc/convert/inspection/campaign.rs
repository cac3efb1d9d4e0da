//! Campaigns, how far they are, and their targets.

use chrono::NaiveDate;
use kit::field::{Fields, to_date, to_timestamp};
use kit::status::Problem;
use proto::safety as pb;

use super::{choice, count, organization_name, template_in, template_name, words};
use crate::app::inspections::{Call, Standing};
use crate::domain::inspection::campaign::{Occasion, TargetState};
use crate::domain::inspection::schedule::Level;
use crate::store::inspections::{Progress, Target};

const TITLE: usize = 100;
/// How many days a campaign lasts at most.
const LONGEST: i64 = 366;

/// What is to be called, seen from `today`.
pub(in crate::grpc) fn call(
    sent: Option<&pb::InspectionCampaign>,
    today: NaiveDate,
) -> Result<Call, Problem> {
    let sent = sent.cloned().unwrap_or_default();
    let mut fields = Fields::new();
    let at = |name: &str| format!("inspection_campaign.{name}");
    words(&mut fields, &at("display_name"), &sent.display_name, TITLE);
    let occasion = choice(
        &mut fields,
        &at("occasion"),
        sent.occasion,
        Occasion::from_number,
    );
    let field = at("checklist_template");
    let template = template_in(&mut fields, &field, &sent.checklist_template);
    let level = choice(&mut fields, &at("level"), sent.level, Level::from_number);
    let start = fields.date(&at("start_date"), sent.start_date);
    let end = fields.date(&at("end_date"), sent.end_date);
    if let (Some(start), Some(end)) = (start, end)
        && (end < today || !(0..=LONGEST).contains(&(end - start).num_days()))
    {
        let zh = "截止日期不能早于今天和开始日期，且不超过 366 天";
        let en = "not in the past, not before start_date, within 366 days";
        fields.violation(at("end_date"), zh, en);
    }
    fields.finish()?;
    match (occasion, template, level, start, end) {
        (Some(occasion), Some(template), Some(level), Some(start), Some(end)) => Ok(Call {
            display_name: sent.display_name,
            occasion,
            template,
            level,
            start,
            end,
        }),
        _ => Err(super::malformed("inspection_campaign")),
    }
}

pub(in crate::grpc) fn campaign(standing: Standing) -> pb::InspectionCampaign {
    let Standing {
        campaign,
        progress,
        over,
        changes,
    } = standing;
    let (organization, id) = (campaign.organization, campaign.id.hyphenated());
    let changes = changes
        .into_iter()
        .map(|change| pb::inspection_campaign::Change {
            from_state: change.from,
            to_state: change.to,
            actor: change.actor,
            change_time: Some(to_timestamp(change.at)),
        });
    pb::InspectionCampaign {
        name: format!("organizations/{organization}/inspectionCampaigns/{id}"),
        state: campaign.state as i32,
        display_name: campaign.display_name,
        occasion: campaign.occasion as i32,
        checklist_template: template_name(&campaign.template),
        level: campaign.level as i32,
        start_date: Some(to_date(campaign.start)),
        end_date: Some(to_date(campaign.end)),
        target_count: count(progress.targets),
        inspected_count: count(progress.inspected),
        not_inspected_count: count(not_inspected(&progress, over)),
        changes: changes.collect(),
    }
}

fn not_inspected(progress: &Progress, over: bool) -> u32 {
    if over {
        progress.targets.saturating_sub(progress.inspected)
    } else {
        0
    }
}

/// How far a campaign is in one district.
pub(in crate::grpc) fn progress(progress: Progress, over: bool) -> pb::CampaignProgress {
    pb::CampaignProgress {
        target_count: count(progress.targets),
        inspected_count: count(progress.inspected),
        late_count: count(progress.late),
        not_inspected_count: count(not_inspected(&progress, over)),
        organization: organization_name(&progress.organization),
    }
}

pub(in crate::grpc) fn target((target, state): (Target, TargetState)) -> pb::CampaignTarget {
    pb::CampaignTarget {
        organization: organization_name(&target.organization),
        place_kind: target.kind as i32,
        place: target.place,
        state: state as i32,
        inspection: target.inspection,
    }
}
