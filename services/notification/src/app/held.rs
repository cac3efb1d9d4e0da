//! What notification holds about one person, told to whoever is answered (rule 6.14).

use kit::db::Database;
use kit::status::Problem;
use kit::subject::{Asked, Held, Holdings, Record, Section, Viewer, day_time};

use super::contacts::address_of;
use super::{Base, new_id};
use crate::domain::party::Party;
use crate::domain::support::Case;
use crate::error::Error;
use crate::seal::Seal;
use crate::store::support::AccessRow;
use crate::store::{Store, held};

/// Why a handler is not told whose concerns there are.
const BY_ACCOUNT: &str = "诉求按提出人的账号保存，不与姓名关联，由提出人用自己的账号查阅";
/// Why a handler is not told of cases of support.
const BY_COUNSELLOR: &str = "心理支持由心理教师单独授权管理，经办人不查阅其存在与否（规则5.42）";
/// How much of an address of others is shown at either end.
const SHOWN: usize = 3;

/// The sections of this service.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    base: Base,
    seal: Seal,
}

impl Kept {
    pub(crate) fn new(base: Base, seal: Seal) -> Self {
        Self { base, seal }
    }

    /// Where the person can be reached, in full, and the guardians of a pupil, whose addresses are theirs: masked
    /// (rule 6.14).
    async fn contacts(&self, asked: &Asked) -> Result<Held, Error> {
        let mut records = Vec::new();
        for row in self.base.store.addresses_of(asked).await? {
            let party = row.party()?;
            let address = address_of(&self.seal, &row)?;
            let (whose, address) = match party {
                Party::Student(_) | Party::Staff(_) => ("本人", address.to_string()),
                _ => ("监护人", masked(&address)),
            };
            records.push(
                Record::new()
                    .with("whose", whose)
                    .with("channel", row.channel.clone())
                    .with("address", address)
                    .with("unreachable", if row.unreachable { "是" } else { "否" })
                    .with("update_time", day_time(row.update_time)),
            );
        }
        Ok(Held::all(records))
    }

    /// The concerns of the reader's own account.
    async fn concerns(&self, asked: &Asked) -> Result<Held, Error> {
        if asked.viewer == Viewer::Handler {
            return Ok(Held::withheld(BY_ACCOUNT));
        }
        let author = self.seal.hash("author", &asked.caller.subject).to_vec();
        let school = asked.school();
        let found = self.base.store.concerns_by(school.as_str(), author).await?;
        Ok(Held::all(found))
    }

    /// That there are cases of support: to the person all of them, to a guardian those of which the guardian was
    /// told, to a handler none. Whoever hears of a case is recorded with it.
    async fn support(&self, asked: &Asked) -> Result<Held, Error> {
        if asked.viewer == Viewer::Handler {
            return Ok(Held::withheld(BY_COUNSELLOR));
        }
        let now = self.base.clock.now();
        let school = asked.school();
        let tx = self.base.store.database().begin().await?;
        let mut cases = Store::cases_about(&tx, school.as_str(), &asked.name(), &self.seal).await?;
        cases.retain(|case| asked.viewer != Viewer::Guardian || case.informed.is_some());
        let access = |case: &Case| AccessRow {
            id: new_id(now),
            support_case: case.id,
            subject: asked.caller.subject.clone(),
            time_at: now.timestamp_millis(),
            method: "ExportHeldData".to_owned(),
        };
        let accesses: Vec<AccessRow> = cases.iter().map(access).collect();
        Store::record_accesses(&tx, accesses).await?;
        tx.commit().await?;
        let closed = |case: &Case| case.closed.map(kit::subject::instant).unwrap_or_default();
        let records = cases.iter().map(|case| {
            Record::new()
                .with("create_time", kit::subject::instant(case.created))
                .with("close_time", closed(case))
        });
        Ok(Held::all(records.collect()))
    }
}

#[async_trait::async_trait]
impl Holdings for Kept {
    fn service(&self) -> &'static str {
        "notification"
    }

    fn sections(&self) -> &'static [Section] {
        &held::SECTIONS
    }

    fn database(&self) -> &Database {
        self.base.store.database()
    }

    async fn gather(&self, section: &'static Section, asked: &Asked) -> Result<Held, Problem> {
        let held = match section.name {
            held::CONTACT_POINTS => self.contacts(asked).await,
            held::MESSAGES => {
                let letters = held::letters(&self.base.store, asked).await;
                letters.map(Held::all).map_err(Error::from)
            }
            held::CONCERNS => self.concerns(asked).await,
            held::SUPPORT => self.support(asked).await,
            _ => Ok(Held::default()),
        };
        held.map_err(Problem::from)
    }
}

/// An address with its middle hidden, as `139****678`.
fn masked(address: &str) -> String {
    let letters: Vec<char> = address.chars().collect();
    if letters.len() <= 2 * SHOWN {
        return "****".to_owned();
    }
    let (first, last) = (letters.iter().take(SHOWN), letters.iter().rev().take(SHOWN));
    let last: Vec<&char> = last.collect();
    let first: String = first.collect();
    let last: String = last.into_iter().rev().collect();
    format!("{first}****{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_address_is_hidden() {
        assert_eq!(masked("13900005678"), "139****678");
        assert_eq!(masked("a@b.cn"), "****");
    }
}
