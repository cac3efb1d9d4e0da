//! What a campus says of its protection, both ways.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use kit::field::{Fields, to_date};
use kit::status::Problem;
use proto::safety as pb;

use super::super::{counted, few, number, optional_day};
use crate::domain::protection::declaration::{
    Bus, Certificates, Declaration, Entrance, Food, Guards, KeyPart, KeyPartKind, Patrol,
    Statement, Video,
};

const EVIDENCE: usize = 500;
const PLACE: usize = 63;
const LABEL: usize = 32;
const MOST_GUARDS: i32 = 1000;
const MOST_CERTIFICATES: usize = 50;
const MOST_POINTS: usize = 100;
const MOST_BUSES: usize = 100;

fn past(
    fields: &mut Fields,
    field: &str,
    day: Option<proto::Date>,
    today: NaiveDate,
) -> Option<NaiveDate> {
    let day = fields.date(field, day)?;
    if day > today {
        fields.violation(field, "不能晚于今天", "must not be after today");
    }
    Some(day)
}

/// A declaration, read on the civil day `today`.
pub(in crate::grpc) fn read(
    said: Option<pb::ProtectionDeclaration>,
    today: NaiveDate,
) -> Result<Declaration, Problem> {
    let mut fields = Fields::new();
    let Some(said) = said else {
        return Err(Problem::invalid("declaration", "必填", "required"));
    };
    let f = &mut fields;
    let read = Declaration {
        full_time_guards: statement(f, "full_time_guards", said.full_time_guards, today),
        closed_management: statement(f, "closed_management", said.closed_management, today),
        one_key_alarm: statement(f, "one_key_alarm", said.one_key_alarm, today),
        guards: said.guards.map(|said| guards(f, said)),
        patrol: said.patrol.map(|said| patrol(f, said)),
        entrance: said.entrance.map(|said| Entrance {
            anti_ramming: said.anti_ramming,
            separate: said.separate_entries,
        }),
        video: said.video.map(|said| Video {
            retention: counted(
                f,
                "declaration.video.retention_days",
                said.retention_days,
                3650,
            ),
            key_target: said.key_target,
            police: said.police_linked,
            bureau: said.bureau_linked,
        }),
        key_parts: key_parts(f, said.key_parts),
        buses: buses(f, said.school_buses_run, said.school_buses, today),
        food: said.food.map(|said| Food {
            leaders_dine: said.leaders_dine,
            sample_grams: counted(
                f,
                "declaration.food.sample_grams",
                said.sample_grams,
                10_000,
            ),
            sample_hours: counted(f, "declaration.food.sample_hours", said.sample_hours, 1000),
        }),
        no_food: said.no_food,
    };
    if read.no_food && read.food.is_some() {
        let (zh, en) = ("不供餐时不能填报食品", "needs no_food to be false");
        f.violation("declaration.food", zh, en);
    }
    fields.finish()?;
    Ok(read)
}

fn statement(
    fields: &mut Fields,
    field: &str,
    said: Option<pb::ProtectionStatement>,
    today: NaiveDate,
) -> Option<Statement> {
    let said = said?;
    let at = |leaf: &str| format!("declaration.{field}.{leaf}");
    let since = past(fields, &at("since_date"), said.since_date, today);
    let evidence = at("evidence");
    fields.text(&evidence, &said.evidence, EVIDENCE);
    if said.met {
        fields.required(&evidence, &said.evidence);
    }
    Some(Statement {
        met: said.met,
        since: since?,
        expires: optional_day(fields, &at("expire_date"), said.expire_date),
        evidence: said.evidence,
    })
}

fn guards(fields: &mut Fields, said: pb::GuardDeclaration) -> Guards {
    let list = "declaration.guards.certificates";
    few(fields, list, &said.certificates, MOST_CERTIFICATES);
    let mut certificates = Vec::new();
    for (place, said) in said
        .certificates
        .into_iter()
        .enumerate()
        .take(MOST_CERTIFICATES)
    {
        let at = |leaf: &str| format!("{list}[{place}].{leaf}");
        let holders = fields.within(&at("count"), said.count, 1..=MOST_GUARDS);
        if let Some(expires) = fields.date(&at("expire_date"), said.expire_date) {
            certificates.push(Certificates {
                count: u32::try_from(holders).unwrap_or_default(),
                expires,
            });
        }
    }
    let over = "declaration.guards.over_age_count";
    Guards {
        over_age: counted(fields, over, said.over_age_count, MOST_GUARDS),
        certificates,
        gatehouse_all_day: said.gatehouse_all_day,
    }
}

fn patrol(fields: &mut Fields, said: pb::PatrolPlan) -> Patrol {
    let list = "declaration.patrol.points";
    fields.text("declaration.patrol.route", &said.route, EVIDENCE);
    few(fields, list, &said.points, MOST_POINTS);
    for (place, point) in said.points.iter().enumerate().take(MOST_POINTS) {
        let field = format!("{list}[{place}]");
        fields.required(&field, point);
        fields.text(&field, point, PLACE);
    }
    Patrol {
        daily: counted(
            fields,
            "declaration.patrol.daily_count",
            said.daily_count,
            48,
        ),
        route: said.route,
        points: said.points,
    }
}

fn key_parts(fields: &mut Fields, said: Vec<pb::KeyPart>) -> Vec<KeyPart> {
    let mut named = BTreeSet::new();
    let mut parts = Vec::new();
    for (place, said) in said
        .into_iter()
        .enumerate()
        .take(KeyPartKind::ALL.len() + 1)
    {
        let field = format!("declaration.key_parts[{place}].kind");
        let Some(kind) = KeyPartKind::from_number(said.kind) else {
            fields.violation(field, "请选择有效的选项", "not a known value");
            continue;
        };
        if !named.insert(kind) {
            fields.violation(field, "同一部位只填一次", "named twice");
        }
        parts.push(KeyPart {
            kind,
            absent: said.absent,
            guarded: said.guarded,
            monitored: said.monitored,
        });
    }
    parts
}

fn buses(
    fields: &mut Fields,
    run: Option<bool>,
    said: Vec<pb::SchoolBus>,
    today: NaiveDate,
) -> Option<Vec<Bus>> {
    let list = "declaration.school_buses";
    few(fields, list, &said, MOST_BUSES);
    if run != Some(true) && !said.is_empty() {
        let (zh, en) = ("没有校车时不能填报车辆", "needs school_buses_run");
        fields.violation(list, zh, en);
    }
    let run = run?;
    if run && said.is_empty() {
        fields.violation(list, "必填", "required");
    }
    let (mut labels, mut buses) = (BTreeSet::new(), Vec::new());
    for (place, said) in said.into_iter().enumerate().take(MOST_BUSES) {
        let at = |leaf: &str| format!("{list}[{place}].{leaf}");
        fields.required(&at("label"), &said.label);
        fields.text(&at("label"), &said.label, LABEL);
        if !labels.insert(said.label.clone()) {
            fields.violation(at("label"), "车辆名称重复", "named twice");
        }
        let inspected = past(fields, &at("inspection_date"), said.inspection_date, today);
        let licence = fields.date(&at("licence_expire_date"), said.licence_expire_date);
        if let (Some(inspected), Some(licence_expires)) = (inspected, licence) {
            buses.push(Bus {
                label: said.label,
                inspected,
                licence_expires,
                attendant: said.attendant,
            });
        }
    }
    Some(buses)
}

/// A declaration for the wire.
pub(super) fn write(said: &Declaration) -> pb::ProtectionDeclaration {
    let statement = |said: &Statement| pb::ProtectionStatement {
        met: said.met,
        since_date: Some(to_date(said.since)),
        evidence: said.evidence.clone(),
        expire_date: said.expires.map(to_date),
    };
    let buses = said.buses.iter().flatten().map(|bus| pb::SchoolBus {
        label: bus.label.clone(),
        inspection_date: Some(to_date(bus.inspected)),
        licence_expire_date: Some(to_date(bus.licence_expires)),
        attendant: bus.attendant,
    });
    let key_parts = said.key_parts.iter().map(|part| pb::KeyPart {
        kind: part.kind as i32,
        absent: part.absent,
        guarded: part.guarded,
        monitored: part.monitored,
    });
    pb::ProtectionDeclaration {
        full_time_guards: said.full_time_guards.as_ref().map(statement),
        closed_management: said.closed_management.as_ref().map(statement),
        one_key_alarm: said.one_key_alarm.as_ref().map(statement),
        guards: said.guards.as_ref().map(written_guards),
        patrol: said.patrol.as_ref().map(|said| pb::PatrolPlan {
            route: said.route.clone(),
            points: said.points.clone(),
            daily_count: number(said.daily),
        }),
        entrance: said.entrance.map(|said| pb::EntranceDeclaration {
            anti_ramming: said.anti_ramming,
            separate_entries: said.separate,
        }),
        video: said.video.map(|said| pb::VideoDeclaration {
            retention_days: number(said.retention),
            key_target: said.key_target,
            police_linked: said.police,
            bureau_linked: said.bureau,
        }),
        key_parts: key_parts.collect(),
        school_buses_run: said.buses.as_ref().map(|buses| !buses.is_empty()),
        school_buses: buses.collect(),
        food: said.food.map(|said| pb::FoodDeclaration {
            leaders_dine: said.leaders_dine,
            sample_grams: number(said.sample_grams),
            sample_hours: number(said.sample_hours),
        }),
        no_food: said.no_food,
    }
}

fn written_guards(said: &Guards) -> pb::GuardDeclaration {
    let certificates = said.certificates.iter();
    let certificates = certificates.map(|said| pb::guard_declaration::Certificates {
        count: number(said.count),
        expire_date: Some(to_date(said.expires)),
    });
    pb::GuardDeclaration {
        over_age_count: number(said.over_age),
        certificates: certificates.collect(),
        gatehouse_all_day: said.gatehouse_all_day,
    }
}
