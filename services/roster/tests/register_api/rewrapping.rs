//! A master key that is changed while people are looked up.
#![expect(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

use kit::auth::Role;
use kit::config::Settings;
use kit::migration::Limits;
use kit::server::Running;
use kit::vault::CryptoConfig;
use kit::vault::rewrap::{self, Rewrapped};
use proto::roster::student_service_client::StudentServiceClient;
use proto::roster::{LookUpStudentRequest, Student};

use crate::desk::{Desk, GULOU_PRIMARY, desk_suite};
use crate::people::{THIRD, enrol, plant, resident};

/// Where a key stands for a moment.
fn key(folder: &Path, name: &str, digits: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, digits).unwrap();
    file
}

fn keys(present: Option<&PathBuf>, former: Option<&PathBuf>) -> CryptoConfig {
    CryptoConfig {
        master_key_file: present.cloned(),
        former_master_key_file: former.cloned(),
        ..CryptoConfig::default()
    }
}

async fn found(desk: &Desk, replica: &Running, id_number: &str) -> Student {
    let school = format!("fz/350102/{GULOU_PRIMARY}");
    let door = desk.caller_at(replica, Role::SchoolClerk, &school);
    let request = LookUpStudentRequest {
        id_type: 0,
        id_number: id_number.to_owned(),
        reason: "核酸异常，核实身份".to_owned(),
    };
    let mut client = StudentServiceClient::new(door);
    let found = client.look_up_student(request).await;
    found.unwrap().into_inner()
}

async fn a_master_key_is_changed_while_people_are_found(desk: Desk) {
    plant(&desk).await;
    let id_number = resident("20120901", 1);
    let student = enrol(&desk, THIRD, &id_number).await;
    let folder = tempfile::tempdir().unwrap();
    let known = desk.settings(keys(None, None)).master_keys().unwrap();
    let former = key(folder.path(), "former", &hex::encode(*known.present));
    let present = key(folder.path(), "present", &"5a".repeat(32));
    let (changing, changed) = (
        || keys(Some(&present), Some(&former)),
        || keys(Some(&present), None),
    );
    let backup = desk.backup().await;

    let refused = desk.keyed(changed(), None).await.map(|_| ()).unwrap_err();
    let told = refused.to_string();
    assert!(
        told.starts_with("crypto.master_key_file: another"),
        "{told}"
    );
    let by_either = desk.keyed(changing(), None).await.unwrap();
    assert_eq!(found(&desk, &by_either, &id_number).await, student);

    let vault = desk.settings(changing()).vault().unwrap().unwrap();
    let db = desk.database().await;
    let done = rewrap::run(&vault, &db, Limits::default()).await.unwrap();
    let all = Rewrapped::Done {
        changed: 2,
        kept: 0,
    };
    assert_eq!(done, all);
    let refused = desk.keyed(keys(Some(&former), None), None).await;
    refused.map(|_| ()).unwrap_err();
    let by_present = desk.keyed(changed(), None).await.unwrap();
    // Whoever started before goes on.
    for replica in [&desk.running, &by_either, &by_present] {
        assert_eq!(found(&desk, replica, &id_number).await, student);
    }

    let refused = desk.keyed(changed(), Some(&backup)).await;
    refused.map(|_| ()).unwrap_err();
    let restored = desk.keyed(changing(), Some(&backup)).await.unwrap();
    assert_eq!(found(&desk, &restored, &id_number).await, student);
}

desk_suite!(a_master_key_is_changed_while_people_are_found);
