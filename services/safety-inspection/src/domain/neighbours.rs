//! Who helps a campus: its mutual-aid group first, then its neighbours, then anybody of the city (rule 5.26).

/// How near somebody who could help stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nearness {
    /// They are of the same mutual-aid group.
    pub mutual_aid: bool,
    /// They stand below the same bureau.
    pub same_district: bool,
}

impl Nearness {
    /// Less when they are asked sooner.
    fn rank(self) -> (bool, bool) {
        (!self.mutual_aid, !self.same_district)
    }
}

/// What somebody could give, or how many people they could take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Who.
    pub id: String,
    /// How near they stand.
    pub nearness: Nearness,
    /// How much.
    pub spare: u64,
}

/// Shares `wanted` out: the nearest first, then those with most to spare, then by id; nobody is asked for more
/// than they have, and nobody for nothing. The same offers give the same shares.
pub fn share(wanted: u64, mut offers: Vec<Offer>) -> Vec<(Offer, u64)> {
    offers.sort_by(|one, other| {
        let key = |offer: &Offer| (offer.nearness.rank(), u64::MAX - offer.spare);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.id.cmp(&other.id))
    });
    let mut left = wanted;
    let mut shares = Vec::new();
    for offer in offers {
        let part = left.min(offer.spare);
        if part > 0 {
            left -= part;
            shares.push((offer, part));
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn offer(id: &str, (mutual_aid, same_district): (bool, bool), spare: u64) -> Offer {
        let nearness = Nearness {
            mutual_aid,
            same_district,
        };
        Offer {
            id: id.to_owned(),
            nearness,
            spare,
        }
    }

    #[test]
    fn the_group_is_asked_before_the_district_and_the_district_before_the_city() {
        let offers = vec![
            offer("far", (false, false), 900),
            offer("near", (false, true), 50),
            offer("nearer", (false, true), 60),
            offer("group", (true, false), 5),
            offer("empty", (true, true), 0),
        ];
        let shares = share(70, offers);
        let shares: Vec<_> = shares
            .iter()
            .map(|(offer, part)| (&*offer.id, *part))
            .collect();
        assert_eq!(shares, [("group", 5), ("nearer", 60), ("near", 5)]);
        assert!(share(0, vec![offer("far", (false, false), 9)]).is_empty());
    }

    fn offers() -> impl Strategy<Value = Vec<Offer>> {
        let one = (any::<bool>(), any::<bool>(), 0u64..50);
        proptest::collection::vec(one, 0..12).prop_map(|offers| {
            let offers = offers.into_iter().enumerate();
            let offers = offers.map(|(number, (mutual_aid, same_district, spare))| {
                offer(&format!("{number:02}"), (mutual_aid, same_district), spare)
            });
            offers.collect()
        })
    }

    proptest! {
        #[test]
        fn nobody_gives_more_than_they_have_and_the_order_of_asking_does_not_matter(
            offers in offers(),
            wanted in 0u64..200,
        ) {
            let shares = share(wanted, offers.clone());
            let total: u64 = shares.iter().map(|(_, part)| part).sum();
            let spare: u64 = offers.iter().map(|offer| offer.spare).sum();
            prop_assert_eq!(total, wanted.min(spare));
            for (offer, part) in &shares {
                prop_assert!((1..=offer.spare).contains(part));
            }
            for pair in shares.windows(2) {
                prop_assert!(pair[0].0.nearness.rank() <= pair[1].0.nearness.rank());
                prop_assert_eq!(pair[0].1, pair[0].0.spare, "only the last is asked for less");
            }
            let turned = offers.into_iter().rev().collect();
            prop_assert_eq!(shares, share(wanted, turned));
        }
    }
}
