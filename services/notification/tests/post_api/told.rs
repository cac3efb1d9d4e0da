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

use crate::town::post::{Post, notice, to_parties};
use crate::town::world::{World, of, reason};
use crate::town::{BUREAU, BUREAU_PATH, SCHOOL_PATH, placed, sampling, staff};

on_both!(
    an_alert_lies_in_the_inbox_of_its_owner_once,
    a_text_comes_in_the_language_that_is_preferred,
    a_template_of_the_city_takes_the_place_of_the_sentence,
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
    assert!(item.body.contains("9 人") && item.body.contains("9 people"));
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
    assert!(items[0].title.starts_with("Campus: "), "{}", items[0].title);
}

async fn a_template_of_the_city_takes_the_place_of_the_sentence(scratch: Scratch) {
    let Post { mut world } = Post::open(scratch).await;
    let variable = |name: &str, holds: Type, example: &str| pb::TemplateVariable {
        name: name.to_owned(),
        r#type: holds.into(),
        example: example.to_owned(),
    };
    let template = pb::Template {
        name: "templates/own".to_owned(),
        description: "本市自拟的预警文字".to_owned(),
        variables: vec![
            variable("people", Type::Count, "9"),
            variable("amount", Type::Count, "0"),
            variable("total", Type::Count, "0"),
            variable("word", Type::Text, "本校"),
        ],
        texts: vec![pb::TemplateText {
            language: "zh-CN".to_owned(),
            variant: Variant::Standard.into(),
            title: "复检 { $people } 人".to_owned(),
            body: "{ $word }：{ $amount } / { $total }".to_owned(),
        }],
        ..Default::default()
    };
    let ask = pb::SaveTemplateRequest {
        template: Some(template),
        ..Default::default()
    };
    let ask = of("", Role::CityOfficer, "fz", ask);
    world.templates.save_template(ask).await.expect("saved");
    let rule = pb::AlertRule {
        template: "templates/own".to_owned(),
        ..world.rule(Kind::HoldPlaced).await
    };
    let changed = world.update((Role::CityOfficer, "fz"), rule).await;
    changed.expect("changed");
    hear(&world, "T1").await;
    let items = of_owner(&mut world, 1).await;
    assert_eq!(items[0].title, "复检 9 人");
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
