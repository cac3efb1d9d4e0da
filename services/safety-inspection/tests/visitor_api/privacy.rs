//! What identifies a visitor: masked where it is shown, sealed where it is kept, revealed with a reason.

use proto::safety as pb;
use proto::safety::visit::State;
use safety_inspection::store::Store;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::book::{Book, NAME, NUMBER, PHONE, guard, principal};
use crate::city::on_both;
use crate::city::world::{World, told};

on_both!(
    a_visitor_is_shown_masked,
    no_table_tells_who_came,
    whoever_sees_a_visitor_in_full_is_kept,
);

async fn a_visitor_is_shown_masked(world: World) {
    let mut book = Book::of(&world).await;
    let (name, _) = book.bring(&world, State::Admitted).await;
    let shown = book.get(&name).await.expect("read");
    let visitor = shown.visitor.clone().expect("a visitor");
    assert_eq!(visitor.full_name, "林**");
    assert_eq!(visitor.document_number, "110****002X");
    assert_eq!(visitor.phone, "138****8000");
    assert_eq!(visitor.recent_regions, "");
    assert_eq!(shown.purpose, "检修电梯");
    let text = format!("{shown:?}");
    for planted in [NAME, NUMBER, PHONE] {
        assert!(!text.contains(planted));
    }
}

/// Every byte of every row that the visit touched.
async fn no_table_tells_who_came(world: World) {
    let mut book = Book::of(&world).await;
    book.bring(&world, State::Left).await;
    let planted = [NAME, NUMBER, PHONE, "闽A12345", "检修电梯", "近十四天"];
    let db = world.db.read();
    for (table, columns) in [
        ("visits", "card, checked"),
        ("requests", "response, request_hash"),
    ] {
        let select = format!("SELECT {columns} FROM {table}");
        let select = kit::db::statement(db, &select, []);
        let rows = db.query_all_raw(select).await.expect("read");
        assert!(!rows.is_empty(), "{table}");
        for row in rows {
            for column in 0..2 {
                let bytes: Option<Vec<u8>> = row.try_get_by_index(column).expect("bytes");
                let bytes = bytes.unwrap_or_default();
                // A repeat gets the answer of the first call, which was masked before it was kept.
                let found = planted[..3].iter().find(|text| holds(&bytes, text));
                assert_eq!(found, None, "{table}");
                if table == "visits" {
                    let found = planted.iter().find(|text| holds(&bytes, text));
                    assert_eq!(found, None, "{table}");
                    assert!(!holds(&bytes, "temperature"), "the check is sealed, too");
                }
            }
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

async fn whoever_sees_a_visitor_in_full_is_kept(world: World) {
    let mut book = Book::of(&world).await;
    let (name, _) = book.bring(&world, State::Left).await;
    let ask = |reason: &str| pb::RevealVisitorRequest {
        name: name.clone(),
        reason: reason.to_owned(),
    };
    let denied = book.client.reveal_visitor(guard(ask("好奇"))).await;
    assert_eq!(told(&denied.expect_err("a guard")).1, "SCOPE_DENIED");
    let mute = book.client.reveal_visitor(principal(ask(" "))).await;
    assert_eq!(told(&mute.expect_err("no reason")).1, "INVALID_FIELD");
    let seen = book.client.reveal_visitor(principal(ask("流调"))).await;
    let seen = seen.expect("revealed").into_inner();
    assert_eq!((&*seen.full_name, &*seen.phone), (NAME, PHONE));
    assert_eq!(seen.document_number, NUMBER);
    let id: Uuid = name
        .rsplit('/')
        .next()
        .expect("an id")
        .parse()
        .expect("an id");
    let kept = Store::disclosures_of_visitor(world.db.read(), id).await;
    let expected = [("principal-1".to_owned(), "流调".to_owned())];
    assert_eq!(kept.expect("read"), expected);
}
