//! The kept counts of a directive are what counting its recipients gives, whatever they do and in
//! whatever order, several at the same moment.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use kit::db::{Database, statement};
use kit::scratch::Scratch;
use notification::Migrator;
use notification::domain::audience::Audience;
use notification::domain::chain::Level;
use notification::domain::content::Content;
use notification::domain::directive::{Directive, State as Life, Urgency};
use notification::domain::recipient::{Below, Recipient, State, Verb};
use notification::store::Store;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::town::{morning, on_both};

on_both!(counts_are_what_counting_gives);

const DISTRICTS: usize = 3;
const SCHOOLS: usize = 4;

/// Two recipients do something after a while, at the same moment.
#[derive(Clone, Debug)]
struct Act {
    minutes: i64,
    recipients: [usize; 2],
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let all = DISTRICTS * (1 + SCHOOLS);
    let act = (0i64..40, 0..all, 0..all).prop_map(|(minutes, one, other)| Act {
        minutes,
        recipients: [one, other],
    });
    proptest::collection::vec(act, 60..90)
}

fn directive(id: Uuid) -> Directive {
    let content = Content {
        title: "通知".to_owned(),
        text: "请落实".to_owned(),
        items: Vec::new(),
        attachments: Vec::new(),
    };
    Directive {
        organization: "fz".to_owned(),
        id,
        org_path: "fz".to_owned(),
        state: Life::Issued,
        urgency: Urgency::Urgent,
        text_hash: content.hash(),
        content,
        audience: Audience::of(vec!["fz".to_owned()]),
        to_class_groups: false,
        meeting: String::new(),
        author: "writer-1".to_owned(),
        approver: "chief-1".to_owned(),
        created: morning(),
        issued: Some(morning()),
        superseded_by: String::new(),
        revoke_reason: String::new(),
        version: 1,
    }
}

/// A recipient of the directive, which comes from the city or from a bureau.
fn recipient(of: &Directive, id: String, upper: &str) -> Recipient {
    let is_bureau = upper.is_empty();
    Recipient {
        directive: of.id,
        org_path: format!("fz/{id}"),
        level: if is_bureau {
            Level::District
        } else {
            Level::School
        },
        district: if is_bureau {
            id.clone()
        } else {
            upper.to_owned()
        },
        id,
        upper: upper.to_owned(),
        below: if is_bureau { 4 } else { 0 },
        state: State::Pending,
        due: is_bureau.then(|| morning() + Duration::hours(2)),
        items_due: None,
        acknowledged: None,
        relayed: None,
        relay_due: None,
        judge_due: None,
        relay_note: String::new(),
        report: String::new(),
        progress: 0,
        return_reason: String::new(),
        updated: morning(),
        text_hash: of.text_hash,
        version: 1,
    }
}

fn recipients(of: &Directive) -> Vec<Recipient> {
    let districts = (0..DISTRICTS).map(|number| format!("35010{number}"));
    let with_schools = districts.flat_map(|district| {
        let schools = (0..SCHOOLS).map(|number| format!("{district}-{number}"));
        let schools: Vec<_> = schools.map(|id| recipient(of, id, &district)).collect();
        std::iter::once(recipient(of, district, "")).chain(schools)
    });
    with_schools.collect()
}

/// The next step of a recipient on its way.
fn next(recipient: &Recipient) -> Option<Verb> {
    Some(match recipient.state {
        State::Pending => Verb::Deliver,
        State::Delivered => Verb::Read,
        State::Read => Verb::Acknowledge(Some(Duration::hours(2))),
        State::Acked if recipient.below > 0 => {
            Verb::Relay(recipient.text_hash, "请各校落实".to_owned())
        }
        State::Acked | State::Relayed | State::Returned => Verb::Report("进行中".to_owned(), 50),
        State::Executing => Verb::Finish("完成".to_owned(), None, Duration::hours(1)),
        State::Reported if recipient.progress == 100 && recipient.version % 2 == 0 => {
            Verb::Return("材料不全".to_owned())
        }
        State::Reported => Verb::Accept(Below::default()),
        State::Accepted => return None,
    })
}

/// One step of one recipient, in a transaction of its own.
async fn step(db: &Database, directive: Uuid, id: &str, now: DateTime<Utc>) {
    let store = Store::new(db.clone());
    let tx = db.begin().await.expect("a transaction");
    let found = store.recipient(&tx, directive, id).await.expect("read");
    let before = found.expect("a recipient");
    let Some(verb) = next(&before).filter(|_| before.is_reached()) else {
        return;
    };
    let relays = matches!(verb, Verb::Relay(..));
    let after = before.clone().apply(verb, now).expect("legal");
    let saved = Store::save_recipient(&tx, "fz", (&before, after)).await;
    if saved.expect("saved").is_none() {
        return;
    }
    if relays {
        let hour = Duration::hours(1);
        let reached = Store::reach(&tx, directive, id, now, hour).await;
        reached.expect("reached");
    }
    tx.commit().await.expect("committed");
}

/// Level and district with all eight numbers.
type Counts = BTreeMap<(i16, String), [i64; 8]>;

async fn counted(db: &Database, directive: Uuid, now: DateTime<Utc>) -> Counts {
    let sql = "SELECT level, district, COUNT(*), COUNT(due_at), COUNT(acknowledged_at), \
         COUNT(CASE WHEN state = 8 THEN 1 END), \
         COUNT(CASE WHEN acknowledged_at IS NULL AND due_at < $2 THEN 1 END), \
         COUNT(CASE WHEN acknowledged_at > due_at THEN 1 END), \
         COUNT(CASE WHEN state = 4 AND relay_due_at < $2 THEN 1 END), \
         COUNT(CASE WHEN state = 7 AND judge_due_at < $2 THEN 1 END) \
         FROM directive_recipients WHERE directive = $1 GROUP BY level, district";
    let values = [directive.into(), now.timestamp_millis().into()];
    let rows = db
        .read()
        .query_all_raw(statement(db.read(), sql, values))
        .await;
    let number = |row: &sea_orm::QueryResult, index| row.try_get_by_index(index).expect("a number");
    let rows = rows.expect("read");
    let counts = rows.iter().map(|row| {
        let key = (
            row.try_get_by_index(0).expect("a level"),
            row.try_get_by_index(1).expect("a district"),
        );
        (
            key,
            [2, 3, 4, 5, 6, 7, 8, 9].map(|index| number(row, index)),
        )
    });
    counts.collect()
}

async fn kept(db: &Database, directive: Uuid, now: DateTime<Utc>) -> Counts {
    let counts = Store::progress(db.read(), directive, now).await;
    let counts = counts.expect("read").into_iter().map(|count| {
        let numbers = [
            count.recipients,
            count.reached,
            count.acknowledged,
            count.accepted,
            count.overdue,
            count.late,
            count.relay_overdue,
            count.judge_overdue,
        ];
        ((count.level as i16, count.district), numbers.map(i64::from))
    });
    counts.collect()
}

async fn counts_are_what_counting_gives(scratch: Scratch) {
    let db = scratch.open::<Migrator>().await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let sequences = acts();
    let mut seen = [0; 8];
    for number in 0..8 {
        let directive = directive(Uuid::from_u128(number));
        let recipients = recipients(&directive);
        let tx = db.begin().await.expect("a transaction");
        let written = Store::insert_recipients(&tx, &directive, &recipients, morning()).await;
        written.expect("written");
        tx.commit().await.expect("committed");
        let mut now = morning();
        let acts = sequences.new_tree(&mut runner).expect("a case").current();
        for act in &acts {
            now += Duration::minutes(act.minutes);
            let [one, other] = act.recipients.map(|index| &*recipients[index].id);
            let of = directive.id;
            tokio::join!(step(&db, of, one, now), step(&db, of, other, now));
            let counts = counted(&db, of, now).await;
            assert_eq!(kept(&db, of, now).await, counts, "{act:?}");
            for numbers in counts.values() {
                for (most, number) in seen.iter_mut().zip(numbers) {
                    *most = number.max(most).to_owned();
                }
            }
        }
        let tally = Store::tally(db.read(), directive.id).await.expect("read");
        let all = counted(&db, directive.id, now).await;
        let sum = |index: usize| all.values().map(|numbers| numbers[index]).sum::<i64>();
        let told = [tally.recipients, tally.acknowledged, tally.accepted];
        assert_eq!(told.map(i64::from), [sum(0), sum(2), sum(3)]);
    }
    assert!(
        seen.iter().all(|most| *most > 0),
        "every number moved: {seen:?}"
    );
}
