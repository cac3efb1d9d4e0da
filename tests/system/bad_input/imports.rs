//! What imports refuse: streams, rows, moves that the state does not allow, and other places.

use futures_util::stream;
use kit::auth::Role;
use proto::roster::import_job::{Mode, State};
use proto::roster::import_row::Record;
use proto::roster::import_service_client::ImportServiceClient;
use proto::roster::{
    CreateImportJobRequest, DiscardImportJobRequest, ImportJob, ImportRow, ImportVerdict,
    ListImportJobsRequest, ListImportVerdictsRequest, ListStudentsRequest,
    RollBackImportJobRequest, StudentRow,
};
use tests::city::{City, Door};
use tests::import::{Importer, SOURCE};
use tests::town::{CITY, numbered, resident_id, school, school_path};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::verbs::{expect, request_id};

const DENIED: (Code, &str) = (Code::PermissionDenied, "SCOPE_DENIED");
const MISSING: (Code, &str) = (Code::NotFound, "NOT_FOUND");
const INVALID: (Code, &str) = (Code::InvalidArgument, "INVALID_FIELD");
const STATE: (Code, &str) = (Code::FailedPrecondition, "IMPORT_STATE");

fn importer(city: &City) -> Importer {
    Importer::new(city.door(Role::CityOfficer, CITY))
}

async fn opened(importer: &Importer, mode: Mode, source: &str) -> String {
    let opened = importer.open(mode, source, "").await;
    opened.expect("a job is opened").name
}

/// Newcomers to the first class group, from this number on.
fn newcomers(city: &City, first: u32, count: u32) -> Vec<ImportRow> {
    let town = city.town;
    let rows = (first..first + count).map(|number| {
        let row = town.student(1, 1, format!("新生{number}"), town.everybody() + number);
        (format!("x-{number}"), Record::Student(row))
    });
    numbered(rows.collect())
}

async fn discard(importer: &Importer, job: &str) -> Result<ImportJob, Status> {
    let request = DiscardImportJobRequest {
        name: job.to_owned(),
        request_id: String::new(),
    };
    let discarded = importer.0.clone().discard_import_job(request).await?;
    Ok(discarded.into_inner())
}

async fn roll_back(importer: &Importer, job: &str) -> Result<ImportJob, Status> {
    let request = RollBackImportJobRequest {
        name: job.to_owned(),
        request_id: String::new(),
    };
    let back = importer.0.clone().roll_back_import_job(request).await?;
    Ok(back.into_inner())
}

/// Nothing of a refused message is durable; what came before it is.
pub(super) async fn streams(city: &City) {
    let importer = importer(city);
    jobs(city, &importer).await;
    let job = opened(&importer, Mode::Delta, "streams").await;
    let good = newcomers(city, 0, 3);
    let sent = importer.send(&job, &good[..1], 1).await;
    assert_eq!(sent.expect("the first row").durable_row, 1);

    let gap = (Code::FailedPrecondition, "IMPORT_GAP");
    let answer = importer.send(&job, &good[2..], 1).await;
    expect("a row is missing before", answer, gap.0, gap.1);
    let mut bare = good[1].clone();
    bare.record = None;
    let answer = importer.send(&job, &[bare], 1).await;
    expect("a row without its record", answer, INVALID.0, INVALID.1);
    for row in [0, -1] {
        let unnumbered = ImportRow {
            row,
            ..good[1].clone()
        };
        let answer = importer.send(&job, &[unnumbered], 1).await;
        expect("a row with no number", answer, INVALID.0, INVALID.1);
    }
    let many = newcomers(city, 0, 1001);
    let answer = importer.send(&job, &many, 1001).await;
    expect("1001 rows in one message", answer, INVALID.0, INVALID.1);
    let mut huge = good[1].clone();
    huge.external_id = "x".repeat(5 << 20);
    let answer = importer.send(&job, &[huge], 1).await;
    let large = (Code::ResourceExhausted, "MESSAGE_TOO_LARGE");
    expect("a message of 5 MiB", answer, large.0, large.1);
    let door = city.door(Role::CityOfficer, CITY);
    let answer = number_for_rows(door, &job).await;
    let malformed = (Code::InvalidArgument, "MESSAGE_MALFORMED");
    expect(
        "bytes that are no message",
        answer,
        malformed.0,
        malformed.1,
    );
    let answer = importer.send("", &good[1..2], 1).await;
    expect("no job", answer, INVALID.0, INVALID.1);
    let answer = importer.send("importJobs/1", &good[1..2], 1).await;
    expect("the name of no job", answer, INVALID.0, INVALID.1);
    let unknown = format!("importJobs/{}", Uuid::new_v4());
    let answer = importer.send(&unknown, &good[1..2], 1).await;
    expect("an unknown job", answer, MISSING.0, MISSING.1);

    let kept = importer.get(&job).await.expect("the job");
    assert_eq!(
        (kept.state(), kept.durable_row),
        (State::Receiving, 1),
        "only the good row is durable"
    );
    let sent = importer.send(&job, &good, 1).await.expect("it goes on");
    assert_eq!(
        (sent.durable_row, sent.accepted_count),
        (3, 2),
        "the durable row is passed over"
    );
    discard(&importer, &job).await.expect("is given up");
}

/// Sends a number where Import expects rows.
async fn number_for_rows(door: Door, job: &str) -> Result<(), Status> {
    let mut client = Grpc::new(door);
    let ready = client.ready().await;
    ready.map_err(|_| Status::unavailable("the gateway is closed"))?;
    let codec = tonic_prost::ProstCodec::<ListStudentsRequest, ()>::default();
    let path = PathAndQuery::from_static("/campus.roster.v1.ImportService/Import");
    let message = ListStudentsRequest {
        parent: job.to_owned(),
        show_withdrawn: true,
        ..ListStudentsRequest::default()
    };
    let messages = Request::new(stream::iter([message]));
    let sent = client.client_streaming(messages, path, codec).await;
    sent.map(|_| ())
}

async fn jobs(city: &City, importer: &Importer) {
    let mut client = importer.0.clone();
    let good = CreateImportJobRequest {
        organization: format!("organizations/{CITY}"),
        source: SOURCE.to_owned(),
        mode: Mode::Delta.into(),
        vanish_threshold: None,
        request_id: request_id(),
    };
    for (what, request, (code, reason)) in [
        (
            "an unknown organisation",
            CreateImportJobRequest {
                organization: "organizations/2135010099".to_owned(),
                ..good.clone()
            },
            MISSING,
        ),
        (
            "no organisation",
            CreateImportJobRequest {
                organization: String::new(),
                ..good.clone()
            },
            INVALID,
        ),
        (
            "a source with spaces",
            CreateImportJobRequest {
                source: "the school".to_owned(),
                ..good.clone()
            },
            INVALID,
        ),
        (
            "no mode",
            CreateImportJobRequest {
                mode: Mode::Unspecified.into(),
                ..good.clone()
            },
            INVALID,
        ),
        (
            "a share above one",
            CreateImportJobRequest {
                vanish_threshold: Some(2.0),
                ..good.clone()
            },
            INVALID,
        ),
    ] {
        let answer = client.create_import_job(request).await;
        expect(what, answer, code, reason);
    }
    let job = client.create_import_job(good.clone()).await;
    let job = job.expect("a job is opened").into_inner();
    let again = client.create_import_job(good.clone()).await;
    assert_eq!(again.expect("is answered again").into_inner(), job);
    let other = CreateImportJobRequest {
        source: "another".to_owned(),
        ..good
    };
    let answer = client.create_import_job(other).await;
    let reused = (Code::InvalidArgument, "REQUEST_ID_REUSED");
    expect("the same id for another job", answer, reused.0, reused.1);
    discard(importer, &job.name).await.expect("is given up");
    let mut guard = ImportServiceClient::new(city.door(Role::Guard, &school_path(1)));
    let answer = guard.list_import_jobs(ListImportJobsRequest::default());
    expect("a guard imports nothing", answer.await, DENIED.0, DENIED.1);
}

/// Each bad row is refused with a reason and a hint, and the good one beside them is taken.
pub(super) async fn rows(city: &City) {
    let importer = importer(city);
    let job = opened(&importer, Mode::Delta, "rows").await;
    let base = newcomers(city, 10, 1);
    let Some(Record::Student(good)) = base[0].record.clone() else {
        panic!("a student");
    };
    let bad: [(&str, StudentRow); 8] = [
        ("MISSING", changed(&good, |row| row.display_name.clear())),
        (
            "ID_CHECKSUM",
            changed(&good, |row| turn_last_digit(&mut row.id_number)),
        ),
        (
            "ID_FORMAT",
            changed(&good, |row| row.id_number.truncate(12)),
        ),
        (
            "UNKNOWN_CLASS_GROUP",
            changed(&good, |row| row.class_group = "p2019-77".to_owned()),
        ),
        (
            "CLASS_GROUP_ID",
            changed(&good, |row| row.class_group = "三（1）".to_owned()),
        ),
        (
            "UNKNOWN_ORGANIZATION",
            changed(&good, |row| row.organization = "2135010099".to_owned()),
        ),
        (
            "DATE_FORMAT",
            changed(&good, |row| row.birth_date = "昨天".to_owned()),
        ),
        (
            "BAD_CHARACTERS",
            changed(&good, |row| row.display_name = "\u{fffd}".to_owned()),
        ),
    ];
    let mut records = vec![("good".to_owned(), Record::Student(good))];
    records.extend(
        bad.iter()
            .zip(0..)
            .map(|((_, row), number)| (format!("bad-{number}"), Record::Student(row.clone()))),
    );
    let rows = numbered(records);
    let sent = importer
        .send(&job, &rows, 3)
        .await
        .expect("rows are judged");
    assert_eq!((sent.accepted_count, sent.rejected_count), (1, 8));
    let request = ListImportVerdictsRequest {
        parent: job.clone(),
        ..ListImportVerdictsRequest::default()
    };
    let verdicts = importer.0.clone().list_import_verdicts(request).await;
    let verdicts = verdicts.expect("verdicts").into_inner().verdicts;
    for ((reason, _), row) in bad.iter().zip(2..) {
        let about = |one: &&ImportVerdict| one.row == row && one.reason == *reason;
        let verdict = verdicts.iter().find(about);
        let verdict = verdict.unwrap_or_else(|| panic!("{reason} at {row}: {verdicts:?}"));
        assert!(verdict.rejected && !verdict.hint.is_ascii(), "{verdict:?}");
    }
    discard(&importer, &job).await.expect("is given up");

    // Somebody who is registered by another source is found by the plan.
    let job = opened(&importer, Mode::Delta, "rows").await;
    let taken = changed_number(city, newcomers(city, 10, 1));
    importer.send(&job, &taken, 1).await.expect("is staged");
    let planned = importer.plan(&job, "").await.expect("is planned");
    let rejected: i64 = planned.counts.iter().map(|one| one.rejected).sum();
    assert_eq!(rejected, 1, "a number that is somebody's: {planned:?}");
    importer.commit(&job, "").await.expect("nothing to take");
}

fn changed(row: &StudentRow, change: impl FnOnce(&mut StudentRow)) -> StudentRow {
    let mut row = row.clone();
    change(&mut row);
    row
}

fn turn_last_digit(number: &mut String) {
    let last = if number.ends_with('1') { '2' } else { '1' };
    number.pop();
    number.push(last);
}

/// Gives the first of `rows` the identity number of a student of the town.
fn changed_number(city: &City, mut rows: Vec<ImportRow>) -> Vec<ImportRow> {
    if let Some(Record::Student(row)) = &mut rows[0].record {
        row.id_number = resident_id(city.town.number(2, 1, 1));
    }
    rows
}

/// Every move that the state of a job forbids.
pub(super) async fn states(city: &City) {
    let importer = importer(city);
    let rows = newcomers(city, 20, 2);
    let job = opened(&importer, Mode::Delta, "states").await;
    importer
        .send(&job, &rows, 2)
        .await
        .expect("rows are staged");
    let commit = importer.commit(&job, "").await;
    expect("committed without a plan", commit, STATE.0, STATE.1);
    let back = roll_back(&importer, &job).await;
    expect("rolled back without a commit", back, STATE.0, STATE.1);
    importer.plan(&job, "").await.expect("is planned");
    let sent = importer.send(&job, &newcomers(city, 20, 3)[2..], 1).await;
    expect("rows after the plan", sent, STATE.0, STATE.1);
    importer.commit(&job, "").await.expect("is committed");
    for (what, answer) in [
        ("planned after the commit", importer.plan(&job, "").await),
        ("committed twice", importer.commit(&job, "").await),
        ("given up after the commit", discard(&importer, &job).await),
    ] {
        expect(what, answer, STATE.0, STATE.1);
    }
    roll_back(&importer, &job).await.expect("is taken back");
    let again = roll_back(&importer, &job).await;
    expect("rolled back twice", again, STATE.0, STATE.1);
    let unknown = format!("importJobs/{}", Uuid::new_v4());
    for (what, answer) in [
        ("to plan", importer.plan(&unknown, "").await),
        ("to commit", importer.commit(&unknown, "").await),
        ("to give up", discard(&importer, &unknown).await),
        ("to read", importer.get(&unknown).await),
    ] {
        expect(what, answer, MISSING.0, MISSING.1);
    }
    vanishing(city, &importer).await;
    stale(city, &importer).await;
}

/// A whole delivery with one of everybody would let too many go.
async fn vanishing(city: &City, importer: &Importer) {
    let job = opened(importer, Mode::Bulk, SOURCE).await;
    let row = newcomers(city, 30, 1);
    importer.send(&job, &row, 1).await.expect("is staged");
    let planned = importer.plan(&job, "").await.expect("is planned");
    assert!(planned.blocked, "{planned:?}");
    let commit = importer.commit(&job, "").await;
    let vanish = (Code::FailedPrecondition, "IMPORT_VANISH_THRESHOLD");
    expect("the whole town would vanish", commit, vanish.0, vanish.1);
    discard(importer, &job).await.expect("is given up");
}

/// A plan is worth nothing once the register changed under it.
async fn stale(city: &City, importer: &Importer) {
    let late = opened(importer, Mode::Delta, "stale").await;
    let sent = importer.send(&late, &newcomers(city, 40, 1), 1).await;
    sent.expect("is staged");
    importer.plan(&late, "").await.expect("is planned");
    let first = opened(importer, Mode::Delta, "stale").await;
    let sent = importer.send(&first, &newcomers(city, 41, 1), 1).await;
    sent.expect("is staged");
    importer.plan(&first, "").await.expect("is planned");
    importer.commit(&first, "").await.expect("is committed");
    let commit = importer.commit(&late, "").await;
    let stale = (Code::FailedPrecondition, "IMPORT_PLAN_STALE");
    expect("another job came first", commit, stale.0, stale.1);
    discard(importer, &late).await.expect("is given up");
    roll_back(importer, &first).await.expect("is taken back");
}

/// A school neither sees nor moves the imports of others, and puts nobody into another school.
pub(super) async fn another_school(city: &City) {
    let officer = importer(city);
    let job = opened(&officer, Mode::Delta, "places").await;
    let clerk = Importer::new(city.door(Role::SchoolClerk, &school_path(2)));
    let unknown = format!("importJobs/{}", Uuid::new_v4());
    for name in [&job, &unknown] {
        for (what, answer) in [
            ("to read", clerk.get(name).await),
            ("to plan", clerk.plan(name, "").await),
            ("to commit", clerk.commit(name, "").await),
            ("to give up", discard(&clerk, name).await),
            ("to take back", roll_back(&clerk, name).await),
        ] {
            expect(what, answer, DENIED.0, DENIED.1);
        }
        let sent = clerk.send(name, &newcomers(city, 50, 1), 1).await;
        expect("to send", sent, DENIED.0, DENIED.1);
    }
    for organization in [CITY.to_owned(), school(1), "2135010099".to_owned()] {
        let request = CreateImportJobRequest {
            organization: format!("organizations/{organization}"),
            source: "clerk".to_owned(),
            mode: Mode::Delta.into(),
            ..CreateImportJobRequest::default()
        };
        let answer = clerk.0.clone().create_import_job(request).await;
        expect("to open one elsewhere", answer, DENIED.0, DENIED.1);
    }
    let request = CreateImportJobRequest {
        organization: format!("organizations/{}", school(2)),
        source: "clerk".to_owned(),
        mode: Mode::Delta.into(),
        ..CreateImportJobRequest::default()
    };
    let own = clerk.0.clone().create_import_job(request).await;
    let own = own.expect("at its own school").into_inner().name;
    let sent = clerk.send(&own, &newcomers(city, 50, 1), 1).await;
    let sent = sent.expect("rows are judged");
    let [verdict] = &sent.verdicts[..] else {
        panic!("one verdict: {sent:?}");
    };
    assert_eq!(
        (verdict.reason.as_str(), verdict.rejected),
        ("UNKNOWN_ORGANIZATION", true),
        "answered as if there were none"
    );
    let mut client = clerk.0.clone();
    let listed = client.list_import_jobs(ListImportJobsRequest::default());
    let listed = listed.await.expect("its own jobs").into_inner();
    let listed: Vec<String> = listed.import_jobs.into_iter().map(|job| job.name).collect();
    assert_eq!(listed, std::slice::from_ref(&own));
    discard(&clerk, &own).await.expect("is given up");
    discard(&officer, &job).await.expect("is given up");
}
