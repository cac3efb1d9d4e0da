//! Databases that an older service has filled: what it came with is superseded, what the city wrote for it
//! stays in use.

use chrono::DateTime;
use kit::auth::Role;
use kit::scratch::Scratch;
use notification::Migrator;
use notification::domain::template::{
    Language, Template, TemplateVersion, Text, Type, Variable, Variant,
};
use notification::store::Store;
use proto::notification as pb;

use crate::town::inboxes::Values;
use crate::town::post::Post;
use crate::town::world::{World, by};
use crate::town::{SCHOOL_PATH, on_both, placed, sampling, staff};

on_both!(
    what_an_older_service_came_with_is_superseded_once,
    what_the_city_wrote_for_an_older_service_is_filled_with_what_it_asks_for,
    what_a_newer_service_came_with_is_left_alone,
);

const ALERT: &str = "alert";

/// The template of alerts as it was before it spoke both languages.
fn before(title: &str) -> Template {
    let variable = |name: &str, holds: Type, example: &str| Variable {
        name: name.to_owned(),
        holds,
        example: example.to_owned(),
    };
    Template {
        id: ALERT.to_owned(),
        description: "有新的预警需要处理".to_owned(),
        variables: vec![
            variable("what", Type::Text, "一管混采结果需复核"),
            variable(
                "organization",
                Type::Organization,
                "organizations/2135010001",
            ),
            variable("due", Type::Instant, "2022-04-06T01:40:00Z"),
        ],
        texts: vec![Text {
            language: Language::Chinese,
            variant: Variant::Standard,
            title: title.to_owned(),
            body: "{ $what }。\n请在{ $due }前确认。".to_owned(),
        }],
    }
}

/// Versions of the template of alerts that are there before the service starts, with who wrote each.
async fn written(scratch: &Scratch, versions: &[(&str, &str)]) {
    let db = scratch.open::<Migrator>().await;
    let tx = db.begin().await.expect("a transaction");
    for (version, (author, title)) in (1..).zip(versions) {
        let saved = TemplateVersion {
            template: before(title),
            version,
            author: (*author).to_owned(),
            created: DateTime::UNIX_EPOCH,
        };
        let stored = Store::insert_template(&tx, &saved).await;
        assert!(stored.expect("written"), "{version}");
    }
    tx.commit().await.expect("committed");
    db.close().await;
}

impl World {
    /// The latest version of the template of alerts.
    async fn latest(&mut self) -> pb::Template {
        let ask = pb::GetTemplateRequest {
            name: format!("templates/{ALERT}"),
            version: 0,
        };
        let ask = by("reader-1", Role::Principal, SCHOOL_PATH, ask);
        let found = self.templates.get_template(ask).await;
        found.expect("there").into_inner()
    }

    /// What the owner of an alert is told, once it is raised.
    async fn alerted(&self) -> Values {
        let (db, clock) = (self.db.clone(), self.clock.clone());
        sampling(&db, &clock, &[placed(SCHOOL_PATH, "T1", 1)], 1).await;
        self.mails(&staff(1), ALERT, 1).await.remove(0)
    }
}

async fn what_an_older_service_came_with_is_superseded_once(scratch: Scratch) {
    written(&scratch, &[("shipped", "【预警】{ $organization }")]).await;
    let Post { mut world } = Post::open(scratch).await;
    let latest = world.latest().await;
    assert_eq!((latest.version, &*latest.author), (2, "shipped"));
    let names: Vec<_> = latest.variables.iter().map(|one| &*one.name).collect();
    assert_eq!(names, ["what", "what_en", "organization", "due"]);
    let told = world.alerted().await;
    assert!(told["what_en"].contains("9 people"), "{told:?}");
    assert_eq!(told["due"], "2022-04-06T01:40:00Z");
    world.stop().await;
    world.start().await;
    assert_eq!(world.latest().await, latest, "once");
}

async fn what_the_city_wrote_for_an_older_service_is_filled_with_what_it_asks_for(
    scratch: Scratch,
) {
    let versions = [
        ("shipped", "【预警】{ $organization }"),
        ("officer-1", "【本市】{ $organization }"),
    ];
    written(&scratch, &versions).await;
    let Post { mut world } = Post::open(scratch).await;
    let latest = world.latest().await;
    assert_eq!((latest.version, &*latest.author), (2, "officer-1"));
    let told = world.alerted().await;
    let names: Vec<_> = told.keys().map(String::as_str).collect();
    assert_eq!(names, ["due", "organization", "what"]);
    assert!(told["what"].contains("9 人"), "{told:?}");
}

async fn what_a_newer_service_came_with_is_left_alone(scratch: Scratch) {
    let Post { mut world } = Post::open(scratch).await;
    assert_eq!(world.latest().await.version, 1);
    world.stop().await;
    let tx = world.db.begin().await.expect("a transaction");
    let newer = TemplateVersion {
        template: before("【新】{ $organization }"),
        version: 2,
        author: "shipped".to_owned(),
        created: DateTime::UNIX_EPOCH,
    };
    let stored = Store::insert_template(&tx, &newer).await;
    assert!(stored.expect("written"));
    tx.commit().await.expect("committed");
    // A service of the version before starts again while an upgrade is under way.
    world.start().await;
    let latest = world.latest().await;
    assert_eq!(
        (latest.version, &*latest.texts[0].title),
        (2, "【新】{ $organization }")
    );
}
