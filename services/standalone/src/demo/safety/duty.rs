//! The duty watch: no gap, and nobody who does not come unseen.

use anyhow::Context as _;
use chrono::{DateTime, Days, Duration, Utc};
use kit::clock::start_of;
use kit::field::to_timestamp;
use proto::roster::staff_member::Post;
use proto::safety::duty_roster::Shift;
use proto::safety::duty_service_client::DutyServiceClient;
use proto::safety::duty_shift::State;
use proto::safety::{
    CheckInDutyShiftRequest, CreateDutyRosterRequest, DutyPost, DutyRoster, DutyShift,
    ListDutyShiftsRequest, PublishDutyRosterRequest, UpdateDutyRosterRequest,
};
use tonic_types::StatusExt;

use super::{Campus, Stage};
use crate::demo::checks::until;
use crate::screen::{self, span};

impl Stage {
    pub(super) async fn duty(&mut self, campus: &Campus) -> anyhow::Result<()> {
        screen::heading("二十一、值班 duty: a roster without a gap, and who is really there");
        let midnight = start_of(self.today() + Days::new(1));
        self.published(campus, midnight).await?;
        let [day, night] = self.shifts(campus).await?;
        self.put_forward(midnight + Duration::minutes(7 * 60 + 50));
        let request = CheckInDutyShiftRequest {
            name: day.name.clone(),
            request_id: String::new(),
        };
        let mut leader = DutyServiceClient::new(self.deputy(campus)?);
        let came = leader.check_in_duty_shift(request).await?.into_inner();
        self.put_forward(midnight + Duration::minutes(20 * 60 + 14));
        let [_, waits] = self.shifts(campus).await?;
        self.put_forward(midnight + Duration::minutes(20 * 60 + 16));
        let (alert, taken) = until("the alert is raised", || async {
            let [_, now] = self.shifts(campus).await?;
            Ok((now.state() == State::Alert).then_some(now))
        })
        .await?;
        self.checks.expect(
            came.state() == State::OnDuty
                && waits.state() == State::Scheduled
                && alert.name == night.name,
            format!(
                "by day the leader checks in 带班到岗; at night nobody does: 15 minutes later an alert, {}",
                span(taken)
            ),
        );
        Ok(())
    }

    /// An hour without anybody is named and refused; then the roster is published.
    async fn published(&mut self, campus: &Campus, midnight: DateTime<Utc>) -> anyhow::Result<()> {
        let mut deputy = DutyServiceClient::new(self.deputy(campus)?);
        let mut head = DutyServiceClient::new(self.principal(campus)?);
        let request = CreateDutyRosterRequest {
            parent: campus.name.clone(),
            duty_roster: Some(roster(campus, (midnight, 21))?),
            request_id: String::new(),
        };
        let name = deputy.create_duty_roster(request).await?.into_inner().name;
        let publish = || PublishDutyRosterRequest {
            name: name.clone(),
            request_id: String::new(),
        };
        let gap = head.publish_duty_roster(publish()).await.err();
        let info = gap.and_then(|gap| gap.get_details_error_info());
        let info = info.context("an hour without anybody was taken")?;
        let request = UpdateDutyRosterRequest {
            duty_roster: Some(DutyRoster {
                name: name.clone(),
                ..roster(campus, (midnight, 20))?
            }),
            request_id: String::new(),
        };
        deputy.update_duty_roster(request).await?;
        let published = head.publish_duty_roster(publish()).await;
        let at = |key: &str| {
            let instant = info.metadata.get(key).map_or("", String::as_str);
            instant.get(11..16).unwrap_or_default().to_owned()
        };
        self.checks.expect(
            info.reason == "DUTY_GAP" && published.is_ok(),
            format!(
                "nobody from {} to {}: refused, by name of the hour 值班有空档; closed, published",
                at("start_time"),
                at("end_time")
            ),
        );
        Ok(())
    }

    /// The day's shift and the night's.
    async fn shifts(&self, campus: &Campus) -> anyhow::Result<[DutyShift; 2]> {
        let request = ListDutyShiftsRequest {
            parent: campus.name.clone(),
            ..ListDutyShiftsRequest::default()
        };
        let mut client = DutyServiceClient::new(self.guard(campus)?);
        let mut shifts = client.list_duty_shifts(request).await?.into_inner();
        shifts.duty_shifts.reverse();
        let shifts = <[DutyShift; 2]>::try_from(shifts.duty_shifts);
        shifts.map_err(|shifts| anyhow::anyhow!("{} shifts, not two", shifts.len()))
    }
}

/// A day from 08:00 to 20:00 and a night to 08:00, the night from the hour `night` on.
fn roster(campus: &Campus, (midnight, night): (DateTime<Utc>, i64)) -> anyhow::Result<DutyRoster> {
    let day = [Post::SafetyDeputy, Post::EpidemicReporter, Post::Medical];
    let dark = [Post::Principal, Post::Administration, Post::HeadTeacher];
    let day = shift(campus, midnight, (8, 20), day)?;
    let night = shift(campus, midnight, (night, 32), dark)?;
    Ok(DutyRoster {
        start_time: day.start_time,
        end_time: night.end_time,
        shifts: vec![day, night],
        ..DutyRoster::default()
    })
}

fn shift(
    campus: &Campus,
    midnight: DateTime<Utc>,
    (from, to): (i64, i64),
    [leader, one, other]: [Post; 3],
) -> anyhow::Result<Shift> {
    let holder = |post| anyhow::Ok(campus.holder(post)?.to_owned());
    let at = |hours| Some(to_timestamp(midnight + Duration::hours(hours)));
    Ok(Shift {
        start_time: at(from),
        end_time: at(to),
        leader: holder(leader)?,
        staff: vec![holder(one)?, holder(other)?],
        posts: vec![DutyPost {
            post: "GUARD".to_owned(),
            staff_member: holder(Post::Guard)?,
        }],
        phone: "0591-83850000".to_owned(),
    })
}
