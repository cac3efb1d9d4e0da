//! Classes: which are home classes, and the class groups that they become.

use std::collections::{HashMap, HashSet};

use proto::roster::ClassGroupRow;
use proto::roster::import_row::Record;

use super::{Cells, Delivery, Known, Pass, imported, key};
use crate::import::cohort::{self, Grade};
use crate::import::note::Note;
use crate::import::options::ReadOptions;
use crate::import::piece::Sink;

/// A class of the files.
pub(super) struct Class {
    pub(super) organization: String,
    pub(super) id: String,
    pub(super) state: State,
    /// The files call it a home class.
    pub(super) homeroom: bool,
}

/// What became of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A class group.
    Home,
    /// A class group that is to go.
    Leaving,
    /// No class group, because it is a course.
    Course,
    /// No class group, because something is wrong.
    Refused,
}

/// What is to be known of all classes before the first becomes a class group.
#[derive(Default)]
struct Survey {
    /// Schools that have home classes: what else they have are courses.
    with_homes: HashSet<String>,
    /// The numbers that classes have by their names, and how many have each.
    claims: HashMap<(String, String), u32>,
}

impl Delivery {
    pub(super) fn classes(
        &self,
        options: &ReadOptions,
        known: &mut Known,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        let needed = ["schoolsourcedid"];
        let mut survey = Survey::default();
        self.each("classes.csv", &needed, Pass::Silent, sink, |cells, _| {
            let school = cells.get("schoolsourcedid");
            let Some(organization) = known.organizations.get(school) else {
                return Ok(());
            };
            if is_homeroom(cells) && !cells.is_removal() {
                survey.with_homes.insert(school.to_owned());
            }
            if let (Some(grade), Some(number)) = (grade(cells, options), wanted(cells)) {
                let id = grade.class_group(options.school_year, number);
                *survey.claims.entry((organization.clone(), id)).or_default() += 1;
            }
            Ok(())
        })?;
        self.each("classes.csv", &needed, Pass::Speaks, sink, |cells, sink| {
            cells.remark_modified(sink)?;
            let id = cells.id().to_owned();
            if known.classes.contains_key(&id) {
                return sink.note(Note::repeated("sourcedId"), &cells.origin);
            }
            let class = class(cells, options, &survey, known, sink)?;
            known.classes.insert(id, known.list.len());
            known.list.push(class);
            Ok(())
        })
    }
}

fn class(
    cells: &Cells<'_>,
    options: &ReadOptions,
    survey: &Survey,
    known: &mut Known,
    sink: &mut Sink<'_>,
) -> anyhow::Result<Class> {
    let school = cells.get("schoolsourcedid");
    let mut class = Class {
        organization: String::new(),
        id: String::new(),
        state: State::Refused,
        homeroom: is_homeroom(cells),
    };
    let Some(organization) = known.organizations.get(school) else {
        sink.note(Note::unknown_org("schoolSourcedId"), &cells.origin)?;
        return Ok(class);
    };
    class.organization.clone_from(organization);
    let code = cells.get("classcode");
    let coded = cohort::is_class_group(code);
    let several = cells.get("grades").contains(',');
    let course = !class.homeroom && (several || survey.with_homes.contains(school));
    if course && !coded {
        class.state = State::Course;
        sink.note(Note::course("classType"), &cells.origin)?;
        return Ok(class);
    }
    let grade = grade(cells, options);
    let refused = match (coded, grade) {
        (true, _) => {
            code.clone_into(&mut class.id);
            None
        }
        (false, Some(grade)) => match free(cells, grade, options, survey, known, organization) {
            Some((id, renumbered)) => {
                class.id = id;
                renumbered.then(|| Note::renumbered("title"))
            }
            None => Some(Note::many("grades")),
        },
        (false, None) if several => Some(Note::grades("grades")),
        (false, None) => Some(Note::grade("grades")),
    };
    if let Some(note) = refused {
        let rejected = note.rejected;
        sink.note(note, &cells.origin)?;
        if rejected {
            return Ok(class);
        }
    }
    if !class.homeroom && !coded {
        sink.note(Note::assumed("classType"), &cells.origin)?;
    }
    let removal = cells.is_removal();
    class.state = if removal { State::Leaving } else { State::Home };
    let place = (class.organization.clone(), class.id.clone());
    known.taken.insert(place);
    let title = cells.get("title");
    let row = ClassGroupRow {
        organization: class.organization.clone(),
        class_group: class.id.clone(),
        display_name: if title.is_empty() { code } else { title }.to_owned(),
        grade: grade.map_or(0, Grade::number),
    };
    let row = imported(cells.id(), removal, Record::ClassGroup(row));
    sink.row(row, &cells.origin)?;
    Ok(class)
}

fn is_homeroom(cells: &Cells<'_>) -> bool {
    cells.get("classtype").eq_ignore_ascii_case("homeroom")
}

/// The one grade of a class.
fn grade(cells: &Cells<'_>, options: &ReadOptions) -> Option<Grade> {
    let grades = cells.get("grades");
    Grade::oneroster(grades).or(options.assume_grade.filter(|_| grades.is_empty()))
}

/// The number that a class has by its code or title.
fn wanted(cells: &Cells<'_>) -> Option<u32> {
    cohort::number(cells.get("classcode")).or_else(|| cohort::number(cells.get("title")))
}

/// The class group that a class becomes, and whether it had to give its number up: classes keep
/// the number that only they have, the others get one that follows from their id, so that it is the
/// same in the next delivery.
fn free(
    cells: &Cells<'_>,
    grade: Grade,
    options: &ReadOptions,
    survey: &Survey,
    known: &Known,
    organization: &str,
) -> Option<(String, bool)> {
    let place = |number| {
        let id = grade.class_group(options.school_year, number);
        (organization.to_owned(), id)
    };
    let wanted = wanted(cells);
    if let Some(own) = wanted.map(place)
        && !known.taken.contains(&own)
    {
        return Some((own.1, false));
    }
    let start = u32::try_from(key(cells.id()) % 98).unwrap_or_default();
    let mut all = (0..98).map(|step| place((start + step) % 98 + 1));
    let found = all.find(|own| !known.taken.contains(own) && !survey.claims.contains_key(own))?;
    Some((found.1, wanted.is_some()))
}
