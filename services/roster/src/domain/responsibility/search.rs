//! The search for the one person who answers.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Node, Place, Subject};
use crate::domain::staff::{Post, Posts};

/// A node and whether its holder can answer: works there, and not on leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The node.
    pub node: Node,
    /// Whether its holder can answer.
    pub filled: bool,
}

/// Who could answer at one organisation at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chart {
    /// The code of the organisation.
    pub organization: String,
    /// The nodes in force: one at most for each subject and place.
    pub seats: Vec<Seat>,
    /// Those at work who hold posts.
    pub officers: Vec<(Uuid, Posts)>,
    /// The head teachers at work by the id of their class group.
    pub head_teachers: Vec<(String, Uuid)>,
}

/// Who answers, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Somebody named by hand.
    Named(Node),
    /// Whoever holds an office.
    Officer {
        /// What the office answers for.
        subject: Subject,
        /// Where.
        place: Place,
        /// The office.
        post: Post,
        /// Who holds it.
        holder: Uuid,
    },
}

impl Answer {
    /// Who answers.
    pub fn holder(&self) -> Uuid {
        match self {
            Self::Named(node) => node.staff_member,
            Self::Officer { holder, .. } => *holder,
        }
    }
}

/// Where the search ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Who answers.
    pub answer: Answer,
    /// The code of the organisation.
    pub organization: String,
    /// How many places and subjects were looked at in vain.
    pub steps: i32,
}

/// One line of what an organisation publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// What is answered for.
    pub subject: Subject,
    /// Where.
    pub place: Place,
    /// Who.
    pub holder: Uuid,
}

/// Finds the one person who answers for `subject` at `place` of the first organisation; `charts`
/// go from there up to the root. None when nobody up to the root answers.
///
/// The order: the place, the places around it, the organisation's subject, its deputy for safety,
/// its head; then the same of the organisation above, for all of it. At each of them whoever was
/// named by hand comes before whoever holds the office.
pub fn resolve(charts: &[Chart], subject: Subject, place: &Place) -> Option<Found> {
    let mut steps = 0;
    let mut place = place.clone();
    for chart in charts {
        for (subject, place) in levels(subject, &place) {
            if let Some(answer) = chart.at(subject, &place) {
                return Some(Found {
                    answer,
                    organization: chart.organization.clone(),
                    steps,
                });
            }
            steps += 1;
        }
        place = Place::default();
    }
    None
}

/// What an organisation publishes: for every place and subject that somebody is named for or holds
/// an office for, the person of this organisation who answers; and always for epidemic control and
/// safety when anybody of it does.
pub fn roll(chart: &Chart) -> Vec<Duty> {
    let everywhere = Place::default;
    let named = chart
        .seats
        .iter()
        .map(|seat| (seat.node.subject, seat.node.place.clone()));
    let offices = Subject::ALL
        .iter()
        .copied()
        .filter(|subject| chart.officer(*subject).is_some());
    let class_groups = chart
        .head_teachers
        .iter()
        .filter_map(|(class_group, _)| Some((Subject::ClassGroup, class_group.parse().ok()?)));
    let keys: BTreeSet<(Subject, Place)> = named
        .chain(offices.map(|subject| (subject, everywhere())))
        .chain(class_groups)
        .chain([Subject::EpidemicControl, Subject::Safety].map(|subject| (subject, everywhere())))
        .collect();
    keys.into_iter()
        .filter_map(|(subject, place)| {
            let found = resolve(std::slice::from_ref(chart), subject, &place)?;
            Some(Duty {
                subject,
                place,
                holder: found.answer.holder(),
            })
        })
        .collect()
}

/// What is looked at in one organisation, in order.
fn levels(subject: Subject, place: &Place) -> impl Iterator<Item = (Subject, Place)> {
    let places = std::iter::successors(Some(place.clone()), Place::around);
    // No one person has all class groups.
    let places =
        places.filter(move |place| subject != Subject::ClassGroup || !place.is_everywhere());
    let substitutes = [Subject::Safety, Subject::OverallHead]
        .into_iter()
        .filter(move |substitute| *substitute != subject);
    places
        .map(move |place| (subject, place))
        .chain(substitutes.map(|subject| (subject, Place::default())))
}

impl Chart {
    /// Who answers for exactly this.
    fn at(&self, subject: Subject, place: &Place) -> Option<Answer> {
        let named = self.seats.iter().find(|Seat { node, filled }| {
            *filled && node.subject == subject && node.place == *place
        });
        if let Some(seat) = named {
            return Some(Answer::Named(seat.node.clone()));
        }
        let (post, holder) = if subject == Subject::ClassGroup {
            (Post::HeadTeacher, self.head_teacher(place)?)
        } else if place.is_everywhere() {
            self.officer(subject)?
        } else {
            return None;
        };
        Some(Answer::Officer {
            subject,
            place: place.clone(),
            post,
            holder,
        })
    }

    /// Who answers for a subject by office: of several the one with the lowest identifier, so that
    /// it is always the same one.
    fn officer(&self, subject: Subject) -> Option<(Post, Uuid)> {
        subject.offices().iter().find_map(|post| {
            let holders = self.officers.iter().filter(|(_, posts)| posts.holds(*post));
            holders
                .map(|(holder, _)| *holder)
                .min()
                .map(|holder| (*post, holder))
        })
    }

    fn head_teacher(&self, class_group: &Place) -> Option<Uuid> {
        let found = self
            .head_teachers
            .iter()
            .find(|(id, _)| id == class_group.as_str());
        found.map(|(_, holder)| *holder)
    }
}
