//! A case, its contacts, its reports up the hierarchy hop by hop, its export, and its end.

use anyhow::Context as _;
use kit::auth::Role;
use kit::field::to_date;
use proto::roster::Disease;
use proto::roster::report_policy::Level;
use proto::safety::gate_decision::Result as Outcome;
use proto::sampling::case_service_client::CaseServiceClient;
use proto::sampling::report_service_client::ReportServiceClient;
use proto::sampling::{
    AcknowledgeReportRequest, AddContactsRequest, Case, CaseContact, CaseReport, ContactKind,
    ExportCaseRequest, ExportFormat, GetCaseRequest, ListCandidateContactsRequest,
    ListCaseExportsRequest, OpenCaseRequest, ReportHop, RuleOutCaseRequest, WriteReportRequest,
    case, case_report,
};
use sha2::{Digest, Sha256};

use super::checks::until;
use super::clusters::hour;
use super::screening::{DISTRICT, Morning};
use super::{Stage, gate};
use crate::city::CITY_ID;
use crate::house::Door;
use crate::screen::{self, Align, Table, count, span};

impl Stage {
    /// A suspected case with its contacts and its first report.
    pub(super) async fn open_case(&mut self, morning: &Morning) -> anyhow::Result<Case> {
        screen::heading("十二、病例 a case: its contacts, the gate, the first report");
        let class = &morning.away;
        let (patient, school) = (&class.students[0], class.school());
        let mut doctor = CaseServiceClient::new(self.caller(Role::SchoolDoctor, school)?);
        let request = OpenCaseRequest {
            person: patient.clone(),
            disease: Disease::Covid19.into(),
            onset_date: Some(to_date(self.today())),
            detection: case::Detection::Hospital.into(),
            ..OpenCaseRequest::default()
        };
        let case = doctor.open_case(request).await?.into_inner();
        let (found, due) = (
            case.detect_time.unwrap_or_default(),
            case.first_report_due_time.unwrap_or_default(),
        );
        self.checks.expect(
            case.urgent && due.seconds - found.seconds == 2 * 3600,
            format!(
                "a hospital tells of a suspected COVID-19 case: managed as class A, first report due {} (rule 1.18)",
                hour(&due)
            ),
        );
        let request = ListCandidateContactsRequest {
            case: case.name.clone(),
            page_size: 1000,
            ..ListCandidateContactsRequest::default()
        };
        let candidates = doctor
            .list_candidate_contacts(request)
            .await?
            .into_inner()
            .candidate_contacts;
        let contacts: Vec<CaseContact> = candidates
            .iter()
            .map(|one| CaseContact {
                person: one.person.clone(),
                kind: one.kinds.first().copied().unwrap_or_default(),
                last_contact_date: one.last_contact_date,
                ..CaseContact::default()
            })
            .collect();
        let mates = contacts
            .iter()
            .filter(|one| one.kind() == ContactKind::ClassGroup)
            .count();
        let request = AddContactsRequest {
            case: case.name.clone(),
            contacts,
            request_id: String::new(),
        };
        let added = doctor.add_contacts(request).await?.into_inner().contacts;
        self.checks.expect(
            mates + 1 >= class.students.len() && added.len() == candidates.len(),
            format!(
                "{} contacts from class group and tubes, each controlled to a day",
                added.len()
            ),
        );
        let contact = class.students.get(3).context("a class has four pupils")?;
        let (denied, after) = until("the gate denies the contact", || async {
            let decision = self.check(school, contact).await?;
            Ok((decision.effective_result() == Outcome::Deny).then_some(decision))
        })
        .await?;
        self.checks.expect(
            true,
            format!("校门 gate, {}: {}", span(after), gate::explain(&denied)),
        );
        self.write_report(&case, school).await?;
        Ok(case)
    }

    /// The first report, and the receipt of the county.
    async fn write_report(&mut self, case: &Case, school: &str) -> anyhow::Result<()> {
        let reporter = self.caller(Role::EpidemicReporter, school)?;
        let request = WriteReportRequest {
            case: case.name.clone(),
            report: Some(CaseReport {
                kind: case_report::Kind::First.into(),
                place: "教学楼二层".to_owned(),
                suspected_count: 1,
                measures: "患者已转诊，班级就地管控，场所终末消毒".to_owned(),
                contact_post: "疫情报告人".to_owned(),
                ..CaseReport::default()
            }),
            request_id: String::new(),
        };
        let report = ReportServiceClient::new(reporter)
            .write_report(request)
            .await?
            .into_inner();
        self.checks.expect(
            !report.late,
            format!(
                "初报 {} written in time; it can only be added to",
                report.name
            ),
        );
        let district = format!("{CITY_ID}/{DISTRICT}");
        let control = self.caller(Role::DiseaseControl, &district)?;
        self.receive(control, case, Level::CountyHealth).await
    }

    /// Two hours later: every hop with its clock, and the document.
    pub(super) async fn follow_case(&mut self, case: &Case) -> anyhow::Result<()> {
        screen::heading("十四、上报 the report on its way up: every hop has a clock");
        let district = format!("{CITY_ID}/{DISTRICT}");
        let control = self.caller(Role::DiseaseControl, &district)?;
        self.receive(control, case, Level::CountyGovernment).await?;
        self.receive(self.officer()?, case, Level::City).await?;
        let now = self.case(case).await?;
        let mut table = Table::new([
            ("由 from", Align::Left),
            ("至 to", Align::Left),
            ("时限 due", Align::Left),
            ("签收 received", Align::Left),
            ("", Align::Left),
        ]);
        for hop in &now.hops {
            let state = match (hop.start_time, hop.receive_time, hop.late) {
                (None, ..) => "未到 not begun",
                (_, _, true) => "迟 LATE",
                (_, Some(_), false) => "按时 in time",
                (_, None, false) => "计时中 running",
            };
            let at = |time: &Option<_>| time.as_ref().map(hour).unwrap_or_default();
            table.row([
                level(hop.from_level()).to_owned(),
                level(hop.to_level()).to_owned(),
                at(&hop.due_time),
                at(&hop.receive_time),
                state.to_owned(),
            ]);
        }
        table.print();
        let is_late = |to| hop(&now.hops, to).is_some_and(|hop| hop.late);
        self.checks.expect(
            now.late
                && !is_late(Level::CountyHealth)
                && is_late(Level::CountyGovernment)
                && !is_late(Level::City),
            "one hop took more than two hours: received since, and LATE for good 迟报不可抹去",
        );
        self.export(case).await
    }

    /// The laboratory has nothing: whatever the case put on people is lifted.
    pub(super) async fn rule_out(&mut self, morning: &Morning, case: &Case) -> anyhow::Result<()> {
        let school = morning.away.school();
        let request = RuleOutCaseRequest {
            name: case.name.clone(),
            reason: "两次核酸检测阴性，排除".to_owned(),
            request_id: String::new(),
        };
        let district = format!("{CITY_ID}/{DISTRICT}");
        let control = self.caller(Role::DiseaseControl, &district)?;
        let mut control = CaseServiceClient::new(control);
        let closed = control.rule_out_case(request).await?.into_inner();
        let contact = morning
            .away
            .students
            .get(3)
            .context("a class has four pupils")?;
        let (admitted, after) = until("the gate admits the contact", || async {
            let decision = self.check(school, contact).await?;
            let admitted = decision.effective_result() == Outcome::Admit;
            Ok((admitted && decision.reasons.is_empty()).then_some(decision))
        })
        .await?;
        self.checks.expect(
            closed.certainty() == case::Certainty::Excluded && closed.late,
            format!(
                "the case of yesterday is ruled out: its contacts are free again, {}, {}",
                gate::explain(&admitted),
                span(after)
            ),
        );
        Ok(())
    }

    async fn receive(&self, door: Door, case: &Case, level: Level) -> anyhow::Result<()> {
        // The county's government has no account: who sends to it records its receipt.
        let outside = level == Level::CountyGovernment;
        let number = if outside {
            "榕鼓政收〔2022〕118 号"
        } else {
            ""
        };
        let request = AcknowledgeReportRequest {
            case: case.name.clone(),
            level: level.into(),
            outside_reference: number.to_owned(),
            ..AcknowledgeReportRequest::default()
        };
        ReportServiceClient::new(door)
            .acknowledge_report(request)
            .await?;
        Ok(())
    }

    async fn case(&self, case: &Case) -> anyhow::Result<Case> {
        let request = GetCaseRequest {
            name: case.name.clone(),
        };
        let mut client = CaseServiceClient::new(self.district_officer()?);
        Ok(client.get_case(request).await?.into_inner())
    }

    /// The case as a document, and the log of it.
    async fn export(&mut self, case: &Case) -> anyhow::Result<()> {
        let request = ExportCaseRequest {
            name: case.name.clone(),
            format: ExportFormat::Csv.into(),
            purpose: "报送区疾控中心".to_owned(),
        };
        let mut client = CaseServiceClient::new(self.district_officer()?);
        let mut stream = client.export_case(request).await?.into_inner();
        let mut document = Vec::new();
        while let Some(part) = stream.message().await? {
            document.extend(part.content);
        }
        let file = self.folder.join("case.csv");
        std::fs::write(&file, &document)?;
        let request = ListCaseExportsRequest {
            case: case.name.clone(),
            ..ListCaseExportsRequest::default()
        };
        let exports = client.list_case_exports(request).await?.into_inner();
        let logged = exports.case_exports.first().cloned().unwrap_or_default();
        let hash: String = Sha256::digest(&document)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.checks.expect(
            logged.sha256 == hash && !document.is_empty(),
            format!(
                "传染病报告卡 exported as CSV, {} bytes; logged: who, why ({}), SHA-256 {}…",
                count(document.len() as u64),
                logged.purpose,
                &hash[..12]
            ),
        );
        Ok(())
    }
}

fn hop(hops: &[ReportHop], to: Level) -> Option<ReportHop> {
    hops.iter().find(|hop| hop.to_level() == to).cloned()
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Unspecified => "—",
        Level::School => "学校 school",
        Level::CountyHealth => "县区卫健 county health",
        Level::CountyGovernment => "县区政府 county government",
        Level::City => "市 city",
        Level::Province => "省 province",
        Level::State => "国家 state",
    }
}
