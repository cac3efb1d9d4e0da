//! The logs of all services, through the gateway.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use kit::clock::shanghai;
use kit::field::{from_timestamp, to_timestamp};
use proto::audit::audit_record::Kind;
use proto::audit::{AuditFilter, AuditRecord};
use proto::gateway::audit_service_client::AuditServiceClient;
use proto::gateway::{ExportAuditRequest, SearchAuditRequest, VerifyAuditRequest};

use super::file::Writer;
use super::{ExportArgs, GatewayArgs, SearchArgs, VerifyArgs};
use crate::house::Door;
use crate::screen::{self, Align, Table, count};

/// The largest piece of an export.
const PIECE: usize = 64 << 20;
/// How many records one page has at most.
const PAGE: usize = 1000;

pub(super) type Client = AuditServiceClient<Door>;

/// The logs behind a gateway.
pub(super) fn client(gateway: &GatewayArgs) -> anyhow::Result<Client> {
    Ok(AuditServiceClient::new(gateway.door()?).max_decoding_message_size(PIECE))
}

/// What was found in the logs.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The newest first.
    pub(super) records: Vec<AuditRecord>,
    /// The services that did not answer: what they have is missing.
    pub(super) missing: BTreeSet<String>,
    /// The table that holds what the method does, where that is the record.
    own_record: String,
}

/// At most `limit` records.
pub(super) async fn find(
    client: &mut Client,
    filter: AuditFilter,
    limit: usize,
) -> anyhow::Result<Found> {
    let (mut found, mut page_token) = (Found::default(), String::new());
    loop {
        let request = SearchAuditRequest {
            filter: Some(filter.clone()),
            page_size: i32::try_from((limit - found.records.len()).min(PAGE))?,
            page_token,
        };
        let page = client.search_audit(request).await?.into_inner();
        found.missing.extend(page.unavailable_services);
        found.own_record = page.own_record;
        found.records.extend(page.records);
        page_token = page.next_page_token;
        if page_token.is_empty() || found.records.len() >= limit {
            return Ok(found);
        }
    }
}

/// Says which services did not answer; a success when all did.
pub(super) fn all_answered(missing: &BTreeSet<String>) -> ExitCode {
    for service in missing {
        screen::failed(format_args!(
            "{service}: 未应答，结果不全 did not answer, its records are missing"
        ));
    }
    if missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

pub(super) async fn search(args: SearchArgs) -> anyhow::Result<ExitCode> {
    let mut client = client(&args.gateway)?;
    let filter = AuditFilter {
        start_time: args.since.map(to_timestamp),
        end_time: args.until.map(to_timestamp),
        subject: args.subject,
        resource: args.resource,
        place: args.place,
        kind: args.kind.map_or(0, |kind| Kind::from(kind).into()),
        method: args.method,
        before_sequence: 0,
    };
    let found = find(&mut client, filter, args.limit as usize).await?;
    if !found.own_record.is_empty() {
        let table = found.own_record;
        screen::line(format_args!(
            "   本方法的数据即其记录，见表 {table} (the rows of {table} are the record of this method)"
        ));
    }
    print(&found.records);
    screen::done(format_args!(
        "{} records 条记录",
        count(found.records.len() as u64)
    ));
    Ok(all_answered(&found.missing))
}

fn print(records: &[AuditRecord]) {
    let mut table = Table::new([
        ("时间 time", Align::Left),
        ("服务 service", Align::Left),
        ("序号 sequence", Align::Right),
        ("类别 kind", Align::Left),
        ("谁 subject", Align::Left),
        ("方法 method", Align::Left),
        ("对象 resources", Align::Left),
        ("地点 place", Align::Left),
        ("次数 calls", Align::Right),
    ]);
    for record in records {
        table.row([
            time(record),
            record.service.clone(),
            record.sequence.to_string(),
            kind(record).to_owned(),
            record.subject.clone(),
            method(record).to_owned(),
            resources(record),
            record.place.clone(),
            record.call_count.to_string(),
        ]);
    }
    table.print();
}

/// When a call arrived, in Shanghai.
pub(super) fn time(record: &AuditRecord) -> String {
    let time = record.time.and_then(from_timestamp);
    let time = time
        .unwrap_or(DateTime::UNIX_EPOCH)
        .with_timezone(&shanghai());
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// The method without its package.
pub(super) fn method(record: &AuditRecord) -> &str {
    record.method.rsplit('.').next().unwrap_or_default()
}

/// What a request spoke of.
pub(super) fn resources(record: &AuditRecord) -> String {
    let more = usize::try_from(record.resource_count).unwrap_or_default();
    let mut resources = record.resources.join(" ");
    if more > record.resources.len() {
        resources.push_str(&format!(" +{}", more - record.resources.len()));
    }
    resources
}

pub(super) fn kind(record: &AuditRecord) -> &'static str {
    match record.kind() {
        Kind::Unspecified => "",
        Kind::Read => "查阅 read",
        Kind::Act if record.beside => "操作 act *",
        Kind::Act => "操作 act",
        Kind::Refused => "拒绝 refused",
        Kind::BreakGlass => "紧急调阅 break-glass",
    }
}

pub(super) async fn verify(args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let mut client = client(&args.gateway)?;
    let answer = client
        .verify_audit(VerifyAuditRequest {})
        .await?
        .into_inner();
    let mut table = Table::new([
        ("服务 service", Align::Left),
        ("记录 records", Align::Right),
        ("检查点 checkpoints", Align::Right),
        ("末条 last", Align::Right),
        ("结论 verdict", Align::Left),
    ]);
    let mut whole = true;
    for verdict in answer.verdicts {
        whole &= verdict.complete;
        let told = match &verdict.fault {
            Some(fault) => format!("✘ 第 {} 条 {}", fault.sequence, super::fault(fault.kind())),
            None if verdict.complete => "✔ 完好 intact".to_owned(),
            None => "✘ 未能在时限内验证完 not verified in time".to_owned(),
        };
        table.row([
            verdict.service,
            count(verdict.record_count.unsigned_abs()),
            count(verdict.checkpoint_count.unsigned_abs()),
            verdict.last_sequence.to_string(),
            told,
        ]);
    }
    table.print();
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Writes the log of a service to a new file, all of it or the part with the calls of a period; returns how many
/// records and checkpoints there are.
pub(super) async fn export_to(
    client: &mut Client,
    service: &str,
    (since, until): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    path: &Path,
) -> anyhow::Result<(u64, u64)> {
    let request = ExportAuditRequest {
        service: service.to_owned(),
        start_time: since.map(to_timestamp),
        end_time: until.map(to_timestamp),
        ..ExportAuditRequest::default()
    };
    let mut pieces = client.export_audit(request).await?.into_inner();
    let mut file = Writer::create(path)?;
    let (mut records, mut checkpoints) = (0, 0);
    while let Some(piece) = pieces.message().await? {
        records += piece.records.len() as u64;
        checkpoints += piece.checkpoints.len() as u64;
        file.add(&piece)?;
    }
    file.finish()?;
    Ok((records, checkpoints))
}

pub(super) async fn export(args: ExportArgs) -> anyhow::Result<ExitCode> {
    let mut client = client(&args.gateway)?;
    let period = (args.since, args.until);
    let (records, checkpoints) = export_to(&mut client, &args.service, period, &args.file).await?;
    screen::done(format_args!(
        "{} records 条记录, {} checkpoints 个检查点 → {}",
        count(records),
        count(checkpoints),
        args.file.display()
    ));
    Ok(ExitCode::SUCCESS)
}
