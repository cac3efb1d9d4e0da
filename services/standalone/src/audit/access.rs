//! Who may see data of minors beyond daily work, who agreed, and each use: the report of a year (rule 6.8).

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use kit::clock::shanghai;
use kit::field::from_timestamp;
use prost_types::Timestamp;
use proto::roster::access_approval_service_client::AccessApprovalServiceClient;
use proto::roster::{
    AccessApproval, AccessUse, ListAccessApprovalsRequest, ListAccessUsesRequest, MinorData,
};
use serde::Serialize;

use super::AccessArgs;
use crate::house::Door;
use crate::screen::{self, Align, Table, count};

/// How many items one page has at most.
const PAGE: i32 = 1000;

type Client = AccessApprovalServiceClient<Door>;

/// One approval as the report tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reported {
    /// The name of the approval.
    pub approval: String,
    /// When it was asked for.
    pub request_time: String,
    /// Who asked.
    pub requester: String,
    /// Which data.
    pub data: Vec<String>,
    /// Of how many persons; 0 for everybody at and below the place.
    pub persons: usize,
    /// For what.
    pub purpose: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub expire_time: String,
    /// Where it is in its life.
    pub state: String,
    /// Who agreed; empty when nobody did.
    pub approver: String,
    /// Each use.
    pub uses: Vec<Used>,
}

/// One use of an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Used {
    /// When.
    pub time: String,
    /// By which method.
    pub method: String,
    /// Whose data.
    pub organization: String,
}

pub(super) async fn report(args: AccessArgs) -> anyhow::Result<ExitCode> {
    let door = args.gateway.door()?;
    let period = (args.since, args.until);
    let reported = collected(door, &args.organization, period).await?;
    if let Some(file) = &args.file {
        write(file, &reported)?;
    }
    let mut table = Table::new([
        ("申请时间 asked", Align::Left),
        ("申请人 requester", Align::Left),
        ("范围 approval", Align::Left),
        ("用途 purpose", Align::Left),
        ("数据 data", Align::Left),
        ("状态 state", Align::Left),
        ("审批人 approver", Align::Left),
        ("使用次数 uses", Align::Right),
    ]);
    for one in &reported {
        table.row([
            one.request_time.clone(),
            one.requester.clone(),
            one.approval.clone(),
            one.purpose.clone(),
            one.data.join(" "),
            one.state.clone(),
            one.approver.clone(),
            one.uses.len().to_string(),
        ]);
    }
    table.print();
    let number = count(reported.len() as u64);
    screen::done(format_args!("{number} approvals 份查阅审批"));
    Ok(ExitCode::SUCCESS)
}

/// The approvals at and below an organisation that were asked for in a period, the latest first, each with
/// its uses.
///
/// # Errors
/// When the register cannot be asked.
pub async fn collected(
    door: Door,
    organization: &str,
    (since, until): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
) -> anyhow::Result<Vec<Reported>> {
    let mut client = AccessApprovalServiceClient::new(door);
    let (mut reported, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListAccessApprovalsRequest {
            parent: format!("organizations/{organization}"),
            page_size: PAGE,
            page_token,
        };
        let page = client.list_access_approvals(request).await?.into_inner();
        for approval in page.access_approvals {
            let asked = approval.events.first().and_then(|event| event.event_time);
            let asked = asked.and_then(from_timestamp);
            let early = since.is_some_and(|since| asked.is_some_and(|asked| asked < since));
            let late = until.is_some_and(|until| asked.is_some_and(|asked| asked >= until));
            if !early && !late {
                let uses = uses(&mut client, &approval).await?;
                reported.push(told(approval, uses));
            }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(reported);
        }
    }
}

async fn uses(client: &mut Client, approval: &AccessApproval) -> anyhow::Result<Vec<AccessUse>> {
    let (mut uses, mut page_token) = (Vec::new(), String::new());
    if approval.use_count == 0 {
        return Ok(uses);
    }
    loop {
        let request = ListAccessUsesRequest {
            parent: approval.name.clone(),
            page_size: PAGE,
            page_token,
        };
        let page = client.list_access_uses(request).await?.into_inner();
        uses.extend(page.access_uses);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(uses);
        }
    }
}

fn told(approval: AccessApproval, uses: Vec<AccessUse>) -> Reported {
    let state = approval.state().as_str_name();
    let state = state.trim_start_matches("STATE_").to_owned();
    let word = |data: MinorData| {
        data.as_str_name()
            .trim_start_matches("MINOR_DATA_")
            .to_owned()
    };
    let data = approval.data().map(word).collect();
    let asked = approval.events.first().and_then(|event| event.event_time);
    let AccessApproval {
        name,
        requester,
        persons,
        purpose,
        reason,
        expire_time,
        approver,
        ..
    } = approval;
    let uses = uses.into_iter().map(|used| Used {
        time: shown(used.use_time),
        method: used.method,
        organization: used.organization,
    });
    Reported {
        approval: name,
        request_time: shown(asked),
        requester,
        data,
        persons: persons.len(),
        purpose,
        reason,
        expire_time: shown(expire_time),
        state,
        approver,
        uses: uses.collect(),
    }
}

/// An instant in Shanghai.
pub(super) fn shown(time: Option<Timestamp>) -> String {
    let time = time.and_then(from_timestamp);
    time.map(|time| time.with_timezone(&shanghai()).to_rfc3339())
        .unwrap_or_default()
}

/// Writes one line of JSON for each approval; a file that is there already is not touched.
pub(super) fn write(path: &Path, reported: &[Reported]) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .open(path)
        .with_context(|| format!("{}：无法新建文件 (cannot be made)", path.display()))?;
    for one in reported {
        serde_json::to_writer(&mut file, one)?;
        file.write_all(b"\n")?;
    }
    file.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proto::roster::AccessEvent;
    use proto::roster::access_approval::State;

    use super::*;

    #[test]
    fn the_report_tells_who_whom_why_and_each_use() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let approval = AccessApproval {
            name: "organizations/350102/accessApprovals/a".to_owned(),
            requester: "ann".to_owned(),
            data: vec![MinorData::Register.into()],
            purpose: "audit".to_owned(),
            reason: "年度合规审计".to_owned(),
            expire_time: at(86_400),
            state: State::Revoked.into(),
            approver: "eve".to_owned(),
            use_count: 1,
            events: vec![AccessEvent {
                event_time: at(0),
                ..AccessEvent::default()
            }],
            ..AccessApproval::default()
        };
        let used = AccessUse {
            use_time: at(60),
            method: "StudentService.ListStudents".to_owned(),
            organization: "organizations/350102".to_owned(),
            ..AccessUse::default()
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("access.jsonl");
        write(&path, &[told(approval, vec![used])]).expect("written");
        let written = std::fs::read_to_string(&path).expect("read");
        let expected = r#"{"approval":"organizations/350102/accessApprovals/a","request_time":"1970-01-01T08:00:00+08:00","requester":"ann","data":["REGISTER"],"persons":0,"purpose":"audit","reason":"年度合规审计","expire_time":"1970-01-02T08:00:00+08:00","state":"REVOKED","approver":"eve","uses":[{"time":"1970-01-01T08:01:00+08:00","method":"StudentService.ListStudents","organization":"organizations/350102"}]}"#;
        assert_eq!(written.trim_end(), expected);
        write(&path, &[]).expect_err("a report is not overwritten");
    }
}
