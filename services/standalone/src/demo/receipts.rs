//! How far an order has come: by district, by level, and who is late.

use anyhow::Context as _;
use chrono::{DateTime, Duration, Utc};
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::level_progress::Level;
use proto::notification::{
    Directive, DirectiveProgress, GetDirectiveProgressRequest, ListOutstandingRequest,
};

use super::Stage;
use super::orders::id_of;
use crate::city::{CITY_ID, DISTRICTS};
use crate::screen::{Align, Table, gauge};

/// The cells of a bar.
const CELLS: usize = 16;

impl Stage {
    /// The limit passes: those who have not signed are listed, sign, and stay late.
    pub(super) async fn late(
        &mut self,
        order: &Directive,
        slow: &[String],
        ordered: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        self.put_forward(ordered + Duration::minutes(36));
        let request = ListOutstandingRequest {
            parent: format!("organizations/{CITY_ID}"),
            page_size: 1000,
            overdue: true,
            ..ListOutstandingRequest::default()
        };
        let mut officer = DirectiveServiceClient::new(self.officer()?);
        let owed = officer.list_outstanding(request).await?.into_inner();
        let named = owed.recipients.iter().all(|one| {
            slow.iter()
                .any(|path| one.organization.ends_with(id_of(path)))
        });
        self.checks.expect(
            named && owed.recipients.len() == slow.len(),
            format!(
                "after 30 minutes {} schools are overdue, by name 逾期未签收",
                slow.len()
            ),
        );
        self.sign(order, slow, "").await?;
        let after = self.progress(order).await?;
        let mut table = Table::new([
            ("层级 level", Align::Left),
            ("签收 signed", Align::Right),
            ("最早 first", Align::Right),
            ("半数 half", Align::Right),
            ("九成 90 %", Align::Right),
            ("最后 last", Align::Right),
            ("迟 LATE", Align::Right),
        ]);
        for one in &after.levels {
            let name = match one.level() {
                Level::District => "区县局 bureaus",
                Level::School => "学校 schools",
                Level::ClassGroup => "班级 class groups",
                Level::Unspecified => continue,
            };
            let minutes = [
                one.first_minutes,
                one.median_minutes,
                one.p90_minutes,
                one.last_minutes,
            ];
            let [first, half, most, last] = minutes.map(|minutes| format!("{minutes} min"));
            let signed = format!("{}/{}", one.acknowledged_count, one.recipient_count);
            table.row([
                name.to_owned(),
                signed,
                first,
                half,
                most,
                last,
                one.late_count.to_string(),
            ]);
        }
        table.print();
        let schools = after.levels.iter().find(|one| one.level() == Level::School);
        let schools = schools.context("no school received the order")?;
        self.checks.expect(
            schools.last_minutes == 36 && usize::try_from(schools.late_count) == Ok(slow.len()),
            format!(
                "the last school signed {} minutes after the order",
                schools.last_minutes
            ),
        );
        Ok(())
    }

    /// How far it has come, as the city sees it.
    pub(super) async fn progress(&self, order: &Directive) -> anyhow::Result<DirectiveProgress> {
        let request = GetDirectiveProgressRequest {
            name: order.name.clone(),
        };
        let mut officer = DirectiveServiceClient::new(self.officer()?);
        Ok(officer.get_directive_progress(request).await?.into_inner())
    }
}

/// How many schools of each district have signed.
pub(super) fn print(progress: &DirectiveProgress) {
    let mut table = Table::new([
        ("区县 district", Align::Left),
        ("", Align::Left),
        ("签收 signed", Align::Right),
    ]);
    for one in &progress.districts {
        let district = DISTRICTS
            .iter()
            .find(|known| one.organization.ends_with(known.division));
        let name = district.map_or(&*one.organization, |known| known.name);
        let (signed, all) = (one.acknowledged_count, one.school_count);
        let bar = gauge(signed.unsigned_abs(), all.unsigned_abs(), CELLS);
        table.row([name.to_owned(), bar, format!("{signed}/{all}")]);
    }
    table.print();
}
