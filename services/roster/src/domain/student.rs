//! Students: what is known of them, and how they come to a roll, move and leave.

use chrono::NaiveDate;
use uuid::Uuid;

use super::class_group;
use super::document::Document;
use super::import::{IdKind, Sex};
use super::organization::coded;

coded! {
    /// The place of a student in their life cycle.
    State {
        /// On the books.
        Enrolled = 1 "ENROLLED",
        /// Left the city's schools; kept for history.
        Withdrawn = 2 "WITHDRAWN",
        /// Finished a stage with the class group.
        Graduated = 3 "GRADUATED",
    }
}

coded! {
    /// Whether somebody on a roll is expected there.
    Presence {
        /// Expected in person.
        Expected = 1 "EXPECTED",
        /// On long leave: on the roll, not expected.
        OnLeave = 2 "ON_LEAVE",
    }
}

/// A pupil whom a school has on its books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Student {
    /// Who.
    pub id: Uuid,
    /// The place of the class group.
    pub org_path: String,
    /// The name shown to staff.
    pub display_name: String,
    /// The sex as registered.
    pub sex: Option<Sex>,
    /// The birth month, YYYYMM; 0 when unknown.
    pub birth_month: i32,
    /// The kind of identity document; none when nobody told.
    pub id_kind: Option<IdKind>,
    /// The keyed hash by which the identity number is found.
    pub id_hash: Option<Vec<u8>>,
    /// Identity, student and phone number, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Whether expected at school.
    pub presence: Presence,
    /// Lives in a dormitory of the school.
    pub boarder: bool,
    /// The dormitory room; empty when not a boarder.
    pub dormitory: String,
    /// May not be asked for a swab.
    pub swab_exempt: bool,
    /// The first civil day on the present roll.
    pub start_day: NaiveDate,
    /// The last civil day on a roll, once left.
    pub end_day: Option<NaiveDate>,
    /// The place in the life cycle.
    pub state: State,
    /// Grows with each change.
    pub version: i64,
    /// The instant of the last change, in milliseconds since 1970.
    pub update_time: i64,
}

/// Why a student does not move or leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Illegal {
    /// The student is on no roll any more.
    NotEnrolled,
    /// The day lies after today.
    InFuture,
    /// The day lies before the first one on the present roll.
    BeforeStart,
    /// The student is in that class group already.
    AlreadyThere,
    /// Only who lives in a dormitory has a room there.
    NoBoarder,
}

impl Student {
    /// The resource name.
    pub fn name(&self) -> String {
        format!("students/{}", self.id)
    }

    /// The resource name of the class group.
    pub fn class_group(&self) -> String {
        class_group::name_at(&self.org_path)
    }

    /// The code of the organisation of the class group.
    pub fn organization(&self) -> &str {
        let above = self
            .org_path
            .rsplit_once('/')
            .map_or("", |(above, _)| above);
        above.rsplit('/').next().unwrap_or_default()
    }

    /// Itself while it is on a roll: only then it changes.
    ///
    /// # Errors
    /// When the student left.
    pub fn enrolled(self) -> Result<Self, Illegal> {
        match self.state {
            State::Enrolled => Ok(self),
            State::Withdrawn | State::Graduated => Err(Illegal::NotEnrolled),
        }
    }

    /// Moves to the class group at the place `to`; the dormitory of a school that is left is left
    /// with it.
    ///
    /// # Errors
    /// When the student left, is there already, or the day is impossible.
    pub fn transfer(self, to: &str, since: NaiveDate, today: NaiveDate) -> Result<Self, Illegal> {
        let student = self.enrolled()?;
        if student.org_path == to {
            return Err(Illegal::AlreadyThere);
        }
        student.possible(since, today)?;
        let school = |path: &str| path.rsplit_once('/').map(|(above, _)| above.to_owned());
        let stays = school(&student.org_path) == school(to);
        Ok(Self {
            org_path: to.to_owned(),
            start_day: since,
            boarder: student.boarder && stays,
            dormitory: if stays {
                student.dormitory
            } else {
                String::new()
            },
            ..student
        })
    }

    /// Leaves the roll, with `last` as the last day on it.
    ///
    /// # Errors
    /// When the student left before, or the day is impossible.
    pub fn withdraw(self, last: NaiveDate, today: NaiveDate) -> Result<Self, Illegal> {
        let student = self.enrolled()?;
        student.possible(last, today)?;
        Ok(Self {
            state: State::Withdrawn,
            end_day: Some(last),
            ..student
        })
    }

    /// Takes a document over: sex and birth month follow a resident number.
    #[must_use]
    pub fn documented(self, document: &Document) -> Self {
        Self {
            id_kind: document.kind,
            sex: document.told.map(|told| told.sex).or(self.sex),
            birth_month: document
                .told
                .map_or(self.birth_month, |told| told.birth_month),
            ..self
        }
    }

    /// Lives in a dormitory or no longer, as far as a change names it; who moves out has no room.
    ///
    /// # Errors
    /// When a room is named for somebody who is no boarder.
    pub fn lodged(self, boarder: Option<bool>, room: Option<String>) -> Result<Self, Illegal> {
        let boarder = boarder.unwrap_or(self.boarder);
        let kept = if boarder {
            self.dormitory
        } else {
            String::new()
        };
        let dormitory = room.unwrap_or(kept);
        if !boarder && !dormitory.is_empty() {
            return Err(Illegal::NoBoarder);
        }
        Ok(Self {
            boarder,
            dormitory,
            ..self
        })
    }

    fn possible(&self, day: NaiveDate, today: NaiveDate) -> Result<(), Illegal> {
        if day > today {
            Err(Illegal::InFuture)
        } else if day < self.start_day {
            Err(Illegal::BeforeStart)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::document::Told;
    use super::*;

    const HERE: &str = "fz/350102/2135010001/p2019-01";
    const NEXT_DOOR: &str = "fz/350102/2135010001/p2019-02";
    const ELSEWHERE: &str = "fz/350181/2135010003/p2019-01";

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn today() -> NaiveDate {
        day("2022-04-07")
    }

    fn student(state: State) -> Student {
        Student {
            id: Uuid::from_u128(1),
            org_path: HERE.to_owned(),
            display_name: "林小雨".to_owned(),
            sex: None,
            birth_month: 0,
            id_kind: None,
            id_hash: None,
            sealed: None,
            presence: Presence::Expected,
            boarder: true,
            dormitory: "3-201".to_owned(),
            swab_exempt: false,
            start_day: day("2021-09-01"),
            end_day: None,
            state,
            version: 1,
            update_time: 0,
        }
    }

    #[test]
    fn within_a_school_only_the_roll_and_its_first_day_change() {
        let before = student(State::Enrolled);
        let after = before.clone().transfer(NEXT_DOOR, today(), today());
        let expected = Student {
            org_path: NEXT_DOOR.to_owned(),
            start_day: today(),
            ..before
        };
        assert_eq!(after, Ok(expected));
    }

    #[test]
    fn the_dormitory_of_a_school_is_left_with_the_school() {
        let before = student(State::Enrolled);
        let after = before.clone().transfer(ELSEWHERE, today(), today());
        let expected = Student {
            org_path: ELSEWHERE.to_owned(),
            start_day: today(),
            boarder: false,
            dormitory: String::new(),
            ..before
        };
        assert_eq!(after, Ok(expected));
    }

    #[test]
    fn leaving_names_the_last_day() {
        let before = student(State::Enrolled);
        let expected = Student {
            state: State::Withdrawn,
            end_day: Some(today()),
            ..before.clone()
        };
        assert_eq!(before.withdraw(today(), today()), Ok(expected));
    }

    #[test]
    fn whoever_left_neither_moves_nor_leaves_nor_changes() {
        for state in [State::Withdrawn, State::Graduated] {
            let gone = student(state);
            let refused = Err(Illegal::NotEnrolled);
            assert_eq!(gone.clone().transfer(NEXT_DOOR, today(), today()), refused);
            assert_eq!(gone.clone().withdraw(today(), today()), refused);
            assert_eq!(gone.enrolled(), refused);
        }
    }

    #[test]
    fn impossible_days_and_places_are_refused() {
        let here = || student(State::Enrolled);
        let (early, late) = (day("2021-08-31"), day("2022-04-08"));
        assert_eq!(
            here().transfer(HERE, today(), today()),
            Err(Illegal::AlreadyThere)
        );
        assert_eq!(
            here().transfer(NEXT_DOOR, late, today()),
            Err(Illegal::InFuture)
        );
        assert_eq!(
            here().transfer(NEXT_DOOR, early, today()),
            Err(Illegal::BeforeStart)
        );
        assert_eq!(here().withdraw(late, today()), Err(Illegal::InFuture));
        assert_eq!(here().withdraw(early, today()), Err(Illegal::BeforeStart));
        assert!(here().withdraw(day("2021-09-01"), today()).is_ok());
    }

    #[test]
    fn a_room_belongs_to_a_boarder() {
        let lodged = |boarder, room: Option<&str>| {
            let after = student(State::Enrolled).lodged(boarder, room.map(str::to_owned));
            after.map(|after| (after.boarder, after.dormitory))
        };
        assert_eq!(lodged(None, None), Ok((true, "3-201".to_owned())));
        assert_eq!(lodged(None, Some("4-1")), Ok((true, "4-1".to_owned())));
        assert_eq!(lodged(Some(false), None), Ok((false, String::new())));
        assert_eq!(lodged(Some(false), Some("4-1")), Err(Illegal::NoBoarder));
    }

    #[test]
    fn a_resident_number_overrules_what_was_told() {
        let told = Told {
            birth_month: 201_209,
            sex: Sex::Female,
        };
        let document = Document {
            kind: Some(IdKind::Resident),
            number: None,
            told: Some(told),
        };
        let mut before = student(State::Enrolled);
        (before.sex, before.birth_month) = (Some(Sex::Male), 201_101);
        let after = before.clone().documented(&document);
        assert_eq!((after.sex, after.birth_month), (Some(Sex::Female), 201_209));
        let after = before.documented(&Document::default());
        assert_eq!((after.sex, after.birth_month), (Some(Sex::Male), 201_101));
    }
}
