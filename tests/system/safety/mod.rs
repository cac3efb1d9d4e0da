//! The safety of the campus across the five services, as those who work for it see it through the
//! gateway: a school day with visitors, an inspection, a drill, a duty watch and an accident; a typhoon
//! from the warning until everybody is taught again; schools that were closed and resume teaching batch
//! by batch; a gate whose network is away; whoever answers for a place; and what the city counts and a
//! partner reads. At each step somebody who may not is turned away.

mod answerable;
pub(crate) mod counted;
mod drills;
mod duty;
mod gate;
mod hazards;
mod incidents;
mod inspections;
pub(crate) mod people;
pub(crate) mod preparation;
mod resumption;
pub(crate) mod storm;
mod typhoon;
pub(crate) mod visitors;

use tests::city::Store;

use crate::region::Region;

#[tokio::test(flavor = "multi_thread")]
async fn a_school_day_is_kept_safe_sqlite() {
    a_school_day(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_day_is_kept_safe_postgres() {
    a_school_day(Store::Postgres).await;
}

async fn a_school_day(store: Store) {
    let Some(region) = Region::open(store).await else {
        return;
    };
    the_school_day(&region).await;
}

/// A day and an evening at the first school: visitors, inspections and what they find, a drill, a duty
/// watch and an accident.
pub(crate) async fn the_school_day(region: &Region) {
    let visit = visitors::are_announced(region).await;
    let roster = duty::is_planned_without_a_gap(region).await;
    let exit = inspections::by_the_school(region).await;
    let panels = inspections::by_the_fire_brigade(region).await;
    hazards::is_removed_and_reviewed_by_another(region, &exit).await;
    hazards::is_major_and_closed_by_the_bureau(region, &panels).await;
    drills::finds_whoever_is_missing(region).await;

    let shifts = duty::is_attended(region, &roster).await;
    visitors::come_and_go(region, &visit).await;
    let accident = incidents::goes_up_hop_by_hop(region).await;
    incidents::ends_with_its_review(region, &accident).await;
    duty::is_replaced_and_handed_over(region, &shifts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_without_a_network_is_held_to_the_facts_sqlite() {
    a_gate_without_a_network(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_without_a_network_is_held_to_the_facts_postgres() {
    a_gate_without_a_network(Store::Postgres).await;
}

async fn a_gate_without_a_network(store: Store) {
    let Some(region) = Region::open(store).await else {
        return;
    };
    let taken = gate::takes_a_snapshot_along(&region).await;
    gate::decides_by_itself(&region, &taken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typhoon_comes_and_goes_sqlite() {
    a_typhoon(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typhoon_comes_and_goes_postgres() {
    a_typhoon(Store::Postgres).await;
}

async fn a_typhoon(store: Store) {
    let Some(region) = Region::open(store).await else {
        return;
    };
    let warning = typhoon::is_warned_of(&region).await;
    let response = typhoon::suspends_every_school(&region).await;
    typhoon::is_prepared_for(&region).await;
    typhoon::is_called_off(&region, &warning, &response).await;
    typhoon::leaves_a_sweep_to_do(&region).await;
    typhoon::is_over_for_all_but_one(&region).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn teaching_is_resumed_in_batches_sqlite() {
    a_resumption(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn teaching_is_resumed_in_batches_postgres() {
    a_resumption(Store::Postgres).await;
}

async fn a_resumption(store: Store) {
    let Some(region) = Region::open(store).await else {
        return;
    };
    resumption::begins_with_everybody_at_home(&region).await;
    resumption::is_planned_in_batches(&region).await;
    let hazard = resumption::is_prepared_for(&region).await;
    resumption::is_inspected_by_three(&region).await;
    resumption::is_blocked_by_the_hazard(&region).await;
    resumption::lets_grades_twelve_and_nine_return(&region).await;
    resumption::lets_the_rest_follow(&region).await;
    resumption::waits_until_the_hazard_is_gone(&region, &hazard).await;
    resumption::is_taken_back_for_one_class(&region).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_register_and_the_safety_service_name_the_same_person_sqlite() {
    the_same_person(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_register_and_the_safety_service_name_the_same_person_postgres() {
    the_same_person(Store::Postgres).await;
}

async fn the_same_person(store: Store) {
    let Some(region) = Region::open(store).await else {
        return;
    };
    answerable::is_the_same_everywhere(&region).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_city_counts_what_was_done_and_what_was_not_sqlite() {
    the_city_counts(Store::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_city_counts_what_was_done_and_what_was_not_postgres() {
    the_city_counts(Store::Postgres).await;
}

async fn the_city_counts(store: Store) {
    let Some(region) = Region::open(store).await else {
        return;
    };
    let campaign = counted::is_called(&region).await;
    counted::is_declared_and_confirmed(&region).await;
    counted::is_read_by_a_partner(&region, &campaign).await;
    counted::leaves_what_was_not_inspected(&region, &campaign).await;
}
