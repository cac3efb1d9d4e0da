//! Staff: who works where, the posts they hold, and how an employment moves on.

use chrono::NaiveDate;
use uuid::Uuid;

use super::organization::coded;

coded! {
    /// What a person does at an organisation.
    Post {
        /// Head of the organisation: first responsible.
        Principal = 1 "PRINCIPAL",
        /// Party secretary: first responsible.
        PartySecretary = 2 "PARTY_SECRETARY",
        /// Deputy head for safety.
        SafetyDeputy = 3 "SAFETY_DEPUTY",
        /// Head of a department.
        DepartmentHead = 4 "DEPARTMENT_HEAD",
        /// Head teacher of a class group.
        HeadTeacher = 5 "HEAD_TEACHER",
        /// Subject teacher.
        Teacher = 6 "TEACHER",
        /// School doctor or nurse.
        Medical = 7 "MEDICAL",
        /// Epidemic reporter of the school (rule 1.3).
        EpidemicReporter = 8 "EPIDEMIC_REPORTER",
        /// Guard at the gate.
        Guard = 9 "GUARD",
        /// Cleaner.
        Cleaner = 10 "CLEANER",
        /// Canteen worker.
        Canteen = 11 "CANTEEN",
        /// Dormitory keeper.
        Dormitory = 12 "DORMITORY",
        /// Receives parcels.
        Courier = 13 "COURIER",
        /// Driver or attendant of a school bus.
        Driver = 14 "DRIVER",
        /// Works in the half-contaminated zone.
        SemiContaminatedZone = 15 "SEMI_CONTAMINATED_ZONE",
        /// Keeps a laboratory of the school.
        LaboratoryKeeper = 16 "LABORATORY_KEEPER",
        /// Psychological counsellor.
        Counsellor = 17 "COUNSELLOR",
        /// Administration.
        Administration = 18 "ADMINISTRATION",
        /// Official of a bureau.
        Official = 19 "OFFICIAL",
        /// Leads a shift on duty (rule 5.31).
        DutyLeader = 20 "DUTY_LEADER",
    }
}

coded! {
    /// The place in the life cycle.
    State {
        /// Works and is expected.
        Active = 1 "ACTIVE",
        /// On long leave.
        OnLeave = 2 "ON_LEAVE",
        /// No longer employed; kept for history.
        Dismissed = 3 "DISMISSED",
    }
}

/// The posts that one person holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Posts(i32);

impl Posts {
    /// From how they are stored: one bit for each number of a post.
    pub fn from_bits(bits: i32) -> Self {
        Self(bits)
    }

    /// As they are stored.
    pub fn bits(self) -> i32 {
        self.0
    }

    /// Each post, in order.
    pub fn iter(self) -> impl Iterator<Item = Post> {
        Post::ALL
            .iter()
            .copied()
            .filter(move |post| self.holds(*post))
    }

    /// Whether `post` is one of them.
    pub fn holds(self, post: Post) -> bool {
        self.0 & (1 << post.code()) != 0
    }
}

impl FromIterator<Post> for Posts {
    fn from_iter<I: IntoIterator<Item = Post>>(posts: I) -> Self {
        Self(
            posts
                .into_iter()
                .fold(0, |bits, post| bits | (1 << post.code())),
        )
    }
}

/// A person who works for an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffMember {
    /// Who.
    pub id: Uuid,
    /// The place of the organisation in the tree.
    pub org_path: String,
    /// Shown to staff.
    pub display_name: String,
    /// The posts held.
    pub posts: Posts,
    /// Those of the posts that the source of an import gave.
    pub source_posts: Posts,
    /// The grade worked with; 0 for none.
    pub grade: i16,
    /// The number that the organisation gives; empty for none.
    pub staff_code: String,
    /// The number of the kind of identity document; 0 for none.
    pub id_type: i16,
    /// The keyed hash of the identity number.
    pub id_hash: Option<Vec<u8>>,
    /// Identity and phone number, sealed.
    pub sealed: Option<Vec<u8>>,
    /// May not be asked for a swab.
    pub swab_exempt: bool,
    /// The first civil day there; none when unknown.
    pub start: Option<NaiveDate>,
    /// The place in the life cycle.
    pub state: State,
    /// Grows with each change.
    pub version: i64,
    /// The instant of the last change, in milliseconds since 1970.
    pub update_time: i64,
}

/// Somebody who was dismissed takes part in nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no longer works there")]
pub struct Left;

impl StaffMember {
    /// The resource name.
    pub fn name(&self) -> String {
        format!("staff/{}", self.id)
    }

    /// The code of the organisation.
    pub fn organization(&self) -> &str {
        self.org_path.rsplit('/').next().unwrap_or_default()
    }

    /// The same person while employed.
    ///
    /// # Errors
    /// When dismissed.
    pub fn employed(self) -> Result<Self, Left> {
        match self.state {
            State::Active | State::OnLeave => Ok(self),
            State::Dismissed => Err(Left),
        }
    }

    /// Works at the place `org_path` from the day `start` on. Posts, the grade and the number that
    /// the former organisation gave stay behind.
    ///
    /// # Errors
    /// When dismissed.
    pub fn transfer(self, org_path: String, start: NaiveDate) -> Result<Self, Left> {
        Ok(Self {
            org_path,
            posts: Posts::default(),
            source_posts: Posts::default(),
            grade: 0,
            staff_code: String::new(),
            start: Some(start),
            ..self.employed()?
        })
    }

    /// Works no more.
    ///
    /// # Errors
    /// When dismissed before.
    pub fn dismiss(self) -> Result<Self, Left> {
        Ok(Self {
            state: State::Dismissed,
            ..self.employed()?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn teacher(state: State) -> StaffMember {
        StaffMember {
            id: Uuid::from_u128(7),
            org_path: "fz/350102/2135010001".to_owned(),
            display_name: "林老师".to_owned(),
            posts: [Post::Teacher, Post::HeadTeacher].into_iter().collect(),
            source_posts: [Post::Teacher].into_iter().collect(),
            grade: 3,
            staff_code: "0012".to_owned(),
            id_type: 0,
            id_hash: None,
            sealed: None,
            swab_exempt: true,
            start: None,
            state,
            version: 4,
            update_time: 0,
        }
    }

    #[test]
    fn posts_survive_being_stored() {
        let posts: Posts = Post::ALL.iter().copied().collect();
        let read: Vec<Post> = Posts::from_bits(posts.bits()).iter().collect();
        assert_eq!(read, Post::ALL);
        assert_eq!(Posts::from_bits(1).iter().next(), None);
    }

    #[test]
    fn who_moves_leaves_posts_grade_and_number_behind() {
        let day = NaiveDate::from_ymd_opt(2022, 4, 7).unwrap();
        let moved = teacher(State::OnLeave).transfer("fz/350181/a".to_owned(), day);
        let expected = StaffMember {
            org_path: "fz/350181/a".to_owned(),
            posts: Posts::default(),
            source_posts: Posts::default(),
            grade: 0,
            staff_code: String::new(),
            start: Some(day),
            ..teacher(State::OnLeave)
        };
        assert_eq!(moved, Ok(expected));
    }

    #[test]
    fn nothing_happens_to_who_was_dismissed() {
        let gone = teacher(State::Active).dismiss().unwrap();
        assert_eq!(gone, teacher(State::Dismissed));
        assert_eq!(gone.clone().dismiss(), Err(Left));
        assert_eq!(gone.clone().employed(), Err(Left));
        let day = NaiveDate::from_ymd_opt(2022, 4, 7).unwrap();
        assert_eq!(gone.transfer("fz".to_owned(), day), Err(Left));
    }
}
