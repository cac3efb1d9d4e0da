//! Inboxes as their owners see them, and what they tell of it.

use crate::town::on_both;
use std::time::Duration;

use kit::auth::Role;
use kit::db::statement;
use kit::scratch::Scratch;
use proto::notification as pb;
use proto::notification::delivery::{Failure, State};
use proto::notification::recipients::Group;
use proto::roster::organization::Kind;
use sea_orm::ConnectionTrait;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use crate::town::post::{Post, contact, notice, to_parties};
use crate::town::world::{by, of, reason};
use crate::town::{
    BUREAU, BUREAU_PATH, CITY, SCHOOL, SCHOOL_PATH, SISTER_PATH, family, guardian, organization,
    roster, staff, student,
};

on_both!(
    what_is_unread_comes_first_then_what_is_new,
    a_stream_goes_on_where_it_was_cut,
    a_backlog_is_told_whole_and_once,
    a_quiet_stream_says_that_it_is_alive,
    only_the_owner_reads_an_inbox,
    a_pupil_and_the_guardians_read_apart,
    a_centre_for_disease_control_reads_what_is_sent_to_it_and_to_no_school,
    receipts_only_go_forward_and_count_once,
    receipts_of_others_are_passed_over,
    a_provider_tells_nothing_of_inboxes,
    a_provider_tells_what_became_of_deliveries,
    what_a_provider_could_not_deliver_is_a_dead_letter,
);

type Inbox = Streaming<pb::WatchInboxResponse>;

async fn within<T>(wait: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(Duration::from_secs(10), wait).await;
    waited.expect("within ten seconds")
}

async fn watch(
    post: &mut Post,
    person: &str,
    recipient: &str,
    resume_token: &str,
) -> Result<Inbox, Status> {
    let request = pb::WatchInboxRequest {
        recipient: recipient.to_owned(),
        resume_token: resume_token.to_owned(),
    };
    let request = of(person, Role::Guardian, SCHOOL_PATH, request);
    let inbox = post.world.deliveries.watch_inbox(request).await;
    inbox.map(tonic::Response::into_inner)
}

/// The next answer that has items, or the next one at all.
async fn next(inbox: &mut Inbox, items: bool) -> pb::WatchInboxResponse {
    within(async {
        loop {
            let answer = inbox.message().await.expect("goes on").expect("an answer");
            if !items || !answer.items.is_empty() {
                return answer;
            }
        }
    })
    .await
}

fn titled(title: &str, recipients: pb::Recipients) -> pb::Message {
    let mut message = notice(recipients);
    message.values.insert("title".to_owned(), title.to_owned());
    message
}

fn titles(answer: &pb::WatchInboxResponse) -> Vec<&str> {
    answer.items.iter().map(|item| &*item.title).collect()
}

fn families() -> pb::Recipients {
    pb::Recipients {
        audience: Some(pb::Audience {
            organizations: vec![CITY.to_owned()],
            ..Default::default()
        }),
        groups: vec![Group::Families.into()],
        ..Default::default()
    }
}

async fn receipts(post: &mut Post, person: &str, told: &[(&str, State)]) -> Result<i32, Status> {
    let receipts = told.iter().map(|(delivery, state)| pb::DeliveryReceipt {
        delivery: (*delivery).to_owned(),
        state: (*state).into(),
        time: None,
        failure: 0,
    });
    let request = pb::RecordReceiptsRequest {
        receipts: receipts.collect(),
    };
    let request = of(person, Role::Guardian, SCHOOL_PATH, request);
    let changed = post.world.deliveries.record_receipts(request).await;
    changed.map(|changed| changed.into_inner().changed_count)
}

async fn what_is_unread_comes_first_then_what_is_new(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let me = family(101);
    for title in ["一", "二", "三"] {
        let sent = post.city(titled(title, to_parties([me.clone()]))).await;
        post.expanded(&sent.expect("sent").name).await;
        post.world.clock.advance(chrono::Duration::seconds(1));
    }
    let mut inbox = watch(&mut post, &me, &me, "").await.expect("open");
    let first = next(&mut inbox, false).await;
    assert_eq!(titles(&first), ["一", "二", "三"]);
    let item = &first.items[0];
    assert_eq!((&*item.sender, &*item.body), (CITY, "请按时返校"));
    let read = receipts(&mut post, &me, &[(&item.delivery, State::Read)]).await;
    assert_eq!(read.expect("told"), 1);
    // A message to all families, one to somebody else, one to all again.
    for (title, to) in [
        ("四", families()),
        ("别家", to_parties([family(102)])),
        ("五", families()),
    ] {
        let sent = post.city(titled(title, to)).await.expect("sent");
        post.expanded(&sent.name).await;
        post.world.clock.advance(chrono::Duration::seconds(1));
    }
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let news = next(&mut inbox, true).await;
        seen.extend(news.items.into_iter().map(|item| item.title));
    }
    assert_eq!(seen, ["四", "五"]);
    let mut again = watch(&mut post, &me, &me, "").await.expect("open");
    let unread = next(&mut again, false).await;
    assert_eq!(titles(&unread), ["二", "三", "四", "五"]);
}

async fn a_stream_goes_on_where_it_was_cut(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let me = family(101);
    let sent = post.city(titled("一", families())).await.expect("sent");
    post.expanded(&sent.name).await;
    let mut inbox = watch(&mut post, &me, &me, "").await.expect("open");
    let first = next(&mut inbox, false).await;
    assert_eq!(titles(&first), ["一"]);
    post.world.stop().await;
    let ended = within(async {
        loop {
            if let Err(status) = inbox.message().await {
                return status;
            }
        }
    });
    assert_eq!(ended.await.code(), Code::Unavailable);
    post.world.start().await;
    let sent = post.city(titled("二", families())).await.expect("sent");
    post.expanded(&sent.name).await;
    let mut inbox = watch(&mut post, &me, &me, &first.resume_token)
        .await
        .expect("open");
    assert_eq!(titles(&next(&mut inbox, true).await), ["二"]);
    // A token is of its own inbox, and of no other text.
    for token in [&*first.resume_token, "nonsense"] {
        let other = family(102);
        let refused = watch(&mut post, &other, &other, token).await;
        assert_eq!(reason(&refused.expect_err("refused")), "INVALID_PAGE_TOKEN");
    }
}

/// More than one answer carries, cut after the first.
async fn a_backlog_is_told_whole_and_once(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let me = family(101);
    let mut expected = Vec::new();
    for number in 0..130 {
        let title = format!("第{number}件");
        let sent = post.city(titled(&title, to_parties([me.clone()]))).await;
        expected.push(title);
        post.world.clock.advance(chrono::Duration::milliseconds(5));
        if number == 129 {
            post.expanded(&sent.expect("sent").name).await;
        }
    }
    let mut inbox = watch(&mut post, &me, &me, "").await.expect("open");
    let first = next(&mut inbox, false).await;
    assert_eq!(first.items.len(), 100);
    drop(inbox);
    let sent = post.city(titled("新的", to_parties([me.clone()]))).await;
    post.expanded(&sent.expect("sent").name).await;
    expected.push("新的".to_owned());
    let mut inbox = watch(&mut post, &me, &me, &first.resume_token)
        .await
        .expect("open");
    let mut seen: Vec<String> = first.items.into_iter().map(|item| item.title).collect();
    while seen.len() < expected.len() {
        let more = next(&mut inbox, true).await;
        seen.extend(more.items.into_iter().map(|item| item.title));
    }
    assert_eq!(seen, expected);
}

async fn a_quiet_stream_says_that_it_is_alive(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let me = staff(1);
    let mut inbox = watch(&mut post, &me, &me, "").await.expect("open");
    for _ in 0..3 {
        let alive = next(&mut inbox, false).await;
        assert!(alive.items.is_empty() && !alive.resume_token.is_empty());
    }
}

async fn only_the_owner_reads_an_inbox(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let refused = watch(&mut post, &family(101), &family(102), "").await;
    assert_eq!(reason(&refused.expect_err("denied")), "SCOPE_DENIED");
    // A family of the school is no part of its office.
    let refused = watch(&mut post, &family(101), SCHOOL, "").await;
    assert_eq!(reason(&refused.expect_err("denied")), "SCOPE_DENIED");
    for (role, scope, recipient, open) in [
        (Role::Principal, SCHOOL_PATH, SCHOOL, true),
        (Role::Principal, SISTER_PATH, SCHOOL, false),
        (Role::Principal, SCHOOL_PATH, BUREAU, false),
        (Role::DistrictOfficer, "fz/350102", SCHOOL, true),
        (Role::CityOfficer, "fz", &*family(101), false),
        (Role::SystemAdmin, "", SCHOOL, false),
    ] {
        let request = pb::WatchInboxRequest {
            recipient: recipient.to_owned(),
            resume_token: String::new(),
        };
        let request = by("somebody", role, scope, request);
        let inbox = post.world.deliveries.watch_inbox(request).await;
        assert_eq!(inbox.is_ok(), open, "{role} at {scope} reads {recipient}");
    }
}

async fn a_pupil_and_the_guardians_read_apart(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let parties = [student(101), family(101)];
    let mut names = Vec::new();
    for (title, party) in ["给学生", "给家长"].into_iter().zip(&parties) {
        let sent = post.city(titled(title, to_parties([party.clone()]))).await;
        names.push(sent.expect("sent").name);
        post.expanded(names.last().expect("a name")).await;
    }
    for (role, own, title) in [(Role::Student, 0, "给学生"), (Role::Guardian, 1, "给家长")] {
        let other = 1 - own;
        let ask = |party: &str| pb::WatchInboxRequest {
            recipient: party.to_owned(),
            resume_token: String::new(),
        };
        let request = of(&parties[own], role, SCHOOL_PATH, ask(&parties[own]));
        let inbox = post.world.deliveries.watch_inbox(request).await;
        let mut inbox = inbox.expect("one's own").into_inner();
        assert_eq!(titles(&next(&mut inbox, false).await), [title]);
        // One guardian reads that of all of them.
        for closed in [&*parties[other], &guardian(101, 1)] {
            let request = of(closed, role, SCHOOL_PATH, ask(closed));
            let refused = post.world.deliveries.watch_inbox(request).await;
            let refused = refused.expect_err("closed");
            assert_eq!(reason(&refused), "SCOPE_DENIED", "{role} {closed}");
        }
        for (whose, changed) in [(other, 0), (own, 1)] {
            let party = parties[whose].replace('/', "~");
            let request = pb::RecordReceiptsRequest {
                receipts: vec![pb::DeliveryReceipt {
                    delivery: format!("{}/deliveries/inbox~{party}", names[whose]),
                    state: State::Read.into(),
                    time: None,
                    failure: 0,
                }],
            };
            let request = of(&parties[own], role, SCHOOL_PATH, request);
            let told = post.world.deliveries.record_receipts(request).await;
            assert_eq!(told.expect("told").into_inner().changed_count, changed);
        }
    }
}

async fn a_centre_for_disease_control_reads_what_is_sent_to_it_and_to_no_school(scratch: Scratch) {
    use Role::{DiseaseControl, DistrictOfficer, Principal};
    let mut post = Post::open(scratch).await;
    let (centre, place) = ("organizations/cdc1", format!("{BUREAU_PATH}/cdc1"));
    let body = organization(&place, Kind::DiseaseControl);
    roster(&post.world.db, &[body], 1).await;
    let to = to_parties([centre.to_owned(), SCHOOL.to_owned()]);
    let sent = post.city(titled("聚集性疫情待核实", to)).await;
    let sent = sent.expect("sent").name;
    post.expanded(&sent).await;
    for (role, scope, recipient, may) in [
        (DiseaseControl, &*place, centre, true),
        (DiseaseControl, BUREAU_PATH, centre, true),
        (DistrictOfficer, BUREAU_PATH, centre, true),
        (DiseaseControl, "fz/350103", centre, false),
        (DiseaseControl, BUREAU_PATH, SCHOOL, false),
        (Principal, SCHOOL_PATH, centre, false),
    ] {
        let request = pb::WatchInboxRequest {
            recipient: recipient.to_owned(),
            resume_token: String::new(),
        };
        let request = by("reader-1", role, scope, request);
        let inbox = post.world.deliveries.watch_inbox(request).await;
        if may {
            let mut inbox = inbox.expect("open").into_inner();
            let unread = next(&mut inbox, false).await;
            assert_eq!(titles(&unread), ["聚集性疫情待核实"]);
        } else {
            let refused = inbox.expect_err("refused");
            assert_eq!(refused.code(), Code::PermissionDenied, "{role} {recipient}");
        }
    }
    // It says that it has read what was sent to it, and nothing of what was sent to schools.
    for (recipient, changed) in [(centre, 1), (SCHOOL, 0)] {
        let party = recipient.replace('/', "~");
        let request = pb::RecordReceiptsRequest {
            receipts: vec![pb::DeliveryReceipt {
                delivery: format!("{sent}/deliveries/inbox~{party}"),
                state: State::Read.into(),
                time: None,
                failure: 0,
            }],
        };
        let request = by("reader-1", DiseaseControl, BUREAU_PATH, request);
        let told = post.world.deliveries.record_receipts(request).await;
        assert_eq!(told.expect("told").into_inner().changed_count, changed);
    }
    let request = pb::ListMessagesRequest {
        parent: SCHOOL.to_owned(),
        ..Default::default()
    };
    let request = by("reader-1", DiseaseControl, BUREAU_PATH, request);
    let messages = post.world.deliveries.list_messages(request).await;
    assert_eq!(reason(&messages.expect_err("refused")), "SCOPE_DENIED");
}

async fn receipts_only_go_forward_and_count_once(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let me = family(101);
    let sent = post.city(notice(to_parties([me.clone(), staff(1)]))).await;
    let sent = sent.expect("sent").name;
    post.expanded(&sent).await;
    let delivery = format!("{sent}/deliveries/inbox~{}", me.replace('/', "~"));
    let delivery = &*delivery;
    let mut tell = async |told: &[(&str, State)]| receipts(&mut post, &me, told).await;
    let both = [(delivery, State::Delivered), (delivery, State::Read)];
    assert_eq!(tell(&both).await.expect("told"), 2);
    for told in [
        &both[..],
        &[(delivery, State::Read)],
        &[(delivery, State::Delivered)],
    ] {
        assert_eq!(tell(told).await.expect("told"), 0, "{told:?}");
    }
    let message = post.expanded(&sent).await;
    let counts = pb::DeliveryCounts {
        read: 1,
        sent: 1,
        ..Default::default()
    };
    assert_eq!(message.counts, Some(counts));
    let ledger = post.ledger(&sent, "fz", Role::CityOfficer).await;
    let found = ledger.expect("listed").swap_remove(0);
    assert_eq!((found.state(), &*found.name), (State::Read, delivery));
    assert!(found.deliver_time.is_some() && found.read_time.is_some());
    for (name, state) in [
        (delivery, State::Sent),
        (delivery, State::Unspecified),
        ("organizations/fz/messages/1/deliveries/inbox", State::Read),
    ] {
        let refused = receipts(&mut post, &me, &[(name, state)]).await;
        assert_eq!(reason(&refused.expect_err("invalid")), "INVALID_FIELD");
    }
    assert!(receipts(&mut post, &me, &[]).await.is_err());
}

async fn receipts_of_others_are_passed_over(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let (me, other) = (family(101), family(102));
    let to = to_parties([me.clone(), other.clone(), SCHOOL.to_owned()]);
    let sent = post.city(notice(to)).await.expect("sent").name;
    post.expanded(&sent).await;
    let of =
        |sent: &str, party: &str| format!("{sent}/deliveries/inbox~{}", party.replace('/', "~"));
    let elsewhere = sent.replace("organizations/fz", SCHOOL);
    let names = [
        of(&sent, &me),
        of(&sent, &other),
        of(&sent, SCHOOL),
        of(&elsewhere, &me),
        of(&sent, &family(131)),
        of(&sent, &me).replace("inbox~", "sms~"),
    ];
    let told = names.each_ref().map(|name| (&**name, State::Read));
    assert_eq!(receipts(&mut post, &me, &told).await.expect("told"), 1);
    // Who works at the school acts for it.
    let request = pb::RecordReceiptsRequest {
        receipts: vec![pb::DeliveryReceipt {
            delivery: of(&sent, SCHOOL),
            state: State::Read.into(),
            time: None,
            failure: 0,
        }],
    };
    for (role, scope, changed) in [
        (Role::Principal, SISTER_PATH, 0),
        // Who may read along does not act for it, and no provider has to do with inboxes.
        (Role::DistrictOfficer, BUREAU_PATH, 0),
        (Role::CityOfficer, "fz", 0),
        (Role::PartnerSystem, "fz", 0),
        (Role::Principal, SCHOOL_PATH, 1),
    ] {
        let request = by("reader-1", role, scope, request.clone());
        let answer = post.world.deliveries.record_receipts(request).await;
        assert_eq!(answer.expect("told").into_inner().changed_count, changed);
    }
    let request = by("laboratory", Role::Laboratory, "", request);
    let refused = post.world.deliveries.record_receipts(request).await;
    assert_eq!(reason(&refused.expect_err("denied")), "SCOPE_DENIED");
}

async fn a_provider_tells_nothing_of_inboxes(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    let me = family(101);
    let sent = post.city(notice(to_parties([me.clone()]))).await;
    let sent = sent.expect("sent").name;
    post.expanded(&sent).await;
    for state in [State::Delivered, State::Read] {
        let request = pb::RecordReceiptsRequest {
            receipts: vec![pb::DeliveryReceipt {
                delivery: format!("{sent}/deliveries/inbox~{}", me.replace('/', "~")),
                state: state.into(),
                time: None,
                failure: 0,
            }],
        };
        let request = by("provider", Role::PartnerSystem, "fz", request);
        let answer = post.world.deliveries.record_receipts(request).await;
        assert_eq!(answer.expect("told").into_inner().changed_count, 0);
    }
    let counts = post.expanded(&sent).await.counts.expect("counts");
    assert_eq!((counts.sent, counts.delivered, counts.read), (1, 0, 0));
}

/// Its word may come before that of the attempt, and is the last one all the same.
async fn a_provider_tells_what_became_of_deliveries(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    contact(&post.world.db, &staff(1), "sms").await;
    let message = pb::Message {
        channels: vec!["channels/sms".to_owned()],
        ..notice(to_parties([staff(1)]))
    };
    let sent = post.city(message).await.expect("sent").name;
    post.expanded(&sent).await;
    let delivery = format!("{sent}/deliveries/sms~{}", staff(1).replace('/', "~"));
    let mut tell = async |scope: &str| {
        let request = pb::RecordReceiptsRequest {
            receipts: vec![pb::DeliveryReceipt {
                delivery: delivery.clone(),
                state: State::Delivered.into(),
                time: None,
                failure: 0,
            }],
        };
        let request = by("provider", Role::PartnerSystem, scope, request);
        let answer = post.world.deliveries.record_receipts(request).await;
        answer.expect("told").into_inner().changed_count
    };
    assert_eq!(
        tell("fz/350102").await,
        0,
        "the city's messages are not its own"
    );
    assert_eq!(tell("fz").await, 1);
    assert!(post.claimed("sms").await.is_empty(), "it is not sent again");
    post.all_fail("sms").await;
    let counts = post.expanded(&sent).await.counts.expect("counts");
    assert_eq!((counts.delivered, counts.queued, counts.failed), (1, 0, 0));
}

async fn what_a_provider_could_not_deliver_is_a_dead_letter(scratch: Scratch) {
    let mut post = Post::open(scratch).await;
    contact(&post.world.db, &staff(1), "sms").await;
    let message = pb::Message {
        channels: vec!["channels/sms".to_owned()],
        ..notice(to_parties([staff(1)]))
    };
    let sent = post.city(message).await.expect("sent").name;
    post.expanded(&sent).await;
    // The provider has taken it.
    let taken = "UPDATE deliveries SET state = 2 WHERE channel = 'sms'";
    let db = post.world.db.clone();
    let taken = statement(db.read(), taken, []);
    db.read().execute_raw(taken).await.expect("taken");
    let delivery = format!("{sent}/deliveries/sms~{}", staff(1).replace('/', "~"));
    let receipt = |state: State, failure: Failure| pb::RecordReceiptsRequest {
        receipts: vec![pb::DeliveryReceipt {
            delivery: delivery.clone(),
            state: state.into(),
            time: None,
            failure: failure.into(),
        }],
    };
    let provider = |request| by("provider", Role::PartnerSystem, "fz", request);
    let deliveries = &mut post.world.deliveries;
    for (state, failure, field) in [
        (State::Failed, Failure::Unspecified, "receipts[0].failure"),
        (State::Read, Failure::Timeout, "receipts[0].failure"),
        (State::Expired, Failure::Timeout, "receipts[0].state"),
    ] {
        let request = provider(receipt(state, failure));
        let refused = deliveries.record_receipts(request).await;
        let refused = refused.expect_err("refused");
        assert_eq!(reason(&refused), "INVALID_FIELD");
        let bad = refused.get_details_bad_request().expect("the fields");
        assert_eq!(bad.field_violations[0].field, field);
    }
    // Nobody says so of what is their own.
    let failed = receipt(State::Failed, Failure::NoRecipient);
    let own = of(&staff(1), Role::SchoolDoctor, SCHOOL_PATH, failed.clone());
    let told = deliveries.record_receipts(own).await.expect("told");
    assert_eq!(told.into_inner().changed_count, 0);
    for changed in [1, 0] {
        let told = deliveries.record_receipts(provider(failed.clone())).await;
        let told = told.expect("told").into_inner();
        assert_eq!(told.changed_count, changed, "once");
    }
    let ledger = post.ledger(&sent, "fz", Role::CityOfficer).await;
    let ledger = ledger.expect("listed");
    let found = ledger.iter().find(|one| one.name == delivery);
    let found = found.expect("the delivery");
    assert_eq!(
        (found.state(), found.failure()),
        (State::Failed, Failure::NoRecipient)
    );
}
