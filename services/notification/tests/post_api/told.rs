//! What rules and directives tell, as it lies in inboxes.

use crate::town::on_both;
use std::time::Duration;

use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::alert::Kind;
use proto::notification::message::{Category, Urgency};
use proto::notification::template_text::Variant;
use proto::notification::template_variable::Type;

use crate::town::post::{Post, contact, notice, to_parties};
use crate::town::scan::number;
use crate::town::world::{World, of, reason};
use crate::town::{BUREAU, BUREAU_PATH, SCHOOL_PATH, placed, sampling, staff};

on_both!(
    an_alert_lies_in_the_inbox_of_its_owner_once,
    a_text_comes_in_the_language_that_is_preferred,
    a_template_of_the_city_takes_the_place_of_the_sentence,
    a_template_that_asks_for_more_keeps_nobody_from_being_told,
    a_burst_is_told_once_by_two_replicas,
    a_directive_that_reaches_an_organisation_is_told_there,
    a_message_fits_its_template_or_is_refused,
);

/// The first `count` items of an inbox, and that no more come while the stream is quiet.
async fn inbox(
    world: &mut World,
    (person, role, scope): (&str, Role, &str),
    recipient: &str,
    count: usize,
) -> Vec<pb::InboxItem> {
    let ask = pb::WatchInboxRequest {
        recipient: recipient.to_owned(),
        resume_token: String::new(),
    };
    let ask = of(person, role, scope, ask);
    let answer = world.deliveries.watch_inbox(ask).await.expect("open");
    let mut stream = answer.into_inner();
    let mut items = Vec::new();
    let read = async {
        loop {
            let answer = stream.message().await.expect("goes on").expect("an answer");
            // A heartbeat behind the last of them: nothing else has come.
            if items.len() >= count && answer.items.is_empty() {
                return;
            }
            items.extend(answer.items);
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(20), read).await;
    waited.expect("within twenty seconds");
    items
}

async fn of_owner(world: &mut World, count: usize) -> Vec<pb::InboxItem> {
    let owner = staff(1);
    inbox(world, (&owner, Role::Principal, SCHOOL_PATH), &owner, count).await
}

async fn hear(world: &World, tube: &str) {
    let (db, clock) = (world.db.clone(), world.clock.clone());
    sampling(&db, &clock, &[placed(SCHOOL_PATH, tube, 1)], 1).await;
}

async fn an_alert_lies_in_the_inbox_of_its_owner_once(scratch: Scratch) {
    let Post { mut world } = Post::open(scratch).await;
    hear(&world, "T1").await;
    let items = of_owner(&mut world, 1).await;
    let [item] = &items[..] else {
        panic!("{} items", items.len())
    };
    assert_eq!(
        (item.category(), item.urgency()),
        (Category::Alert, Urgency::Emergency)
    );
    assert!(item.basis.starts_with("organizations/2135010001/alerts/"));
    assert!(item.title.starts_with("【预警】"), "{}", item.title);
    assert!(item.body.contains("9 人") && item.body.contains("9 people"));
    // By when somebody must have seen it, in the hours of the city.
    assert!(item.body.contains("9:40"), "{}", item.body);
}

async fn a_text_comes_in_the_language_that_is_preferred(scratch: Scratch) {
    let Post { mut world } = Post::open(scratch).await;
    let owner = staff(1);
    let ask = pb::UpdatePreferencesRequest {
        preferences: Some(pb::Preferences {
            party: owner.clone(),
            language: "en".to_owned(),
            digest_minute: -1,
            ..Default::default()
        }),
    };
    let ask = of(&owner, Role::Principal, SCHOOL_PATH, ask);
    world.channels.update_preferences(ask).await.expect("set");
    hear(&world, "T1").await;
    let items = of_owner(&mut world, 1).await;
    assert!(items[0].title.starts_with("Alert: "), "{}", items[0].title);
    assert!(items[0].body.contains("9 people"), "{}", items[0].body);
}

fn own(more: &[&str]) -> pb::Template {
    let variable = |name: &str, holds: Type, example: &str| pb::TemplateVariable {
        name: name.to_owned(),
        r#type: holds.into(),
        example: example.to_owned(),
    };
    let mut variables = vec![
        variable("people", Type::Count, "9"),
        variable("amount", Type::Count, "0"),
        variable("total", Type::Count, "0"),
        variable("word", Type::Text, "本校"),
    ];
    variables.extend(more.iter().map(|name| variable(name, Type::Text, "略")));
    let more: String = more.iter().map(|name| format!("{{ ${name} }}")).collect();
    pb::Template {
        name: "templates/own".to_owned(),
        description: "本市自拟的预警文字".to_owned(),
        variables,
        texts: vec![pb::TemplateText {
            language: "zh-CN".to_owned(),
            variant: Variant::Standard.into(),
            title: "复检 { $people } 人".to_owned(),
            body: format!("{{ $word }}：{{ $amount }} / {{ $total }}{more}"),
        }],
        ..Default::default()
    }
}

async fn save(world: &mut World, template: pb::Template, after_version: i32) {
    let ask = pb::SaveTemplateRequest {
        template: Some(template),
        after_version,
        ..Default::default()
    };
    let ask = of("", Role::CityOfficer, "fz", ask);
    world.templates.save_template(ask).await.expect("saved");
}

/// Holds are told by the template of the city's own.
async fn take_own(world: &mut World) {
    save(world, own(&[]), 0).await;
    let rule = pb::AlertRule {
        template: "templates/own".to_owned(),
        ..world.rule(Kind::HoldPlaced).await
    };
    let changed = world.update((Role::CityOfficer, "fz"), rule).await;
    changed.expect("changed");
}

async fn a_template_of_the_city_takes_the_place_of_the_sentence(scratch: Scratch) {
    let Post { mut world } = Post::open(scratch).await;
    take_own(&mut world).await;
    hear(&world, "T1").await;
    let items = of_owner(&mut world, 1).await;
    assert_eq!(items[0].title, "复检 9 人");
}

async fn a_template_that_asks_for_more_keeps_nobody_from_being_told(scratch: Scratch) {
    let Post { mut world } = Post::open(scratch).await;
    take_own(&mut world).await;
    save(&mut world, own(&["reason"]), 1).await;
    hear(&world, "T1").await;
    let items = of_owner(&mut world, 1).await;
    assert!(items[0].body.contains("9 人"), "{}", items[0].body);
    assert_ne!(items[0].title, "复检 9 人");
}

/// More than one round of either replica.
async fn a_burst_is_told_once_by_two_replicas(scratch: Scratch) {
    const TUBES: i64 = 250;
    let Post { mut world } = Post::open(scratch).await;
    contact(&world.db, &staff(1), "sms").await;
    let other = world.replica().await;
    let tubes = (0..TUBES).map(|number| placed(SCHOOL_PATH, &format!("T{number}"), 1));
    let tubes: Vec<_> = tubes.collect();
    sampling(&world.db.clone(), &world.clock.clone(), &tubes, 1).await;
    let told = of_owner(&mut world, 250).await;
    other.stop().await.expect("stopped");
    let bases: std::collections::BTreeSet<_> = told.iter().map(|item| &item.basis).collect();
    assert_eq!((told.len(), bases.len()), (250, 250));
    let db = world.db.clone();
    for (sql, expected) in [
        ("SELECT COUNT(*) FROM messages", TUBES),
        ("SELECT COUNT(*) FROM messages WHERE state = 2", TUBES),
        (
            "SELECT COUNT(*) FROM deliveries WHERE channel = 'sms' AND state = 1",
            TUBES,
        ),
        (
            "SELECT COUNT(*) FROM deliveries WHERE channel = 'inbox' AND state = 2",
            TUBES,
        ),
        (
            "SELECT CAST(SUM(queued) AS BIGINT) FROM message_counts",
            TUBES,
        ),
        ("SELECT COUNT(*) FROM message_parts", TUBES),
        ("SELECT value FROM messages_revision", TUBES),
        ("SELECT MAX(revision) FROM message_parts", TUBES),
    ] {
        assert_eq!(number(&db, sql).await, expected, "{sql}");
    }
}

async fn a_directive_that_reaches_an_organisation_is_told_there(scratch: Scratch) {
    let Post { mut world } = Post::open(scratch).await;
    let directive = world.issued(&[BUREAU]).await;
    let district = ("", Role::DistrictOfficer, BUREAU_PATH);
    let items = inbox(&mut world, district, BUREAU, 1).await;
    let told: Vec<_> = items
        .iter()
        .map(|item| (item.category(), &*item.basis))
        .collect();
    assert_eq!(told, [(Category::Directive, &*directive.name)]);
    assert!(items[0].title.contains(&directive.title));
}

async fn a_message_fits_its_template_or_is_refused(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let message = notice(to_parties([staff(1)]));
    let strange = pb::Message {
        template: "templates/nowhere".to_owned(),
        ..message.clone()
    };
    let refused = post.city(strange).await.expect_err("no such template");
    assert_eq!(reason(&refused), "INVALID_FIELD");
    let mut short = message.clone();
    short.values.remove("body");
    let mut long = message;
    long.values.insert("more".to_owned(), "多余".to_owned());
    for unfit in [short, long] {
        let refused = post.city(unfit).await.expect_err("other variables");
        assert_eq!(reason(&refused), "TEMPLATE_VALUES");
    }
}
