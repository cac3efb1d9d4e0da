//! OneRoster 1.1 and 1.2 in CSV: organisations, classes, users and enrolments as rows of the register.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use proto::roster::import_row::Record;
use proto::roster::{
    ClassGroupRow, GuardianRow, ImportRow, OrganizationRow, StaffMemberRow, StudentRow,
};

use super::ReadOptions;
use super::cohort::{self, Grade};
use super::piece::{Heading, Note, Origin, Sink};
use super::sheet::{self, Line};

/// The files of one OneRoster delivery, by name in lower case.
#[derive(Debug)]
pub(super) struct Delivery(HashMap<String, PathBuf>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Student,
    Staff,
    Guardian,
}

struct Class {
    organization: String,
    id: String,
    home: bool,
    removal: bool,
}

#[derive(Default)]
struct Known {
    organizations: HashMap<String, String>,
    classes: HashMap<String, usize>,
    list: Vec<Class>,
    births: HashMap<u64, (String, &'static str)>,
    roles: HashMap<u64, (String, String, bool)>,
    homes: HashMap<u64, (usize, u8)>,
    enrolled: HashSet<u64>,
    students: HashSet<u64>,
}

fn key(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl Delivery {
    /// The delivery in a folder; none when there are no users in it.
    pub(super) fn find(folder: &Path) -> anyhow::Result<Option<Self>> {
        let mut files = HashMap::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .to_lowercase();
            files.insert(name, path);
        }
        Ok(
            (files.contains_key("users.csv") && files.contains_key("orgs.csv"))
                .then_some(Self(files)),
        )
    }

    /// Reads everything, in the order in which the register needs it.
    pub(super) fn read(&self, options: &ReadOptions, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        let mut known = Known::default();
        self.organizations(&mut known, sink)?;
        self.classes(options, &mut known, sink)?;
        self.demographics(&mut known, sink)?;
        self.roles(&mut known, sink)?;
        self.enrolments(&mut known, sink)?;
        self.users(&mut known, sink, false)?;
        self.orphans(&known, sink)?;
        self.users(&mut known, sink, true)
    }

    fn each(
        &self,
        name: &str,
        sink: &mut Sink<'_>,
        mut each: impl FnMut(&Heading, Line, &str, &mut Sink<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Some(path) = self.0.get(name) else {
            return Ok(());
        };
        let mut heading = None;
        sheet::rows(path, |line| {
            let Some(heading) = &heading else {
                heading = Some(Heading::new(&line.cells));
                return Ok(());
            };
            if line.cells.iter().all(|cell| cell.trim().is_empty()) {
                return Ok(());
            }
            if heading.misfits(&line) {
                return sink.note(
                    Note::columns(""),
                    &Origin {
                        file: name.to_owned(),
                        line,
                    },
                );
            }
            each(heading, line, name, sink)
        })
    }

    fn organizations(&self, known: &mut Known, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        let mut all: BTreeMap<String, (Origin, OrganizationRow, bool, String)> = BTreeMap::new();
        self.each("orgs.csv", sink, |heading, line, file, sink| {
            let cell = |name: &str| heading.cell(&line, name).to_owned();
            let (id, identifier, parent) = (
                cell("sourcedid"),
                cell("identifier"),
                cell("parentsourcedid"),
            );
            let code = if is_school_code(&identifier) {
                identifier.clone()
            } else {
                slug(&id)
            };
            known.organizations.insert(id.clone(), code.clone());
            let row = OrganizationRow {
                organization: code,
                kind: kind(&cell("type"), &identifier),
                display_name: cell("name"),
                parent: String::new(),
                division_code: if is_division(&identifier) {
                    identifier.clone()
                } else {
                    String::new()
                },
                school_code: if is_school_code(&identifier) {
                    identifier
                } else {
                    String::new()
                },
            };
            let removal = removed(&cell("status"));
            let origin = Origin {
                file: file.to_owned(),
                line,
            };
            if !is_date(heading.cell(&origin.line, "datelastmodified")) {
                sink.note(Note::modified("dateLastModified"), &origin)?;
            }
            all.insert(id, (origin, row, removal, parent));
            Ok(())
        })?;
        let mut done = HashSet::new();
        while !all.is_empty() {
            let ready: Vec<String> = all
                .iter()
                .filter(|(_, (.., parent))| done.contains(parent) || !all.contains_key(parent))
                .map(|(id, _)| id.clone())
                .collect();
            if ready.is_empty() {
                for (id, (origin, ..)) in std::mem::take(&mut all) {
                    known.organizations.remove(&id);
                    sink.note(Note::cycle("parentSourcedId"), &origin)?;
                }
            }
            for id in ready {
                let Some((origin, mut row, removal, parent)) = all.remove(&id) else {
                    continue;
                };
                if done.contains(&parent) {
                    row.parent = known
                        .organizations
                        .get(&parent)
                        .cloned()
                        .unwrap_or_default();
                } else if !parent.is_empty() {
                    sink.note(Note::parent("parentSourcedId"), &origin)?;
                }
                sink.row(imported(&id, removal, Record::Organization(row)), &origin)?;
                done.insert(id);
            }
        }
        Ok(())
    }

    fn classes(
        &self,
        options: &ReadOptions,
        known: &mut Known,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        let mut taken: HashSet<(String, String)> = HashSet::new();
        self.each("classes.csv", sink, |heading, line, file, sink| {
            let cell = |name: &str| heading.cell(&line, name).to_owned();
            let (id, code, title) = (cell("sourcedid"), cell("classcode"), cell("title"));
            let home = cell("classtype").eq_ignore_ascii_case("homeroom");
            let (grades, school) = (cell("grades"), cell("schoolsourcedid"));
            let removal = removed(&cell("status"));
            let modified = is_date(&cell("datelastmodified"));
            let origin = Origin {
                file: file.to_owned(),
                line,
            };
            if !modified {
                sink.note(Note::modified("dateLastModified"), &origin)?;
            }
            let Some(organization) = known.organizations.get(&school).cloned() else {
                return sink.note(Note::unknown_org("schoolSourcedId"), &origin);
            };
            let several = grades.contains(',');
            let mut grade =
                Grade::oneroster(&grades).or(options.assume_grade.filter(|_| grades.is_empty()));
            let own = cohort::is_class_group(&code).then(|| code.clone());
            if own.is_none() && several {
                return sink.note(Note::course("grades"), &origin);
            }
            let class_group = match (own, grade) {
                (Some(own), _) => own,
                (None, Some(grade)) => {
                    let wanted = cohort::number(&code)
                        .or_else(|| cohort::number(&title))
                        .unwrap_or(1);
                    let free = (wanted..=99).chain(1..wanted).find(|number| {
                        !taken.contains(&(
                            organization.clone(),
                            grade.class_group(options.school_year, *number),
                        ))
                    });
                    let number = free.context("more than 99 classes of one grade in a school")?;
                    grade.class_group(options.school_year, number)
                }
                (None, None) => return sink.note(Note::grade("grades"), &origin),
            };
            taken.insert((organization.clone(), class_group.clone()));
            if several {
                grade = None;
            }
            let row = ClassGroupRow {
                organization: organization.clone(),
                class_group: class_group.clone(),
                display_name: title,
                grade: grade.map_or(0, Grade::number),
            };
            known.classes.insert(id.clone(), known.list.len());
            known.list.push(Class {
                organization,
                id: class_group,
                home,
                removal,
            });
            sink.row(imported(&id, removal, Record::ClassGroup(row)), &origin)
        })
    }

    fn demographics(&self, known: &mut Known, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        self.each("demographics.csv", sink, |heading, line, _, _| {
            let cell = |name: &str| heading.cell(&line, name);
            let sex = match cell("sex").to_ascii_lowercase().as_str() {
                "male" => "male",
                "female" => "female",
                _ => "",
            };
            known
                .births
                .insert(key(cell("sourcedid")), (cell("birthdate").to_owned(), sex));
            Ok(())
        })
    }

    fn roles(&self, known: &mut Known, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        self.each("roles.csv", sink, |heading, line, _, _| {
            let cell = |name: &str| heading.cell(&line, name);
            if removed(cell("status")) {
                return Ok(());
            }
            let primary = cell("roletype").eq_ignore_ascii_case("primary");
            let user = key(cell("usersourcedid"));
            if primary || known.roles.get(&user).is_none_or(|(.., primary)| !primary) {
                let value = (
                    cell("role").to_owned(),
                    cell("orgsourcedid").to_owned(),
                    primary,
                );
                known.roles.insert(user, value);
            }
            Ok(())
        })
    }

    fn enrolments(&self, known: &mut Known, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        let Known {
            classes,
            list,
            homes,
            enrolled,
            ..
        } = known;
        // Two passes: first which class is home, then which enrolments are not.
        for explain in [false, true] {
            self.each("enrollments.csv", sink, |heading, line, file, sink| {
                let cell = |name: &str| heading.cell(&line, name).to_owned();
                let user = key(&cell("usersourcedid"));
                let class = classes.get(&cell("classsourcedid")).copied();
                let student = cell("role").eq_ignore_ascii_case("student");
                let primary = cell("primary").eq_ignore_ascii_case("true");
                let gone = removed(&cell("status"));
                if !explain {
                    if let (Some(class), false) = (class, gone) {
                        let usable = &list[class];
                        // Of students every class counts; teachers head only what is said to be theirs.
                        if student || (primary && usable.home) {
                            let rank = u8::from(usable.home) * 2
                                + u8::from(primary)
                                + u8::from(!usable.removal) * 4;
                            let home = homes.entry(user).or_insert((class, rank));
                            if rank > home.1 {
                                *home = (class, rank);
                            }
                        }
                    }
                    return Ok(());
                }
                enrolled.insert(user);
                let modified = is_date(&cell("datelastmodified"));
                let origin = Origin {
                    file: file.to_owned(),
                    line,
                };
                if !modified {
                    sink.note(Note::modified("dateLastModified"), &origin)?;
                }
                match class {
                    None => sink.note(Note::unknown_class("classSourcedId"), &origin),
                    Some(class)
                        if student && homes.get(&user).is_some_and(|(home, _)| *home != class) =>
                    {
                        sink.note(Note::extra("classSourcedId"), &origin)
                    }
                    Some(_) => Ok(()),
                }
            })?;
        }
        Ok(())
    }

    fn users(&self, known: &mut Known, sink: &mut Sink<'_>, guardians: bool) -> anyhow::Result<()> {
        self.each("users.csv", sink, |heading, line, file, sink| {
            let cell = |name: &str| heading.cell(&line, name).to_owned();
            let id = cell("sourcedid");
            let user = key(&id);
            let (role, org) = match known.roles.get(&user) {
                Some((role, org, _)) => (role.clone(), org.clone()),
                None => (cell("role"), String::new()),
            };
            let part = self::role(&role);
            if (part == Some(Role::Guardian)) != guardians {
                return Ok(());
            }
            let first = |cell: String| cell.split(',').next().unwrap_or_default().trim().to_owned();
            let org = [
                org,
                first(cell("orgsourcedids")),
                cell("primaryorgsourcedid"),
            ]
            .into_iter()
            .find(|org| !org.is_empty())
            .unwrap_or_default();
            let name = person_name(&cell("familyname"), &cell("givenname"));
            let phone = if cell("sms").is_empty() {
                cell("phone")
            } else {
                cell("sms")
            };
            let (ids, number, post) = (
                resident_id(&cell("userids")),
                cell("identifier"),
                cell("metadata.post"),
            );
            let (agents, modified) = (cell("agentsourcedids"), cell("datelastmodified"));
            let removal = removed(&cell("status"));
            let origin = Origin {
                file: file.to_owned(),
                line,
            };
            if part != Some(Role::Student) && !is_date(&modified) {
                sink.note(Note::modified("dateLastModified"), &origin)?;
            }
            match part {
                None => sink.note(Note::role("role"), &origin),
                Some(Role::Student) => {
                    let Some(home) = known.homes.get(&user).map(|(home, _)| &known.list[*home])
                    else {
                        return sink.note(Note::no_class("sourcedId"), &origin);
                    };
                    known.students.insert(user);
                    let (birth_date, sex) = known.births.get(&user).cloned().unwrap_or_default();
                    let row = StudentRow {
                        organization: home.organization.clone(),
                        class_group: home.id.clone(),
                        display_name: name,
                        sex: sex.to_owned(),
                        birth_date,
                        id_type: String::new(),
                        id_number: ids,
                        student_number: if is_student_number(&number) {
                            number
                        } else {
                            String::new()
                        },
                        phone,
                        boarder: String::new(),
                        modified_date: modified,
                    };
                    sink.row(imported(&id, removal, Record::Student(row)), &origin)
                }
                Some(Role::Staff) => {
                    let Some(organization) = known.organizations.get(&org).cloned() else {
                        return sink.note(Note::unknown_org("orgSourcedIds"), &origin);
                    };
                    let head = known.homes.get(&user).map(|(home, _)| &known.list[*home]);
                    let post = if post.is_empty() && head.is_some() {
                        "HEAD_TEACHER".to_owned()
                    } else {
                        post
                    };
                    let row = StaffMemberRow {
                        organization,
                        display_name: name,
                        post: if post.is_empty() { role } else { post },
                        id_type: String::new(),
                        id_number: ids,
                        phone,
                        class_group: head.map(|head| head.id.clone()).unwrap_or_default(),
                    };
                    sink.row(imported(&id, removal, Record::StaffMember(row)), &origin)
                }
                Some(Role::Guardian) => {
                    let students: Vec<&str> = agents
                        .split(',')
                        .map(str::trim)
                        .filter(|agent| known.students.contains(&key(agent)))
                        .collect();
                    if students.is_empty() {
                        return sink.note(Note::no_student("agentSourcedIds"), &origin);
                    }
                    for student in &students {
                        let own = if students.len() == 1 {
                            id.clone()
                        } else {
                            format!("{id}~{student}")
                        };
                        let row = GuardianRow {
                            student: (*student).to_owned(),
                            display_name: name.clone(),
                            relation: String::new(),
                            phone: phone.clone(),
                            priority: 1,
                        };
                        sink.row(imported(&own, removal, Record::Guardian(row)), &origin)?;
                    }
                    Ok(())
                }
            }
        })
    }

    /// Enrolments of users whom nobody knows.
    fn orphans(&self, known: &Known, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        let mut users = HashSet::new();
        self.each("users.csv", sink, |heading, line, _, _| {
            users.insert(key(heading.cell(&line, "sourcedid")));
            Ok(())
        })?;
        if known.enrolled.iter().all(|user| users.contains(user)) {
            return Ok(());
        }
        self.each("enrollments.csv", sink, |heading, line, file, sink| {
            if users.contains(&key(heading.cell(&line, "usersourcedid"))) {
                return Ok(());
            }
            sink.note(
                Note::orphan("userSourcedId"),
                &Origin {
                    file: file.to_owned(),
                    line,
                },
            )
        })
    }
}

fn imported(id: &str, removal: bool, record: Record) -> ImportRow {
    ImportRow {
        row: 0,
        removal,
        external_id: id.to_owned(),
        record: Some(record),
    }
}

fn removed(status: &str) -> bool {
    status.eq_ignore_ascii_case("tobedeleted") || status.eq_ignore_ascii_case("inactive")
}

fn is_date(text: &str) -> bool {
    let day = text.split('T').next().unwrap_or_default();
    text.is_empty() || day.parse::<chrono::NaiveDate>().is_ok()
}

fn role(word: &str) -> Option<Role> {
    Some(match word.to_ascii_lowercase().as_str() {
        "student" => Role::Student,
        "parent" | "guardian" | "relative" => Role::Guardian,
        "teacher"
        | "aide"
        | "administrator"
        | "proctor"
        | "siteadministrator"
        | "counselor"
        | "principal"
        | "districtadministrator"
        | "systemadministrator" => Role::Staff,
        _ => return None,
    })
}

fn kind(word: &str, identifier: &str) -> String {
    if is_school_code(identifier) && identifier.starts_with("11") {
        return "KINDERGARTEN".to_owned();
    }
    word.to_owned()
}

fn is_school_code(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_division(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_student_number(text: &str) -> bool {
    text.len() == 19 && text.starts_with(['G', 'J', 'L'])
}

/// The id of an organisation made from its id in the source, the same each time.
fn slug(id: &str) -> String {
    let own = !id.is_empty()
        && id.len() <= 32
        && id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if own {
        return id.to_owned();
    }
    use sha2::{Digest as _, Sha256};
    let hash = Sha256::digest(id.as_bytes());
    let hex: String = hash
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("or-{hex}")
}

/// Chinese names without a blank, the family name first; others the other way round.
fn person_name(family: &str, given: &str) -> String {
    if family.is_ascii() && given.is_ascii() {
        format!("{given} {family}").trim().to_owned()
    } else {
        format!("{family}{given}")
    }
}

fn resident_id(user_ids: &str) -> String {
    let found = user_ids
        .split('{')
        .find_map(|part| part.strip_prefix("residentId:"));
    found
        .and_then(|rest| rest.split('}').next())
        .unwrap_or_default()
        .to_owned()
}
