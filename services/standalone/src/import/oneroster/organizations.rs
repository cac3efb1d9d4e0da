//! Organisations, parents before children.

use std::collections::{BTreeMap, HashSet};

use proto::roster::OrganizationRow;
use proto::roster::import_row::Record;

use super::words::{is_division, is_school_code, kind, slug};
use super::{Cells, Delivery, Known, Pass, imported};
use crate::import::note::Note;
use crate::import::piece::{Origin, Sink};

/// An organisation that waits for its parent.
struct Waiting {
    origin: Origin,
    row: OrganizationRow,
    removal: bool,
    parent: String,
}

impl Delivery {
    pub(super) fn organizations(
        &self,
        known: &mut Known,
        sink: &mut Sink<'_>,
    ) -> anyhow::Result<()> {
        let mut all: BTreeMap<String, Waiting> = BTreeMap::new();
        let needed = ["name", "type"];
        self.each("orgs.csv", &needed, Pass::Speaks, sink, |cells, sink| {
            cells.remark_modified(sink)?;
            let id = cells.owned("sourcedid");
            if all.contains_key(&id) {
                return sink.note(Note::repeated("sourcedId"), &cells.origin);
            }
            let row = row(cells);
            known
                .organizations
                .insert(id.clone(), row.organization.clone());
            let waiting = Waiting {
                origin: cells.origin.clone(),
                row,
                removal: cells.is_removal(),
                parent: cells.owned("parentsourcedid"),
            };
            all.insert(id, waiting);
            Ok(())
        })?;
        let mut done = HashSet::new();
        while !all.is_empty() {
            let ready: Vec<String> = all
                .iter()
                .filter(|(_, one)| done.contains(&one.parent) || !all.contains_key(&one.parent))
                .map(|(id, _)| id.clone())
                .collect();
            if ready.is_empty() {
                for (id, one) in std::mem::take(&mut all) {
                    known.organizations.remove(&id);
                    sink.note(Note::cycle("parentSourcedId"), &one.origin)?;
                }
            }
            for id in ready {
                let Some(one) = all.remove(&id) else {
                    continue;
                };
                let Waiting {
                    origin,
                    mut row,
                    removal,
                    parent,
                } = one;
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

    /// Whether the files bring the organisation that the register calls `id`.
    pub(in crate::import) fn has_organization(&self, id: &str) -> anyhow::Result<bool> {
        let mut found = false;
        let mut nothing = |_| Ok(());
        let mut sink = Sink::new(&mut nothing);
        let needed = ["name", "type"];
        self.each("orgs.csv", &needed, Pass::Silent, &mut sink, |cells, _| {
            found |= row(cells).organization == id;
            Ok(())
        })?;
        Ok(found)
    }
}

fn row(cells: &Cells<'_>) -> OrganizationRow {
    let identifier = cells.get("identifier");
    let known = |fits: bool| {
        if fits {
            identifier.to_owned()
        } else {
            String::new()
        }
    };
    let division = cells.get("metadata.division");
    let school_code = known(is_school_code(identifier));
    let organization = if school_code.is_empty() {
        slug(cells.id())
    } else {
        school_code.clone()
    };
    OrganizationRow {
        organization,
        kind: kind(cells.get("type"), identifier),
        display_name: cells.owned("name"),
        parent: String::new(),
        division_code: if division.is_empty() {
            known(is_division(identifier))
        } else {
            division.to_owned()
        },
        school_code,
    }
}
