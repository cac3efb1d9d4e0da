use kit::scratch::{self, Scratch};

use super::*;
use crate::Migrator;

fn now() -> DateTime<Utc> {
    kit::clock::start_of("2022-04-07".parse().expect("a day"))
}

async fn opened() -> (Scratch, Database) {
    let scratch = scratch::sqlite();
    let db = scratch.open::<Migrator>().await;
    (scratch, db)
}

#[tokio::test]
async fn t20_a_document_that_keeps_audits_for_90_days_adds_nothing_and_is_named() {
    let (_scratch, db) = opened().await;
    let [fuzhou, routine] = policy::SHIPPED;
    let loose = routine.replace("retention_days = 180", "retention_days = 90");
    assert_ne!(loose, routine);
    let shipped = Shipped {
        policies: &[fuzhou, &loose],
        ..Shipped::ALL
    };
    let refused = seed(&db, shipped, now()).await.unwrap_err().to_string();
    assert!(
        refused.starts_with("policy profile multi-disease-routine: audit.retention_days: "),
        "{refused}"
    );
    assert_eq!(policies::active(db.read()).await.unwrap(), []);
    assert_eq!(calendars::list(db.read(), 0, 10).await.unwrap(), []);
}

#[tokio::test]
async fn a_document_that_cannot_be_read_refuses_the_start() {
    let (_scratch, db) = opened().await;
    let no_policy = Shipped {
        policies: &["gate = 1"],
        ..Shipped::ALL
    };
    let no_calendar = Shipped {
        calendars: &["year = 1999"],
        ..Shipped::ALL
    };
    for shipped in [no_policy, no_calendar] {
        let refused = seed(&db, shipped, now()).await.unwrap_err();
        assert!(matches!(refused, Refused::Document(_)), "{refused}");
    }
}

#[tokio::test]
async fn what_is_shipped_is_in_force() {
    let (_scratch, db) = opened().await;
    seed(&db, Shipped::ALL, now()).await.unwrap();
    let active = policies::active(db.read()).await.unwrap();
    let versions: Vec<String> = active.iter().map(|one| one.id.policy_version()).collect();
    assert_eq!(versions, ["fuzhou-2022-04@1", "multi-disease-routine@1"]);
}
