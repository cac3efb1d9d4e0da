//! What a tube may be tested for (rules 2.8, 2.10, F1).

use super::disease::Disease;
use super::rules::{Assay, HealthRules};

/// Why a tube cannot be used for a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The policy has no test for the disease, or none at all.
    #[error("no test for this disease")]
    Unknown(Option<Disease>),
    /// Samples for this test may not share a tube.
    #[error("samples for this test may not share a tube")]
    NotPooled(Disease),
}

/// The test of a tube that takes `capacity` samples: for the disease asked, or the usual one.
///
/// # Errors
/// When the policy does not let such a tube be used.
pub fn assay(rules: &HealthRules, disease: Option<Disease>, capacity: i16) -> Result<Assay, Unfit> {
    let found = match disease {
        None => rules.assays.first(),
        Some(disease) => rules.assays.iter().find(|assay| assay.disease == disease),
    };
    let found = *found.ok_or(Unfit::Unknown(disease))?;
    if capacity > 1 && !found.pooled {
        return Err(Unfit::NotPooled(found.disease));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_test_is_the_usual_one_and_only_pooled_tests_share_tubes() {
        let one = |disease, pooled| Assay {
            disease,
            specimen: 1,
            pooled,
            holds: pooled,
        };
        let assays = vec![one(Disease::COVID_19, true), one(Disease::INFLUENZA, false)];
        let rules = HealthRules {
            assays: assays.clone(),
            ..HealthRules::default()
        };
        assert_eq!(assay(&rules, None, 10), Ok(assays[0]));
        let influenza = Some(Disease::INFLUENZA);
        assert_eq!(assay(&rules, influenza, 1), Ok(assays[1]));
        let refused = Err(Unfit::NotPooled(Disease::INFLUENZA));
        assert_eq!(assay(&rules, influenza, 5), refused);
        let unknown = Err(Unfit::Unknown(Some(Disease::HFMD)));
        assert_eq!(assay(&rules, Some(Disease::HFMD), 1), unknown);
        assert_eq!(
            assay(&HealthRules::default(), None, 1),
            Err(Unfit::Unknown(None))
        );
    }
}
