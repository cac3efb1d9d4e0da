//! What lies in inboxes, by template.

use std::collections::BTreeMap;

use kit::db::statement;
use sea_orm::ConnectionTrait;
use serde_json::Value;

use super::voices::until;
use super::world::World;

/// What a message is filled with.
pub(crate) type Values = BTreeMap<String, String>;

impl World {
    /// What lies in an inbox of one template, the oldest first.
    pub(crate) async fn mail(&self, party: &str, template: &str) -> Vec<Values> {
        let (kind, bytes) = super::key(party);
        let sql = "SELECT m.body FROM deliveries d JOIN messages m ON m.id = d.message \
                   WHERE d.kind = $1 AND d.recipient = $2 AND d.channel = 'inbox' \
                   AND m.template = $3 ORDER BY m.id";
        let db = self.db.read();
        let values = [kind.into(), bytes.into(), template.into()];
        let rows = db.query_all_raw(statement(db, sql, values)).await;
        let body = |row: &sea_orm::QueryResult| {
            let body: String = row.try_get_by_index(0).expect("a text");
            let body: Value = serde_json::from_str(&body).expect("JSON");
            serde_json::from_value(body["values"].clone()).expect("values")
        };
        rows.expect("read").iter().map(body).collect()
    }

    /// The same once as much lies there.
    pub(crate) async fn mails(&self, party: &str, template: &str, count: usize) -> Vec<Values> {
        let mail = until(async || {
            let mail = self.mail(party, template).await;
            (mail.len() >= count).then_some(mail)
        });
        let mail = mail.await;
        assert_eq!(mail.len(), count, "{party} {template}");
        mail
    }
}
