//! The city comes into the register.

use std::time::Instant;

use proto::roster::organization_service_client::OrganizationServiceClient;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{GetOrganizationRequest, ListStudentsRequest};
use proto::sampling::GetCoverageRequest;
use proto::sampling::coverage_service_client::CoverageServiceClient;

use super::Stage;
use crate::city::CITY_ID;
use crate::intake;
use crate::screen::{self, Align, Table, count};

impl Stage {
    pub(super) async fn import(&mut self) -> anyhow::Result<()> {
        screen::heading(
            "二、导入 an invented city of 13 real districts, imported through the gateway",
        );
        let plan = self.city.plan();
        screen::done(format_args!(
            "造城 invented: {} students, {} staff, {} schools, {} class groups (seed {})",
            count(plan.students()),
            count(plan.staff()),
            plan.schools().len(),
            count(plan.classes() as u64),
            self.city.options().seed
        ));
        let rows = self.city.row_count();
        let bar = screen::bar(rows, "行 rows");
        let begun = Instant::now();
        let job = intake::import(self.officer()?, self.city.rows(), "demo", |sent| {
            bar.set_position(sent);
        })
        .await?;
        bar.finish_and_clear();
        let taken = begun.elapsed();
        let mut table = Table::new([
            ("种类 kind", Align::Left),
            ("收到 received", Align::Right),
            ("新增 created", Align::Right),
            ("拒绝 rejected", Align::Right),
        ]);
        let number = |value: i64| count(value.unsigned_abs());
        for one in &job.counts {
            let kind = match one.kind() {
                proto::roster::ImportKind::Organization => "机构 organisations",
                proto::roster::ImportKind::ClassGroup => "班级 class groups",
                proto::roster::ImportKind::StaffMember => "教职工 staff",
                proto::roster::ImportKind::Student => "学生 students",
                proto::roster::ImportKind::Guardian => "监护人 guardians",
                proto::roster::ImportKind::Unspecified => continue,
            };
            let cells = [one.received, one.created, one.rejected].map(number);
            let [received, created, rejected] = cells;
            table.row([kind.to_owned(), received, created, rejected]);
        }
        table.print();
        let received: i64 = job.counts.iter().map(|one| one.received).sum();
        let rejected: i64 = job.counts.iter().map(|one| one.rejected).sum();
        self.checks.expect(
            received.unsigned_abs() == rows && rejected == 0,
            format!(
                "{} rows checked, planned and committed in {} ({} rows/s)",
                count(rows),
                screen::span(taken),
                count((rows as f64 / taken.as_secs_f64()) as u64)
            ),
        );
        self.scopes().await?;
        self.heard().await
    }

    /// A district sees its own schools and no other's.
    async fn scopes(&mut self) -> anyhow::Result<()> {
        let of = |division: &str| {
            let schools = self.city.plan().schools();
            let school = schools
                .iter()
                .find(|school| school.district.division == division);
            school.map(|school| school.code.clone()).unwrap_or_default()
        };
        let (own, other) = (of("350102"), of("350181"));
        let officer = self.caller(kit::auth::Role::DistrictOfficer, "fz/350102")?;
        let mut client = OrganizationServiceClient::new(officer.clone());
        let mut sees = async |code: &str| {
            let name = format!("organizations/{code}");
            client
                .get_organization(GetOrganizationRequest { name })
                .await
        };
        let (own, foreign) = (sees(&own).await, sees(&other).await);
        let mut students = StudentServiceClient::new(officer);
        let request = ListStudentsRequest {
            parent: format!("organizations/{other}/classGroups/-"),
            ..ListStudentsRequest::default()
        };
        let pupils = students.list_students(request).await;
        let denied = |code: tonic::Code| code == tonic::Code::PermissionDenied;
        self.checks.expect(
            own.is_ok()
                && foreign.is_err_and(|err| denied(err.code()))
                && pupils.is_err_and(|err| denied(err.code())),
            "鼓楼区 sees its own schools; 福清市's are PERMISSION_DENIED 只见本辖区",
        );
        Ok(())
    }

    /// Waits until sampling has heard of everybody.
    async fn heard(&mut self) -> anyhow::Result<()> {
        let all = self.city.plan().students();
        let mut client = CoverageServiceClient::new(self.officer()?);
        let begun = Instant::now();
        let mut ask = async || {
            let scope = format!("organizations/{CITY_ID}");
            let coverage = client
                .get_coverage(GetCoverageRequest { scope })
                .await?
                .into_inner();
            anyhow::Ok(coverage.enrolled_count.unsigned_abs())
        };
        let mut heard = 0;
        while heard != all && begun.elapsed().as_secs() < 60 {
            heard = ask().await.unwrap_or(heard);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        self.checks.expect(
            heard == all,
            format!(
                "sampling has heard of all {} through the feed in {}",
                count(all),
                screen::span(begun.elapsed())
            ),
        );
        Ok(())
    }
}
