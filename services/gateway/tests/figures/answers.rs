//! What the services answer: a city with two districts.

use std::sync::Arc;

use axum::body::Body;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, stream};
use http::{Request as HttpRequest, Response as HttpResponse};
use kit::auth::{Caller, Permission};
use kit::field::private_count;
use kit::org::OrgPath;
use kit::privacy::Seen;
use kit::status::Problem;
use proto::notification::alert::Severity;
use proto::notification::{
    AlertGroup, ConcernCategoryFigures, ConcernFigures, DirectiveFigures, GetConcernFiguresRequest,
    GetDirectiveFiguresRequest, ListAlertGroupsRequest, ListAlertGroupsResponse,
    ListDirectiveFiguresRequest, ListDirectiveFiguresResponse, WatchAlertsRequest,
    WatchAlertsResponse,
};
use proto::roster::class_group_roll::TeachingMode;
use proto::roster::teaching_summary::ModeCount;
use proto::roster::{
    GetOrganizationRequest, GetTeachingSummaryRequest, ListTeachingSummariesRequest,
    ListTeachingSummariesResponse, Organization, TeachingSummary,
};
use proto::safety::safety_figures::Gates;
use proto::safety::{
    GetResumptionFiguresRequest, GetSafetyFiguresRequest, ListSafetyFiguresRequest,
    ListSafetyFiguresResponse, ResumptionFigures, SafetyFigures, WatchSafetyFiguresRequest,
    WatchSafetyFiguresResponse, resumption_figures,
};
use proto::sampling::{
    CheckCoverage, Coverage, GetCoverageRequest, GetHealthCoverageRequest, HealthCoverage,
    HoldFigures, ListCoverageRequest, ListCoverageResponse, ListHealthCoverageRequest,
    ListHealthCoverageResponse, TubeFigures,
};
use tokio_stream::wrappers::WatchStream;
use tonic::server::{Grpc, ServerStreamingService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tonic_prost::prost::Message;

use super::{CITY, DISTRICT, Services};

/// The other district; it submits less.
pub(crate) const OTHER: &str = "350103";

/// The path of an organisation in a name such as `organizations/fz/safetyFigures`.
fn place(name: &str) -> Option<OrgPath> {
    let id = name.strip_prefix("organizations/")?.split('/').next()?;
    let path = match id {
        CITY => CITY.to_owned(),
        DISTRICT | OTHER => format!("{CITY}/{id}"),
        _ => return None,
    };
    path.parse().ok()
}

fn allow(caller: &Caller, permission: Permission, name: &str) -> Result<OrgPath, Status> {
    caller.allowed(permission)?;
    let path = place(name).ok_or_else(|| Problem::not_found(name))?;
    caller.require(permission, &path)?;
    Ok(path)
}

pub(super) async fn answer(
    services: &Services,
    caller: &Arc<Caller>,
    path: &str,
    request: HttpRequest<Body>,
) -> HttpResponse<Body> {
    let (_, method) = path.rsplit_once('/').unwrap_or_default();
    let caller = caller.clone();
    let campuses = *services.0.campuses.borrow();
    let online = *services.0.online.lock().expect("whole");
    match method {
        "GetOrganization" => {
            let answer = move |asked: GetOrganizationRequest| {
                let path = allow(&caller, Permission::RosterRead, &asked.name)?;
                Ok(Organization {
                    org_path: path.to_string(),
                    display_name: "榕城教育局".to_owned(),
                    name: asked.name,
                    ..Organization::default()
                })
            };
            unary(request, answer).await
        }
        "GetCoverage" => {
            let answer = move |asked: GetCoverageRequest| {
                let path = allow(&caller, Permission::DrawRead, &asked.scope)?;
                Ok(coverage(&asked.scope, &path))
            };
            unary(request, answer).await
        }
        "ListCoverage" => {
            let answer = move |asked: ListCoverageRequest| {
                allow(&caller, Permission::DrawRead, &asked.parent)?;
                let coverages = children(&asked.parent, |name, path| coverage(name, &path));
                Ok(ListCoverageResponse {
                    coverages,
                    next_page_token: String::new(),
                })
            };
            unary(request, answer).await
        }
        "GetHealthCoverage" => {
            let answer = move |asked: GetHealthCoverageRequest| {
                let path = allow(&caller, Permission::HealthCoverageRead, &asked.scope)?;
                Ok(health(&asked.scope, &path))
            };
            unary(request, answer).await
        }
        "ListHealthCoverage" => {
            let answer = move |asked: ListHealthCoverageRequest| {
                allow(&caller, Permission::HealthCoverageRead, &asked.parent)?;
                let health_coverages = children(&asked.parent, |name, path| health(name, &path));
                Ok(ListHealthCoverageResponse {
                    health_coverages,
                    next_page_token: String::new(),
                })
            };
            unary(request, answer).await
        }
        "GetSafetyFigures" => {
            let answer = move |asked: GetSafetyFiguresRequest| {
                let path = allow(&caller, Permission::SafetyFiguresRead, &asked.name)?;
                Ok(safety(&asked.name, &path, campuses))
            };
            unary(request, answer).await
        }
        "ListSafetyFigures" => {
            let answer = move |asked: ListSafetyFiguresRequest| {
                allow(&caller, Permission::SafetyFiguresRead, &asked.parent)?;
                let safety_figures = children(&asked.parent, |name, path| {
                    safety(&format!("{name}/safetyFigures"), &path, campuses)
                });
                Ok(ListSafetyFiguresResponse {
                    safety_figures,
                    next_page_token: String::new(),
                })
            };
            unary(request, answer).await
        }
        "GetResumptionFigures" => {
            let answer = move |asked: GetResumptionFiguresRequest| {
                allow(&caller, Permission::ResumptionRead, &asked.name)?;
                Ok(resumption())
            };
            unary(request, answer).await
        }
        "ListAlertGroups" => {
            let answer = move |asked: ListAlertGroupsRequest| {
                allow(&caller, Permission::AlertRead, &asked.parent)?;
                Ok(groups())
            };
            unary(request, answer).await
        }
        "GetConcernFigures" => {
            let answer = move |asked: GetConcernFiguresRequest| {
                allow(&caller, Permission::ConcernFiguresRead, &asked.parent)?;
                Ok(concerns(asked.parent))
            };
            unary(request, answer).await
        }
        "GetDirectiveFigures" => {
            let answer = move |asked: GetDirectiveFiguresRequest| {
                let path = allow(&caller, Permission::DirectiveRead, &asked.name)?;
                Ok(directives(asked.name, &path))
            };
            unary(request, answer).await
        }
        "ListDirectiveFigures" => {
            let answer = move |asked: ListDirectiveFiguresRequest| {
                allow(&caller, Permission::DirectiveRead, &asked.parent)?;
                let directive_figures = children(&asked.parent, |name, path| {
                    directives(format!("{name}/directiveFigures"), &path)
                });
                Ok(ListDirectiveFiguresResponse {
                    directive_figures,
                    next_page_token: String::new(),
                })
            };
            unary(request, answer).await
        }
        "GetTeachingSummary" => {
            let answer = move |asked: GetTeachingSummaryRequest| {
                let path = allow(&caller, Permission::RosterRead, &asked.name)?;
                Ok(teaching(asked.name, &path, online))
            };
            unary(request, answer).await
        }
        "ListTeachingSummaries" => {
            let answer = move |asked: ListTeachingSummariesRequest| {
                allow(&caller, Permission::RosterRead, &asked.parent)?;
                let teaching_summaries = children(&asked.parent, |name, path| {
                    teaching(format!("{name}/teachingSummary"), &path, online)
                });
                Ok(ListTeachingSummariesResponse {
                    teaching_summaries,
                    next_page_token: String::new(),
                })
            };
            unary(request, answer).await
        }
        "WatchSafetyFigures" => {
            let changes = WatchStream::from_changes(services.0.campuses.subscribe());
            let answer = move |asked: WatchSafetyFiguresRequest| {
                let path = allow(&caller, Permission::SafetyFiguresRead, &asked.name)?;
                let told = changes.map(move |count| WatchSafetyFiguresResponse {
                    safety_figures: Some(safety(&asked.name, &path, count)),
                });
                Ok(told.map(Ok).boxed())
            };
            streaming(request, Box::new(answer)).await
        }
        "WatchAlerts" => {
            let answer = move |asked: WatchAlertsRequest| {
                allow(&caller, Permission::AlertRead, &asked.parent)?;
                let quiet = stream::pending::<Result<WatchAlertsResponse, Status>>();
                Ok(quiet.boxed())
            };
            streaming(request, Box::new(answer)).await
        }
        _ => Status::unimplemented(path).into_http(),
    }
}

fn children<T>(parent: &str, one: impl Fn(&str, OrgPath) -> T) -> Vec<T> {
    let below = if parent.ends_with(CITY) {
        vec![DISTRICT, OTHER]
    } else {
        vec![]
    };
    let named = below.into_iter().filter_map(|id| {
        let name = format!("organizations/{id}");
        let path = place(&name)?;
        Some(one(&name, path))
    });
    named.collect()
}

fn coverage(scope: &str, path: &OrgPath) -> Coverage {
    Coverage {
        scope: scope.to_owned(),
        org_path: path.to_string(),
        school_count: 3,
        class_group_count: 30,
        enrolled_count: 1_200,
        eligible_count: 1_000,
        covered_count: 800,
        late_count: 7,
        school_day: true,
        drawn_school_count: 2,
        tubes: Some(TubeFigures {
            opened_count: 40,
            sealed_count: 30,
            ..TubeFigures::default()
        }),
        holds: Some(HoldFigures::default()),
        ..Coverage::default()
    }
}

fn directives(name: String, path: &OrgPath) -> DirectiveFigures {
    DirectiveFigures {
        name,
        org_path: path.to_string(),
        in_force_count: 2,
        reached_count: 9,
        accepted_count: 4,
        ..DirectiveFigures::default()
    }
}

fn teaching(name: String, path: &OrgPath, online: i32) -> TeachingSummary {
    let mode = |mode: TeachingMode, class_group_count| ModeCount {
        teaching_mode: mode.into(),
        class_group_count,
    };
    TeachingSummary {
        name,
        org_path: path.to_string(),
        class_group_count: 30,
        modes: vec![
            mode(TeachingMode::InPerson, 30 - online),
            mode(TeachingMode::Online, online),
        ],
        school_count: 3,
        in_person_school_count: 2,
        ..TeachingSummary::default()
    }
}

fn health(scope: &str, path: &OrgPath) -> HealthCoverage {
    let overdue = if path.leaf() == OTHER { 6 } else { 2 };
    HealthCoverage {
        scope: scope.to_owned(),
        org_path: path.to_string(),
        checks: vec![CheckCoverage {
            slot: 1,
            expected_count: 30,
            answered_count: 30 - overdue,
            missing_count: overdue,
            overdue_count: overdue,
            late_count: 1,
            ..CheckCoverage::default()
        }],
        school_count: 3,
        ..HealthCoverage::default()
    }
}

fn safety(name: &str, path: &OrgPath, campuses: i32) -> SafetyFigures {
    SafetyFigures {
        name: name.to_owned(),
        org_path: path.to_string(),
        display_name: format!("{}区", path.leaf()),
        campus_count: campuses,
        gates: Some(Gates {
            decision_count: 900,
            ..Gates::default()
        }),
        ..SafetyFigures::default()
    }
}

fn resumption() -> ResumptionFigures {
    let figure = |id: &str| resumption_figures::Figure {
        organization: format!("organizations/{id}"),
        resumption_count: 2,
        returned_count: 1,
        ..resumption_figures::Figure::default()
    };
    ResumptionFigures {
        total: Some(figure(CITY)),
        parts: vec![figure(OTHER)],
        ..ResumptionFigures::default()
    }
}

fn groups() -> ListAlertGroupsResponse {
    let group = |id: &str, severity: Severity, alert_count| AlertGroup {
        organization: format!("organizations/{id}"),
        severity: severity.into(),
        alert_count,
        ..AlertGroup::default()
    };
    ListAlertGroupsResponse {
        groups: vec![
            group(DISTRICT, Severity::Critical, 2),
            group(CITY, Severity::Notice, 1),
        ],
        next_page_token: String::new(),
    }
}

fn concerns(organization: String) -> ConcernFigures {
    ConcernFigures {
        organization,
        categories: vec![ConcernCategoryFigures {
            category: 1,
            concern_count: Some(private_count(Seen::Shown(12))),
            open_count: Some(private_count(Seen::Shown(8))),
            late_count: Some(private_count(Seen::Hidden)),
            ..ConcernCategoryFigures::default()
        }],
    }
}

type Answered<T> = BoxFuture<'static, Result<Response<T>, Status>>;

struct Unary<F>(F);

impl<Q, A, F> UnaryService<Q> for Unary<F>
where
    F: Fn(Q) -> Result<A, Status>,
    A: Send + 'static,
{
    type Response = A;
    type Future = Answered<A>;

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let answered = (self.0)(request.into_inner()).map(Response::new);
        Box::pin(std::future::ready(answered))
    }
}

async fn unary<Q, A>(
    request: HttpRequest<Body>,
    answer: impl Fn(Q) -> Result<A, Status>,
) -> HttpResponse<Body>
where
    Q: Message + Default + Send + Sync + 'static,
    A: Message + Send + Sync + 'static,
{
    let mut grpc = Grpc::new(ProstCodec::<A, Q>::default());
    grpc.unary(Unary(answer), request).await.map(Body::new)
}

type Told<A> = BoxStream<'static, Result<A, Status>>;
type Opening<Q, A> = Box<dyn FnOnce(Q) -> Result<Told<A>, Status> + Send>;

struct Streaming<Q, A>(Option<Opening<Q, A>>);

impl<Q, A: Send + 'static> ServerStreamingService<Q> for Streaming<Q, A> {
    type Response = A;
    type ResponseStream = Told<A>;
    type Future = Answered<Self::ResponseStream>;

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let answer = self.0.take().expect("called once");
        let answered = answer(request.into_inner()).map(Response::new);
        Box::pin(std::future::ready(answered))
    }
}

async fn streaming<Q, A>(request: HttpRequest<Body>, answer: Opening<Q, A>) -> HttpResponse<Body>
where
    Q: Message + Default + Send + Sync + 'static,
    A: Message + Send + Sync + 'static,
{
    let mut grpc = Grpc::new(ProstCodec::<A, Q>::default());
    let service = Streaming(Some(answer));
    grpc.server_streaming(service, request).await.map(Body::new)
}
