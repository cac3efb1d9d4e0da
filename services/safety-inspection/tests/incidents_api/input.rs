//! What malformed requests are told.

use proto::safety as pb;
use proto::safety::incident_report::Kind;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::city::on_both;
use crate::city::world::World;
use crate::desk::{CITY, Desk, GUARD, HEAD, OFFICER, REVIEWER, call, report, review, said};

on_both!(
    every_wrong_field_is_named_at_once,
    no_number_of_a_person_enters,
);

fn fields<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let status = answer.expect_err("malformed");
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_error_details();
    let violations = details
        .bad_request()
        .expect("fields")
        .field_violations
        .iter();
    violations
        .map(|violation| violation.field.clone())
        .collect()
}

async fn every_wrong_field_is_named_at_once(world: World) {
    let desk = Desk::new(world).await;
    let mut create = desk.accident(pb::Casualties {
        deaths: -1,
        serious_injuries: 100_001,
        loss_yuan: -5,
        ..Default::default()
    });
    if let Some(incident) = &mut create.incident {
        incident.hazard_category = 0;
        incident.confidential = 9;
        incident.place = String::new();
        incident.summary = "字".repeat(501);
        incident.occur_time = Some(prost_types::Timestamp {
            seconds: 4_000_000_000,
            nanos: 0,
        });
    }
    assert_eq!(
        fields(call!(desk, create_incident, GUARD, create)),
        [
            "incident.hazard_category",
            "incident.confidential",
            "incident.occur_time",
            "incident.casualties.deaths",
            "incident.casualties.serious_injuries",
            "incident.casualties.loss_yuan",
            "incident.place",
            "incident.summary",
        ]
    );
    let name = desk.noticed(pb::Casualties::default()).await.name;
    let mut last = report(&name, Kind::Final);
    last.over_level_reason = "紧急".to_owned();
    if let Some(report) = &mut last.report {
        report.cause.clear();
        report.lessons.clear();
    }
    let wrong = fields(call!(desk, write_incident_report, OFFICER, last));
    assert_eq!(
        wrong,
        ["report.cause", "report.lessons", "over_level_reason"]
    );
    let mut many = review(&name);
    many.causes = vec![many.causes[0].clone(); 21];
    many.accountability[0].staff_member = "students/1".to_owned();
    many.accountability[0].measure = 77;
    let wrong = fields(call!(desk, review_incident, REVIEWER, many));
    let expected = [
        "causes",
        "accountability[0].measure",
        "accountability[0].staff_member",
    ];
    assert_eq!(wrong, expected);
    let list = pb::ListIncidentsRequest {
        parent: crate::city::SCHOOL.to_owned(),
        states: vec![0],
        levels: vec![5],
        categories: vec![-1],
        ..Default::default()
    };
    let wrong = fields(call!(desk, list_incidents, HEAD, list));
    assert_eq!(wrong, ["states", "levels", "categories"]);
    let receipt = pb::AcknowledgeIncidentRequest {
        name: name.clone(),
        ..Default::default()
    };
    let wrong = fields(call!(desk, acknowledge_incident, CITY, receipt));
    assert_eq!(wrong, ["receiver", "medium"]);
    for name in ["", "incidents/1", "organizations/2135010001/incidents/1"] {
        let get = pb::GetIncidentRequest {
            name: name.to_owned(),
        };
        assert_eq!(fields(call!(desk, get_incident, HEAD, get)), ["name"]);
    }
    let reused = pb::CloseIncidentRequest {
        request_id: "1".to_owned(),
        ..said!(CloseIncidentRequest, name, reason)
    };
    assert_eq!(
        fields(call!(desk, close_incident, CITY, reused)),
        ["request_id"]
    );
}

async fn no_number_of_a_person_enters(world: World) {
    let desk = Desk::new(world).await;
    let mut create = desk.accident(pb::Casualties::default());
    if let Some(incident) = &mut create.incident {
        incident.summary = "家长电话 13800000000".to_owned();
        incident.over_level_reason = "联系 5910000000".to_owned();
    }
    let wrong = fields(call!(desk, create_incident, GUARD, create));
    assert_eq!(wrong, ["incident.over_level_reason", "incident.summary"]);
    let name = desk.noticed(pb::Casualties::default()).await.name;
    let mut first = report(&name, Kind::First);
    if let Some(report) = &mut first.report {
        report.situation = "伤者证件号 350102000000000000".to_owned();
    }
    let wrong = fields(call!(desk, write_incident_report, OFFICER, first));
    assert_eq!(wrong, ["report.situation"]);
    let notice = pb::RecordIncidentNoticeRequest {
        name,
        receiver: pb::incident_step::Receiver::Police.into(),
        medium: pb::incident_step::Medium::Phone.into(),
        reference: "张三的案子".to_owned(),
        ..Default::default()
    };
    let wrong = fields(call!(desk, record_incident_notice, HEAD, notice));
    assert_eq!(wrong, ["reference"]);
}
