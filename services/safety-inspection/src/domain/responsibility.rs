//! Exactly one answerable person for a place and a subject (rule 5.1), found in what the register
//! announced of each organisation, in the order in which the register's own resolution asks.

/// The subject of the deputy for safety, who answers where nobody is named for a subject.
pub const SAFETY: &str = "SAFETY";
/// The subject of the head, who answers when there is no deputy for safety.
pub const OVERALL_HEAD: &str = "OVERALL_HEAD";

/// A duty at an organisation and who answers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The subject, such as `FIRE`.
    pub subject: String,
    /// The place within the organisation, empty for all of it.
    pub place: String,
    /// `staff/{staff_member}`.
    pub staff_member: String,
}

/// The duties of one organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// The organisation's id.
    pub organization: String,
    /// Its duties.
    pub duties: Vec<Duty>,
}

/// Who answers, and where that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answerable {
    /// `staff/{staff_member}`.
    pub staff_member: String,
    /// The id of the organisation at which the person answers.
    pub organization: String,
    /// How many places and subjects were asked in vain; 0 means the very place and subject.
    pub steps: u32,
}

/// Who answers for `subject` at `place`: of the place, else of the place around it, else of the
/// whole organisation, else its deputy for safety, else its head, else the organisation above,
/// asked for all of it. `charts` begins with the organisation asked and ends at the city.
pub fn resolve(charts: &[Chart], subject: &str, place: &str) -> Option<Answerable> {
    let mut steps = 0;
    for (level, chart) in charts.iter().enumerate() {
        let around = std::iter::successors(Some(if level == 0 { place } else { "" }), |place| {
            (!place.is_empty()).then(|| place.rsplit_once('/').map_or("", |(outer, _)| outer))
        });
        let asked = around.map(|place| (subject, place)).chain(
            [SAFETY, OVERALL_HEAD]
                .into_iter()
                .filter(|other| *other != subject)
                .map(|other| (other, "")),
        );
        for (subject, place) in asked {
            let found = chart
                .duties
                .iter()
                .find(|duty| duty.subject == subject && duty.place == place);
            if let Some(duty) = found {
                return Some(Answerable {
                    staff_member: duty.staff_member.clone(),
                    organization: chart.organization.clone(),
                    steps,
                });
            }
            steps += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(organization: &str, duties: &[(&str, &str, &str)]) -> Chart {
        let duties = duties.iter().map(|(subject, place, person)| Duty {
            subject: (*subject).to_owned(),
            place: (*place).to_owned(),
            staff_member: format!("staff/{person}"),
        });
        Chart {
            organization: organization.to_owned(),
            duties: duties.collect(),
        }
    }

    fn who(charts: &[Chart], subject: &str, place: &str) -> Option<(String, u32)> {
        resolve(charts, subject, place).map(|found| (found.staff_member, found.steps))
    }

    #[test]
    fn the_nearest_place_answers_first_and_the_city_last() {
        let school = chart(
            "school",
            &[
                ("FIRE", "building-3", "warden"),
                ("FIRE", "", "fire"),
                ("SAFETY", "", "deputy"),
            ],
        );
        let city = chart("city", &[("OVERALL_HEAD", "", "head")]);
        let charts = [school, chart("district", &[]), city];
        let told = |person: &str, steps| Some((format!("staff/{person}"), steps));
        assert_eq!(who(&charts, "FIRE", "building-3"), told("warden", 0));
        assert_eq!(
            who(&charts, "FIRE", "building-3/floor-2"),
            told("warden", 1)
        );
        assert_eq!(who(&charts, "FIRE", "building-4/floor-2"), told("fire", 2));
        assert_eq!(who(&charts, "FOOD", ""), told("deputy", 1));
        assert_eq!(who(&charts[1..], "FOOD", "kitchen"), told("head", 6));
        assert_eq!(who(&charts[1..2], "FOOD", ""), None);
    }

    #[test]
    fn the_organisation_above_is_asked_for_all_of_it() {
        let district = chart(
            "district",
            &[("FIRE", "hall", "hall"), ("FIRE", "", "fire")],
        );
        let found = resolve(&[chart("school", &[]), district], "FIRE", "hall").unwrap();
        assert_eq!(found.staff_member, "staff/fire");
        assert_eq!(found.organization, "district");
    }
}
