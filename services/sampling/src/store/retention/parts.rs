//! What is removed by its age, for how long it is kept, and what keeps it longer (rule 6.13).
//!
//! A row is whole or gone: what hangs on it goes with it. Counts that name nobody are in no list, and neither are
//! tubes of sampling points, which tell when a point was sampled, nor cases of events.

use super::Aged;
use crate::domain::retention::Period;
use crate::store::destruction::{
    ABSENCES, EVENTS, FILES, HOLDS, ILLNESSES, MEASURES, MET, PATIENTS, Part, SIGNS, STANDING,
    STATES, SUBMISSIONS, TUBES,
};

const RESULTS: &str = "tube-results";
const MEDICAL: &str = "medical-cases";
const CONTACTS: &str = "contacts";
/// The category of checks.
pub const CHECKS: &str = "health-checks";

/// Draws with whom they drew from.
const DRAWS: Part = Part {
    table: "draws",
    key: "id",
    of: "day >= {first_day} AND day < {last_day}",
    over: "closing IS NOT NULL",
    with: &[("draw_groups", "draw"), ("draw_replacements", "draw")],
    shown: None,
};

/// Everything, in an order in which what keeps another comes before it.
pub const PARTS: [Aged; 14] = [
    Aged {
        kind: "hold",
        period: Period::Result,
        category: "holds",
        part: HOLDS,
        place: "org_path",
        age: "end_time > 0 AND end_time < {before}",
        // A control that rests on it, or an open case that it led to.
        free: "NOT EXISTS (SELECT 1 FROM control_states s WHERE s.basis = 'holds/' || holds.tube) \
             AND NOT EXISTS (SELECT 1 FROM case_findings f JOIN cases c ON c.id = f.case_id \
             WHERE f.source = 'holds/' || holds.tube AND c.close_time = 0)",
        order: "end_time, tube",
    },
    Aged {
        kind: "tube",
        period: Period::Result,
        category: RESULTS,
        part: TUBES,
        place: "org_path",
        age: "day > 0 AND day < {before_day}",
        // On its way or at the laboratory; the hold of it, or the one that ordered it; an open case that it led to.
        free: "point = '' AND state NOT IN (1, 3, 4, 5, 6, 16, 17) \
             AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.tube IN (tubes.code, tubes.parent)) \
             AND NOT EXISTS (SELECT 1 FROM case_findings f JOIN cases c ON c.id = f.case_id \
             WHERE f.source = 'tubes/' || tubes.code AND c.close_time = 0)",
        order: "day, code",
    },
    Aged {
        kind: "draw",
        period: Period::Result,
        category: "",
        part: DRAWS,
        place: "org_path",
        age: "day < {before_day}",
        free: "closing IS NOT NULL",
        order: "day, id",
    },
    Aged {
        kind: "sign",
        period: Period::Absence,
        category: MEDICAL,
        part: SIGNS,
        place: "group_path",
        age: "day < {before_day} AND until < {before_day}",
        // Somebody who is ill or absent, an open case or an open cluster.
        free: "NOT EXISTS (SELECT 1 FROM medical_states m \
             WHERE m.person = signs.person AND m.state <> 1) \
             AND NOT EXISTS (SELECT 1 FROM absences a \
             WHERE a.person = signs.person AND a.state NOT IN (5, 6)) \
             AND NOT EXISTS (SELECT 1 FROM cases c \
             WHERE c.person = signs.person AND c.close_time = 0) \
             AND NOT EXISTS (SELECT 1 FROM cluster_people p JOIN clusters k ON k.id = p.cluster \
             WHERE p.person = signs.person AND k.state IN (1, 2))",
        order: "day, source, person",
    },
    Aged {
        kind: "illness",
        period: Period::Absence,
        category: MEDICAL,
        part: ILLNESSES,
        place: "group_path",
        age: "last < {before_day} AND day < {before_day}",
        // What is said of the person, from which it follows, or an open cluster.
        free: "NOT EXISTS (SELECT 1 FROM signs s WHERE s.person = illness_cases.person \
             AND s.school = illness_cases.school AND s.day <= illness_cases.last) \
             AND NOT EXISTS (SELECT 1 FROM cluster_people p JOIN clusters k ON k.id = p.cluster \
             WHERE p.person = illness_cases.person AND k.state IN (1, 2))",
        order: "last, person, school, criterion, day",
    },
    Aged {
        kind: "cluster_person",
        period: Period::Absence,
        category: MEDICAL,
        part: PATIENTS,
        place: "COALESCE((SELECT k.org_path FROM clusters k \
             WHERE k.id = cluster_people.cluster), '')",
        age: "day < {before_day}",
        free: "NOT EXISTS (SELECT 1 FROM clusters k WHERE k.id = cluster_people.cluster \
             AND (k.state IN (1, 2) OR k.last_day >= {before_day} OR k.close_time >= {before}))",
        order: "day, cluster, person",
    },
    Aged {
        kind: "absence",
        period: Period::Absence,
        category: MEDICAL,
        part: ABSENCES,
        place: "org_path",
        age: "start_day < {before_day} AND return_time < {before} AND withdraw_time < {before}",
        free: "state IN (5, 6)",
        order: "start_day, id",
    },
    Aged {
        kind: "health_event",
        period: Period::Absence,
        category: MEDICAL,
        part: EVENTS,
        place: "COALESCE((SELECT m.org_path FROM medical_states m \
             WHERE m.person = health_events.person), '')",
        age: "time < {before}",
        free: "NOT EXISTS (SELECT 1 FROM medical_states m \
             WHERE m.person = health_events.person AND m.state <> 1)",
        order: "time, person, sequence",
    },
    Aged {
        kind: "medical_state",
        period: Period::Absence,
        category: MEDICAL,
        part: STATES,
        place: "org_path",
        age: "since < {before} AND cleared < {before} AND certified < {before}",
        // The history, whose lines it counts, what is said of the person, of whose clearing it tells, or an open case.
        free: "state = 1 \
             AND NOT EXISTS (SELECT 1 FROM health_events e WHERE e.person = medical_states.person) \
             AND NOT EXISTS (SELECT 1 FROM signs s WHERE s.person = medical_states.person) \
             AND NOT EXISTS (SELECT 1 FROM cases c \
             WHERE c.person = medical_states.person AND c.close_time = 0)",
        order: "since, person",
    },
    Aged {
        kind: "contact",
        period: Period::Absence,
        category: CONTACTS,
        part: MET,
        place: "org_path",
        age: "add_time < {before} AND until < {before}",
        // The control that the case put on them, or a case that is not closed as long ago.
        free: "NOT EXISTS (SELECT 1 FROM control_states s WHERE s.person = case_contacts.person \
             AND s.basis = 'cases/' || case_contacts.case_id) \
             AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.id = case_contacts.case_id \
             AND (c.close_time = 0 OR c.close_time >= {before}))",
        order: "add_time, case_id, person",
    },
    Aged {
        kind: "measure",
        period: Period::Absence,
        category: CONTACTS,
        part: MEASURES,
        place: "org_path",
        age: "end_time < {before} AND last_day < {before_day}",
        free: "state <> 1",
        order: "end_time, id",
    },
    Aged {
        kind: "case",
        period: Period::ReportCard,
        category: MEDICAL,
        part: FILES,
        place: "org_path",
        age: "close_time > 0 AND close_time < {before}",
        // Its contacts, or somebody whom it still excludes or restricts.
        free: "subject = 1 \
             AND NOT EXISTS (SELECT 1 FROM case_contacts k WHERE k.case_id = cases.id) \
             AND NOT EXISTS (SELECT 1 FROM control_states s WHERE s.basis = 'cases/' || cases.id) \
             AND NOT EXISTS (SELECT 1 FROM medical_states m \
             WHERE m.person = cases.person AND m.state <> 1)",
        order: "close_time, id",
    },
    Aged {
        kind: "check_submission",
        period: Period::Absence,
        category: CHECKS,
        part: SUBMISSIONS,
        place: "place",
        age: "day < {before_day}",
        free: "TRUE",
        order: "day, slot, place, client",
    },
    Aged {
        kind: "check",
        period: Period::Absence,
        category: CHECKS,
        part: STANDING,
        place: "place",
        age: "day < {before_day}",
        free: "TRUE",
        order: "day, slot, place",
    },
];
