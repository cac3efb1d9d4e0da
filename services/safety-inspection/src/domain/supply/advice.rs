//! Who could give what a campus lacks. The same facts give the same proposal.

/// A campus that might give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Giver {
    /// The id of the organisation.
    pub organization: String,
    /// It stands below the same bureau as who needs it.
    pub near: bool,
    /// What it has above its own minimum.
    pub spare: u64,
}

/// What one campus could give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The id of the giver.
    pub giver: String,
    /// How much.
    pub quantity: u64,
    /// The giver stands below the same bureau.
    pub near: bool,
}

/// Covers `missing` from `givers`: those nearby first, then those with most to spare, then by id;
/// nobody gives more than they can spare.
pub fn advise(missing: u64, mut givers: Vec<Giver>) -> Vec<Proposal> {
    givers.sort_by(|one, other| {
        let key = |giver: &Giver| (!giver.near, u64::MAX - giver.spare);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.organization.cmp(&other.organization))
    });
    let mut left = missing;
    let mut proposals = Vec::new();
    for giver in givers {
        let quantity = left.min(giver.spare);
        if quantity > 0 {
            left -= quantity;
            proposals.push(Proposal {
                giver: giver.organization,
                quantity,
                near: giver.near,
            });
        }
    }
    proposals
}
