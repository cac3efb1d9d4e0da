//! How complete the checks of each school are, the most silent first.

use std::time::Instant;

use proto::privacy::PrivateCount;
use proto::sampling::coverage_service_client::CoverageServiceClient;
use proto::sampling::{HealthCoverage, ListHealthCoverageRequest};

use super::Stage;
use super::checks::until;
use super::screening::DISTRICT;
use crate::screen::{Align, Table, span};

impl Stage {
    /// After 08:30: what the bureau of the district sees.
    pub(super) async fn silence(&mut self) -> anyhow::Result<()> {
        // What was expected is counted for good within a second of the time.
        let (_, _) = until("the morning is over", || async {
            let places = self.health_coverage().await?;
            let overdue: i32 = places.iter().map(|one| morning(one).overdue_count).sum();
            Ok((overdue == 1).then_some(()))
        })
        .await?;
        let begun = Instant::now();
        let places = self.health_coverage().await?;
        let taken = begun.elapsed();
        let mut table = Table::new([
            ("学校 school", Align::Left),
            ("应报 expected", Align::Right),
            ("已报 submitted", Align::Right),
            ("零报告 zero", Align::Right),
            ("迟报 late", Align::Right),
            ("未报 MISSING", Align::Right),
            ("患病 ill", Align::Right),
        ]);
        for one in &places {
            let check = morning(one);
            let name = self.school_name(&one.org_path);
            table.row([
                name,
                check.expected_count.to_string(),
                check.submitted_count.to_string(),
                check.zero_count.to_string(),
                check.late_count.to_string(),
                check.missing_count.to_string(),
                amount(one.ill_count.as_ref()),
            ]);
        }
        table.print();
        let missing: Vec<i32> = places
            .iter()
            .map(|one| morning(one).missing_count)
            .collect();
        let late: i32 = places.iter().map(|one| morning(one).late_count).sum();
        self.checks.expect(
            missing.first() == Some(&1) && missing.iter().sum::<i32>() == 1 && late == 1,
            format!(
                "{} schools ranked by silence in {}: who says nothing stands first",
                places.len(),
                span(taken)
            ),
        );
        let hidden = places
            .iter()
            .filter_map(|one| one.ill_count.as_ref())
            .any(|count| count.hidden);
        self.checks.expect(
            hidden,
            "small counts of ill people are hidden from the bureau, and do not read as zero",
        );
        Ok(())
    }

    async fn health_coverage(&self) -> anyhow::Result<Vec<HealthCoverage>> {
        let request = ListHealthCoverageRequest {
            parent: format!("organizations/{DISTRICT}"),
            order_by: "silence".to_owned(),
            page_size: 1000,
            ..ListHealthCoverageRequest::default()
        };
        let mut client = CoverageServiceClient::new(self.district_officer()?);
        let answer = client.list_health_coverage(request).await?;
        Ok(answer.into_inner().health_coverages)
    }

    fn school_name(&self, path: &str) -> String {
        let schools = self.city.plan().schools();
        let school = schools.iter().find(|school| school.org_path() == path);
        school.map(|school| school.name.clone()).unwrap_or_default()
    }
}

/// The morning of a place.
fn morning(place: &HealthCoverage) -> proto::sampling::CheckCoverage {
    place.checks.first().copied().unwrap_or_default()
}

/// A count as a bureau may see it.
fn amount(count: Option<&PrivateCount>) -> String {
    match count {
        Some(count) if count.hidden => "隐藏 hidden".to_owned(),
        Some(count) => count.count.unwrap_or_default().to_string(),
        None => "—".to_owned(),
    }
}
