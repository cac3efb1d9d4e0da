//! Messages as their senders see them: to whom they go, and what becomes of them.

use crate::town::on_both;
use std::collections::BTreeSet;

use chrono::Duration;
use kit::auth::Role;
use kit::clock::Clock;
use kit::field::to_timestamp;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::message::State;
use proto::notification::recipients::Group;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::town::people::class_group;
use crate::town::post::{Post, contact, notice, to_parties};
use crate::town::world::{World, by, reason};
use crate::town::{
    BUREAU, BUREAU_PATH, CITY, OTHER, OTHER_PATH, SCHOOL, SCHOOL_PATH, SISTER, SISTER_PATH, family,
    roster, staff,
};

on_both!(
    everybody_is_told_once_whatever_groups_they_are_in,
    an_audience_is_filtered_and_posts_are_chosen,
    who_moves_while_a_message_is_expanded_is_told,
    nobody_beyond_the_sender_is_told,
    an_emergency_needs_the_right_to_issue_directives,
    every_wrong_field_is_named,
    a_repeat_returns_the_first_answer,
    a_message_is_stopped_once,
    a_message_expires,
    those_below_see_their_part_of_the_ledger,
    messages_are_listed_newest_first,
    dead_letters_are_listed_and_sent_again,
);

async fn everybody_is_told_once_whatever_groups_they_are_in(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let recipients = pb::Recipients {
        audience: Some(pb::Audience {
            organizations: vec![CITY.to_owned(), BUREAU.to_owned()],
            listed: vec![SCHOOL.to_owned()],
            ..Default::default()
        }),
        class_groups: vec![format!("{SCHOOL}/classGroups/p2019-01")],
        groups: vec![
            Group::Families.into(),
            Group::Staff.into(),
            Group::Organizations.into(),
        ],
        posts: Vec::new(),
        parties: vec![family(101), staff(1), SCHOOL.to_owned()],
    };
    let sent = post.city(notice(recipients)).await.expect("sent");
    assert_eq!((sent.state(), sent.recipient_count), (State::Expanding, 0));
    let message = post.expanded(&sent.name).await;
    let told = post.told(&sent.name).await;
    let pupils = (101..=111).chain(121..=123).chain([131, 132, 141, 142]);
    let mut expected: Vec<String> = pupils.map(family).collect();
    expected.extend([1, 2, 3, 11, 21, 31, 32].map(staff));
    // The laboratory is no addressee.
    let organizations = [SCHOOL, OTHER, SISTER, BUREAU, "organizations/350103", CITY];
    expected.extend(organizations.map(ToOwned::to_owned));
    assert_eq!(told, expected);
    assert_eq!(message.recipient_count, 31);
    let counts = pb::DeliveryCounts {
        sent: 31,
        ..Default::default()
    };
    assert_eq!(message.counts, Some(counts));
    assert_eq!(message.author, "officer");
    assert!(message.expand_time.is_some());
}

async fn an_audience_is_filtered_and_posts_are_chosen(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let recipients = pb::Recipients {
        audience: Some(pb::Audience {
            organizations: vec![BUREAU.to_owned()],
            kinds: vec![proto::roster::organization::Kind::School.into()],
            ..Default::default()
        }),
        groups: vec![Group::Staff.into(), Group::Organizations.into()],
        posts: vec!["PRINCIPAL".to_owned(), "GUARD".to_owned()],
        ..Default::default()
    };
    let sent = post.city(notice(recipients)).await.expect("sent");
    post.expanded(&sent.name).await;
    let expected = [
        staff(1),
        staff(3),
        staff(11),
        SCHOOL.to_owned(),
        SISTER.to_owned(),
    ];
    assert_eq!(post.told(&sent.name).await, expected);
}

/// Four rows are written at a time, and pupils go to other schools all the while.
async fn who_moves_while_a_message_is_expanded_is_told(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let recipients = pb::Recipients {
        audience: Some(pb::Audience {
            organizations: vec![CITY.to_owned()],
            ..Default::default()
        }),
        groups: vec![Group::Families.into()],
        ..Default::default()
    };
    let pupils: Vec<u128> = (101..=111).chain(121..=123).collect();
    for version in 2..8 {
        let sent = post.city(notice(recipients.clone())).await.expect("sent");
        let (path, from) = if version % 2 == 0 {
            (SISTER_PATH, SCHOOL_PATH)
        } else {
            (SCHOOL_PATH, SISTER_PATH)
        };
        for number in &pupils {
            let moved = [class_group(path, &format!("c{number}"), [*number], version)];
            roster(&post.world.db, &moved, 1).await;
        }
        let gone = [class_group(from, "p2019-01", [], version)];
        roster(&post.world.db, &gone, 1).await;
        let message = post.expanded(&sent.name).await;
        let told: BTreeSet<String> = post.told(&sent.name).await.into_iter().collect();
        assert!(pupils.iter().all(|number| told.contains(&family(*number))));
        assert_eq!(message.recipient_count, told.len() as i64);
    }
}

async fn nobody_beyond_the_sender_is_told(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let beyond = |status: Status, field: &str| {
        assert_eq!(reason(&status), "INVALID_FIELD");
        assert_eq!(
            status.message(),
            format!("invalid fields; {field}: not at or below the sender")
        );
    };
    let audience = |organizations: &[&str], listed: &[&str]| pb::Recipients {
        audience: Some(pb::Audience {
            organizations: organizations.iter().map(|&id| id.to_owned()).collect(),
            listed: listed.iter().map(|&id| id.to_owned()).collect(),
            ..Default::default()
        }),
        groups: vec![Group::Organizations.into()],
        ..Default::default()
    };
    for (recipients, field) in [
        (to_parties([family(101), family(131)]), "parties[1]"),
        (to_parties([staff(999)]), "parties[0]"),
        (to_parties([BUREAU.to_owned()]), "parties[0]"),
        (
            audience(&[SCHOOL, SISTER], &[]),
            "audience.organizations[1]",
        ),
        (audience(&[SCHOOL], &[CITY]), "audience.listed[0]"),
        (
            pb::Recipients {
                class_groups: vec![format!("{SISTER}/classGroups/p2019-01")],
                groups: vec![Group::Families.into()],
                ..Default::default()
            },
            "class_groups[0]",
        ),
    ] {
        let refused = post
            .principal(notice(recipients))
            .await
            .expect_err("beyond");
        beyond(refused, &format!("message.recipients.{field}"));
    }
    let own = to_parties([family(101), staff(2), SCHOOL.to_owned()]);
    let sent = post.principal(notice(own)).await.expect("sent");
    assert_eq!(post.expanded(&sent.name).await.recipient_count, 3);
    // Whoever may not send for an organisation learns nothing of it.
    for parent in [SISTER, "organizations/nowhere"] {
        let request = pb::SendMessageRequest {
            parent: parent.to_owned(),
            ..Default::default()
        };
        let request = by("head", Role::Principal, SCHOOL_PATH, request);
        let refused = post.world.deliveries.send_message(request).await;
        assert_eq!(reason(&refused.expect_err("denied")), "SCOPE_DENIED");
    }
}

async fn an_emergency_needs_the_right_to_issue_directives(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let emergency = pb::Message {
        urgency: pb::message::Urgency::Emergency.into(),
        ..notice(to_parties([staff(2)]))
    };
    let refused = post.principal(emergency.clone()).await.expect_err("denied");
    assert_eq!(refused.code(), Code::PermissionDenied);
    post.city(emergency).await.expect("sent");
}

async fn every_wrong_field_is_named(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let message = pb::Message {
        category: 77,
        urgency: 0,
        template: "Notice".to_owned(),
        recipients: Some(pb::Recipients {
            audience: Some(pb::Audience {
                organizations: vec!["fz".to_owned()],
                kinds: vec![0],
                divisions: vec!["35".to_owned()],
                ..Default::default()
            }),
            posts: vec!["KING".to_owned()],
            parties: vec!["students/1".to_owned()],
            ..Default::default()
        }),
        channels: vec!["channels/inbox".to_owned()],
        expire_time: Some(to_timestamp(post.world.clock.now())),
        ..Default::default()
    };
    let refused = post.city(message).await.expect_err("invalid");
    let told = refused.message().to_owned();
    for field in [
        "category",
        "urgency",
        "template",
        "recipients.audience.organizations[0]",
        "recipients.audience.kinds[0]",
        "recipients.audience.divisions[0]",
        "recipients.posts[0]",
        "recipients.parties[0]",
        "recipients.groups",
        "channels[0]",
        "expire_time",
    ] {
        assert!(
            told.contains(&format!("; message.{field}: ")),
            "{field}: {told}"
        );
    }
    let nobody = pb::Recipients::default();
    assert!(post.city(notice(nobody)).await.is_err());
    let families = pb::Recipients {
        class_groups: vec![format!("{SCHOOL}/classGroups/p2019-01")],
        groups: vec![Group::Staff.into()],
        ..Default::default()
    };
    assert!(post.city(notice(families)).await.is_err());
}

async fn a_repeat_returns_the_first_answer(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let request_id = Uuid::new_v4().to_string();
    let mut send = async |message: pb::Message| {
        let request = pb::SendMessageRequest {
            parent: CITY.to_owned(),
            message: Some(message),
            request_id: request_id.clone(),
        };
        let request = by("officer", Role::CityOfficer, "fz", request);
        let answer = post.world.deliveries.send_message(request).await;
        answer.map(tonic::Response::into_inner)
    };
    let first = send(notice(to_parties([staff(1)]))).await.expect("sent");
    let again = send(notice(to_parties([staff(1)]))).await.expect("sent");
    assert_eq!(first, again);
    let other = send(notice(to_parties([staff(2)]))).await;
    assert_eq!(reason(&other.expect_err("reused")), "REQUEST_ID_REUSED");
}

async fn a_message_is_stopped_once(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    contact(&post.world.db, &staff(1), "sms").await;
    let message = pb::Message {
        channels: vec!["channels/sms".to_owned()],
        ..notice(to_parties([staff(1), staff(2)]))
    };
    let sent = post.city(message).await.expect("sent");
    let expanded = post.expanded(&sent.name).await;
    assert_eq!(
        expanded.counts.expect("counts").queued,
        1,
        "one has a telephone"
    );
    let stopped = post.cancel(&sent.name).await.expect("stopped");
    assert_eq!(stopped.state(), State::Cancelled);
    assert!(
        post.claimed("sms").await.is_empty(),
        "nothing is sent from then on"
    );
    let over = post.until(&sent.name, |one| one.counts.expect("counts").expired == 1);
    assert_eq!(over.await.counts.expect("counts").sent, 2);
    let refused = post.cancel(&sent.name).await.expect_err("stopped");
    assert_eq!(reason(&refused), "MESSAGE_STATE");
    let unknown = format!("{CITY}/messages/{}", Uuid::new_v4());
    assert_eq!(
        post.cancel(&unknown).await.expect_err("none").code(),
        Code::NotFound
    );
}

async fn a_message_expires(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    for number in [1, 2] {
        contact(&post.world.db, &staff(number), "sms").await;
    }
    let soon = post.world.clock.now() + Duration::minutes(2);
    let message = pb::Message {
        channels: vec!["channels/sms".to_owned()],
        expire_time: Some(to_timestamp(soon)),
        ..notice(to_parties([staff(1), staff(2), staff(3)]))
    };
    let sent = post.city(message).await.expect("sent");
    post.expanded(&sent.name).await;
    assert_eq!(post.claimed("sms").await.len(), 2);
    post.world.clock.advance(Duration::minutes(2));
    let over = post.until(&sent.name, |one| one.counts.expect("counts").queued == 0);
    let counts = pb::DeliveryCounts {
        sent: 3,
        expired: 2,
        ..Default::default()
    };
    assert_eq!(over.await.counts, Some(counts));
    let listed = post.ledger(&sent.name, "fz", Role::CityOfficer).await;
    let expired = listed.expect("listed").into_iter();
    let expired = expired.filter(|one| one.state() == pb::delivery::State::Expired);
    assert!(expired.clone().all(|one| one.next_attempt_time.is_none()));
    assert_eq!(expired.count(), 2);
}

async fn those_below_see_their_part_of_the_ledger(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let recipients = pb::Recipients {
        audience: Some(pb::Audience {
            organizations: vec![CITY.to_owned()],
            ..Default::default()
        }),
        groups: vec![
            Group::Families.into(),
            Group::Staff.into(),
            Group::Organizations.into(),
        ],
        ..Default::default()
    };
    let sent = post.city(notice(recipients)).await.expect("sent");
    post.expanded(&sent.name).await;
    let mut seen = async |scope: &str, role| {
        let ledger = post.ledger(&sent.name, scope, role).await;
        ledger.map(|ledger| {
            let recipients = ledger.into_iter().map(|one| one.recipient);
            recipients.collect::<Vec<_>>()
        })
    };
    let sister = seen(SISTER_PATH, Role::Principal).await.expect("listed");
    let own = [family(131), family(132), staff(11), SISTER.to_owned()];
    assert_eq!(sister, own);
    let bureau = seen(BUREAU_PATH, Role::DistrictOfficer)
        .await
        .expect("listed");
    assert_eq!(bureau.len(), 11 + 3 + 2 + 3 + 1 + 3);
    let all = seen("fz", Role::CityOfficer).await.expect("listed");
    assert_eq!(all.len(), 31);
    // One who is beside the sender is told nothing.
    let own = pb::Recipients {
        parties: vec![staff(1)],
        ..Default::default()
    };
    let sent = post.principal(notice(own)).await.expect("sent");
    for (scope, role) in [(OTHER_PATH, Role::Principal), (SCHOOL_PATH, Role::Guard)] {
        let refused = post.ledger(&sent.name, scope, role).await;
        assert_eq!(reason(&refused.expect_err("denied")), "SCOPE_DENIED");
    }
}

async fn messages_are_listed_newest_first(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let mut names = Vec::new();
    for _ in 0..5 {
        let sent = post
            .city(notice(to_parties([staff(1)])))
            .await
            .expect("sent");
        names.push(sent.name);
        post.world.clock.advance(Duration::seconds(1));
    }
    names.reverse();
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListMessagesRequest {
            parent: CITY.to_owned(),
            page_size: 2,
            page_token,
        };
        let request = by("officer", Role::CityOfficer, "fz", request);
        let page = post.world.deliveries.list_messages(request).await;
        let page = page.expect("a page").into_inner();
        listed.extend(page.messages.into_iter().map(|message| message.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, names);
}

async fn dead_letters_are_listed_and_sent_again(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    for number in [1, 2] {
        contact(&post.world.db, &staff(number), "sms").await;
    }
    let message = pb::Message {
        channels: vec!["channels/sms".to_owned()],
        expire_time: Some(to_timestamp(post.world.clock.now() + Duration::hours(1))),
        ..notice(to_parties([staff(1), staff(2)]))
    };
    let sent = post.city(message).await.expect("sent");
    post.expanded(&sent.name).await;
    post.all_fail("sms").await;
    let letters = post.dead_letters(1).await;
    assert_eq!(letters.len(), 2);
    let failed = &letters[0];
    assert_eq!(
        (
            failed.recipient.clone(),
            &*failed.channel,
            failed.attempt_count
        ),
        (staff(1), "channels/sms", 1)
    );
    assert_eq!(failed.failure(), pb::delivery::Failure::NoRecipient);
    let resend = async |world: &mut World, role| {
        let request = pb::ResendDeadLettersRequest {
            names: letters.iter().map(|one| one.name.clone()).collect(),
            request_id: String::new(),
        };
        let answer = world
            .deliveries
            .resend_dead_letters(by("a", role, "", request));
        answer.await.map(|answer| answer.into_inner().queued_count)
    };
    let refused = resend(&mut post.world, Role::CityOfficer).await;
    assert_eq!(reason(&refused.expect_err("denied")), "SCOPE_DENIED");
    assert_eq!(
        resend(&mut post.world, Role::SystemAdmin)
            .await
            .expect("queued"),
        2
    );
    assert_eq!(
        resend(&mut post.world, Role::SystemAdmin)
            .await
            .expect("none"),
        0
    );
    assert!(post.dead_letters(1).await.is_empty());
    let due = post.claimed("sms").await;
    assert!(due.iter().all(|due| due.attempts == 0), "a new budget");
    assert_eq!(due.len(), 2);
    // Those of a message that is over stay where they are.
    post.world.clock.advance(Duration::seconds(301));
    post.all_fail("sms").await;
    post.world.clock.advance(Duration::seconds(3600));
    assert_eq!(
        resend(&mut post.world, Role::SystemAdmin)
            .await
            .expect("none"),
        0
    );
    assert_eq!(post.dead_letters(1).await.len(), 2);
}
