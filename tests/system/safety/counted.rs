//! What the city counts: a campaign and what nobody inspected of it (rule 5.5), how campuses are protected
//! by what they declared and others confirmed (rule 5.10), and what a partner reads of both in the feed.

use std::collections::BTreeSet;

use kit::auth::Role;
use kit::clock::civil_date;
use kit::field::to_date;
use proto::safety::campaign_target::State as Target;
use proto::safety::inspection_campaign::{Occasion, State as Stage};
use proto::safety::inspection_plan_service_client::InspectionPlanServiceClient;
use proto::safety::protection_profile::State as Declared;
use proto::safety::protection_service_client::ProtectionServiceClient;
use proto::safety::safety_event::State as Told;
use proto::safety::safety_feed_client::SafetyFeedClient;
use proto::safety::{
    CreateInspectionCampaignRequest, DeclareProtectionRequest, GetProtectionFiguresRequest,
    InspectionCampaign, InspectionLevel, ListCampaignTargetsRequest, ProtectionDeclaration,
    ProtectionFigure, ProtectionStatement, SafetyEvent, SafetySnapshotRequest,
};
use tests::city::Door;
use tests::town::{CITY, DISTRICT};
use tests::until;
use tonic::Code;

use super::people::{call, once, organization};
use crate::region::Region;
use crate::verbs::{denied, expect, request_id};

const REFUSED: Code = Code::FailedPrecondition;

/// The city has every campus inspected within two days; only bureaus may.
pub(super) async fn is_called(region: &Region) -> String {
    let today = civil_date(region.now());
    let request = || CreateInspectionCampaignRequest {
        parent: format!("organizations/{CITY}"),
        inspection_campaign: Some(InspectionCampaign {
            display_name: "汛期安全专项检查".to_owned(),
            occasion: Occasion::FloodSeason.into(),
            checklist_template: "checklistTemplates/flood~1".to_owned(),
            level: InspectionLevel::School.into(),
            start_date: Some(to_date(today)),
            end_date: today.succ_opt().map(to_date),
            ..InspectionCampaign::default()
        }),
        request_id: request_id(),
    };
    for wrong in [region.head(), region.bureau()] {
        let wrong = call!(
            InspectionPlanServiceClient,
            wrong,
            create_inspection_campaign,
            request()
        );
        denied("a campaign of the city", wrong);
    }
    let called = call!(
        InspectionPlanServiceClient,
        region.officer("chief"),
        create_inspection_campaign,
        request()
    );
    let called = called.expect("is called");
    assert_eq!(called.state(), Stage::Open);
    assert!(called.target_count > 0 && called.not_inspected_count == 0);
    called.name
}

/// The organisations with a target of a campaign in a state, as somebody sees them.
async fn targets(door: Door, campaign: &str, state: Target) -> BTreeSet<String> {
    let request = ListCampaignTargetsRequest {
        parent: campaign.to_owned(),
        state: state.into(),
        page_size: 1000,
        ..ListCampaignTargetsRequest::default()
    };
    let listed = call!(
        InspectionPlanServiceClient,
        door,
        list_campaign_targets,
        request
    );
    let targets = listed.expect("targets").targets.into_iter();
    targets.map(|target| target.organization).collect()
}

/// What nobody inspected when its days are over is a finding; every school sees its own only.
pub(super) async fn leaves_what_was_not_inspected(region: &Region, campaign: &str) {
    let chief = || region.officer("chief");
    assert!(
        targets(chief(), campaign, Target::NotInspected)
            .await
            .is_empty()
    );
    let due = targets(chief(), campaign, Target::Due).await;
    region.at(8, 8, 0);
    assert_eq!(targets(chief(), campaign, Target::NotInspected).await, due);
    let own = targets(region.head(), campaign, Target::NotInspected).await;
    assert_eq!(own, BTreeSet::from([organization(1)]));
}

fn said(met: bool) -> Option<ProtectionStatement> {
    Some(ProtectionStatement {
        met,
        since_date: Some(proto::Date {
            year: 2020,
            month: 12,
            day: 31,
        }),
        evidence: if met { "验收文号 2020-12" } else { "" }.to_owned(),
        expire_date: None,
    })
}

/// The three figures of an organisation, as somebody sees them.
async fn figures(door: Door, id: &str) -> Result<Vec<ProtectionFigure>, tonic::Status> {
    let request = GetProtectionFiguresRequest {
        name: format!("organizations/{id}/protectionFigures"),
    };
    let read = call!(
        ProtectionServiceClient,
        door,
        get_protection_figures,
        request
    );
    Ok(read?.figures)
}

/// A school declares, its bureau confirms, and the percentages follow.
pub(crate) async fn is_declared_and_confirmed(region: &Region) {
    let profile = format!("{}/protectionProfile", organization(1));
    let before = figures(region.bureau(), DISTRICT).await.expect("figures");
    assert_eq!(before.len(), 3);
    let declare = || DeclareProtectionRequest {
        name: profile.clone(),
        declaration: Some(ProtectionDeclaration {
            full_time_guards: said(true),
            closed_management: said(true),
            one_key_alarm: said(false),
            ..ProtectionDeclaration::default()
        }),
        request_id: request_id(),
    };
    for wrong in [region.guard(), region.sibling()] {
        let wrong = call!(
            ProtectionServiceClient,
            wrong,
            declare_protection,
            declare()
        );
        denied("it is declared by whoever answers for it", wrong);
    }
    let declared = call!(
        ProtectionServiceClient,
        region.deputy(),
        declare_protection,
        declare()
    );
    let declared = declared.expect("is declared");
    assert_eq!(
        (declared.state(), declared.version),
        (Declared::Declared, 1)
    );
    let confirm = |version| once!(ConfirmProtectionRequest, profile, version: version);
    let own = call!(
        ProtectionServiceClient,
        region.deputy(),
        confirm_protection,
        confirm(1)
    );
    denied("a school confirms nothing of its own", own);
    let other = call!(
        ProtectionServiceClient,
        region.bureau(),
        confirm_protection,
        confirm(2)
    );
    expect("another version", other, REFUSED, "PROTECTION_SUPERSEDED");
    let confirmed = call!(
        ProtectionServiceClient,
        region.bureau(),
        confirm_protection,
        confirm(1)
    );
    assert_eq!(
        confirmed.expect("is confirmed").state(),
        Declared::Confirmed
    );
    let wrong = figures(region.head(), DISTRICT).await;
    denied("the figures of a bureau", wrong);
    let after = figures(region.bureau(), DISTRICT).await.expect("figures");
    for (at, (before, after)) in before.iter().zip(&after).enumerate() {
        let met = i64::from(at < 2);
        assert_eq!(after.campus_count, before.campus_count, "{after:?}");
        assert_eq!(after.met_count, before.met_count + met, "{after:?}");
        assert_eq!(after.confirmed_count, before.confirmed_count + met);
        assert_eq!(after.not_met_count, before.not_met_count + 1 - met);
        let points = 10_000 * after.met_count / after.campus_count;
        assert_eq!(after.met_basis_points.map(i64::from), Some(points));
    }
}

/// Everything that stands, as a reader of the feed is told.
async fn standing(door: Door) -> Result<Vec<SafetyEvent>, tonic::Status> {
    let request = SafetySnapshotRequest::default();
    let pages = SafetyFeedClient::new(door).snapshot(request).await?;
    let mut pages = pages.into_inner();
    let mut events = Vec::new();
    while let Some(page) = pages.message().await? {
        events.extend(page.events);
    }
    Ok(events)
}

/// The system of the government reads the campaign and the protection; nobody of a school does.
pub(super) async fn is_read_by_a_partner(region: &Region, campaign: &str) {
    for wrong in [region.head(), region.guard()] {
        denied("the feed", standing(wrong).await);
    }
    let protected = format!("{}/protectionStanding", organization(1));
    until("the partner hears of it", || async {
        let events = standing(region.authority("command-centre")).await;
        let events = events.expect("a snapshot");
        let of = |entity: &str| {
            let found = events.iter().find(|event| event.entity == entity);
            found.and_then(|event| event.state.clone())
        };
        let (Some(Told::InspectionCampaign(called)), Some(Told::ProtectionStanding(profile))) =
            (of(campaign), of(&protected))
        else {
            return None;
        };
        assert_eq!(called.state(), Stage::Open);
        (profile.state() == Declared::Confirmed).then_some(())
    })
    .await;
    let own = region
        .city
        .door(Role::PartnerSystem, &format!("{CITY}/{DISTRICT}"));
    let own = standing(own).await.expect("a snapshot");
    assert!(own.iter().any(|event| event.entity == protected));
    let own_path = format!("{CITY}/{DISTRICT}");
    assert!(
        own.iter()
            .all(|event| event.org_path.starts_with(&own_path))
    );
}
