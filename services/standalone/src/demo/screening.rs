//! The morning checks of one district: who reports, who says nothing, who is late.

use std::time::Instant;

use anyhow::Context as _;
use kit::auth::Role;
use kit::clock::start_of;
use kit::field::to_date;
use proto::roster::check_policy::Slot;
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{ListStudentsRequest, Symptom};
use proto::sampling::screening_service_client::ScreeningServiceClient;
use proto::sampling::submit_check_response::Verdict;
use proto::sampling::{
    AbsenceReason, CheckAbsence, CheckFinding, CheckSubmission, ListMissingRequest, MissingCheck,
    SubmitCheckRequest, SubmitCheckResponse, check,
};
use uuid::Uuid;

use super::Stage;
use crate::city::CITY_ID;
use crate::screen;

/// The district that the demonstration follows.
pub(super) const DISTRICT: &str = "350102";

/// A class group with its pupils.
#[derive(Clone, Debug)]
pub(super) struct Class {
    /// The resource name.
    pub(super) name: String,
    /// The place in the tree.
    pub(super) path: String,
    /// The pupils, by resource name.
    pub(super) students: Vec<String>,
}

impl Class {
    /// The school's place in the tree.
    pub(super) fn school(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(school, _)| school)
    }

    /// The school's resource name.
    pub(super) fn organization(&self) -> &str {
        self.name
            .split_once("/classGroups/")
            .map_or("", |(school, _)| school)
    }
}

/// What became of the morning.
pub(super) struct Morning {
    /// Where three have fever.
    pub(super) fever: Class,
    /// Where five have fever and cough.
    pub(super) flu: Class,
    /// Where two are away and nobody knows why.
    pub(super) away: Class,
}

impl Stage {
    pub(super) async fn screen(&mut self) -> anyhow::Result<Morning> {
        screen::heading("九、晨检 morning checks of 鼓楼区: MISSING is not ZERO 未报不等于零报");
        let expected = self.missing(Slot::Morning).await?;
        let class_groups: Vec<&MissingCheck> = expected
            .iter()
            .filter(|one| !one.scope.contains("/classGroups/staff-"))
            .collect();
        self.checks.expect(
            class_groups.len() >= 5 && expected.iter().all(|one| !one.overdue),
            format!(
                "{} checks expected by 08:30, {} of class groups: all MISSING, none ZERO",
                expected.len(),
                class_groups.len()
            ),
        );
        let silent: Vec<String> = class_groups
            .iter()
            .rev()
            .take(2)
            .map(|one| one.scope.clone())
            .collect();
        let mut large = class_groups.clone();
        large.retain(|one| !silent.contains(&one.scope));
        large.sort_by_key(|one| (-one.expected_count, one.scope.clone()));
        let [fever, flu, away] = large.get(..3).context("the district is too small")? else {
            anyhow::bail!("the district is too small");
        };
        let morning = Morning {
            fever: self.class(fever).await?,
            flu: self.class(flu).await?,
            away: self.class(away).await?,
        };

        let (mut zero, mut symptoms) = (0, 0);
        let begun = Instant::now();
        let mut first = None;
        for one in expected.iter().filter(|one| !silent.contains(&one.scope)) {
            let check = self.submission(one, &morning);
            let answer = self.submit_check(one, check.clone()).await?;
            match answer.check.unwrap_or_default().state() {
                check::State::Zero => zero += 1,
                check::State::Symptoms => symptoms += 1,
                check::State::Unspecified => {}
            }
            first.get_or_insert((one.clone(), check));
        }
        let taken = begun.elapsed();
        let left = self.missing(Slot::Morning).await?;
        let scopes: Vec<&String> = left.iter().map(|one| &one.scope).collect();
        self.checks.expect(
            symptoms == 2 && zero + 2 == expected.len() - silent.len(),
            format!(
                "{} reporters submit, {}: {zero} zero reports 零报告, {symptoms} with symptoms",
                zero + symptoms,
                screen::span(taken)
            ),
        );
        self.checks.expect(
            left.len() == 2 && silent.iter().all(|scope| scopes.contains(&scope)),
            "two class groups said nothing: they stay MISSING and count nowhere as healthy",
        );
        let (one, check) = first.context("nobody submitted")?;
        let again = self.submit_check(&one, check).await?;
        self.checks.expect(
            again.verdict() == Verdict::Repeated,
            "the same check again, as after a lost answer: no second effect 重复提交无副作用",
        );

        self.put_forward(start_of(self.today()) + chrono::Duration::minutes(8 * 60 + 31));
        let overdue = self.missing(Slot::Morning).await?;
        self.checks.expect(
            overdue.len() == 2 && overdue.iter().all(|one| one.overdue),
            "08:31: both are overdue 逾期未报",
        );
        let late = &overdue[0];
        let check = self.submission(late, &morning);
        let answer = self.submit_check(late, check).await?;
        let check = answer.check.unwrap_or_default();
        let left = self.missing(Slot::Morning).await?;
        self.checks.expect(
            check.late && left.len() == 1,
            format!(
                "one comes late and is marked late for good 迟报; {} is still missing",
                left.len()
            ),
        );
        Ok(morning)
    }

    /// What the head teacher of a class group, or the reporter of a group of staff, found.
    fn submission(&self, one: &MissingCheck, morning: &Morning) -> CheckSubmission {
        let ill = |class: &Class, from: usize, count: usize, symptoms: &[Symptom], tenths| {
            let students = class.students.iter().skip(from).take(count);
            let finding = |person: &String| CheckFinding {
                person: person.clone(),
                symptoms: symptoms.iter().map(|one| (*one).into()).collect(),
                temperature_tenths: tenths,
                onset_date: Some(to_date(self.today())),
                ..CheckFinding::default()
            };
            students.map(finding).collect::<Vec<_>>()
        };
        let findings = if one.scope == morning.fever.name {
            ill(&morning.fever, 0, 3, &[Symptom::Fever], 378)
        } else if one.scope == morning.flu.name {
            ill(&morning.flu, 0, 5, &[Symptom::Fever, Symptom::Cough], 385)
        } else {
            Vec::new()
        };
        let absences: Vec<CheckAbsence> = if one.scope == morning.away.name {
            let away = morning.away.students.iter().take(2);
            let absence = |person: &String| CheckAbsence {
                person: person.clone(),
                reason: AbsenceReason::Unknown.into(),
            };
            away.map(absence).collect()
        } else {
            Vec::new()
        };
        let absent = absences.len() as i32;
        CheckSubmission {
            scope: one.scope.clone(),
            check_date: Some(to_date(self.today())),
            slot: Slot::Morning.into(),
            roll_count: one.expected_count,
            present_count: one.expected_count - absent,
            absent_count: absent,
            findings,
            absences,
            client_id: Uuid::new_v4().to_string(),
            ..CheckSubmission::default()
        }
    }

    async fn submit_check(
        &self,
        one: &MissingCheck,
        check: CheckSubmission,
    ) -> anyhow::Result<SubmitCheckResponse> {
        let reporter = self.caller(Role::ClassReporter, &one.org_path)?;
        let request = SubmitCheckRequest { check: Some(check) };
        let answer = ScreeningServiceClient::new(reporter)
            .submit_check(request)
            .await?;
        Ok(answer.into_inner())
    }

    /// What the bureau of the district sees missing today.
    pub(super) async fn missing(&self, slot: Slot) -> anyhow::Result<Vec<MissingCheck>> {
        let request = ListMissingRequest {
            scope: format!("organizations/{DISTRICT}"),
            check_date: None,
            slot: slot.into(),
            page_size: 1000,
            page_token: String::new(),
        };
        let mut client = ScreeningServiceClient::new(self.district_officer()?);
        let answer = client.list_missing(request).await?.into_inner();
        Ok(answer.missing_checks)
    }

    /// A connection for an officer of the district's bureau.
    pub(super) fn district_officer(&self) -> anyhow::Result<crate::house::Door> {
        self.caller(Role::DistrictOfficer, &format!("{CITY_ID}/{DISTRICT}"))
    }

    async fn class(&self, one: &MissingCheck) -> anyhow::Result<Class> {
        let request = ListStudentsRequest {
            parent: one.scope.clone(),
            page_size: 1000,
            ..ListStudentsRequest::default()
        };
        let mut client = StudentServiceClient::new(self.district_officer()?);
        let students = client.list_students(request).await?.into_inner().students;
        Ok(Class {
            name: one.scope.clone(),
            path: one.org_path.clone(),
            students: students.into_iter().map(|student| student.name).collect(),
        })
    }
}
