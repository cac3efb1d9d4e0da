//! The logs of the audit: each act that was acknowledged has one record, written with its effect, and every chain
//! verifies.

use std::collections::BTreeMap;

use kit::auth::Role;
use proto::audit::audit_record::Kind;
use proto::audit::{AuditFilter, AuditRecord};
use proto::gateway::audit_service_client::AuditServiceClient;
use proto::gateway::{SearchAuditRequest, VerifyAuditRequest};
use tests::city::{City, Door};
use tests::{every, until};
use tonic::Status;

use crate::judge::same;

/// How many services keep a log.
const LOGS: usize = 4;
/// How many records are read at once.
const PAGE: i32 = 1000;

/// Each act of which these are the requests, by method, is on record once.
pub(super) async fn is_on_record(city: &City, acts: &BTreeMap<&'static str, Vec<String>>) {
    let client = AuditServiceClient::new(city.door(Role::AuditAdmin, ""));
    for (method, told) in acts {
        let what = format!("{method} is on record");
        let found = until(&what, || async {
            let found = records(&client, method).await.ok()?;
            (found.len() >= told.len()).then_some(found)
        });
        let request = |record: AuditRecord| {
            assert!(!record.beside && record.code == 0, "{record:?}");
            record.request_id
        };
        let kept = found.await.into_iter().map(request).collect();
        same(method, kept, told.clone(), Clone::clone);
    }
    chains_verify(&client).await;
}

/// The acts of a method, of all services.
async fn records(
    client: &AuditServiceClient<Door>,
    method: &str,
) -> Result<Vec<AuditRecord>, Status> {
    let filter = AuditFilter {
        kind: Kind::Act.into(),
        method: format!("/{method}"),
        ..AuditFilter::default()
    };
    every(|page_token| {
        let mut client = client.clone();
        let request = SearchAuditRequest {
            filter: Some(filter.clone()),
            page_size: PAGE,
            page_token,
        };
        async move {
            let page = client.search_audit(request).await?.into_inner();
            if !page.unavailable_services.is_empty() {
                return Err(Status::unavailable("a log is missing"));
            }
            Ok((page.records, page.next_page_token))
        }
    })
    .await
}

async fn chains_verify(client: &AuditServiceClient<Door>) {
    let verdicts = until("every log is verified", || async {
        let verified = client.clone().verify_audit(VerifyAuditRequest {}).await;
        let verdicts = verified.ok()?.into_inner().verdicts;
        let mut each = verdicts.iter();
        let all = each.all(|one| one.complete || one.fault.is_some());
        all.then_some(verdicts)
    });
    let verdicts = verdicts.await;
    assert_eq!(verdicts.len(), LOGS);
    for verdict in verdicts {
        assert_eq!(verdict.fault, None, "{}", verdict.service);
        assert!(verdict.record_count > 0, "{verdict:?}");
    }
}
