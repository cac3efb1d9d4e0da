//! The words that files use, and the codes that they stand for.

pub(super) fn organization_kind(text: &str) -> Option<&'static str> {
    Some(match text.to_ascii_lowercase().as_str() {
        "city_bureau" | "local" | "state" | "national" => "CITY_BUREAU",
        "county_bureau" | "district" => "COUNTY_BUREAU",
        "functional_zone" => "FUNCTIONAL_ZONE",
        "municipal_school" => "MUNICIPAL_SCHOOL",
        "school" | "department" => "SCHOOL",
        "kindergarten" => "KINDERGARTEN",
        "training_institution" => "TRAINING_INSTITUTION",
        "off_campus_base" => "OFF_CAMPUS_BASE",
        "university" => "UNIVERSITY",
        _ => return None,
    })
}

pub(super) fn post(text: &str) -> Option<&'static str> {
    Some(match text.to_ascii_uppercase().as_str() {
        "" | "TEACHER" | "教师" | "任课教师" | "AIDE" | "PROCTOR" => "TEACHER",
        "HEAD_TEACHER" | "班主任" => "HEAD_TEACHER",
        "PRINCIPAL" | "校长" | "园长" => "PRINCIPAL",
        "PARTY_SECRETARY" | "书记" | "党组织书记" | "党支部书记" | "党总支书记" | "党委书记" => {
            "PARTY_SECRETARY"
        }
        "SAFETY_DEPUTY" | "安全副校长" => "SAFETY_DEPUTY",
        "DEPARTMENT_HEAD" | "中层" | "年段长" => "DEPARTMENT_HEAD",
        "MEDICAL" | "校医" | "保健医" => "MEDICAL",
        "EPIDEMIC_REPORTER" | "疫情报告人" => "EPIDEMIC_REPORTER",
        "GUARD" | "保安" => "GUARD",
        "CLEANER" | "保洁" | "保洁员" => "CLEANER",
        "CANTEEN" | "食堂" | "食堂员工" => "CANTEEN",
        "DORMITORY" | "宿管" => "DORMITORY",
        "DRIVER" | "司机" => "DRIVER",
        "COUNSELLOR" | "COUNSELOR" | "心理教师" => "COUNSELLOR",
        "ADMINISTRATION"
        | "ADMINISTRATOR"
        | "SITEADMINISTRATOR"
        | "DISTRICTADMINISTRATOR"
        | "SYSTEMADMINISTRATOR"
        | "行政" => "ADMINISTRATION",
        _ => return None,
    })
}

pub(super) fn relation(text: &str) -> Option<&'static str> {
    Some(match text {
        "父亲" | "父" | "爸爸" | "FATHER" => "FATHER",
        "母亲" | "母" | "妈妈" | "MOTHER" => "MOTHER",
        "祖父" | "祖母" | "爷爷" | "奶奶" | "外公" | "外婆" | "外祖父" | "外祖母" | "祖父母"
        | "外祖父母" | "GRANDPARENT" => "GRANDPARENT",
        "" | "其他" | "监护人" | "OTHER" => "OTHER",
        _ => return None,
    })
}
