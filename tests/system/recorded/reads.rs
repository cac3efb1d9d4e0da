//! Who reads, and what of it is to be on record.

use std::collections::{BTreeMap, BTreeSet};

use kit::auth::{Caller, PURPOSE, Purpose, Role};
use prost_reflect::{DynamicMessage, Value};
use proto::audit::audit_log_service_client::AuditLogServiceClient;
use proto::audit::{AuditRecord, ListCheckpointsRequest, VerifyChainRequest};
use proto::gateway::ExportAuditRequest;
use proto::gateway::audit_service_client::AuditServiceClient;
use proto::options::access::Audit;
use tests::city::{Door, caller};
use tests::town::school_path;
use tests::within;
use tonic::{Request, Status};

use super::asked::{self, Asked};
use crate::leaks::day::VICTIM;
use crate::leaks::known::{Known, guarded, may};
use crate::matrix::{PACKAGES, granted};
use crate::personal::LEFT_OUT;
use crate::region::Region;
use crate::walk::{Method, texts};

/// The service of the logs.
const LOGS: &str = "campus.audit.v1.AuditLogService";

/// A read as it is on record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Read {
    pub(super) service: String,
    pub(super) method: String,
    pub(super) subject: String,
    pub(super) roles: Vec<String>,
    pub(super) scope: String,
    pub(super) purpose: String,
    /// The names of what was read, sorted.
    pub(super) resources: Vec<String>,
}

impl Read {
    /// What a record says.
    pub(super) fn of(record: AuditRecord) -> Self {
        let mut resources = record.resources;
        resources.sort();
        Self {
            service: record.service,
            method: record.method,
            subject: record.subject,
            roles: record.roles,
            scope: record.scope,
            purpose: record.purpose,
            resources,
        }
    }
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// How many methods show persons.
    pub(super) methods: usize,
    /// What is to be on record.
    pub(super) reads: Vec<Read>,
    /// Methods by which nobody could read anything.
    pub(super) unread: BTreeSet<String>,
    /// Methods whose requests name nothing.
    pub(super) unnamed: BTreeSet<String>,
    /// Persons in answers that leave them out.
    pub(super) persons: Vec<String>,
}

/// Somebody who reads.
struct Reader {
    caller: Caller,
    door: Door,
}

/// Every role at the school, at its bureau and for the whole city, in this order.
fn readers(region: &Region) -> Vec<Reader> {
    let [(_, bureau), _] = region.bureaus();
    let places = [school_path(VICTIM), bureau, String::new()];
    let at = |place: &String| {
        let of_role = |role: &Role| {
            let caller = caller(*role, place);
            Reader {
                door: region.city.door_of(caller.clone()),
                caller,
            }
        };
        Role::ALL.iter().map(of_role).collect::<Vec<_>>()
    };
    places.iter().flat_map(at).collect()
}

impl Reader {
    /// The role that they have.
    fn role(&self) -> Role {
        self.caller.roles[0]
    }

    /// Sends a request for a purpose; of a stream only the beginning is read.
    async fn read(
        &self,
        method: &Method,
        request: DynamicMessage,
    ) -> Result<Option<DynamicMessage>, Status> {
        let mut requests = Request::new(vec![request]);
        let purpose = Purpose::Care.as_str().parse().expect("a header");
        requests.metadata_mut().insert(PURPOSE, purpose);
        let mut answers = method.open(self.door.clone(), requests).await?;
        if method.answers_many() && !asked::ends(method) {
            return Ok(None);
        }
        let mut last = None;
        while let Some(answer) = answers.message().await? {
            last = Some(answer);
        }
        Ok(last)
    }

    /// What is to be on record of a read of these things.
    fn record(&self, service: &str, method: &str, mut resources: Vec<String>) -> Read {
        resources.sort();
        let roles = self.caller.roles.iter();
        Read {
            service: service.to_owned(),
            method: method.to_owned(),
            subject: self.caller.subject.clone(),
            roles: roles.map(|role| role.as_str().to_owned()).collect(),
            scope: self.caller.scope.to_string(),
            purpose: Purpose::Care.as_str().to_owned(),
            resources,
        }
    }
}

/// The persons whom an answer names beside those in office.
fn persons(method: &Method, answer: &DynamicMessage) -> Vec<String> {
    let heads = ["students/", "staff/", "guardians/"];
    let named = |text: &String| heads.iter().any(|head| text.starts_with(head));
    let texts = texts(answer).into_iter().map(|(_, text)| text);
    texts
        .filter(named)
        .map(|text| format!("{}: {text}", method.name()))
        .collect()
}

/// Has every method that shows persons asked by somebody who may.
pub(super) async fn are_made(region: &Region, known: &Known, meetings: &[String]) -> Reading {
    let table = granted();
    let readers = readers(region);
    let mut reading = Reading::default();
    // What one answer gives for the request after it: where to watch from, and a code.
    let mut given = BTreeMap::new();
    for one in guarded() {
        let (method, at) = (&one.method, one.at);
        let name = method.name();
        let access = proto::access(&method.path()).expect("every method has a rule");
        let leaves_out = LEFT_OUT.iter().any(|(known, _)| *known == name);
        if access.audit() != Audit::ReadPersonal && !(leaves_out && method.reads()) {
            continue;
        }
        let mut was_read = false;
        for Asked { request, named } in asked::of(region, known, meetings, method, &given) {
            let able = readers
                .iter()
                .filter(|reader| may(&table, reader.role(), method));
            for reader in able {
                let answer = reader.read(method, request.clone());
                let Ok(answer) = within(&name, answer).await else {
                    continue;
                };
                was_read = true;
                if leaves_out {
                    let named = answer.iter().flat_map(|answer| persons(method, answer));
                    reading.persons.extend(named);
                    break;
                }
                if named.is_empty() {
                    reading.unnamed.insert(name.clone());
                }
                let read = reader.record(at, &method.path(), named.clone());
                reading.reads.push(read);
                if let Some(answer) = answer {
                    remember(&mut given, &name, &answer);
                }
                break;
            }
        }
        if !leaves_out {
            reading.methods += 1;
        }
        if !was_read {
            reading.unread.insert(name);
        }
    }
    reading
}

/// Keeps what an answer gives for another request.
fn remember(given: &mut BTreeMap<String, String>, name: &str, answer: &DynamicMessage) {
    for field in ["resume_token", "person_code"] {
        let value = answer.get_field_by_name(field);
        if let Some(Value::String(text)) = value.as_deref() {
            let service = name.split('.').next().unwrap_or_default();
            given.insert(format!("{service} {field}"), text.clone());
        }
    }
}

/// Has the logs themselves read: one exported through the gateway, and each verified and its checkpoints listed.
pub(super) async fn of_the_logs(region: &Region) -> Vec<Read> {
    let auditor = Caller {
        subject: "auditor".to_owned(),
        ..caller(Role::AuditAdmin, "")
    };
    let reader = Reader {
        door: region.city.door_of(auditor.clone()),
        caller: auditor,
    };
    let mut client = AuditServiceClient::new(reader.door.clone());
    let export = ExportAuditRequest {
        service: "roster".to_owned(),
        ..ExportAuditRequest::default()
    };
    let exported = client.export_audit(export).await;
    exported.expect("is exported");
    let mut reads = Vec::new();
    let mut read = |service: &str, method: &str| {
        let record = reader.record(service, &format!("/{LOGS}/{method}"), Vec::new());
        reads.push(Read {
            purpose: String::new(),
            ..record
        });
    };
    read("roster", "ExportRecords");
    for (_, service) in PACKAGES {
        let door = region.city.door_at(service, reader.caller.clone()).await;
        let mut log = AuditLogServiceClient::new(door);
        let listed = log.list_checkpoints(ListCheckpointsRequest::default());
        listed.await.expect("checkpoints");
        let verified = log.verify_chain(VerifyChainRequest::default()).await;
        let fault = verified.expect("a verdict").into_inner().fault;
        assert_eq!(fault, None, "{service}");
        read(service, "ListCheckpoints");
        read(service, "VerifyChain");
    }
    reads
}
