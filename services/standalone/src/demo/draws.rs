//! The plan, the draw, the coverage and the publication.

use std::collections::BTreeMap;
use std::time::Instant;

use kit::field::to_date;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::draw_service_client::DrawServiceClient;
use proto::sampling::plan_service_client::PlanServiceClient;
use proto::sampling::sampling_plan::Kind;
use proto::sampling::{
    CloseDayRequest, CreatePlanRequest, Draw, DrawDayRequest, ListCoverageRequest,
    ListDrawsRequest, SamplingPlan,
};

use super::tubes::Case;
use super::{PLAN, Stage};
use crate::city::{CITY_ID, DISTRICTS};
use crate::draw;
use crate::screen::{self, Align, Table, count};

impl Stage {
    pub(super) async fn draw(&mut self) -> anyhow::Result<()> {
        screen::heading(
            "三、抽样 today's sample: a fifth of each class group, longest waiting first",
        );
        let plan = SamplingPlan {
            display_name: "学生每日抽样".to_owned(),
            kind: Kind::StudentRotation.into(),
            organization: format!("organizations/{CITY_ID}"),
            start_date: Some(to_date(self.today())),
            ..SamplingPlan::default()
        };
        let plan_id = PLAN.to_owned();
        let request = CreatePlanRequest {
            plan: Some(plan),
            plan_id,
            request_id: String::new(),
        };
        let plan = PlanServiceClient::new(self.officer()?)
            .create_plan(request)
            .await?
            .into_inner();
        screen::done(format_args!(
            "plan {}: {} % a day, everybody once in {} school days, policy {}",
            plan.name,
            plan.ratio_basis_points / 100,
            plan.cycle_days,
            plan.policy_version
        ));

        let request = || DrawDayRequest {
            plan: format!("plans/{PLAN}"),
            organization: format!("organizations/{CITY_ID}"),
            draw_date: None,
        };
        let mut client = DrawServiceClient::new(self.officer()?);
        let begun = Instant::now();
        let mut stream = client.draw_day(request()).await?.into_inner();
        let bar = screen::bar(self.city.plan().schools().len() as u64, "学校 schools");
        let mut last = None;
        while let Some(message) = stream.message().await? {
            bar.set_position(u64::from(message.drawn_school_count.unsigned_abs()));
            last = Some(message);
        }
        bar.finish_and_clear();
        let taken = begun.elapsed();
        let finished = last.as_ref().is_some_and(|message| message.finished);
        let draws = self.draws().await?;
        self.checks.expect(
            finished && draws.len() == self.city.plan().schools().len(),
            format!(
                "{} schools drawn, frozen and signed in {}",
                draws.len(),
                screen::span(taken)
            ),
        );
        print(&draws);
        let (picks, quota) = draws.iter().fold((0, 0), |(picks, quota), draw| {
            (picks + draw.pick_count, quota + draw.quota)
        });
        self.checks.expect(
            picks == quota && draws.iter().all(|draw| draw.signature.len() == 64),
            format!("{picks} picks = the sum of ⌈20 %⌉ over the class groups"),
        );

        let mut again = client.draw_day(request()).await?.into_inner();
        let mut more = 0;
        while let Some(message) = again.message().await? {
            more = message.class_group_count;
        }
        self.checks.expect(
            more == 0 && self.draws().await? == draws,
            "drawn again: nothing new, the same bytes 重复抽样不变",
        );
        Ok(())
    }

    /// Every draw of today.
    pub(super) async fn draws(&self) -> anyhow::Result<Vec<Draw>> {
        let mut client = DrawServiceClient::new(self.officer()?);
        let (mut draws, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListDrawsRequest {
                organization: format!("organizations/{CITY_ID}"),
                plan: format!("plans/{PLAN}"),
                draw_date: None,
                page_size: 1000,
                page_token,
            };
            let page = client.list_draws(request).await?.into_inner();
            draws.extend(page.draws);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(draws);
            }
        }
    }

    pub(super) async fn coverage(&mut self) -> anyhow::Result<()> {
        screen::heading("七、覆盖 coverage, live: MISSING never reads as covered");
        let request = ListCoverageRequest {
            parent: format!("organizations/{CITY_ID}"),
            page_size: 100,
            page_token: String::new(),
        };
        let mut client = CoverageServiceClient::new(self.officer()?);
        let begun = Instant::now();
        let coverages = client.list_coverage(request).await?.into_inner().coverages;
        let taken = begun.elapsed();
        let mut table = Table::new([
            ("区县 district", Align::Left),
            ("学校 schools", Align::Right),
            ("已抽 drawn", Align::Right),
            ("应检 eligible", Align::Right),
            ("已检 covered", Align::Right),
            ("待检 due", Align::Right),
            ("逾期 late", Align::Right),
            ("覆盖率 share", Align::Right),
        ]);
        let number = |value: i64| count(value.unsigned_abs());
        for district in &DISTRICTS {
            let at = format!("organizations/{}", district.division);
            let Some(one) = coverages.iter().find(|one| one.scope == at) else {
                continue;
            };
            let share = 100.0 * one.covered_count as f64 / one.eligible_count.max(1) as f64;
            table.row([
                district.name.to_owned(),
                one.school_count.to_string(),
                one.drawn_school_count.to_string(),
                number(one.eligible_count),
                number(one.covered_count),
                number(one.due_count),
                number(one.late_count),
                format!("{share:.1} %"),
            ]);
        }
        table.print();
        let covered: i64 = coverages.iter().map(|one| one.covered_count).sum();
        let picks: i64 = self
            .draws()
            .await?
            .iter()
            .map(|draw| i64::from(draw.pick_count))
            .sum();
        self.checks.expect(
            coverages.len() == DISTRICTS.len() && covered == picks,
            format!(
                "13 districts, {} swabbed today, asked in {}",
                number(covered),
                screen::span(taken)
            ),
        );
        Ok(())
    }

    /// Closes the day at one school, publishes it, and verifies it without any service.
    pub(super) async fn publish(&mut self, case: &Case) -> anyhow::Result<()> {
        screen::heading("八、公开验证 published, and verified without any service");
        let mut client = DrawServiceClient::new(self.officer()?);
        let school = case.school();
        let mut closed = 0;
        for draw in self.draws().await? {
            let name = draw.name;
            client
                .close_day(CloseDayRequest {
                    name,
                    request_id: String::new(),
                })
                .await?;
            closed += 1;
        }
        let file = self.folder.join("draw.bin");
        let bytes = draw::export(self.officer()?, &file, PLAN, CITY_ID, self.today()).await?;
        let key = draw::read_key(&file, None)?;
        let begun = Instant::now();
        let report = draw::verify(&file, &key)?;
        self.checks.expect(
            report.draws == closed,
            format!(
                "{} candidates and {} picks recomputed from {} bytes and the public key in {}",
                count(report.candidates as u64),
                count(report.picks as u64),
                count(bytes),
                screen::span(begun.elapsed())
            ),
        );
        let mut forged = std::fs::read(&file)?;
        let middle = forged.len() / 2;
        forged[middle] ^= 1;
        self.checks.expect(
            sampling::verify(forged.as_slice(), &key).is_err(),
            format!("one bit changed: refused 改一位即拒绝 (seed of {school} is public now)"),
        );
        Ok(())
    }
}

/// The draws of each district.
fn print(draws: &[Draw]) {
    let mut districts: BTreeMap<&str, [i64; 4]> = BTreeMap::new();
    for draw in draws {
        let district = draw.org_path.split('/').nth(1).unwrap_or_default();
        let sums = districts.entry(district).or_default();
        let more = [
            1,
            draw.class_group_count,
            draw.eligible_count,
            draw.pick_count,
        ];
        for (sum, more) in sums.iter_mut().zip(more) {
            *sum += i64::from(more);
        }
    }
    let mut table = Table::new([
        ("区县 district", Align::Left),
        ("学校 schools", Align::Right),
        ("班级 class groups", Align::Right),
        ("应检 eligible", Align::Right),
        ("今日抽取 picked", Align::Right),
    ]);
    for district in &DISTRICTS {
        let Some(sums) = districts.get(district.division) else {
            continue;
        };
        let [schools, groups, eligible, picks] = sums.map(|sum| count(sum.unsigned_abs()));
        table.row([district.name.to_owned(), schools, groups, eligible, picks]);
    }
    table.print();
}
