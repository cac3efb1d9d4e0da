//! What a service told of a person, in the form that is common to all of them.

use proto::roster::{HeldCategory, SubjectData};
use proto::subject::held_section::Telling;
use proto::subject::{HeldField, HeldRecord, HeldSection};
use tonic::Code;

/// A reason of the contracts is not longer than this.
const LONGEST: usize = 63;

/// The sections of the register: each of its categories is one record.
pub(super) fn sections(data: SubjectData) -> impl Iterator<Item = HeldSection> {
    data.categories.into_iter().map(section)
}

fn section(category: HeldCategory) -> HeldSection {
    let HeldCategory {
        category,
        purpose,
        basis,
        retention,
        sensitive,
        items,
    } = category;
    let (title, title_en) = titles(&category);
    let fields = items.into_iter().map(|item| HeldField {
        field: item.field,
        value: item.value,
    });
    let fields: Vec<HeldField> = fields.collect();
    // Guardians, duties and disclosures are several: each is a record of its own.
    let records: Vec<HeldRecord> = match category.as_str() {
        "guardians" | "responsibilities" | "disclosures" => {
            let alone = fields.into_iter().map(|field| HeldRecord {
                fields: vec![field],
            });
            alone.collect()
        }
        _ if fields.is_empty() => Vec::new(),
        _ => vec![HeldRecord { fields }],
    };
    HeldSection {
        section: category,
        title: title.to_owned(),
        title_en: title_en.to_owned(),
        purpose,
        basis,
        retention,
        sensitive,
        telling: Telling::Full.into(),
        withheld_reason: String::new(),
        record_count: i64::try_from(records.len()).unwrap_or(i64::MAX),
        records,
    }
}

/// What the categories of the register are called.
fn titles(category: &str) -> (&'static str, &'static str) {
    match category {
        "register" => ("学籍信息", "register"),
        "employment" => ("任职信息", "employment"),
        "staff_numbers" => ("证件号码与电话", "numbers"),
        "responsibilities" => ("安全责任与班主任", "responsibilities"),
        "numbers" => ("证件号码与电话", "numbers"),
        "care" => ("在校管理", "care"),
        "guardians" => ("监护人", "guardians"),
        "disclosures" => ("查阅记录", "disclosures"),
        _ => ("其他", "other"),
    }
}

/// Why a service did not tell all: the reason that it gave, else what its code means.
pub(super) fn reason(code: Code, told: Option<String>) -> String {
    let reads_well = |reason: &String| {
        !reason.is_empty()
            && reason.len() <= LONGEST
            && reason
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    told.filter(reads_well).unwrap_or_else(|| {
        match code {
            Code::DeadlineExceeded | Code::Cancelled => "DEADLINE_EXCEEDED",
            Code::ResourceExhausted => "OVERLOADED",
            Code::Unavailable => "UNAVAILABLE",
            _ => "INTERNAL",
        }
        .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use proto::roster::HeldItem;

    use super::*;

    fn category(name: &str, fields: &[&str]) -> HeldCategory {
        let item = |field: &&str| HeldItem {
            field: (*field).to_owned(),
            value: "值".to_owned(),
        };
        HeldCategory {
            category: name.to_owned(),
            items: fields.iter().map(item).collect(),
            ..HeldCategory::default()
        }
    }

    #[test]
    fn a_category_is_one_record_and_what_is_several_is_several() {
        let data = SubjectData {
            categories: vec![
                category("register", &["display_name", "sex"]),
                category("guardians", &["guardian", "guardian"]),
                category("numbers", &[]),
            ],
            ..SubjectData::default()
        };
        let told = sections(data).map(|one| {
            let sizes: Vec<usize> = one.records.iter().map(|it| it.fields.len()).collect();
            (one.section, one.record_count, sizes)
        });
        let told: Vec<_> = told.collect();
        let one = |name: &str, count, sizes: &[usize]| (name.to_owned(), count, sizes.to_vec());
        let expected = [
            one("register", 1, &[2]),
            one("guardians", 2, &[1, 1]),
            one("numbers", 0, &[]),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn only_what_reads_as_a_reason_is_told_as_one() {
        let unavailable = || Some("UNAVAILABLE".to_owned());
        assert_eq!(reason(Code::Unavailable, unavailable()), "UNAVAILABLE");
        for odd in ["", "tcp connect error: 10.0.0.7", &"X".repeat(64)] {
            let told = reason(Code::Internal, Some(odd.to_owned()));
            assert_eq!(told, "INTERNAL", "{odd}");
        }
        assert_eq!(reason(Code::Cancelled, None), "DEADLINE_EXCEEDED");
    }
}
