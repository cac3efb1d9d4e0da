//! Destroys what was gathered of people for an emergency (rule 6.12): what they were told, alerts about
//! them, what they said in confidence, and the care for them at home. Directives and meetings are records of
//! offices, addresses and preferences are the city's register of whom to reach, and warnings are public:
//! none of them ends with an emergency.

use kit::db::{Database, Tx};
use kit::destruction::{Batch, Destroyer, Order, Sample};
use kit::vault::emergency_of;
use sea_orm::DbErr;
use uuid::Uuid;

use crate::seal::Seal;
use crate::store::Store;
use crate::store::destruction::{
    ALERTS, CARE, CASES, CONCERNS, CONTROLLED, NOTICES, Part, Span, Voice, Voices,
};

/// The name of this service among those that destroy.
pub(crate) const SERVICE: &str = "notification";
const TOLD: &str = "messages";
const RAISED: &str = "alerts";
const HANDED_IN: &str = "concerns";
const SUPPORTED: &str = "support-cases";
const CARED_FOR: &str = "care-tasks";
/// How many deliveries one transaction deletes.
const DELIVERIES: u32 = 5000;
/// How many rows of another table it deletes.
const TOGETHER: u64 = 500;
/// How many concerns or cases it looks at.
const VOICES: u64 = 50;

/// Knows what this service gathered.
#[derive(Clone, Debug)]
pub(crate) struct Gathered {
    seal: Seal,
}

/// A part of a category.
#[derive(Clone, Copy, Debug)]
enum Piece {
    Messages,
    Rows(Part),
    Sealed(Voices),
}

fn pieces(category: &str) -> &'static [Piece] {
    match category {
        TOLD => &[Piece::Messages, Piece::Rows(NOTICES)],
        RAISED => &[Piece::Rows(ALERTS)],
        HANDED_IN => &[Piece::Sealed(CONCERNS)],
        SUPPORTED => &[Piece::Sealed(CASES)],
        CARED_FOR => &[Piece::Rows(CARE), Piece::Rows(CONTROLLED)],
        _ => &[],
    }
}

fn span(order: &Order) -> Span {
    Span {
        start: order.start,
        end: order.end,
    }
}

/// Where a category goes on: the number of the piece, and the last record that was looked at.
fn place(cursor: &str) -> (usize, Option<Uuid>) {
    let (piece, after) = cursor.split_once('/').unwrap_or((cursor, ""));
    (piece.parse().unwrap_or_default(), after.parse().ok())
}

/// Whether something is sealed under the key of an emergency.
fn is_under(emergency: Uuid, sealed: &[u8]) -> bool {
    emergency_of(sealed) == Some(emergency)
}

/// What a transaction did that deleted so many records, none of which was sealed.
fn deleted(count: u64) -> Batch {
    let destroyed = i64::try_from(count).unwrap_or(i64::MAX);
    Batch {
        destroyed,
        exposed: destroyed,
        ..Batch::default()
    }
}

impl Gathered {
    pub(crate) fn new(seal: Seal) -> Self {
        Self { seal }
    }

    /// Looks at some concerns or cases after `after`; the last of them, when there may be more. Those of the
    /// emergency that are over go. Others that are sealed under its key (they are kept, somebody still deals
    /// with them, or a replica heard late of its end) are sealed under another one, before it is gone.
    async fn voices(
        &self,
        tx: &Tx,
        order: &Order,
        (voices, kept): (Voices, bool),
        after: Option<Uuid>,
    ) -> Result<(Batch, Option<Uuid>), DbErr> {
        let span = span(order);
        let found = voices.since(tx, &span, after, VOICES).await?;
        let last = found.last().map(|voice| voice.id);
        let more = last.filter(|_| found.len() as u64 == VOICES);
        let emergency = order.emergency;
        let mut batch = Batch::default();
        for voice in found {
            if span.holds(voice.created) && voice.over && !kept {
                voices.forget(tx, voice.id).await?;
                batch.destroyed += 1;
                batch.exposed +=
                    i64::from(!voice.sealed().all(|sealed| is_under(emergency, sealed)));
                batch
                    .samples
                    .extend(is_under(emergency, &voice.words).then(|| Sample {
                        owner: voice.id.as_bytes().to_vec(),
                        sealed: voice.words,
                    }));
            } else if voice.sealed().any(|sealed| is_under(emergency, sealed)) {
                let voice = self.resealed(voice, emergency)?;
                voices.reseal(tx, voice).await?;
                batch.resealed += 1;
            }
        }
        Ok((batch, more))
    }

    fn resealed(&self, voice: Voice, emergency: Uuid) -> Result<Voice, DbErr> {
        let again = |sealed: Vec<u8>| {
            if !is_under(emergency, &sealed) {
                return Ok(sealed);
            }
            let shut = |_| DbErr::Custom("words whose seal cannot be opened".to_owned());
            self.seal.reseal(voice.id, &sealed).map_err(shut)
        };
        let words = again(voice.words)?;
        let entries = voice.entries.into_iter();
        let entries = entries.map(|(number, sealed)| again(sealed).map(|sealed| (number, sealed)));
        let entries = entries.collect::<Result<_, DbErr>>()?;
        Ok(Voice {
            words,
            entries,
            ..voice
        })
    }
}

#[async_trait::async_trait]
impl Destroyer for Gathered {
    fn categories(&self) -> &'static [&'static str] {
        &[TOLD, RAISED, HANDED_IN, SUPPORTED, CARED_FOR]
    }

    async fn destroy(
        &self,
        tx: &Tx,
        order: &Order,
        category: &str,
        cursor: &str,
    ) -> Result<Batch, DbErr> {
        let (index, after) = place(cursor);
        let Some(piece) = pieces(category).get(index) else {
            return Ok(Batch::default());
        };
        let (span, kept) = (span(order), order.kept.contains(category));
        let (batch, more) = match *piece {
            Piece::Sealed(voices) => {
                let (batch, last) = self.voices(tx, order, (voices, kept), after).await?;
                (batch, last.map(|last| format!("{index}/{last}")))
            }
            Piece::Messages | Piece::Rows(_) if kept => (Batch::default(), None),
            Piece::Messages => {
                let removed = Store::destroy_messages(tx, &span, DELIVERIES).await?;
                let count = removed.messages + removed.deliveries.values().sum::<u64>();
                (deleted(count), (count > 0).then(|| cursor.to_owned()))
            }
            Piece::Rows(part) => {
                if category == RAISED {
                    Store::lock_alerts(tx).await?;
                }
                let count = part.delete(tx, &span, TOGETHER).await?;
                (
                    deleted(count),
                    (count == TOGETHER).then(|| cursor.to_owned()),
                )
            }
        };
        let next = more.unwrap_or_else(|| (index + 1).to_string());
        Ok(Batch {
            cursor: Some(next),
            ..batch
        })
    }

    async fn remaining(&self, db: &Database, order: &Order, category: &str) -> Result<i64, DbErr> {
        let (db, span) = (db.read(), span(order));
        let mut count = 0;
        for piece in pieces(category) {
            count += match piece {
                Piece::Messages => Store::messages_during(db, &span).await?,
                Piece::Rows(part) => part.count(db, &span).await?,
                Piece::Sealed(voices) => voices.during(db, &span).await?,
            };
        }
        Ok(count)
    }
}
