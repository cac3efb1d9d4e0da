//! Who may be in a tube.

use chrono::{DateTime, Utc};

use super::tube::{IllegalMove, State, Verb};

/// Why somebody is never pooled (rule 2.11). The first five are what a sampler sees; their numbers
/// are those of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
#[expect(missing_docs, reason = "the contract says what each reason means")]
pub enum SingleReason {
    Symptoms = 1,
    Contact = 2,
    Isolated = 3,
    Code = 4,
    KeyArea = 5,
    /// A member of a positive or suspect tube.
    PositiveTube = 6,
}

impl SingleReason {
    /// The reason with this number.
    pub fn from_code(code: i32) -> Option<Self> {
        let all = [
            Self::Symptoms,
            Self::Contact,
            Self::Isolated,
            Self::Code,
            Self::KeyArea,
            Self::PositiveTube,
        ];
        all.into_iter().find(|reason| *reason as i32 == code)
    }
}

/// The tube as far as a swab asks.
#[derive(Clone, Copy, Debug)]
pub struct Vessel<'a> {
    /// Where it stands.
    pub state: State,
    /// How many swabs it takes.
    pub capacity: i32,
    /// How many it has.
    pub count: i32,
    /// The class group it is for.
    pub group: &'a str,
}

/// Why a swab is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The tube takes no swabs now.
    #[error(transparent)]
    State(#[from] IllegalMove),
    /// It is full.
    #[error("the tube is full")]
    Full,
    /// It holds another class group.
    #[error("the tube is for another class group")]
    Mixed,
    /// The person must be swabbed alone.
    #[error("single tube only")]
    SingleOnly,
    /// The person is in another tube today.
    #[error("in tube {0} already")]
    Elsewhere(String),
}

/// What becomes of a swab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is new.
    Add,
    /// It is there already.
    Repeat,
    /// It is taken from this other tube, where it was scanned later.
    Move(String),
}

/// Where the person is today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere<'a> {
    /// The tube.
    pub tube: &'a str,
    /// Whether it is open.
    pub open: bool,
    /// When it was scanned there.
    pub scanned: DateTime<Utc>,
}

/// Decides about one swab. `pure`: one class group only; `single`: never pooled.
///
/// # Errors
/// When the tube or the person does not let it.
pub fn admit(
    code: &str,
    vessel: Vessel<'_>,
    group: &str,
    pure: bool,
    single: bool,
    scanned: DateTime<Utc>,
    present: Option<&Elsewhere<'_>>,
) -> Result<Verdict, Refused> {
    if present.is_some_and(|present| present.tube == code) {
        return Ok(Verdict::Repeat);
    }
    vessel.state.after(Verb::AddSwab)?;
    let school = |path: &str| path.rsplit_once('/').map(|(school, _)| school.to_owned());
    let fits = if pure {
        group == vessel.group
    } else {
        school(group) == school(vessel.group)
    };
    if !fits {
        return Err(Refused::Mixed);
    }
    // Said of those alone whose tube it is: it tells how they are.
    if single && vessel.capacity > 1 {
        return Err(Refused::SingleOnly);
    }
    if let Some(present) = present
        && !(present.open && scanned < present.scanned)
    {
        return Err(Refused::Elsewhere(present.tube.to_owned()));
    }
    if vessel.count >= vessel.capacity {
        return Err(Refused::Full);
    }
    Ok(present.map_or(Verdict::Add, |present| {
        Verdict::Move(present.tube.to_owned())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "fz/350102/2135010001/p2019-01";

    fn tube(capacity: i32, count: i32) -> Vessel<'static> {
        Vessel {
            state: State::Open,
            capacity,
            count,
            group: GROUP,
        }
    }

    #[test]
    fn the_eleventh_swab_of_ten_is_refused() {
        let now = DateTime::UNIX_EPOCH;
        let add = |count| admit("T", tube(10, count), GROUP, true, false, now, None);
        assert_eq!(add(9), Ok(Verdict::Add));
        assert_eq!(add(10), Err(Refused::Full));
    }

    #[test]
    fn fever_is_refused_in_a_pool_and_taken_alone() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(
            admit("T", tube(10, 0), GROUP, true, true, now, None),
            Err(Refused::SingleOnly)
        );
        assert_eq!(
            admit("T", tube(1, 0), GROUP, true, true, now, None),
            Ok(Verdict::Add)
        );
    }

    #[test]
    fn the_earliest_scan_wins_while_the_other_tube_is_open() {
        let now = DateTime::UNIX_EPOCH;
        let later = now + chrono::Duration::minutes(5);
        let add = |scanned, open| {
            let present = Elsewhere {
                tube: "U",
                open,
                scanned: later,
            };
            admit(
                "T",
                tube(10, 0),
                GROUP,
                true,
                false,
                scanned,
                Some(&present),
            )
        };
        assert_eq!(add(now, true), Ok(Verdict::Move("U".to_owned())));
        assert_eq!(add(now, false), Err(Refused::Elsewhere("U".to_owned())));
        assert_eq!(add(later, true), Err(Refused::Elsewhere("U".to_owned())));
    }

    #[test]
    fn a_tube_holds_one_class_group() {
        let other = "fz/350102/2135010001/p2019-02";
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(
            admit("T", tube(10, 0), other, true, false, now, None),
            Err(Refused::Mixed)
        );
        assert_eq!(
            admit("T", tube(10, 0), other, false, false, now, None),
            Ok(Verdict::Add)
        );
    }

    #[test]
    fn how_people_of_other_class_groups_are_is_not_told() {
        let other = "fz/350102/2135010002/p2019-01";
        let now = DateTime::UNIX_EPOCH;
        for pure in [false, true] {
            for single in [false, true] {
                let refused = admit("T", tube(10, 0), other, pure, single, now, None);
                assert_eq!(refused, Err(Refused::Mixed));
            }
        }
    }
}
