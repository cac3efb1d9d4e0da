//! Directives: an order whose text never changes once approved (rule 5.39).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::place::contains;

/// The place of a directive in its life cycle; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Being written.
    Draft = 1,
    /// Approved, not sent.
    Approved = 2,
    /// Sent.
    Issued = 3,
    /// Done.
    Closed = 4,
    /// Replaced.
    Superseded = 5,
    /// Withdrawn.
    Revoked = 6,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Draft,
        Self::Approved,
        Self::Issued,
        Self::Closed,
        Self::Superseded,
        Self::Revoked,
    ];

    /// The name in the contract, without prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Approved => "APPROVED",
            Self::Issued => "ISSUED",
            Self::Closed => "CLOSED",
            Self::Superseded => "SUPERSEDED",
            Self::Revoked => "REVOKED",
        }
    }
}

/// How soon a directive is signed for; the numbers are those of contract and table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// 平件.
    Routine = 1,
    /// 加急.
    Urgent = 2,
    /// 特急.
    ExtraUrgent = 3,
}

impl Urgency {
    /// Every urgency.
    pub const ALL: [Self; 3] = [Self::Routine, Self::Urgent, Self::ExtraUrgent];
}

/// The SHA-256 of a text: what travels with every relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextHash(pub [u8; 32]);

impl TextHash {
    /// Of heading and text, with a line feed between.
    pub fn of(title: &str, text: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(title)
            .chain_update("\n")
            .chain_update(text);
        Self(hash.finalize().into())
    }
}

/// An order to organisations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// The organisation id of who orders.
    pub organization: String,
    /// The id.
    pub id: Uuid,
    /// Where the orderer stands in the tree.
    pub org_path: String,
    /// Where it is in its life cycle.
    pub state: State,
    /// How soon it is signed for.
    pub urgency: Urgency,
    /// The heading.
    pub title: String,
    /// The text.
    pub text: String,
    /// Of heading and text.
    pub text_hash: TextHash,
    /// The organisation ids that it is addressed to.
    pub audience: Vec<String>,
    /// Who wrote it.
    pub author: String,
    /// Who approved it; empty before.
    pub approver: String,
    /// When it was written.
    pub created: DateTime<Utc>,
    /// When it was sent.
    pub issued: Option<DateTime<Utc>>,
    /// What replaces it.
    pub superseded_by: String,
    /// Guards against lost updates.
    pub version: i64,
}

/// How a directive ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It is done.
    Closed,
    /// It is withdrawn.
    Revoked,
    /// Another one replaces it.
    Superseded(String),
}

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The verb does not start from this state.
    #[error("the directive is {}", .0.as_str())]
    State(State),
    /// The author does not approve.
    #[error("the author does not approve")]
    SelfApproval,
}

impl Directive {
    /// Approves a draft.
    ///
    /// # Errors
    /// When it is no draft, or by the one who wrote it.
    pub fn approve(self, approver: &str) -> Result<Self, Refused> {
        match self.state {
            State::Draft if approver == self.author => Err(Refused::SelfApproval),
            State::Draft => Ok(Self {
                state: State::Approved,
                approver: approver.to_owned(),
                ..self
            }),
            state => Err(Refused::State(state)),
        }
    }

    /// Sends an approved directive.
    ///
    /// # Errors
    /// When it is not approved or was sent before.
    pub fn issue(self, now: DateTime<Utc>) -> Result<Self, Refused> {
        match self.state {
            State::Approved => Ok(Self {
                state: State::Issued,
                issued: Some(now),
                ..self
            }),
            state => Err(Refused::State(state)),
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it does not end this way from where it is.
    pub fn end(self, end: End) -> Result<Self, Refused> {
        match (self.state, end) {
            (State::Issued, End::Closed) => Ok(Self {
                state: State::Closed,
                ..self
            }),
            (State::Approved | State::Issued, End::Revoked) => Ok(Self {
                state: State::Revoked,
                ..self
            }),
            (State::Issued, End::Superseded(superseded_by)) => Ok(Self {
                state: State::Superseded,
                superseded_by,
                ..self
            }),
            (state, _) => Err(Refused::State(state)),
        }
    }
}

/// One organisation that a directive reaches, and the one that passes it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// The organisation id.
    pub organization: String,
    /// The place in the tree.
    pub org_path: String,
    /// The organisation id of the nearest addressee above; empty when it comes from the orderer.
    pub upper: String,
}

/// Chains addressees: each gets the directive from the nearest one above. `places` are the
/// places and ids of all of them in any order; the orderer itself is none.
pub fn chain(orderer: &str, places: Vec<(String, String)>) -> Vec<Addressee> {
    let sorted: BTreeMap<String, String> = places
        .into_iter()
        .filter(|(path, _)| path != orderer)
        .collect();
    let mut above: Vec<(&str, &str)> = Vec::new();
    let mut addressees = Vec::with_capacity(sorted.len());
    // In path order everything below a place follows it before any place that is not.
    let mut ordered: Vec<(&String, &String)> = sorted.iter().collect();
    ordered.sort_by(|a, b| a.0.split('/').cmp(b.0.split('/')));
    for (path, id) in ordered {
        while above
            .last()
            .is_some_and(|(upper, _)| !contains(upper, path))
        {
            above.pop();
        }
        let upper = above
            .last()
            .map(|(_, id)| (*id).to_owned())
            .unwrap_or_default();
        addressees.push(Addressee {
            organization: id.clone(),
            org_path: path.clone(),
            upper,
        });
        above.push((path, id));
    }
    addressees
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Directive {
        Directive {
            organization: "fz".to_owned(),
            id: Uuid::from_u128(1),
            org_path: "fz".to_owned(),
            state: State::Draft,
            urgency: Urgency::Urgent,
            title: "关于做好返校工作的通知".to_owned(),
            text: "一、落实每日抽检。".to_owned(),
            text_hash: TextHash::of("关于做好返校工作的通知", "一、落实每日抽检。"),
            audience: vec!["350102".to_owned()],
            author: "author".to_owned(),
            approver: String::new(),
            created: "2022-04-06T00:00:00Z".parse().unwrap(),
            issued: None,
            superseded_by: String::new(),
            version: 1,
        }
    }

    #[test]
    fn exactly_the_legal_moves_are_taken() {
        let now = "2022-04-06T01:00:00Z".parse().unwrap();
        for state in State::ALL {
            let at = || Directive { state, ..draft() };
            let to =
                |moved: Result<Directive, Refused>| moved.map(|directive| directive.state).ok();
            let only = |from: &[State], then: State| from.contains(&state).then_some(then);
            assert_eq!(
                to(at().approve("other")),
                only(&[State::Draft], State::Approved)
            );
            assert_eq!(to(at().issue(now)), only(&[State::Approved], State::Issued));
            assert_eq!(
                to(at().end(End::Closed)),
                only(&[State::Issued], State::Closed)
            );
            let revoked = only(&[State::Approved, State::Issued], State::Revoked);
            assert_eq!(to(at().end(End::Revoked)), revoked);
            let superseded = at().end(End::Superseded("x".to_owned()));
            assert_eq!(to(superseded), only(&[State::Issued], State::Superseded));
        }
        assert_eq!(draft().approve("author"), Err(Refused::SelfApproval));
    }

    #[test]
    fn no_move_touches_the_text() {
        let now = "2022-04-06T01:00:00Z".parse().unwrap();
        let issued = draft().approve("other").and_then(|d| d.issue(now)).unwrap();
        let closed = issued.end(End::Closed).unwrap();
        assert_eq!(
            (&closed.title, &closed.text),
            (&draft().title, &draft().text)
        );
        assert_eq!(closed.text_hash, TextHash::of(&closed.title, &closed.text));
        assert_ne!(TextHash::of("a", "b\nc"), TextHash::of("a", "bc"));
    }

    #[test]
    fn everybody_gets_it_from_the_nearest_above() {
        let place = |path: &str| (path.to_owned(), path.rsplit('/').next().unwrap().to_owned());
        let places = [
            "fz/b/s2", "fz", "fz/b", "fz/m1", "fz/b/s1", "fz/b-x", "fz/c/s3",
        ];
        let chained = chain("fz", places.iter().map(|path| place(path)).collect());
        let uppers: Vec<_> = chained
            .iter()
            .map(|a| (a.organization.as_str(), a.upper.as_str()))
            .collect();
        assert_eq!(
            uppers,
            [
                ("b", ""),
                ("s1", "b"),
                ("s2", "b"),
                ("b-x", ""),
                ("s3", ""),
                ("m1", "")
            ]
        );
    }
}
