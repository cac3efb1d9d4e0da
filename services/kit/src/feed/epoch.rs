//! `new-epoch` on a command line. A database that was restored to an earlier time would give places
//! of its log out again, and readers who were further would miss what stands there. In a new epoch
//! no place of before counts: every reader fetches everything again.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};

use crate::db::{Database, DatabaseConfig, statement};
use crate::migration::Ending;

/// How long it may take: the services stand still meanwhile.
const WITHIN: Duration = Duration::from_secs(60);

/// Begins a new epoch of each feed of the database; the feeds that there are.
///
/// # Errors
/// When the database fails; then every feed is as it was.
pub async fn begin(db: &Database) -> Result<Vec<String>, DbErr> {
    let tx = db.begin().await?;
    let all = statement(&tx, "SELECT feed FROM feed_head ORDER BY feed", []);
    let mut feeds = Vec::new();
    for row in tx.query_all_raw(all).await? {
        let feed: String = row.try_get_by_index(0)?;
        let epoch = uuid::Uuid::new_v4().to_string();
        let change = statement(
            &tx,
            "UPDATE feed_head SET epoch = $2 WHERE feed = $1",
            [feed.as_str().into(), epoch.into()],
        );
        tx.execute_raw(change).await?;
        feeds.push(feed);
    }
    tx.commit().await?;
    Ok(feeds)
}

/// Begins a new epoch of each feed of `service`, whose processes stand still; `say` hears each line.
/// Ends with [`Ending::UpToDate`], [`Ending::Unavailable`] or [`Ending::Failed`].
pub async fn carry_out(
    service: &str,
    database: &DatabaseConfig,
    say: &mut (dyn FnMut(&str) + Send),
) -> Ending {
    let beginning = async {
        let db = Database::connect(database).await;
        let db = db.map_err(|err| (Ending::Unavailable, err))?;
        let begun = begin(&db).await.map_err(|err| (Ending::Failed, err));
        db.close().await;
        begun
    };
    match tokio::time::timeout(WITHIN, beginning).await {
        Ok(Ok(feeds)) => {
            let told = if feeds.is_empty() {
                "no feed has begun".to_owned()
            } else {
                format!("a new epoch of {}", feeds.join(", "))
            };
            say(&format!("{service}: {told}"));
            Ending::UpToDate
        }
        Ok(Err((ending, err))) => {
            say(&format!("{service}: no new epoch: {err}"));
            ending
        }
        Err(_) => {
            let within = WITHIN.as_secs();
            say(&format!("{service}: no answer within {within} s"));
            Ending::Unavailable
        }
    }
}
