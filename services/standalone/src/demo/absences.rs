//! Who is away, until somebody knows why; and a disease until the certificate of return.

use anyhow::Context as _;
use chrono::Days;
use kit::auth::Role;
use kit::clock::start_of;
use kit::field::to_date;
use proto::roster::return_policy::Evidence;
use proto::roster::{Disease, Symptom};
use proto::safety::gate_decision::Result as Outcome;
use proto::sampling::absence_service_client::AbsenceServiceClient;
use proto::sampling::health_service_client::HealthServiceClient;
use proto::sampling::{
    Absence, AbsenceReason, Case, ConfirmDiseaseRequest, EndAbsenceRequest, GetAbsenceRequest,
    Illness, ListAbsencesRequest, RecordAbsenceRequest, ReferPersonRequest, RequestReturnRequest,
    ReviewReturnRequest, TraceAbsenceRequest, absence, health_state, trace,
};

use super::checks::until;
use super::clusters::hour;
use super::screening::Morning;
use super::{Stage, gate};
use crate::screen::{self, span};

/// On which day after its onset varicella may return (rule 1.23).
const VARICELLA_DAYS: u64 = 14;

impl Stage {
    pub(super) async fn trace(&mut self, morning: &Morning) -> anyhow::Result<()> {
        screen::heading("十三、缺勤 absences: traced within the hour, or the principal has them");
        let class = &morning.away;
        let mut teacher = AbsenceServiceClient::new(self.caller(Role::ClassReporter, &class.path)?);
        let request = ListAbsencesRequest {
            scope: class.name.clone(),
            ..ListAbsencesRequest::default()
        };
        let open = teacher.list_absences(request).await?.into_inner().absences;
        let [one, other] = open.as_slice() else {
            anyhow::bail!("{} absences are open, not two", open.len());
        };
        let due = one.contact_due_time.unwrap_or_default();
        self.checks.expect(
            open.iter().all(|each| {
                each.state() == absence::State::Open
                    && each.owner() == absence::Owner::ClassReporter
            }),
            format!(
                "the check said two are away: two absences, traced by the head teacher by {}",
                hour(&due)
            ),
        );
        let request = TraceAbsenceRequest {
            name: one.name.clone(),
            outcome: trace::Outcome::Reached.into(),
            reason: AbsenceReason::Illness.into(),
            illness: Some(Illness {
                symptoms: vec![Symptom::Headache.into()],
                onset_date: Some(to_date(self.today())),
                ..Illness::default()
            }),
            ..TraceAbsenceRequest::default()
        };
        let traced = teacher.trace_absence(request).await?.into_inner();
        let request = TraceAbsenceRequest {
            name: other.name.clone(),
            outcome: trace::Outcome::Unreachable.into(),
            note: "两次拨打无人接听".to_owned(),
            ..TraceAbsenceRequest::default()
        };
        let tried = teacher.trace_absence(request).await?.into_inner();
        self.checks.expect(
            traced.state() == absence::State::Traced && tried.state() == absence::State::Open,
            "one guardian says: ill at home; the other does not answer 联系不上",
        );
        self.put_forward(self.house.clock().now() + chrono::Duration::minutes(125));
        let (escalated, _) = until("the absence escalates", || async {
            let mut principal =
                AbsenceServiceClient::new(self.caller(Role::Principal, class.school())?);
            let request = GetAbsenceRequest {
                name: other.name.clone(),
            };
            let now = principal.get_absence(request).await?.into_inner();
            Ok((now.state() == absence::State::Escalated).then_some(now))
        })
        .await?;
        self.checks.expect(
            escalated.owner() == absence::Owner::Principal,
            "after an hour it is the principal's, by itself 逾时自动升级至校长 (rule 1.11)",
        );
        Ok(())
    }

    /// Varicella: thirteen days are not fourteen.
    pub(super) async fn varicella(
        &mut self,
        morning: &Morning,
        covid: &Case,
    ) -> anyhow::Result<()> {
        screen::heading("十五、复课 return: varicella on day 13, and on day 14");
        let class = &morning.fever;
        let person = class.students.get(5).context("a class has six pupils")?;
        let onset = self.today() - Days::new(VARICELLA_DAYS - 1);
        let illness = Illness {
            symptoms: vec![Symptom::Rash.into()],
            onset_date: Some(to_date(onset)),
            ..Illness::default()
        };
        let request = RecordAbsenceRequest {
            absence: Some(Absence {
                person: person.clone(),
                reason: AbsenceReason::Illness.into(),
                start_date: Some(to_date(onset)),
                illness: Some(illness),
                ..Absence::default()
            }),
            self_reported: true,
            ..RecordAbsenceRequest::default()
        };
        let doctor = self.caller(Role::SchoolDoctor, class.school())?;
        let mut absences = AbsenceServiceClient::new(doctor.clone());
        let absence = absences.record_absence(request).await?.into_inner();
        let (mut doctor, name) = (HealthServiceClient::new(doctor), format!("{person}/health"));
        doctor
            .refer_person(ReferPersonRequest {
                name: name.clone(),
                guardian_notified: true,
                ..ReferPersonRequest::default()
            })
            .await?;
        let excluded = doctor
            .confirm_disease(ConfirmDiseaseRequest {
                name: name.clone(),
                disease: Disease::Varicella.into(),
                onset_date: Some(to_date(onset)),
                rash_onset_date: Some(to_date(onset)),
                ..ConfirmDiseaseRequest::default()
            })
            .await?
            .into_inner();
        let request = || RequestReturnRequest {
            name: name.clone(),
            evidence: vec![Evidence::LesionsCrusted.into()],
            hospital_proof_sha256: "5e".repeat(32),
            ..RequestReturnRequest::default()
        };
        let refused = doctor.request_return(request()).await;
        let end = excluded.exclude_end_time.unwrap_or_default();
        self.checks.expect(
            excluded.state() == health_state::State::Excluded && refused.is_err(),
            format!(
                "day 13, with the hospital's paper and every lesion crusted: stays away until {} (rule 1.23)",
                hour(&end)
            ),
        );
        self.put_forward(start_of(self.today() + Days::new(1)) + chrono::Duration::hours(8));
        self.rule_out(morning, covid).await?;
        let mut doctor = HealthServiceClient::new(self.caller(Role::SchoolDoctor, class.school())?);
        doctor.request_return(request()).await?;
        let returned = doctor
            .review_return(ReviewReturnRequest {
                name: name.clone(),
                admit: true,
                note: "皮疹全部结痂，同意复课".to_owned(),
                ..ReviewReturnRequest::default()
            })
            .await?
            .into_inner();
        let certificate = returned.certificate.clone().unwrap_or_default();
        self.checks.expect(
            returned.state() == health_state::State::Normal && !certificate.number.is_empty(),
            format!(
                "day 14: the school doctor admits, 复课证明 {}",
                certificate.number
            ),
        );
        let (admitted, after) = until("the gate admits", || async {
            let decision = self.check(class.school(), person).await?;
            let admitted = decision.effective_result() == Outcome::Admit;
            Ok((admitted && decision.reasons.is_empty()).then_some(decision))
        })
        .await?;
        let mut absences =
            AbsenceServiceClient::new(self.caller(Role::SchoolDoctor, class.school())?);
        let request = EndAbsenceRequest {
            name: absence.name,
            ..EndAbsenceRequest::default()
        };
        let ended = absences.end_absence(request).await?.into_inner();
        self.checks.expect(
            ended.state() == absence::State::Ended,
            format!(
                "校门 gate, {}: {}; back in class",
                span(after),
                gate::explain(&admitted)
            ),
        );
        Ok(())
    }
}
