//! A drill: everybody out, everybody counted.

use anyhow::Context as _;
use chrono::Duration;
use kit::field::to_timestamp;
use proto::roster::ListStudentsRequest;
use proto::roster::staff_member::Post;
use proto::roster::student_service_client::StudentServiceClient;
use proto::safety::drill::State;
use proto::safety::drill_service_client::DrillServiceClient;
use proto::safety::record_headcount_request::Count;
use proto::safety::{
    AnnounceDrillRequest, ApproveDrillRequest, ArchiveDrillRequest, CreateDrillRequest, Drill,
    DrillType, EndDrillRequest, RecordAllOutRequest, RecordFoundRequest, RecordHeadcountRequest,
    ReviewDrillRequest, StartDrillRequest,
};

use super::{Campus, Stage};
use crate::screen;

impl Stage {
    pub(super) async fn drill(&mut self, campus: &Campus) -> anyhow::Result<()> {
        screen::heading("二十、演练 a drill: out in time, and counted by the roll of every class");
        let fire = (DrillType::Fire, "实验楼三层起火");
        let running = self.signalled(campus, fire).await?;
        let name = running.name.clone();
        let mut deputy = DrillServiceClient::new(self.deputy(campus)?);
        self.put_forward(self.house.clock().now() + Duration::seconds(110));
        let request = RecordAllOutRequest {
            name: name.clone(),
            ..RecordAllOutRequest::default()
        };
        let out = deputy.record_all_out(request).await?.into_inner();
        let seconds = |span: Option<prost_types::Duration>| span.unwrap_or_default().seconds;
        let (taken, target) = (seconds(out.evacuation), seconds(out.evacuation_target));
        self.checks.expect(
            (110..=target).contains(&taken),
            format!(
                "signal, all out after {taken} s, {target} s are allowed (rule 5.19): {} expected by the rolls",
                out.expected_count
            ),
        );
        let (count, lost) = self.one_missing(&running).await?;
        let counted = deputy.record_headcount(count).await?.into_inner();
        let end = || EndDrillRequest {
            name: name.clone(),
            ..EndDrillRequest::default()
        };
        let early = deputy.end_drill(end()).await;
        let request = RecordFoundRequest {
            name: name.clone(),
            person: lost,
            request_id: String::new(),
        };
        let found = deputy.record_found(request).await?.into_inner();
        deputy.end_drill(end()).await?;
        self.checks.expect(
            counted.missing_count == 1 && early.is_err() && found.missing_count == 0,
            "one pupil is missing by name: the drill does not end before the pupil is found 人数未齐不得结束",
        );
        let review = ReviewDrillRequest {
            name: name.clone(),
            score: 88,
            summary: "疏散有序".to_owned(),
            ..ReviewDrillRequest::default()
        };
        let own = deputy.review_drill(review.clone()).await;
        let mut head = DrillServiceClient::new(self.principal(campus)?);
        head.review_drill(review).await?;
        let request = ArchiveDrillRequest {
            name,
            request_id: String::new(),
        };
        let archived = head.archive_drill(request).await?.into_inner();
        self.checks.expect(
            own.is_err() && archived.state() == State::Archived && archived.counts,
            "judged by another than its leader, in the archive: only now it counts for the month",
        );
        Ok(())
    }

    /// The full-element drill of epidemic control, with whoever is there, as far as the archive.
    pub(super) async fn full_drill(&self, campus: &Campus) -> anyhow::Result<()> {
        let full = (DrillType::EpidemicFull, "晨检发现发热学生");
        let running = self.signalled(campus, full).await?;
        let name = running.name;
        let mut deputy = DrillServiceClient::new(self.deputy(campus)?);
        let request = RecordAllOutRequest {
            name: name.clone(),
            ..RecordAllOutRequest::default()
        };
        deputy.record_all_out(request).await?;
        let counts = running.groups.into_iter().map(|one| Count {
            present_count: one.expected_count,
            group: one.group,
            missing: Vec::new(),
        });
        let request = RecordHeadcountRequest {
            name: name.clone(),
            counts: counts.collect(),
            request_id: String::new(),
        };
        deputy.record_headcount(request).await?;
        let request = EndDrillRequest {
            name: name.clone(),
            ..EndDrillRequest::default()
        };
        deputy.end_drill(request).await?;
        let request = ReviewDrillRequest {
            name: name.clone(),
            score: 92,
            summary: "处置规范".to_owned(),
            ..ReviewDrillRequest::default()
        };
        let mut officer = DrillServiceClient::new(self.officer()?);
        officer.review_drill(request).await?;
        let request = ArchiveDrillRequest {
            name,
            request_id: String::new(),
        };
        let mut head = DrillServiceClient::new(self.principal(campus)?);
        head.archive_drill(request).await?;
        Ok(())
    }

    /// Planned, approved by another, kept secret, signalled.
    async fn signalled(
        &self,
        campus: &Campus,
        (drill_type, scenario): (DrillType, &str),
    ) -> anyhow::Result<Drill> {
        let now = self.house.clock().now();
        let mut deputy = DrillServiceClient::new(self.deputy(campus)?);
        let request = CreateDrillRequest {
            parent: campus.name.clone(),
            drill: Some(Drill {
                drill_type: drill_type.into(),
                scenario: scenario.to_owned(),
                leader: campus.holder(Post::SafetyDeputy)?.to_owned(),
                plan_time: Some(to_timestamp(now + Duration::minutes(10))),
                storeys: 4,
                ..Drill::default()
            }),
            request_id: String::new(),
        };
        let name = deputy.create_drill(request).await?.into_inner().name;
        let request = ApproveDrillRequest {
            name: name.clone(),
            request_id: String::new(),
        };
        let mut head = DrillServiceClient::new(self.principal(campus)?);
        head.approve_drill(request).await?;
        let request = AnnounceDrillRequest {
            name: name.clone(),
            unannounced: true,
            request_id: String::new(),
        };
        deputy.announce_drill(request).await?;
        self.put_forward(now + Duration::minutes(10));
        let request = StartDrillRequest {
            name,
            ..StartDrillRequest::default()
        };
        Ok(deputy.start_drill(request).await?.into_inner())
    }

    /// A headcount in which one pupil of the first class group is missing, and who that is.
    async fn one_missing(&self, drill: &Drill) -> anyhow::Result<(RecordHeadcountRequest, String)> {
        let class = drill.groups.iter();
        let mut class = class.filter(|one| one.group.contains("/classGroups/"));
        let class = class.find(|one| one.expected_count > 0);
        let class = class.context("no class group takes part")?.group.clone();
        let request = ListStudentsRequest {
            parent: class.clone(),
            page_size: 1,
            ..ListStudentsRequest::default()
        };
        let mut client = StudentServiceClient::new(self.district_officer()?);
        let students = client.list_students(request).await?.into_inner().students;
        let lost = students.into_iter().next();
        let lost = lost.context("a class group has pupils")?.name;
        let counts = drill.groups.iter().map(|one| {
            let missing = Vec::from_iter((one.group == class).then(|| lost.clone()));
            Count {
                group: one.group.clone(),
                present_count: one.expected_count - missing.len() as i32,
                missing,
            }
        });
        let count = RecordHeadcountRequest {
            name: drill.name.clone(),
            counts: counts.collect(),
            request_id: String::new(),
        };
        Ok((count, lost))
    }
}
