//! Users as guardians, with the students whom they are linked to.

use proto::roster::GuardianRow;
use proto::roster::import_row::Record;

use super::people::listed;
use super::users::phone;
use super::words::{Part, person_name};
use super::{Delivery, Known, Pass, imported, key};
use crate::import::note::Note;
use crate::import::piece::Sink;

impl Delivery {
    pub(super) fn guardians(&self, known: &mut Known, sink: &mut Sink<'_>) -> anyhow::Result<()> {
        let people = &mut known.people;
        self.each("users.csv", &[], Pass::Silent, sink, |cells, sink| {
            let roles = people.roles(cells);
            if !roles.is_guardian() {
                return Ok(());
            }
            let alone = roles.part() == Some(Part::Guardian);
            if alone {
                cells.remark_modified(sink)?;
            }
            let id = cells.id();
            let mut students = people.wards.remove(&key(id)).unwrap_or_default();
            let agents = listed(cells.get("agentsourcedids"));
            students.extend(agents.map(str::to_owned));
            students.retain(|student| people.parts.get(&key(student)) == Some(&Part::Student));
            students.sort_unstable();
            students.dedup();
            if students.is_empty() && alone {
                return sink.note(Note::no_student("agentSourcedIds"), &cells.origin);
            }
            let several = students.len() > 1;
            for student in students {
                let own = if several {
                    format!("{id}~{student}")
                } else {
                    id.to_owned()
                };
                let row = GuardianRow {
                    student,
                    display_name: person_name(cells.get("familyname"), cells.get("givenname")),
                    relation: cells.owned("metadata.relation"),
                    phone: phone(cells),
                    priority: 1,
                };
                let row = imported(&own, cells.is_removal(), Record::Guardian(row));
                sink.row(row, &cells.origin)?;
            }
            Ok(())
        })
    }
}
