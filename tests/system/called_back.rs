//! Whoever was called back writes nothing more, and sees nothing of what is written afterwards.

use std::fs;

use kit::auth::{Caller, Role};
use tests::city::{City, Fittings, Store, caller};
use tests::town::{Town, school_path};
use tests::until;
use tonic::Code;

use crate::forbidden::{hazards, parent, report};
use crate::verbs::{expect, told};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_called_back_neither_writes_nor_sees_what_others_write_afterwards() {
    let folder = tempfile::tempdir().expect("a folder for a moment");
    let list = folder.path().join("revoked");
    fs::write(&list, "").expect("is written");
    let trust = format!("revoked_file = \"{}\"", list.display());
    let fittings = Fittings {
        trust: &trust,
        ..Fittings::default()
    };
    let city = City::open_with(Store::Sqlite, Town::of(1), fittings).await;
    let city = city.expect("SQLite is always there");
    let principal = |subject: &str| {
        city.door_of(Caller {
            subject: subject.to_owned(),
            ..caller(Role::Principal, &school_path(1))
        })
    };
    let (stolen, colleague) = (principal("stolen"), principal("colleague"));
    let before = report(&stolen, 1).await.expect("is reported").name;
    let seen = hazards(&stolen, parent(1)).await;
    assert_eq!(seen.expect("is listed"), std::slice::from_ref(&before));

    fs::write(&list, "sub stolen\n").expect("is written");
    let refused = until("the list is in force", || async {
        hazards(&stolen, parent(1)).await.err()
    });
    let invalid = (Code::Unauthenticated, "TOKEN_INVALID");
    assert_eq!(told(&refused.await), (invalid.0, invalid.1.to_owned()));
    let written = report(&stolen, 1).await;
    expect("a write", written, invalid.0, invalid.1);
    let after = report(&colleague, 1).await.expect("is reported").name;
    let seen = hazards(&stolen, parent(1)).await;
    expect("the new write", seen, invalid.0, invalid.1);
    let mut seen = hazards(&colleague, parent(1)).await.expect("is listed");
    let mut both = vec![before, after];
    seen.sort();
    both.sort();
    assert_eq!(seen, both);
}
