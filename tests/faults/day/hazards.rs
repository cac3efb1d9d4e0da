//! A hazard: reported by a guard, verified, assigned and removed by the safety officer, closed by the principal.

use chrono::Days;
use kit::auth::Role;
use kit::clock::{Clock, SystemClock};
use kit::field::to_date;
use proto::safety::hazard::Grade;
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::{
    AssignHazardRequest, CloseHazardRequest, Hazard, HazardCategory, HazardFixes, HazardSubmission,
    Photo, RectifyHazardRequest, ReportHazardRequest, ReviewHazardRequest, SubmitHazardRequest,
    VerifyHazardRequest,
};
use tests::city::{City, Door};
use tests::town::school_path;

use super::{Office, Trail, begun, last, organization, step};
use crate::campaign::Campaign;
use crate::judge::same;
use crate::reads;

const REPORT: &str = "campus.safety.v1.HazardService/ReportHazard";
const VERIFY: &str = "campus.safety.v1.HazardService/VerifyHazard";
const ASSIGN: &str = "campus.safety.v1.HazardService/AssignHazard";
const RECTIFY: &str = "campus.safety.v1.HazardService/RectifyHazard";
const SUBMIT: &str = "campus.safety.v1.HazardService/SubmitHazard";
const REVIEW: &str = "campus.safety.v1.HazardService/ReviewHazard";
const CLOSE: &str = "campus.safety.v1.HazardService/CloseHazard";

/// Within so many days it is removed.
const DUE: u64 = 5;

/// Somebody of the school, before the service.
fn client(office: &Office<'_>, role: Role) -> HazardServiceClient<Door> {
    HazardServiceClient::new(office.city.door(role, &school_path(office.at)))
}

/// Does the next act on the hazard of the day: client, method, name of the method, and the request but for its name
/// and id.
macro_rules! next {
    ($office:ident, $client:expr, $method:ident, $act:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        let (client, name) = ($client, last(&mut $office.days.hazards).name.clone());
        let base = $request { name, $($field: $value,)* ..$request::default() };
        let moved = $office.act($act, |request_id| {
            let (mut client, base) = (client.clone(), base.clone());
            let request = $request { request_id, ..base };
            async move { Ok(client.$method(request).await?.into_inner()) }
        });
        moved.await;
        last(&mut $office.days.hazards).steps.push(step($act));
    }};
}

/// A guard finds one at a place where none was before, and it is none of the major ones.
pub(super) async fn is_found(office: &mut Office<'_>, number: u32) {
    let (guard, parent) = (client(office, Role::Guard), organization(office.at));
    let found = office.act(REPORT, |request_id| {
        let mut client = guard.clone();
        let request = ReportHazardRequest {
            parent: parent.clone(),
            hazard: Some(Hazard {
                category: HazardCategory::Fire.into(),
                place: format!("room-{number}"),
                description: "疏散通道堆放桌椅，影响通行".to_owned(),
                ..Hazard::default()
            }),
            request_id,
        };
        async move { Ok(client.report_hazard(request).await?.into_inner()) }
    });
    let found = found.await;
    office.days.hazards.push(begun(found.name, step(REPORT)));
    let officer = client(office, Role::SafetyOfficer);
    next!(
        office,
        officer,
        verify_hazard,
        VERIFY,
        VerifyHazardRequest {
            grade: Grade::General.into(),
        }
    );
}

/// It gets an owner, who does not act here.
pub(super) async fn is_assigned(office: &mut Office<'_>) {
    let officer = client(office, Role::SafetyOfficer);
    let fixes = HazardFixes {
        owner: office.city.staff(office.at, "疫情报告人").to_owned(),
        measures: "清理通道并划线".to_owned(),
        budget_fen: Some(0),
        due_date: Some(to_date(SystemClock.today() + Days::new(DUE))),
        contingency_plan: "整改期间专人引导疏散".to_owned(),
    };
    next!(
        office,
        officer,
        assign_hazard,
        ASSIGN,
        AssignHazardRequest { fixes: Some(fixes) }
    );
}

/// It is removed, which somebody else reviews.
pub(super) async fn is_closed(office: &mut Office<'_>, number: u32) {
    let officer = client(office, Role::SafetyOfficer);
    let begins = officer.clone();
    next!(
        office,
        begins,
        rectify_hazard,
        RECTIFY,
        RectifyHazardRequest {}
    );
    let submission = HazardSubmission {
        statement: "通道已清空".to_owned(),
        photos: vec![photo(office, number).await],
        ..HazardSubmission::default()
    };
    next!(
        office,
        officer,
        submit_hazard,
        SUBMIT,
        SubmitHazardRequest {
            submission: Some(submission),
        }
    );
    let head = client(office, Role::Principal);
    let reviews = head.clone();
    next!(
        office,
        reviews,
        review_hazard,
        REVIEW,
        ReviewHazardRequest {}
    );
    next!(
        office,
        head,
        close_hazard,
        CLOSE,
        CloseHazardRequest {
            note: "现场已复核".to_owned(),
        }
    );
}

/// A picture of the moment at which the hazard of the day was assigned by the clock of the service: not before that,
/// and not in the future.
async fn photo(office: &mut Office<'_>, number: u32) -> Photo {
    let name = last(&mut office.days.hazards).name.clone();
    let city = office.city;
    let changes = office
        .campaign
        .read("safety-inspection", "a history", || {
            reads::hazard_changes(city, &name)
        })
        .await;
    let assigned = changes.into_iter().find(|one| one.act == step(ASSIGN));
    let digit = u8::try_from(number % 256).expect("a byte");
    Photo {
        sha256: vec![digit; 32].into(),
        take_time: assigned.expect("it was assigned").change_time,
        ..Photo::default()
    }
}

/// Each hazard is there once, and each of its steps once, in their order.
pub(super) async fn are_kept(campaign: &Campaign, city: &City, told: &[Trail]) {
    let listed = campaign.read("safety-inspection", "hazards", || reads::hazards(city));
    let mut kept = Vec::new();
    for Hazard { name, .. } in listed.await {
        let changes = campaign.read("safety-inspection", "a history", || {
            reads::hazard_changes(city, &name)
        });
        let steps = changes.await.into_iter().map(|one| one.act).collect();
        kept.push(Trail { name, steps });
    }
    same("hazards", kept, told.to_vec(), |one| one.name.clone());
}
