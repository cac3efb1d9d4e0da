//! Which open shelters could take people for whom a campus has no place (rules 5.26, 5.28).

use std::collections::BTreeMap;

use super::{Refuge, Refuges, name};
use crate::app::Site;
use crate::app::neighbours::Neighbours;
use crate::domain::neighbours::{Offer, share};
use crate::domain::shelter::{Shelter, State};
use crate::error::Error;
use crate::store::Store;
use crate::store::refuges::{RefugeKind, RefugeRow};

/// How many open shelters of the district, and how many of the city, are looked at.
const ASKED: u64 = 1000;
/// How many of them are proposed.
const PROPOSED: usize = 50;

/// For how many people a place is sought, and who could take them.
#[derive(Clone, Debug)]
pub(crate) struct Advice {
    pub(crate) wanted: u64,
    /// Names of shelters, each with how many people it could take.
    pub(crate) proposals: Vec<(Offer, u64)>,
    pub(crate) unplaced: u64,
}

impl Refuges {
    /// Who could take `people` of a campus; 0 for those for whom its own open shelters have no place.
    ///
    /// # Errors
    /// CAMPUS_REQUIRED, or when the database fails.
    pub(crate) async fn advice(&self, site: &Site, people: u32) -> Result<Advice, Error> {
        let db = self.base.store.database().read();
        let own = site.campus()?.at().0;
        let wanted = match people {
            0 => without_place(&Store::refuges_of(db, own).await?)?,
            people => u64::from(people),
        };
        let mut asked: BTreeMap<_, RefugeRow> = BTreeMap::new();
        let neighbours = Neighbours::of(db, site).await?;
        let open = (RefugeKind::Shelter, Some(State::Open as i16));
        let places = neighbours.group.values().map(String::as_str);
        let places = places.chain([neighbours.district.as_str(), neighbours.city.as_str()]);
        if wanted > 0 {
            for place in places {
                let rows = Store::refuges_below(db, open, place, None, ASKED).await?;
                asked.extend(rows.into_iter().map(|row| (row.id, row)));
            }
        }
        asked.retain(|_, row| row.organization != own);
        let offers = asked.values().map(|row| {
            Ok(Offer {
                id: name::<Shelter>(row),
                nearness: neighbours.nearness((&row.organization, &row.org_path)),
                spare: row.body::<Shelter>()?.room().into(),
            })
        });
        let offers: Vec<Offer> = offers.collect::<Result<_, Error>>()?;
        let mut proposals = share(wanted, offers);
        proposals.truncate(PROPOSED);
        let placed: u64 = proposals.iter().map(|(_, part)| part).sum();
        Ok(Advice {
            wanted,
            proposals,
            unplaced: wanted.saturating_sub(placed),
        })
    }
}

/// For how many people in the open shelters of a campus there is no place in any of them.
fn without_place(rows: &[RefugeRow]) -> Result<u64, Error> {
    let (mut unplaced, mut room) = (0u64, 0u64);
    let open = (Shelter::KIND as i16, State::Open as i16);
    for row in rows.iter().filter(|row| (row.kind, row.state) == open) {
        let shelter: Shelter = row.body()?;
        unplaced += u64::from(shelter.unplaced());
        room += u64::from(shelter.room());
    }
    Ok(unplaced.saturating_sub(room))
}
