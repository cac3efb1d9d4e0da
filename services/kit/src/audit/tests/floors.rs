//! A policy that asks for more than the settings has the log kept for longer.

use std::sync::Mutex;

use sea_orm::DbErr;

use super::*;

crate::store_suite!(Migrator;
    what_a_policy_asks_for_is_kept_and_told,
);

/// Policies as they are at the moment; none when they cannot be read.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Option<Vec<Floor>>>>);

#[async_trait::async_trait]
impl Floors for Told {
    async fn floors(&self, _: &Database) -> Result<Vec<Floor>, DbErr> {
        let told = self.0.lock().unwrap().clone();
        told.ok_or_else(|| DbErr::Custom("unreadable".to_owned()))
    }
}

async fn what_a_policy_asks_for_is_kept_and_told(db: Database) {
    let clock = ManualClock::at(now());
    let shelf = shelf(&db, &clock);
    assert_eq!(shelf.kept_days().await.unwrap(), (180, 1096));
    let told = Told::default();
    assert!(shelf.floors.set(Box::new(told.clone())).is_ok());
    let ask = |days, partner_years| {
        let floor = Floor {
            region: String::new(),
            effective: clock.today(),
            days,
            partner_years,
        };
        *told.0.lock().unwrap() = Some(vec![floor]);
    };
    written(&db, 3).await;
    chain_all(&db, SERVICE).await.unwrap();
    notary::sign_head(&shelf).await.unwrap();
    clock.set(now() + chrono::Duration::days(190));
    // Nothing is cut by anybody who does not know what is asked for.
    cut(&shelf).await.unwrap_err();
    ask(400, 10);
    assert_eq!(shelf.kept_days().await.unwrap(), (400, 3653));
    assert_eq!(cut(&shelf).await.unwrap(), 0);
    ask(90, 1);
    assert_eq!(shelf.kept_days().await.unwrap(), (180, 1096));
    assert!(cut(&shelf).await.unwrap() > 0);
}
