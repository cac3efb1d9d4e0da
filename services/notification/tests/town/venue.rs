//! What conveners, desks and organisations do about meetings.

use chrono::{DateTime, Duration, Utc};
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use tonic::Status;
use tonic_types::StatusExt;

use super::classes::staff_roll;
use super::officers::{once, tree};
use super::world::{World, by};
use super::{CITY, OTHER_PATH, SCHOOL_PATH, SISTER_PATH};

/// When the meeting begins.
pub(crate) fn start() -> DateTime<Utc> {
    "2022-04-06T12:00:00Z".parse().expect("an instant")
}

/// Who acts: subject, role and scope.
pub(crate) type Who<'a> = (&'a str, Role, &'a str);

/// Why a meeting is not held as it was called.
pub(crate) const REASON: &str = "台风防御应急响应";

pub(crate) const CONVENER: Who = ("writer-1", Role::CityOfficer, "fz");

/// A main venue, and a branch at each of these bureaus.
pub(crate) fn venues(main: (&str, &str), branches: &[&str]) -> Vec<pb::Venue> {
    let main = pb::Venue {
        venue_id: main.0.to_owned(),
        display_name: main.1.to_owned(),
        main: true,
        organization: String::new(),
    };
    let branch = |organization: &&str| pb::Venue {
        venue_id: organization
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned(),
        display_name: "教育局会议室（分会场）".to_owned(),
        main: false,
        organization: (*organization).to_owned(),
    };
    std::iter::once(main)
        .chain(branches.iter().map(branch))
        .collect()
}

/// A meeting of the heads of everything below the city, from 20:00 to 21:30 on 6 April 2022.
pub(crate) fn meeting(branches: &[&str]) -> pb::Meeting {
    let at = |text: &str| Some(kit::field::to_timestamp(text.parse().expect("an instant")));
    pb::Meeting {
        title: "校园安全工作视频会议".to_owned(),
        agenda: "一、通报情况；二、部署工作。".to_owned(),
        start_time: at("2022-04-06T12:00:00Z"),
        end_time: at("2022-04-06T13:30:00Z"),
        venues: venues(("main", "市教育局会议室（主会场）"), branches),
        audience: Some(tree(&[CITY])),
        posts: vec!["PRINCIPAL".to_owned()],
        ..Default::default()
    }
}

/// The state that a refusal tells.
pub(crate) fn state_of(status: &Status) -> String {
    let details = status.get_error_details();
    let metadata = details.error_info().map(|info| info.metadata.clone());
    metadata
        .unwrap_or_default()
        .remove("state")
        .unwrap_or_default()
}

/// The name of the attendance of the head of an organisation.
pub(crate) fn attendance(meeting: &str, organization: &str) -> String {
    let id = organization.rsplit('/').next().unwrap_or_default();
    format!("{meeting}/attendances/{id}~principal")
}

impl World {
    /// The town with the head and the deputy of a school and the heads of two others.
    pub(crate) async fn with_heads(scratch: Scratch) -> Self {
        let world = Self::new(scratch).await;
        let head: &[&str] = &["PRINCIPAL"];
        let rolls = [
            staff_roll(SCHOOL_PATH, &[(130, head), (131, &["SAFETY_DEPUTY"])]),
            staff_roll(SISTER_PATH, &[(140, head)]),
            staff_roll(OTHER_PATH, &[(150, head)]),
        ];
        super::roster(&world.db, &rolls, 1).await;
        world
    }

    pub(crate) async fn convene(&mut self, meeting: pb::Meeting) -> Result<pb::Meeting, Status> {
        let ask = pb::ConveneMeetingRequest {
            parent: CITY.to_owned(),
            meeting: Some(meeting),
            request_id: once(),
        };
        let ask = by(CONVENER.0, CONVENER.1, CONVENER.2, ask);
        Ok(self.meetings.convene_meeting(ask).await?.into_inner())
    }

    pub(crate) async fn sign_in(
        &mut self,
        who: Who<'_>,
        name: &str,
        attendee: &str,
        venue: &str,
    ) -> Result<pb::Attendance, Status> {
        let ask = pb::SignInRequest {
            name: name.to_owned(),
            attendee: attendee.to_owned(),
            venue_id: venue.to_owned(),
            request_id: once(),
        };
        let ask = by(who.0, who.1, who.2, ask);
        Ok(self.meetings.sign_in(ask).await?.into_inner())
    }

    pub(crate) async fn sign_out(
        &mut self,
        who: Who<'_>,
        name: &str,
    ) -> Result<pb::Attendance, Status> {
        let ask = pb::SignOutRequest {
            name: name.to_owned(),
            request_id: once(),
        };
        let ask = by(who.0, who.1, who.2, ask);
        Ok(self.meetings.sign_out(ask).await?.into_inner())
    }

    pub(crate) async fn ask_substitute(
        &mut self,
        who: Who<'_>,
        name: &str,
        substitute: &str,
    ) -> Result<pb::Attendance, Status> {
        let ask = pb::RequestSubstituteRequest {
            name: name.to_owned(),
            substitute: substitute.to_owned(),
            reason: "在外地参加培训".to_owned(),
            request_id: once(),
        };
        let ask = by(who.0, who.1, who.2, ask);
        Ok(self.meetings.request_substitute(ask).await?.into_inner())
    }

    pub(crate) async fn decide_substitute(
        &mut self,
        who: Who<'_>,
        name: &str,
        approved: bool,
    ) -> Result<pb::Attendance, Status> {
        let ask = pb::DecideSubstituteRequest {
            name: name.to_owned(),
            approved,
            request_id: once(),
        };
        let ask = by(who.0, who.1, who.2, ask);
        Ok(self.meetings.decide_substitute(ask).await?.into_inner())
    }

    pub(crate) async fn end_meeting(&mut self, name: &str) -> Result<pb::Meeting, Status> {
        let ask = pb::EndMeetingRequest {
            name: name.to_owned(),
            request_id: once(),
        };
        let ask = by(CONVENER.0, CONVENER.1, CONVENER.2, ask);
        Ok(self.meetings.end_meeting(ask).await?.into_inner())
    }

    /// Moves a meeting to another day at the same time.
    pub(crate) async fn postpone_meeting(
        &mut self,
        name: &str,
        days: i64,
    ) -> Result<pb::Meeting, Status> {
        let at = |hours: i64| {
            let time = start() + Duration::days(days) + Duration::hours(hours);
            Some(kit::field::to_timestamp(time))
        };
        let ask = pb::PostponeMeetingRequest {
            name: name.to_owned(),
            start_time: at(0),
            end_time: at(1),
            reason: REASON.to_owned(),
            request_id: once(),
        };
        self.postpone(ask).await
    }

    pub(crate) async fn postpone(
        &mut self,
        ask: pb::PostponeMeetingRequest,
    ) -> Result<pb::Meeting, Status> {
        let ask = by(CONVENER.0, CONVENER.1, CONVENER.2, ask);
        Ok(self.meetings.postpone_meeting(ask).await?.into_inner())
    }

    pub(crate) async fn cancel_meeting(&mut self, name: &str) -> Result<pb::Meeting, Status> {
        let ask = pb::CancelMeetingRequest {
            name: name.to_owned(),
            request_id: once(),
            reason: REASON.to_owned(),
        };
        let ask = by(CONVENER.0, CONVENER.1, CONVENER.2, ask);
        Ok(self.meetings.cancel_meeting(ask).await?.into_inner())
    }

    pub(crate) async fn publish(
        &mut self,
        ask: pb::PublishMinutesRequest,
    ) -> Result<pb::Meeting, Status> {
        let ask = by(CONVENER.0, CONVENER.1, CONVENER.2, ask);
        Ok(self.meetings.publish_minutes(ask).await?.into_inner())
    }

    /// The attendances that somebody at `scope` sees.
    pub(crate) async fn attendances(
        &mut self,
        ask: pb::ListAttendancesRequest,
        scope: &str,
    ) -> Vec<pb::Attendance> {
        let ask = by("reader-1", Role::DistrictOfficer, scope, ask);
        let listed = self.meetings.list_attendances(ask).await.expect("listed");
        listed.into_inner().attendances
    }
}
