use prost::Message;
use prost_types::FileDescriptorSet;

use super::*;
use crate::domain::health::case::{Detection, Outcome, Subject};
use crate::store::health::cases::CaseRow;

const ID: &str = "6f0e4f1e-0000-4000-8000-000000000001";
const MONDAY: i64 = 1_648_425_600_000;

fn contents() -> Contents {
    let row = CaseRow {
        id: ID.to_owned(),
        subject: Subject::Person as i16,
        person: vec![7; 16],
        kind: 1,
        org_path: "fz/350102/2135010001/p2019-01".to_owned(),
        school: "fz/350102/2135010001".to_owned(),
        disease: 1,
        certainty: 2,
        severity: 1,
        onset: 8122,
        detection: Detection::Hospital as i16,
        people: 1,
        detect_time: MONDAY,
        confirm_time: MONDAY + 3_600_000,
        outcome: Outcome::Recovered.code(),
        first_due: MONDAY + 86_400_000,
        first_time: MONDAY + 60_000,
        policy_version: "fuzhou-2022-04-1".to_owned(),
        ..CaseRow::default()
    };
    let report = ReportRow {
        sequence: 1,
        kind: 1,
        time: MONDAY + 60_000,
        author: "reporter-1".to_owned(),
        place: "教室, \"东侧\"\n二楼".to_owned(),
        suspected: 1,
        measures: "=HYPERLINK(\"x\")".to_owned(),
        contact_post: "学校疫情报告人".to_owned(),
        ..ReportRow::default()
    };
    let contact = ContactRow {
        person: vec![8; 16],
        kind: 1,
        relation: 5,
        degree: 1,
        last_day: 8123,
        ..ContactRow::default()
    };
    Contents {
        file: CaseFile {
            row,
            ..CaseFile::default()
        },
        events: vec![CaseEventRow {
            kind: Happening::Confirmed as i16,
            ..CaseEventRow::default()
        }],
        reports: vec![report],
        contacts: vec![contact],
        actor: "+cdc-1,\"a\"".to_owned(),
        school: "晨光小学".to_owned(),
        class_group: "三年级1班".to_owned(),
    }
}

fn told() -> Document {
    let now = DateTime::from_timestamp_millis(MONDAY + 7_200_000).unwrap();
    document(&contents(), now)
}

#[test]
fn the_card_is_a_table_that_no_spreadsheet_runs() {
    let expected = "\u{feff}card_number,card_kind,subject,patient,school,class_group,disease,\
        disease_display_name,certainty,severity,onset_date,detect_time,detection,confirm_time,\
        death_time,person_count,state,outcome,first_report_due_time,first_report_time,late,\
        contact_count,filled_by,fill_time,policy_version,school_display_name,\
        class_group_display_name,disease_class,occupation,case_classification\r\n\
        cases/6f0e4f1e-0000-4000-8000-000000000001,REVISED,PERSON,\
        students/07070707-0707-0707-0707-070707070707,2135010001,p2019-01,INFLUENZA,流行性感冒,\
        CONFIRMED,MILD,2022-03-27,2022-03-28T08:00:00+08:00,HOSPITAL,2022-03-28T09:00:00+08:00,,1,\
        CLOSED,RECOVERED,2022-03-29T08:00:00+08:00,2022-03-28T08:01:00+08:00,false,1,\
        \"'+cdc-1,\"\"a\"\"\",2022-03-28T10:00:00+08:00,fuzhou-2022-04-1,晨光小学,三年级1班,丙类,学生,\
        确诊病例\r\n";
    assert_eq!(
        String::from_utf8(csv(&told(), Table::Card)).unwrap(),
        expected
    );
}

#[test]
fn reports_and_contacts_are_tables_of_their_own() {
    let reports = "\u{feff}sequence,kind,report_time,late,author,place,suspected_count,\
        confirmed_count,hospitalised_count,dead_count,measures,cause,contact_post\r\n\
        1,FIRST,2022-03-28T08:01:00+08:00,false,reporter-1,\"教室, \"\"东侧\"\"\n二楼\",1,0,0,0,\
        \"'=HYPERLINK(\"\"x\"\")\",,学校疫情报告人\r\n";
    let contacts = "\u{feff}person,kind,degree,last_contact_date,control,end_time\r\n\
        students/08080808-0808-0808-0808-080808080808,SEAT,CLOSE,2022-03-28,NONE,\r\n";
    let table = |document: &Document, table| String::from_utf8(csv(document, table)).unwrap();
    assert_eq!(table(&told(), Table::Reports), reports);
    assert_eq!(table(&told(), Table::Contacts), contacts);
    let nobody = Document {
        contacts: Vec::new(),
        ..told()
    };
    let heading = contacts.split_inclusive("\r\n").next().unwrap();
    assert_eq!(table(&nobody, Table::Contacts), heading);
}

#[test]
fn the_whole_document_is_json_in_the_order_of_the_contract() {
    let expected = "{\"card\":{\"card_number\":\"cases/6f0e4f1e-0000-4000-8000-000000000001\",\
        \"card_kind\":\"REVISED\",\"subject\":\"PERSON\",\
        \"patient\":\"students/07070707-0707-0707-0707-070707070707\",\"school\":\"2135010001\",\
        \"class_group\":\"p2019-01\",\"disease\":\"INFLUENZA\",\
        \"disease_display_name\":\"流行性感冒\",\"certainty\":\"CONFIRMED\",\"severity\":\"MILD\",\
        \"onset_date\":\"2022-03-27\",\"detect_time\":\"2022-03-28T08:00:00+08:00\",\
        \"detection\":\"HOSPITAL\",\"confirm_time\":\"2022-03-28T09:00:00+08:00\",\
        \"death_time\":\"\",\"person_count\":1,\"state\":\"CLOSED\",\"outcome\":\"RECOVERED\",\
        \"first_report_due_time\":\"2022-03-29T08:00:00+08:00\",\
        \"first_report_time\":\"2022-03-28T08:01:00+08:00\",\"late\":false,\"contact_count\":1,\
        \"filled_by\":\"+cdc-1,\\\"a\\\"\",\"fill_time\":\"2022-03-28T10:00:00+08:00\",\
        \"policy_version\":\"fuzhou-2022-04-1\",\"school_display_name\":\"晨光小学\",\
        \"class_group_display_name\":\"三年级1班\",\"disease_class\":\"丙类\",\
        \"occupation\":\"学生\",\"case_classification\":\"确诊病例\"},\
        \"reports\":[{\"sequence\":1,\"kind\":\"FIRST\",\
        \"report_time\":\"2022-03-28T08:01:00+08:00\",\"late\":false,\"author\":\"reporter-1\",\
        \"place\":\"教室, \\\"东侧\\\"\\n二楼\",\"suspected_count\":1,\"confirmed_count\":0,\
        \"hospitalised_count\":0,\"dead_count\":0,\"measures\":\"=HYPERLINK(\\\"x\\\")\",\
        \"cause\":\"\",\"contact_post\":\"学校疫情报告人\"}],\
        \"contacts\":[{\"person\":\"students/08080808-0808-0808-0808-080808080808\",\
        \"kind\":\"SEAT\",\"degree\":\"CLOSE\",\"last_contact_date\":\"2022-03-28\",\
        \"control\":\"NONE\",\"end_time\":\"\"}]}\n";
    assert_eq!(String::from_utf8(json(&told())).unwrap(), expected);
    assert!(serde_json::from_slice::<serde_json::Value>(&json(&told())).is_ok());
}

#[test]
fn formulas_are_disarmed_and_quotes_doubled() {
    assert_eq!(quoted("=1+1"), "'=1+1");
    assert_eq!(quoted("＝1+1"), "'＝1+1");
    assert_eq!(quoted("a\"b,c"), "\"a\"\"b,c\"");
    assert_eq!(quoted("两\r\n行"), "\"两\r\n行\"");
    assert_eq!(quoted("平常"), "平常");
}

#[test]
fn every_value_is_a_field_of_the_contract_in_its_order() {
    let set = FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap();
    let messages: Vec<_> = set
        .file
        .iter()
        .filter(|file| file.package() == "campus.sampling.v1")
        .flat_map(|file| file.message_type.clone())
        .collect();
    let fields = |name: &str| -> Vec<String> {
        let mut nested = messages
            .iter()
            .flat_map(|message| message.nested_type.clone());
        let top = messages.iter().find(|message| message.name() == name);
        let found = top
            .cloned()
            .or_else(|| nested.find(|message| message.name() == name));
        let fields = found.unwrap().field;
        fields.iter().map(|field| field.name().to_owned()).collect()
    };
    let names =
        |line: &Line| -> Vec<String> { line.iter().map(|(name, _)| (*name).to_owned()).collect() };
    let told = told();
    assert_eq!(names(&told.card), fields("CaseCard"));
    assert_eq!(names(&told.reports[0]), fields("ReportLine"));
    assert_eq!(names(&told.contacts[0]), fields("ContactLine"));
}
