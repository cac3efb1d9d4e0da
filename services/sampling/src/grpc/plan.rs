//! PlanService.

use kit::auth::caller;
use kit::field::Fields;
use kit::page;
use proto::sampling::evaluate_request::Population as On;
use proto::sampling::plan_service_server::PlanService;
use proto::sampling::sampling_plan::{Kind, Strategy as PlanStrategy};
use proto::sampling::{
    CreatePlanRequest, EndPlanRequest, EvaluateRequest, EvaluateResponse, GetPlanRequest,
    ListPlansRequest, ListPlansResponse, SamplingPlan, UpdatePlanRequest,
};
use tonic::{Request, Response, Status};

use super::{convert, draw_convert};
use crate::app::{App, Change, Draft, Population, Question};
use crate::domain::evaluate::Strategy;
use crate::domain::plan::PlanId;
use crate::domain::quota::Ratio;

/// Serves plans.
#[derive(Debug)]
pub(super) struct Api(pub(super) App);

#[tonic::async_trait]
impl PlanService for Api {
    async fn get_plan(
        &self,
        request: Request<GetPlanRequest>,
    ) -> Result<Response<SamplingPlan>, Status> {
        let caller = caller(&request)?;
        let id = name(&request.get_ref().name)?;
        let row = self.0.get_plan(&caller, &id).await?;
        Ok(Response::new(draw_convert::plan(&row)))
    }

    async fn list_plans(
        &self,
        request: Request<ListPlansRequest>,
    ) -> Result<Response<ListPlansResponse>, Status> {
        let caller = caller(&request)?;
        let ListPlansRequest {
            page_size,
            page_token,
        } = request.into_inner();
        let size = usize::try_from(page::size(page_size)?).unwrap_or(usize::MAX);
        let after: Option<String> = page::after(&page_token, &["plans"])?;
        let mut rows = self
            .0
            .list_plans(&caller, &after.unwrap_or_default())
            .await?;
        let more = rows.len() > size;
        rows.truncate(size);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|row| row.plan.id.as_str().to_owned());
        Ok(Response::new(ListPlansResponse {
            plans: rows.iter().map(draw_convert::plan).collect(),
            next_page_token: next
                .map(|id| page::next(&id, &["plans"]))
                .unwrap_or_default(),
        }))
    }

    async fn create_plan(
        &self,
        request: Request<CreatePlanRequest>,
    ) -> Result<Response<SamplingPlan>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        // Whoever may not create plans at all is told so before what is wrong with this one.
        caller.allowed(kit::auth::Permission::PlanWrite)?;
        let draft = draft(&request)?;
        let plan = self
            .0
            .create_plan(&caller, draft, &request.request_id, &request)
            .await?;
        Ok(Response::new(plan))
    }

    async fn update_plan(
        &self,
        request: Request<UpdatePlanRequest>,
    ) -> Result<Response<SamplingPlan>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        caller.allowed(kit::auth::Permission::PlanWrite)?;
        let plan = request.plan.clone().unwrap_or_default();
        let id = name(&plan.name)?;
        let change = change(&plan, request.update_mask.as_ref())?;
        let plan = self
            .0
            .update_plan(&caller, &id, change, &request.request_id, &request)
            .await?;
        Ok(Response::new(plan))
    }

    async fn end_plan(
        &self,
        request: Request<EndPlanRequest>,
    ) -> Result<Response<SamplingPlan>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let id = name(&request.name)?;
        Ok(Response::new(
            self.0.end_plan(&caller, &id, &request).await?,
        ))
    }

    async fn evaluate(
        &self,
        request: Request<EvaluateRequest>,
    ) -> Result<Response<EvaluateResponse>, Status> {
        let caller = caller(&request)?;
        caller.allowed(kit::auth::Permission::PlanRead)?;
        let question = question(request.get_ref())?;
        let answer = self.0.evaluate(&caller, question).await?;
        Ok(Response::new(draw_convert::evaluation(answer)))
    }
}

fn name(name: &str) -> Result<PlanId, kit::status::Problem> {
    let mut fields = Fields::new();
    let id = fields.parse("name", name);
    finish(fields, id)
}

/// Every field that is wrong, or the value that was read of them.
fn finish<T>(fields: Fields, value: Option<T>) -> Result<T, kit::status::Problem> {
    fields.finish()?;
    value.ok_or_else(|| kit::status::Problem::new(proto::error::ErrorReason::InvalidField))
}

fn draft(request: &CreatePlanRequest) -> Result<Draft, kit::status::Problem> {
    let mut fields = Fields::new();
    let plan = request.plan.clone().unwrap_or_default();
    if request.plan.is_none() {
        fields.violation("plan", "必填", "required");
    }
    let id = PlanId::new(&request.plan_id).ok();
    if id.is_none() {
        fields.violation(
            "plan_id",
            "应为 1 到 32 个小写字母、数字或连字符",
            "must be 1 to 32 of a-z, 0-9 and -",
        );
    }
    fields.required("plan.display_name", &plan.display_name);
    fields.text("plan.display_name", &plan.display_name, 63);
    let kind = fields
        .enumeration::<Kind>("plan.kind", plan.kind)
        .and_then(draw_convert::to_kind);
    let organization =
        convert::organization(&mut fields, "plan.organization", &plan.organization).to_owned();
    let ratio = ratio(
        &mut fields,
        "plan.ratio_basis_points",
        plan.ratio_basis_points,
    );
    let cycle_days = cycle_days(&mut fields, plan.cycle_days);
    if plan.strategy() == PlanStrategy::Independent {
        fields.violation(
            "plan.strategy",
            "每日独立抽样会漏掉约三分之一的人，不能用于方案",
            "independent draws leave out a third of the people each week",
        );
    }
    let start = fields.date("plan.start_date", plan.start_date);
    let end = convert::optional_date(&mut fields, "plan.end_date", plan.end_date);
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        fields.violation(
            "plan.end_date",
            "不能早于开始日期",
            "must not be before start_date",
        );
    }
    let draft = (|| {
        Some(Draft {
            id: id?,
            display_name: plan.display_name,
            kind: kind?,
            organization,
            ratio,
            cycle_days,
            start: start?,
            end,
        })
    })();
    finish(fields, draft)
}

fn change(
    plan: &SamplingPlan,
    mask: Option<&prost_types::FieldMask>,
) -> Result<Change, kit::status::Problem> {
    let mut fields = Fields::new();
    let paths: Vec<&str> = mask.map_or_else(Vec::new, |mask| {
        mask.paths.iter().map(String::as_str).collect()
    });
    const CHANGEABLE: [&str; 4] = [
        "display_name",
        "ratio_basis_points",
        "cycle_days",
        "end_date",
    ];
    const OUTPUT_ONLY: [&str; 6] = [
        "name",
        "state",
        "policy_version",
        "create_time",
        "update_time",
        "etag",
    ];
    for path in &paths {
        if *path != "*" && !CHANGEABLE.contains(path) && !OUTPUT_ONLY.contains(path) {
            fields.violation(
                "update_mask",
                "含有不可修改的字段",
                "names a field that cannot change",
            );
        }
    }
    // Without a mask, what is not empty changes; with one, what it names, empty or not.
    let named = |path: &str, filled: bool| {
        if paths.is_empty() {
            filled
        } else {
            paths.contains(&path) || paths.contains(&"*")
        }
    };
    let mut change = Change {
        etag: plan.etag.clone(),
        ..Change::default()
    };
    if named("display_name", !plan.display_name.is_empty()) {
        fields.required("plan.display_name", &plan.display_name);
        fields.text("plan.display_name", &plan.display_name, 63);
        change.display_name = Some(plan.display_name.clone());
    }
    if named("ratio_basis_points", plan.ratio_basis_points != 0) {
        fields.within(
            "plan.ratio_basis_points",
            plan.ratio_basis_points,
            1..=10_000,
        );
        change.ratio = u32::try_from(plan.ratio_basis_points)
            .ok()
            .and_then(|share| Ratio::from_basis_points(share).ok());
    }
    if named("cycle_days", plan.cycle_days != 0) {
        fields.within("plan.cycle_days", plan.cycle_days, 1..=60);
        change.cycle_days = u8::try_from(plan.cycle_days).ok();
    }
    if named("end_date", plan.end_date.is_some()) {
        change.end = Some(convert::optional_date(
            &mut fields,
            "plan.end_date",
            plan.end_date,
        ));
    }
    finish(fields, Some(change))
}

fn ratio(fields: &mut Fields, field: &str, share: i32) -> Option<Ratio> {
    fields.within(field, share, 0..=10_000);
    u32::try_from(share)
        .ok()
        .and_then(|share| Ratio::from_basis_points(share).ok())
}

fn cycle_days(fields: &mut Fields, days: i32) -> Option<u8> {
    fields.within("plan.cycle_days", days, 0..=60);
    u8::try_from(days).ok().filter(|days| *days > 0)
}

fn question(request: &EvaluateRequest) -> Result<Question, kit::status::Problem> {
    let mut fields = Fields::new();
    let population = match &request.population {
        Some(On::ClassSize(size)) => {
            fields.within("class_size", *size, 1..=1000);
            Some(Population::Class(size.unsigned_abs()))
        }
        Some(On::Organization(name)) => {
            let id = convert::organization(&mut fields, "organization", name);
            Some(Population::Organization(id.to_owned()))
        }
        None => {
            fields.violation("population", "必填", "required");
            None
        }
    };
    let share = match request.ratio_basis_points {
        0 => 2000,
        share => share,
    };
    let ratio = ratio(&mut fields, "ratio_basis_points", share);
    let strategy = match request.strategy() {
        PlanStrategy::Unspecified | PlanStrategy::LeastRecent => Strategy::LeastRecent,
        PlanStrategy::Independent => Strategy::Independent,
    };
    let absence = fields.within("absence_per_mille", request.absence_per_mille, 0..=500);
    let capacity = match request.tube_capacity {
        0 => 10,
        one @ (1 | 5 | 10 | 20) => one.unsigned_abs(),
        _ => {
            fields.violation(
                "tube_capacity",
                "应为 1、5、10 或 20",
                "must be 1, 5, 10 or 20",
            );
            10
        }
    };
    let question = (|| {
        Some(Question {
            population: population?,
            ratio: ratio?,
            strategy,
            absence_per_mille: absence.unsigned_abs(),
            replace_absent: request.replace_absent,
            tube_capacity: capacity,
        })
    })();
    finish(fields, question)
}
