//! The ledger as a table, and who took it away.

use proto::safety as pb;
use proto::safety::hazard::Grade;

use crate::city::hazards::*;
use crate::city::on_both;
use crate::city::tree::{self, CITY_DEPUTY, WARDEN};
use crate::city::world::{World, told};
use crate::city::{SCHOOL, staff};

on_both!(
    a_ledger_holds_every_hazard_of_the_year_and_exports_are_written_down,
    a_school_takes_its_own_ledger_only,
);

async fn export(desk: &mut Desk, who: Who, parent: &str, year: i32) -> String {
    let request = pb::ExportHazardLedgerRequest {
        parent: parent.to_owned(),
        year,
    };
    let request = desk.by(who, request);
    let stream = desk.hazards.export_hazard_ledger(request).await;
    let mut stream = stream.expect("exported").into_inner();
    let mut bytes = Vec::new();
    while let Some(part) = stream.message().await.expect("a part") {
        bytes.extend_from_slice(&part.chunk);
    }
    String::from_utf8(bytes).expect("UTF-8")
}

async fn a_ledger_holds_every_hazard_of_the_year_and_exports_are_written_down(world: World) {
    let mut desk = Desk::new(world).await;
    let mut formula = desk.blocked_exit("gym");
    if let Some(hazard) = &mut formula.hazard {
        hazard.description = "=1+1, \"引号\"".to_owned();
    }
    desk.report(OFFICER, formula).await.expect("reported");
    let closed = desk.found("hall").await;
    desk.rectifying(&closed, Grade::Major).await;
    desk.closed(&closed).await;
    // More than one page of them.
    for _ in 0..120 {
        let mut request = desk.blocked_exit("gate");
        request.parent = tree::SISTER.to_owned();
        if let Some(hazard) = &mut request.hazard {
            hazard.photos.clear();
        }
        desk.report(DISTRICT, request).await.expect("reported");
    }
    let table = export(&mut desk, CITY, tree::CITY, 2022).await;
    let lines: Vec<&str> = table.trim_end().split("\r\n").collect();
    assert!(lines[0].starts_with("\u{feff}台账编号,单位,地点,类别,等级,"));
    assert_eq!(lines.len(), 1 + 122);
    assert!(lines[1].starts_with("2022-0001,2135010001,gym,消防,,,\"'=1+1, \"\"引号\"\"\","));
    assert!(lines[2].starts_with("2022-0002,2135010001,hall,消防,重大,,三楼疏散通道堆放桌椅,"));
    for cell in [
        "停用",
        &*staff(WARDEN),
        "1200.00",
        "2022-04-11",
        "100",
        "已销号",
    ] {
        let cells = lines[2].split(',');
        assert!(
            cells.clone().any(|found| found == cell),
            "{cell}: {}",
            lines[2]
        );
    }
    assert!(lines[122].starts_with("2022-0120,2135010003,gate,"));
    let school = export(&mut desk, OFFICER, SCHOOL, 2022).await;
    assert_eq!(school.trim_end().split("\r\n").count(), 3);
    let before = export(&mut desk, CITY, tree::CITY, 2021).await;
    assert_eq!(before.trim_end().split("\r\n").count(), 1);

    let list = pb::ListHazardLedgerExportsRequest {
        parent: tree::CITY.to_owned(),
        ..Default::default()
    };
    let list = desk.by(CITY, list);
    let exports = desk.hazards.list_hazard_ledger_exports(list).await;
    let exports = exports.expect("listed").into_inner().hazard_ledger_exports;
    let mut years: Vec<_> = exports.iter().map(|export| export.year).collect();
    years.sort_unstable();
    assert_eq!(years, [2021, 2022]);
    assert!(
        exports
            .iter()
            .all(|export| export.exporter == staff(CITY_DEPUTY))
    );
}

async fn a_school_takes_its_own_ledger_only(world: World) {
    let mut desk = Desk::new(world).await;
    for (who, parent) in [
        (OFFICER, tree::SISTER),
        (OFFICER, tree::BUREAU),
        (GUARD, SCHOOL),
    ] {
        let request = pb::ExportHazardLedgerRequest {
            parent: parent.to_owned(),
            year: 2022,
        };
        let request = desk.by(who, request);
        let status = desk.hazards.export_hazard_ledger(request).await;
        assert_eq!(told(&status.expect_err("denied")).1, "SCOPE_DENIED");
    }
    let request = pb::ExportHazardLedgerRequest {
        parent: SCHOOL.to_owned(),
        year: 22,
    };
    let request = desk.by(OFFICER, request);
    let status = desk.hazards.export_hazard_ledger(request).await;
    assert_eq!(told(&status.expect_err("no year")).1, "INVALID_FIELD");
}
