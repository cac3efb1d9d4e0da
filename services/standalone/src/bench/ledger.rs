//! The ledger of messages as it is measured: a message to every family, and the same rows by one
//! statement.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use proto::notification::delivery_service_client::DeliveryServiceClient;
use proto::notification::message::{Category, State, Urgency};
use proto::notification::recipients::Group;
use proto::notification::{Audience, GetMessageRequest, Message, Recipients, SendMessageRequest};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::floor::Floor;
use super::stand::Stand;
use crate::city::CITY_ID;
use crate::house::Door;

/// The columns of a row that is written for an inbox.
const COLUMNS: &str = "message, recipient, channel, kind, state, attempts, failure, part, sent_at";

/// A message to every family of the city.
#[derive(Clone, Debug)]
pub(super) struct Fanout {
    pub(super) name: String,
    /// Until it was acknowledged.
    pub(super) answered: Duration,
    /// Until there was a durable row for everybody.
    pub(super) expanded: Duration,
}

/// Sends a message to every family and waits until there is a row for each.
pub(super) async fn to_families(stand: &Stand) -> anyhow::Result<Fanout> {
    tell(stand.officer()?, stand.city.plan().students()).await
}

/// The same by an officer of the city, in which so many students have a family each.
pub(super) async fn tell(officer: Door, students: u64) -> anyhow::Result<Fanout> {
    let message = Message {
        category: Category::Notice.into(),
        urgency: Urgency::Ordinary.into(),
        template: "templates/notice".to_owned(),
        values: BTreeMap::from([
            ("title".to_owned(), "明日错峰到校".to_owned()),
            ("body".to_owned(), "请按学校通知的时间到校。".to_owned()),
        ]),
        recipients: Some(Recipients {
            audience: Some(Audience {
                organizations: vec![format!("organizations/{CITY_ID}")],
                ..Audience::default()
            }),
            groups: vec![Group::Families.into()],
            ..Recipients::default()
        }),
        ..Message::default()
    };
    let request = SendMessageRequest {
        parent: format!("organizations/{CITY_ID}"),
        message: Some(message),
        request_id: Uuid::new_v4().to_string(),
    };
    let mut client = DeliveryServiceClient::new(officer);
    let begun = Instant::now();
    let name = client.send_message(request).await?.into_inner().name;
    let answered = begun.elapsed();
    for _ in 0..60_000 {
        let request = GetMessageRequest { name: name.clone() };
        let message = client.get_message(request).await?.into_inner();
        if message.state() == State::Expanded {
            let families = message.recipient_count.unsigned_abs();
            if families != students {
                bail!("{families} families have a row, of {students} students");
            }
            return Ok(Fanout {
                name,
                answered,
                expanded: begun.elapsed(),
            });
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    bail!("not every family has a row within ten minutes")
}

/// The time in which one INSERT … SELECT makes the same rows durable, in a table of the same shape in
/// the same database: the faster of any order and that of the key.
pub(super) async fn bare(floor: &Floor) -> anyhow::Result<Duration> {
    let any = insert(floor, "").await?;
    let sorted = insert(floor, " ORDER BY person").await?;
    Ok(any.min(sorted))
}

async fn insert(floor: &Floor, order: &str) -> anyhow::Result<Duration> {
    run(floor, "DROP TABLE IF EXISTS floor_deliveries").await?;
    let bytes = match floor {
        Floor::Postgres(_) => {
            let sql = "CREATE TABLE floor_deliveries (LIKE deliveries INCLUDING ALL)";
            run(floor, sql).await?;
            "uuid_send(person)"
        }
        Floor::Sqlite(pool) => {
            let sql = "SELECT sql FROM sqlite_master WHERE tbl_name = 'deliveries' \
                       AND sql IS NOT NULL ORDER BY type DESC";
            let made: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await?;
            for sql in made {
                run(floor, &sql.replace("deliveries", "floor_deliveries")).await?;
            }
            "person"
        }
    };
    let message = match floor {
        Floor::Postgres(_) => "'00000000-0000-0000-0000-000000000001'::uuid",
        Floor::Sqlite(_) => "X'00000000000000000000000000000001'",
    };
    floor.settle().await?;
    let sql = format!(
        "INSERT INTO floor_deliveries ({COLUMNS}) SELECT {message}, {bytes}, 'inbox', kind, 2, 0, 0, \
         1, 1 FROM people WHERE kind = 1{order}"
    );
    let begun = Instant::now();
    run(floor, &sql).await?;
    let taken = begun.elapsed();
    run(floor, "DROP TABLE floor_deliveries").await?;
    floor.settle().await?;
    Ok(taken)
}

async fn run(floor: &Floor, sql: &str) -> anyhow::Result<()> {
    let query = AssertSqlSafe(sql.to_owned());
    match floor {
        Floor::Sqlite(pool) => sqlx::query(query).execute(pool).await.map(drop),
        Floor::Postgres(pool) => sqlx::query(query).execute(pool).await.map(drop),
    }
    .with_context(|| sql.to_owned())
}
