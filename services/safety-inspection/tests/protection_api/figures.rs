//! The three figures of rule 5.10 over the tree, and the profiles of which something lapsed.

use proto::safety as pb;

use crate::city::on_both;
use crate::city::tree::{
    BASE, BASE_PATH, BUREAU, BUREAU_PATH, CITY, CITY_PATH, SISTER, SISTER_PATH,
};
use crate::city::world::World;
use crate::city::{OTHER_PATH, SCHOOL, SCHOOL_PATH};
use crate::desk::{Desk, day, no, three, yes};

on_both!(
    the_city_is_the_sum_of_its_districts,
    overdue_profiles_are_found_by_their_bureau,
    what_was_returned_meets_nothing,
);

const OTHER: &str = "organizations/2135010002";

async fn figures(desk: &mut Desk, organization: &str, place: &str) -> pb::ProtectionFigures {
    let request = pb::GetProtectionFiguresRequest {
        name: format!("{organization}/protectionFigures"),
    };
    let request = desk.bureau(place, request);
    let answer = desk.protection.get_protection_figures(request).await;
    answer.expect("read").into_inner()
}

/// All, yes, no, lapsed, nothing said, confirmed.
fn counts(figure: &pb::ProtectionFigure) -> [i64; 6] {
    [
        figure.campus_count,
        figure.met_count,
        figure.not_met_count,
        figure.lapsed_count,
        figure.not_declared_count,
        figure.confirmed_count,
    ]
}

async fn the_city_is_the_sum_of_its_districts(world: World) {
    let mut desk = Desk::open(world).await;
    desk.declare((SCHOOL, SCHOOL_PATH), three())
        .await
        .expect("declared");
    let mixed = pb::ProtectionDeclaration {
        full_time_guards: Some(pb::ProtectionStatement {
            expire_date: Some(day(2022, 4, 5)),
            ..yes()
        }),
        closed_management: Some(no()),
        ..Default::default()
    };
    desk.declare((SISTER, SISTER_PATH), mixed)
        .await
        .expect("declared");
    desk.declare((OTHER, OTHER_PATH), three())
        .await
        .expect("declared");
    desk.declare((BASE, BASE_PATH), three())
        .await
        .expect("declared");
    let request = pb::ConfirmProtectionRequest {
        name: format!("{OTHER}/protectionProfile"),
        version: 1,
        ..Default::default()
    };
    let request = desk.bureau("fz/350103", request);
    let answer = desk.protection.confirm_protection(request).await;
    answer.expect("confirmed");

    let city = figures(&mut desk, CITY, CITY_PATH).await;
    let all: Vec<_> = city.figures.iter().map(counts).collect();
    // Two schools with yes, one with mixed answers, a kindergarten that said nothing. The training
    // institution and the base, one of which declared, are not asked.
    let expected = [[4, 2, 0, 1, 1, 1], [4, 2, 1, 0, 1, 1], [4, 2, 0, 0, 2, 1]];
    assert_eq!(all, expected);
    assert_eq!(city.figures[0].met_basis_points, Some(5000));
    assert_eq!(city.figures[0].confirmed_basis_points, Some(2500));
    let names: Vec<_> = city.parts.iter().map(|part| &*part.organization).collect();
    assert_eq!(names, ["organizations/350102", "organizations/350103"]);
    for (demand, whole) in all.iter().enumerate() {
        let parts = city.parts.iter().map(|part| counts(&part.figures[demand]));
        let sum = parts.fold([0; 6], |sum, part| {
            std::array::from_fn(|n| sum[n] + part[n])
        });
        assert_eq!(sum, *whole);
        for figure in [&city.figures[demand], &city.parts[0].figures[demand]] {
            let [campuses, met, not_met, lapsed, nothing, _] = counts(figure);
            assert_eq!(campuses, met + not_met + lapsed + nothing);
        }
    }
    let district = figures(&mut desk, BUREAU, BUREAU_PATH).await;
    assert_eq!(district.figures, city.parts[0].figures);
}

async fn overdue_profiles_are_found_by_their_bureau(world: World) {
    let mut desk = Desk::open(world).await;
    let ending = pb::ProtectionDeclaration {
        full_time_guards: Some(pb::ProtectionStatement {
            expire_date: Some(day(2022, 4, 6)),
            ..yes()
        }),
        ..Default::default()
    };
    desk.declare((SCHOOL, SCHOOL_PATH), three())
        .await
        .expect("declared");
    desk.declare((SISTER, SISTER_PATH), ending.clone())
        .await
        .expect("declared");
    desk.declare((OTHER, OTHER_PATH), ending)
        .await
        .expect("declared");
    let names = async |desk: &mut Desk, overdue: bool| {
        let mut names = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListProtectionProfilesRequest {
                parent: BUREAU.to_owned(),
                overdue,
                page_size: 1,
                page_token,
            };
            let request = desk.bureau(BUREAU_PATH, request);
            let page = desk.protection.list_protection_profiles(request).await;
            let page = page.expect("listed").into_inner();
            names.extend(page.protection_profiles.into_iter().map(|p| p.name));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return names;
            }
        }
    };
    let of = |organization: &str| format!("{organization}/protectionProfile");
    assert_eq!(names(&mut desk, false).await, [of(SCHOOL), of(SISTER)]);
    assert_eq!(names(&mut desk, true).await, Vec::<String>::new());
    desk.set("2022-04-06T16:00:00Z");
    assert_eq!(names(&mut desk, true).await, [of(SISTER)]);
}

async fn what_was_returned_meets_nothing(world: World) {
    let mut desk = Desk::open(world).await;
    desk.declare((SCHOOL, SCHOOL_PATH), three())
        .await
        .expect("declared");
    let all = async |desk: &mut Desk| {
        let found = figures(desk, SCHOOL, SCHOOL_PATH).await;
        found.figures.iter().map(counts).collect::<Vec<_>>()
    };
    assert_eq!(all(&mut desk).await, [[1, 1, 0, 0, 0, 0]; 3]);
    let request = pb::ReturnProtectionRequest {
        name: format!("{SCHOOL}/protectionProfile"),
        version: 1,
        reason: "证明材料不符".to_owned(),
        ..Default::default()
    };
    let request = desk.bureau(BUREAU_PATH, request);
    let answer = desk.protection.return_protection(request).await;
    answer.expect("returned");
    assert_eq!(all(&mut desk).await, [[1, 0, 0, 0, 1, 0]; 3]);
    desk.declare((SCHOOL, SCHOOL_PATH), three())
        .await
        .expect("declared");
    assert_eq!(all(&mut desk).await, [[1, 1, 0, 0, 0, 0]; 3]);
}
