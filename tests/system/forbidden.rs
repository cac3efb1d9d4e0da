//! What a city forbids at one place of the tree: services ask for the place of what is read or acted on, and
//! lists for the place at which they begin.

use std::fs;
use std::path::Path;

use kit::auth::Role;
use proto::notification::directive::Urgency;
use proto::notification::directive_service_client::DirectiveServiceClient;
use proto::notification::{
    Audience, Directive, DraftDirectiveRequest, GetDirectiveRequest, ListDirectivesRequest,
};
use proto::safety::hazard_service_client::HazardServiceClient;
use proto::safety::{
    GetHazardRequest, Hazard, HazardCategory, ListHazardsRequest, ReportHazardRequest,
};
use tests::city::{City, Door, Fittings, Store};
use tests::town::{CITY, DISTRICT, Town, school, school_path};
use tonic::Status;

use crate::verbs::{denied, request_id};

/// The school at which officers of the bureau may do nothing of the kind.
const CLOSED: u32 = 2;
const OPEN: u32 = 1;

/// The policies of the release, and one that closes a school to officers of the bureau above it.
fn policies(folder: &Path) {
    let shipped = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/policies"));
    for entry in fs::read_dir(shipped).expect("the policies of the release") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|ending| ending == "cedar") {
            let name = path.file_name().expect("a name");
            fs::copy(&path, folder.join(name)).expect("is copied");
        }
    }
    let forbid = format!(
        "@id(\"city.closed\")\n@doc(\"One school is closed to the bureau.\")\n@doc_zh(\"该校不对区局开放。\")\n\
         forbid (\n  principal in Campus::Role::\"district-officer\",\n  action in [\n    \
         Campus::Action::\"hazard.report\",\n    Campus::Action::\"hazard.read\",\n    \
         Campus::Action::\"directive.read\"\n  ],\n  resource in Campus::Place::\"{}\"\n);\n",
        school_path(CLOSED)
    );
    fs::write(folder.join("city.cedar"), forbid).expect("is written");
}

pub(crate) fn parent(at: u32) -> String {
    format!("organizations/{}", school(at))
}

pub(crate) async fn report(door: &Door, at: u32) -> Result<Hazard, Status> {
    let request = ReportHazardRequest {
        parent: parent(at),
        hazard: Some(Hazard {
            category: HazardCategory::Fire.into(),
            place: "building-1".to_owned(),
            description: "安全出口堆放杂物".to_owned(),
            ..Hazard::default()
        }),
        request_id: request_id(),
    };
    let mut client = HazardServiceClient::new(door.clone());
    Ok(client.report_hazard(request).await?.into_inner())
}

async fn hazard(door: &Door, name: &str) -> Result<Hazard, Status> {
    let name = name.to_owned();
    let mut client = HazardServiceClient::new(door.clone());
    let read = client.get_hazard(GetHazardRequest { name }).await?;
    Ok(read.into_inner())
}

pub(crate) async fn hazards(door: &Door, parent: String) -> Result<Vec<String>, Status> {
    let request = ListHazardsRequest {
        parent,
        ..ListHazardsRequest::default()
    };
    let mut client = HazardServiceClient::new(door.clone());
    let listed = client.list_hazards(request).await?;
    let found = listed.into_inner().hazards.into_iter();
    Ok(found.map(|hazard| hazard.name).collect())
}

/// The bureau writes in the name of a school, for that school.
async fn draft(door: &Door, at: u32) -> Directive {
    let request = DraftDirectiveRequest {
        parent: parent(at),
        urgency: Urgency::Urgent.into(),
        title: "通知".to_owned(),
        text: "请落实晨午晚检。".to_owned(),
        audience: Some(Audience {
            organizations: vec![parent(at)],
            ..Audience::default()
        }),
        request_id: request_id(),
        ..DraftDirectiveRequest::default()
    };
    let mut client = DirectiveServiceClient::new(door.clone());
    let drafted = client.draft_directive(request).await;
    drafted.expect("is drafted").into_inner()
}

async fn directive(door: &Door, name: &str) -> Result<Directive, Status> {
    let name = name.to_owned();
    let mut client = DirectiveServiceClient::new(door.clone());
    let read = client.get_directive(GetDirectiveRequest { name }).await?;
    Ok(read.into_inner())
}

async fn directives(door: &Door, at: u32) -> Result<usize, Status> {
    let request = ListDirectivesRequest {
        parent: parent(at),
        ..ListDirectivesRequest::default()
    };
    let mut client = DirectiveServiceClient::new(door.clone());
    let listed = client.list_directives(request).await?;
    Ok(listed.into_inner().directives.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_forbidden_at_one_place_is_refused_there_and_nowhere_else() {
    let folder = tempfile::tempdir().expect("a folder for a moment");
    policies(folder.path());
    let trust = format!("policies = \"{}\"", folder.path().display());
    let fittings = Fittings {
        trust: &trust,
        ..Fittings::default()
    };
    let city = City::open_with(Store::Sqlite, Town::of(2), fittings).await;
    let city = city.expect("SQLite is always there");
    let bureau = city.door(Role::DistrictOfficer, &format!("{CITY}/{DISTRICT}"));
    let own = |at: u32| city.door(Role::Principal, &school_path(at));

    denied("an act", report(&bureau, CLOSED).await);
    let at_open = report(&bureau, OPEN).await.expect("is reported");
    let at_closed = report(&own(CLOSED), CLOSED).await.expect("is reported");

    denied("what was found", hazard(&bureau, &at_closed.name).await);
    let seen = hazard(&bureau, &at_open.name).await;
    assert_eq!(seen.expect("is read").name, at_open.name);
    let seen = hazard(&own(CLOSED), &at_closed.name).await;
    assert_eq!(seen.expect("is read").name, at_closed.name);

    let [closed, open] = [draft(&bureau, CLOSED).await, draft(&bureau, OPEN).await];
    denied("what was written", directive(&bureau, &closed.name).await);
    let nothing = format!("{}/directives/{}", parent(CLOSED), uuid::Uuid::new_v4());
    denied("what is not there", directive(&bureau, &nothing).await);
    let seen = directive(&bureau, &open.name).await;
    assert_eq!(seen.expect("is read").name, open.name);

    denied("a list", hazards(&bureau, parent(CLOSED)).await);
    denied("another list", directives(&bureau, CLOSED).await);
    assert_eq!(directives(&bureau, OPEN).await.expect("is listed"), 1);
    // A list of the place above is asked for there, and holds all that stands below.
    let mut listed = hazards(&bureau, format!("organizations/{DISTRICT}"))
        .await
        .expect("is listed");
    let mut all = vec![at_open.name, at_closed.name];
    listed.sort();
    all.sort();
    assert_eq!(listed, all);
}
