//! Warnings of an invented meteorological service, and where the organisations of the town stand.

use chrono::{DateTime, Duration, Utc};
use kit::auth::Role;
use kit::db::Database;
use proto::notification as pb;
use proto::roster::organization::Kind;
use proto::roster::roster_event::State;
use tonic::Status;

use super::world::{World, by};
use super::{BUREAU_PATH, OTHER_PATH, SCHOOL_PATH, SISTER_PATH, organization};

/// One document.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) sender: &'a str,
    /// Its number and the minute in which it was sent.
    pub(crate) number: i64,
    pub(crate) kind: &'a str,
    pub(crate) to: &'a [i64],
    pub(crate) areas: &'a [&'a str],
    pub(crate) says: bool,
}

impl<'a> Told<'a> {
    fn new(number: i64, kind: &'a str, to: &'a [i64]) -> Self {
        Self {
            sender: "met@example.cn",
            number,
            kind,
            to,
            areas: &["350102000000"],
            says: true,
        }
    }

    pub(crate) fn alert(number: i64) -> Self {
        Self::new(number, "Alert", &[])
    }

    pub(crate) fn update(number: i64, to: &'a [i64]) -> Self {
        Self::new(number, "Update", to)
    }

    pub(crate) fn cancel(number: i64, to: &'a [i64]) -> Self {
        Self {
            says: false,
            ..Self::new(number, "Cancel", to)
        }
    }

    pub(crate) fn ack(number: i64, to: &'a [i64]) -> Self {
        Self {
            says: false,
            ..Self::new(number, "Ack", to)
        }
    }
}

/// When the document of a number was sent.
pub(crate) fn sent(number: i64) -> DateTime<Utc> {
    super::morning() + Duration::minutes(number)
}

fn time(number: i64) -> String {
    sent(number).format("%Y-%m-%dT%H:%M:%S-00:00").to_string()
}

/// The document.
pub(crate) fn document(told: &Told<'_>) -> String {
    let Told {
        sender,
        number,
        kind,
        to,
        areas,
        says,
    } = told;
    let references: Vec<_> = to
        .iter()
        .map(|other| format!("met@example.cn,w{other},{}", time(*other)))
        .collect();
    let references = references
        .join(" ")
        .replace("met@example.cn", reference_sender(sender));
    let areas: String = areas
        .iter()
        .map(|code| format!("<geocode><valueName>区划</valueName><value>{code}</value></geocode>"))
        .collect();
    let info = format!(
        "<info><language>zh-CN</language><category>Met</category><event>台风</event>\
         <urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty>\
         <eventCode><valueName>GB/T 35965.1</valueName><value>11B01</value></eventCode>\
         <expires>{}</expires><headline>台风橙色预警</headline>\
         <area><areaDesc>鼓楼区</areaDesc><circle>26.08,119.3 12.5</circle>{areas}</area></info>",
        time(60)
    );
    format!(
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>w{number}</identifier>\
         <sender>{sender}</sender><sent>{}</sent><status>Actual</status><msgType>{kind}</msgType>\
         <scope>Public</scope><references>{references}</references>{}</alert>",
        time(*number),
        if *says { &*info } else { "" }
    )
}

/// Whose documents a sender refers to: its own, but for the one who meddles.
fn reference_sender(sender: &str) -> &str {
    if sender == "other@example.cn" {
        "met@example.cn"
    } else {
        sender
    }
}

impl World {
    /// The meteorological service hands a document in.
    pub(crate) async fn ingest(&mut self, told: &Told<'_>) -> Result<pb::Warning, Status> {
        self.ingest_bytes(document(told).into_bytes()).await
    }

    pub(crate) async fn ingest_bytes(&mut self, document: Vec<u8>) -> Result<pb::Warning, Status> {
        let ask = pb::IngestWarningRequest {
            document: document.into(),
        };
        let ask = by("met-1", Role::PartnerSystem, "fz", ask);
        Ok(self.warnings.ingest_warning(ask).await?.into_inner())
    }
}

/// Gives the organisations of the town their divisions.
pub(crate) async fn divide(db: &Database) {
    let mut events = Vec::new();
    for (path, kind, division) in [
        (BUREAU_PATH, Kind::CountyBureau, "350102"),
        (SCHOOL_PATH, Kind::School, "350102"),
        (SISTER_PATH, Kind::School, "350102"),
        (OTHER_PATH, Kind::School, "350103"),
    ] {
        let mut event = organization(path, kind);
        event.version = 2;
        if let Some(State::Organization(organization)) = &mut event.state {
            organization.division_code = division.to_owned();
        }
        events.push(event);
    }
    super::roster(db, &events, 1).await;
}
