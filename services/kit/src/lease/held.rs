//! A lease that another replica holds, for tests of what is not done meanwhile.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::take;
use crate::db::Database;

/// How long it holds without being renewed, and how often it is.
const TTL: Duration = Duration::from_secs(2);
const RENEWED: Duration = Duration::from_millis(200);
/// How often it is tried to take it until that succeeds, and how long nobody does in between.
const TRIES: u32 = 600;
const BETWEEN: Duration = Duration::from_millis(50);
const SOMEBODY_ELSE: &str = "somebody else";

/// A lease that somebody else keeps until it is given back.
#[derive(Debug)]
pub struct Held(JoinHandle<()>);

impl Held {
    /// Takes what a replica holds while it works.
    ///
    /// # Panics
    /// When nobody lets go of it within half a minute.
    pub async fn take(db: &Database, name: &'static str) -> Self {
        for _ in 0..TRIES {
            let held = take(db, name, SOMEBODY_ELSE, TTL).await;
            if held.expect("the database").is_some() {
                let db = db.clone();
                return Self(tokio::spawn(async move {
                    let again = || take(&db, name, SOMEBODY_ELSE, TTL);
                    while let Ok(Some(_)) = again().await {
                        tokio::time::sleep(RENEWED).await;
                    }
                }));
            }
            tokio::time::sleep(BETWEEN).await;
        }
        panic!("the service never lets go of {name}");
    }

    /// Renews it no more, so that it is over soon.
    pub fn release(self) {
        self.0.abort();
    }
}
