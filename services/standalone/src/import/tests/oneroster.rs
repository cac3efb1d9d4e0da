use super::*;

const ORGS: &str = "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n\
    S,,,某小学,school,2135010001,D\nD,,,某区,district,350102,\n";

fn delivery(classes: &str, users: &str, enrolments: &str) -> TempDir {
    let head = "sourcedId,status,title,grades,classCode,classType,schoolSourcedId\n";
    let classes = format!("{head}{classes}");
    let head = "sourcedId,status,dateLastModified,orgSourcedIds,role,givenName,familyName,userIds,agentSourcedIds,sms,grades\n";
    let users = format!("{head}{users}");
    let head = "sourcedId,status,classSourcedId,userSourcedId,role,primary\n";
    let enrolments = format!("{head}{enrolments}");
    folder(&[
        ("orgs.csv", ORGS),
        ("classes.csv", &classes),
        ("users.csv", &users),
        ("enrollments.csv", &enrolments),
    ])
}

fn read(folder: &TempDir, options: ReadOptions) -> Vec<String> {
    words(&pieces(folder.path(), options).unwrap())
}

#[test]
fn parents_come_before_children_and_cycles_are_explained() {
    let orgs = format!("{ORGS}A,,,甲,school,,B\nB,,,乙,school,,A\nS,,,又来,school,,\n");
    let folder = folder(&[("orgs.csv", &orgs), ("users.csv", "sourcedId,role\n")]);
    assert_eq!(
        read(&folder, options()),
        [
            "orgs.csv:6 DUPLICATE_ROW",
            "organization or-3f39d5c348e5b79d06e842c1",
            "organization 2135010001",
            "orgs.csv:4 ORGANIZATION_CYCLE",
            "orgs.csv:5 ORGANIZATION_CYCLE",
        ]
    );
}

#[test]
fn one_home_class_is_taken_and_the_rest_explained() {
    let folder = delivery(
        "c1,,数学,03,,scheduled,S\nc2,,三年级2班,03,,homeroom,S\nc3,,多级,\"03,04\",,homeroom,S\n\
         c4,,三年级4班,03,,homeroom,S\nc5,,无,,,homeroom,S\n",
        "p,,1/05/2023,S,parent,大山,林,,u,13800138000\nq,,,S,parent,无,子,,,\n\
         u,,,S,student,小雨,林,{residentId:440524188001010014},,\nt,,,S,teacher,Ann,Lee,,,\n\
         w,,,S,wizard,x,y,,,\nv,,,S,student,无,班,,,\nx,,,,teacher,No,Org,,,\n",
        "1,,c1,u,student,\n2,,c2,u,student,\n3,,c2,t,teacher,true\n4,,c9,u,student,\n\
         5,,c2,nobody,student,\n6,,c4,u,student,\n7,,c2,p,student,\n8,,c5,v,student,\n",
    );
    assert_eq!(
        read(&folder, options())[2..],
        [
            "classes.csv:2 COURSE_CLASS",
            "class 2135010001/p2019-02",
            "classes.csv:4 GRADE_SEVERAL",
            "class 2135010001/p2019-04",
            "classes.csv:6 GRADE_UNKNOWN",
            "enrollments.csv:5 UNKNOWN_CLASS_GROUP",
            "enrollments.csv:6 ORPHAN_ENROLMENT",
            "enrollments.csv:7 EXTRA_ENROLMENT",
            "enrollments.csv:8 ENROLMENT_ROLE",
            "enrollments.csv:9 CLASS_REFUSED",
            "student 林小雨 p2019-02 ",
            "staff Ann Lee HEAD_TEACHER",
            "users.csv:6 UNKNOWN_ROLE",
            "users.csv:7 refused NO_CLASS_GROUP",
            "users.csv:8 refused UNKNOWN_ORGANIZATION",
            "users.csv:2 MODIFIED_DATE",
            "guardian 林大山 13800138000",
            "users.csv:3 GUARDIAN_WITHOUT_STUDENT",
        ]
    );
}

#[test]
fn a_teacher_enrolled_as_a_student_heads_nothing() {
    let folder = delivery(
        "c,,三年级1班,03,,homeroom,S\n",
        "t,,,S,teacher,Ann,Lee,,,\n",
        "1,,c,t,student,true\n",
    );
    assert_eq!(
        read(&folder, options())[3..],
        ["enrollments.csv:2 ENROLMENT_ROLE", "staff Ann Lee teacher"]
    );
}

#[test]
fn students_without_a_home_class_join_the_unassigned_of_their_grade_when_asked_for() {
    let folder = delivery(
        "c,tobedeleted,三年级1班,03,,homeroom,S\n",
        "u,,,S,student,小雨,林,,,,05\nv,,,S,student,明,陈,,,,05\nw,,,S,student,无,级,,,,\n\
         g,tobedeleted,,S,student,走,了,,,,\n",
        "1,,c,u,student,\n",
    );
    assert_eq!(
        read(&folder, options())[3..],
        [
            "enrollments.csv:2 ENROLMENT_IN_REMOVED",
            "users.csv:2 refused CLASS_REMOVED",
            "users.csv:3 refused NO_CLASS_GROUP",
            "users.csv:4 refused NO_CLASS_GROUP",
            "-student 了走  ",
        ]
    );
    let options = ReadOptions {
        unassigned: true,
        ..options()
    };
    assert_eq!(
        read(&folder, options)[4..],
        [
            "users.csv:2 UNASSIGNED",
            "class 2135010001/p2017-99",
            "student 林小雨 p2017-99 ",
            "users.csv:3 UNASSIGNED",
            "student 陈明 p2017-99 ",
            "users.csv:4 refused NO_CLASS_GROUP",
            "-student 了走  ",
        ]
    );
}

#[test]
fn classes_of_one_number_get_others_that_stay_in_the_next_delivery() {
    let classes =
        "a,,三年级1班,03,,homeroom,S\nb,,三年级（一）班,03,,homeroom,S\nc,,彩虹班,03,,homeroom,S\n";
    let number = |classes: &str, id: &str| {
        let folder = delivery(classes, "", "");
        let pieces = pieces(folder.path(), options()).unwrap();
        let found = pieces.iter().find_map(|piece| match piece {
            Piece::Row(row, _) if row.external_id == id => row.record.clone(),
            _ => None,
        });
        let Some(Record::ClassGroup(row)) = found else {
            panic!("no class {id}")
        };
        row.class_group
    };
    assert_eq!(number(classes, "a"), "p2019-01");
    let (b, c) = (number(classes, "b"), number(classes, "c"));
    let more = format!("d,,阳光班,03,,homeroom,S\n{classes}");
    assert_eq!(
        (number(&more, "b"), number(&more, "c")),
        (b.clone(), c.clone())
    );
    assert!(b != "p2019-01" && c != "p2019-01" && b != c, "{b} {c}");
}

#[test]
fn guardians_are_linked_from_either_side_and_beside_another_role() {
    let folder = delivery(
        "c,,三年级1班,03,,homeroom,S\n",
        "u,,,S,student,小雨,林,,\"p,t\",\nv,,,S,student,小明,林,,,\np,,,S,parent,大山,林,,v,13800138000\n\
         t,,,,,Ann,Lee,,,13900139000\n",
        "1,,c,u,student,\n2,,c,v,student,\n",
    );
    fs::write(
        folder.path().join("roles.csv"),
        "sourcedId,userSourcedId,roleType,role,orgSourcedId\n1,t,secondary,guardian,S\n2,t,primary,teacher,S\n",
    )
    .unwrap();
    let read = read(&folder, options());
    let guardians: Vec<&String> = read
        .iter()
        .filter(|word| word.contains("guardian"))
        .collect();
    assert_eq!(
        guardians,
        [
            "guardian 林大山 13800138000",
            "guardian 林大山 13800138000",
            "guardian Ann Lee 13900139000"
        ]
    );
    assert!(
        read.contains(&"staff Ann Lee teacher".to_owned()),
        "{read:#?}"
    );
}

#[test]
fn headings_in_any_order_and_case_quoted_lines_and_semicolons_are_read() {
    let folder = folder(&[
        (
            "Orgs.CSV",
            "\u{feff}NAME;SourcedID;type;identifier\r\n某小学;S;school;2135010001\r\n",
        ),
        (
            "classes.csv",
            "schoolSourcedId,sourcedId,title,grades,classType\nS,c,\"三年级\n1班\",三年级,HomeRoom\n",
        ),
        (
            "users.csv",
            "role,familyName,givenName,sourcedId\nSTUDENT,林,\"小\"\"雨\",u\n,,,\n",
        ),
        (
            "enrollments.csv",
            "role,userSourcedId,classSourcedId,sourcedId\nstudent,u,c,1\n",
        ),
    ]);
    assert_eq!(
        read(&folder, options()),
        [
            "organization 2135010001",
            "class 2135010001/p2019-01",
            "student 林小\"雨 p2019-01 "
        ]
    );
}

#[test]
fn what_a_delivery_lacks_is_named() {
    let said = |files: &[(&str, &str)]| {
        let folder = folder(files);
        let err = pieces(folder.path(), options()).unwrap_err();
        crate::screen::failure(&err)
    };
    let users = ("users.csv", "sourcedId,role\n");
    assert!(said(&[users]).contains("orgs.csv"));
    assert!(said(&[users, ("orgs.csv", "sourcedId,name\nS,x\n")]).contains("type"));
    assert!(said(&[users, ("orgs.csv", "a,b\n1,2\n")]).contains("sourcedId"));
}

#[test]
fn a_manifest_tells_whether_the_files_are_changes_only() {
    let with = |word: &str| {
        let manifest = format!("propertyName,value\nfile.users,{word}\nfile.results,delta\n");
        let users = ("users.csv", "sourcedId,role\n");
        let folder = folder(&[("orgs.csv", ORGS), users, ("manifest.csv", &manifest)]);
        Roster::open(folder.path(), options())
            .unwrap()
            .is_delta()
            .unwrap()
    };
    assert!(with("delta"));
    assert!(!with("bulk"));
}

#[test]
fn the_root_comes_first_unless_the_files_bring_it() {
    let users = ("users.csv", "sourcedId,role\n");
    let with = |root: &str| {
        let folder = folder(&[("orgs.csv", ORGS), users]);
        let options = ReadOptions {
            root: Some(root.to_owned()),
            ..options()
        };
        read(&folder, options)
    };
    assert_eq!(with("fz")[0], "organization fz");
    assert_eq!(with("fz").len(), 3);
    assert_eq!(with("2135010001").len(), 2);
}
