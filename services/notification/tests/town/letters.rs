//! Messages as they are stored, to one member of staff each.

use std::collections::BTreeMap;

use kit::db::Database;
use notification::domain::message::{Category, Message, Progress, Recipients, State, Urgency};
use notification::domain::party::Party;
use notification::store::Store;
use notification::store::direct::{Direct, Way};
use uuid::Uuid;

use super::{morning, staff};

/// The member of staff of a number.
pub(crate) fn reader(number: u128) -> Party {
    Party::parse(&staff(number)).expect("a party")
}

/// The message of a number to the member of staff of that number.
pub(crate) fn letter(number: u128, ways: Vec<Way>) -> Direct {
    let recipient = reader(number);
    let message = Message {
        organization: "fz".to_owned(),
        id: Uuid::from_u128(number),
        org_path: "fz".to_owned(),
        state: State::Expanding,
        category: Category::Alert,
        urgency: Urgency::Urgent,
        template: "told".to_owned(),
        template_version: 1,
        values: BTreeMap::new(),
        recipients: Recipients {
            parties: vec![recipient.clone()],
            ..Recipients::default()
        },
        channels: vec!["sms".to_owned()],
        exercise: false,
        author: "campus".to_owned(),
        basis: format!("organizations/fz/alerts/{number}"),
        confidential: false,
        created: morning(),
        expires: morning() + Message::LIFE,
        expanded: None,
        progress: Progress::BEGIN,
    };
    Direct {
        message,
        recipient,
        ways,
    }
}

/// The inbox and some channels.
pub(crate) fn by_inbox_and(channels: &[&str]) -> Vec<Way> {
    let channels = channels.iter().map(|id| Way::Channel((*id).to_owned()));
    std::iter::once(Way::Inbox).chain(channels).collect()
}

/// Stores messages.
pub(crate) async fn stored(db: &Database, letters: Vec<Direct>) {
    let tx = db.begin().await.expect("a transaction");
    Store::insert_direct(&tx, letters).await.expect("written");
    tx.commit().await.expect("committed");
}
