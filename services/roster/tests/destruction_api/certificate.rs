//! The certificate is worth what it says to somebody who has nothing else.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use kit::auth::Role;
use proto::roster as pb;
use roster::domain::destruction::{Certificate, Invalid, State};

use crate::desk::{Desk, desk_suite};
use crate::people::{confirm, jobs, refused, report, running, tell};

async fn a_certified_job_is_verified_from_its_certificate_alone(desk: Desk) {
    desk.plant().await;
    let name = running(&desk).await.name;
    for service in ["safety-inspection", "sampling", "notification"] {
        tell(&desk, &name, report(&desk, service, 0)).await.unwrap();
    }
    let mut audit = jobs(&desk, "aud", Role::AuditAdmin);
    let certify = pb::CertifyDestructionRequest {
        name: name.clone(),
        request_id: "b7a1c0de-0000-4000-8000-000000000001".to_owned(),
    };
    let early = audit.certify_destruction(certify.clone()).await;
    assert_eq!(refused(early), "DESTRUCTION_STATE");
    let get = pb::GetDestructionCertificateRequest {
        name: format!("{name}/certificate"),
    };
    let missing = audit.get_destruction_certificate(get.clone()).await;
    assert_eq!(refused(missing), "NOT_FOUND");
    confirm(&desk, &name, pb::backup_check::Finding::KeyAbsent)
        .await
        .unwrap();
    let made = audit.certify_destruction(certify.clone()).await.unwrap();
    let made = made.into_inner();
    let again = audit.certify_destruction(certify).await.unwrap();
    assert_eq!(again.into_inner(), made, "a repeat is answered alike");
    let got = audit.get_destruction_certificate(get).await.unwrap();
    assert_eq!(got.into_inner(), made);

    let certificate = Certificate {
        manifest: made.manifest.to_vec(),
        signature: made.signature.as_ref().try_into().unwrap(),
        public_key: made.public_key.as_ref().try_into().unwrap(),
    };
    let job = certificate.verify(&certificate.public_key).unwrap();
    assert_eq!(job.state(), State::Certified);
    assert_eq!(job.reports().len(), 3);
    let mut forged = certificate.clone();
    let text = String::from_utf8(forged.manifest).unwrap();
    forged.manifest = text.replace("\"eve\"", "\"bob\"").into_bytes();
    assert_ne!(forged.manifest, certificate.manifest);
    assert_eq!(
        forged.verify(&certificate.public_key),
        Err(Invalid::Signature)
    );
}

desk_suite!(a_certified_job_is_verified_from_its_certificate_alone);
