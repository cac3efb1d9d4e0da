//! What is known of the pupils of one class group is not told to whoever reports for the next one.

use std::collections::BTreeSet;

use kit::auth::Role;
use kit::clock::civil_date;
use proto::sampling::ListAbsencesRequest;
use proto::sampling::absence_service_client::AbsenceServiceClient;
use tests::city::caller;
use tests::town::school_path;
use tests::within;

use super::day::VICTIM;
use super::known::{Known, guarded, may, pattern_of};
use super::questions::request;
use super::sick::FEVERISH;
use crate::checks::reporter;
use crate::matrix::{GATEWAY, granted, is_closed};
use crate::region::Region;
use crate::safety::people::call;
use crate::verbs::told;

/// The class group next door to that with fevers.
const NEXT: u32 = 1;
/// Methods by which something of a pupil, a guardian, an absence, a check or a class group is asked for.
const METHODS: usize = 35;

/// Whoever reports for one class group asks, at each service and at the gateway, for everything of the other
/// one: a pupil and how the pupil is, the guardians, who was absent, the check of the morning, and the class
/// group itself.
pub(super) async fn keep_apart(region: &Region, known: &Known) {
    let names = of_the_class(region, known).await;
    let scope = format!(
        "{}/{}",
        school_path(VICTIM),
        region.city.town.class_id(NEXT)
    );
    let next_door = caller(Role::ClassReporter, &scope);
    let table = granted();
    let (mut methods, mut reached) = (BTreeSet::new(), Vec::new());
    for asked in guarded() {
        let method = &asked.method;
        let may = may(&table, Role::ClassReporter, method);
        for name in names
            .iter()
            .filter(|name| pattern_of(name) == method.pattern())
        {
            for at in [asked.at, GATEWAY] {
                let door = region.city.door_at(at, next_door.clone()).await;
                let answer = method.call(door, request(method, name));
                let answer = within(&method.name(), answer).await;
                let answer = answer.map_err(|refused| told(&refused));
                let hidden = !name.starts_with("organizations/");
                if !is_closed(&answer, at == GATEWAY && !may, hidden) {
                    reached.push(format!("{} at {at}: {answer:?}", method.name()));
                }
            }
            methods.insert(method.name());
        }
    }
    assert!(reached.is_empty(), "{reached:#?}");
    assert!(methods.len() >= METHODS, "asked by {methods:#?}");
}

/// The names of what is known of the class group with fevers.
async fn of_the_class(region: &Region, known: &Known) -> BTreeSet<String> {
    let class_group = region.city.town.class_group(VICTIM, FEVERISH);
    let pupil = region.city.student(VICTIM, FEVERISH, 1);
    let list = ListAbsencesRequest {
        scope: class_group.clone(),
        ..ListAbsencesRequest::default()
    };
    let own = reporter(&region.city, VICTIM, FEVERISH);
    let absences = call!(AbsenceServiceClient, own, list_absences, list);
    let absences = absences.expect("absences").absences.into_iter();
    let guardians = known.names.get("guardians/*").into_iter().flatten();
    let day = civil_date(region.now()).format("%Y%m%d");
    let one = [
        format!("{class_group}/checks/{day}-morning"),
        class_group,
        pupil.to_owned(),
        format!("{pupil}/health"),
    ];
    let many = absences.map(|absence| absence.name);
    one.into_iter()
        .chain(many)
        .chain(guardians.cloned())
        .collect()
}
