//! Families with several pupils: one address is sent to once, and nobody misses a message for it.

use crate::town::on_both;
use kit::auth::Role;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::recipients::Group;

use crate::town::post::{Post, notice, to_parties};
use crate::town::ways::phone;
use crate::town::world::{by, of};
use crate::town::{CITY, SCHOOL_PATH, family};

on_both!(
    an_address_of_several_is_sent_to_once,
    whoever_prefers_otherwise_is_sent_to_besides,
);

/// Families by the numbers of a pupil and of a telephone.
async fn reachable(post: &mut Post, families: &[(u128, u128)]) {
    for (pupil, number) in families {
        let request = pb::SetContactPointRequest {
            party: family(*pupil),
            channel: "channels/sms".to_owned(),
            address: phone(*number),
            request_id: String::new(),
        };
        let request = by("officer", Role::CityOfficer, "fz", request);
        let set = post.world.channels.set_contact_point(request).await;
        set.expect("set");
    }
}

/// Those of a message who have a delivery by the channel, and how many have one in the inbox.
async fn sent(post: &mut Post, recipients: pb::Recipients) -> (Vec<String>, usize) {
    let message = pb::Message {
        channels: vec!["channels/sms".to_owned()],
        ..notice(recipients)
    };
    let sent = post.city(message).await.expect("sent");
    let expanded = post.expanded(&sent.name).await;
    let ledger = post.ledger(&sent.name, "fz", Role::CityOfficer).await;
    let ledger = ledger.expect("the ledger");
    let by_sms = ledger.iter().filter(|one| one.channel == "channels/sms");
    let by_sms: Vec<String> = by_sms.map(|one| one.recipient.clone()).collect();
    let queued = expanded.counts.expect("counts").queued;
    assert_eq!(usize::try_from(queued), Ok(by_sms.len()));
    let inboxes = ledger.len() - by_sms.len();
    (by_sms, inboxes)
}

fn students(numbers: &[u128]) -> Vec<String> {
    numbers.iter().map(|number| family(*number)).collect()
}

/// Rows are written four at a time: siblings are of one part, and of several.
async fn an_address_of_several_is_sent_to_once(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let families = [
        (101, 1),
        (102, 1),
        (103, 3),
        (104, 4),
        (107, 3),
        (111, 1),
        (132, 4),
    ];
    reachable(&mut post, &families).await;
    let everybody = pb::Recipients {
        audience: Some(pb::Audience {
            organizations: vec![CITY.to_owned()],
            ..Default::default()
        }),
        groups: vec![Group::Families.into()],
        ..Default::default()
    };
    let (by_sms, inboxes) = sent(&mut post, everybody.clone()).await;
    assert_eq!((by_sms, inboxes), (students(&[101, 103, 104]), 18));
    // Of those told the first, whoever it is, and whatever they are told for.
    let some = to_parties([102, 111, 107].map(family));
    let (by_sms, inboxes) = sent(&mut post, some).await;
    assert_eq!((by_sms, inboxes), (students(&[102, 107]), 3));
    let twice = pb::Recipients {
        parties: students(&[132]),
        ..everybody.clone()
    };
    let (by_sms, inboxes) = sent(&mut post, twice).await;
    assert_eq!((by_sms, inboxes), (students(&[101, 103, 132]), 18));
    // One that is set anew is another.
    reachable(&mut post, &[(102, 9), (111, 8)]).await;
    let (by_sms, _) = sent(&mut post, everybody).await;
    assert_eq!(by_sms, students(&[101, 102, 103, 104, 111]));
}

async fn whoever_prefers_otherwise_is_sent_to_besides(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    reachable(&mut post, &[(101, 1), (102, 1), (103, 1), (104, 1)]).await;
    // The first of them does not want notices but in the inbox; so do two more, alike.
    for (pupil, language) in [(101, ""), (103, "en"), (104, "en")] {
        let request = pb::UpdatePreferencesRequest {
            preferences: Some(pb::Preferences {
                party: family(pupil),
                language: language.to_owned(),
                inbox_only_categories: vec!["NOTICE".to_owned()],
                digest_minute: -1,
                ..Default::default()
            }),
        };
        let request = of(&family(pupil), Role::Guardian, SCHOOL_PATH, request);
        let stored = post.world.channels.update_preferences(request).await;
        stored.expect("stored");
    }
    let all = to_parties([101, 102, 103, 104].map(family));
    let (by_sms, inboxes) = sent(&mut post, all).await;
    assert_eq!((by_sms, inboxes), (students(&[101, 102, 103]), 4));
}
