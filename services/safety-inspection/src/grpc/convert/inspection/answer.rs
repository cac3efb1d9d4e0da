//! Answers and what became of them.

use chrono::{DateTime, Utc};
use kit::field::Fields;
use kit::status::Problem;
use prost::Message;
use proto::safety as pb;
use sha2::{Digest, Sha256};

use super::super::photo;
use super::item::LARGEST;
use crate::app::inspections::Verdict;
use crate::domain::checklist::item::Value;
use crate::domain::inspection::answer::{Answer, CLOCKS_DIFFER};

const BATCH: usize = 200;
const NOTE: usize = 500;
const ITEM: usize = 120;
const PHOTOS: usize = 9;

/// One answer of a batch, or the sentence that says why it is none.
pub(in crate::grpc) type Handed = Result<Answer, String>;

/// The answers of a batch with the ids that the device gave.
pub(in crate::grpc) fn answers(
    sent: Vec<pb::InspectionAnswer>,
    now: DateTime<Utc>,
) -> Result<Vec<(String, Handed)>, Problem> {
    if !(1..=BATCH).contains(&sent.len()) {
        return Err(Problem::invalid(
            "answers",
            "每批 1 至 200 条",
            "1 to 200 answers",
        ));
    }
    let read = sent
        .into_iter()
        .map(|sent| (sent.client_id.clone(), answer(sent, now)));
    Ok(read.collect())
}

fn answer(sent: pb::InspectionAnswer, now: DateTime<Utc>) -> Handed {
    use pb::inspection_answer::Value as Pb;
    let fingerprint = fingerprint(&sent);
    let mut fields = Fields::new();
    let client_id = fields.parse("client_id", &sent.client_id);
    fields.required("item", &sent.item);
    fields.text("item", &sent.item, ITEM);
    fields.text("note", &sent.note, NOTE);
    let written = fields.instant("answer_time", sent.answer_time);
    let value = match sent.value {
        Some(Pb::Good(good)) => Some(Value::Good(good)),
        Some(Pb::NumberThousandths(number)) => {
            fields.within("number_thousandths", number, 0..=LARGEST);
            Some(Value::Number(number))
        }
        Some(Pb::Text(text)) => {
            super::words(&mut fields, "text", &text, NOTE);
            Some(Value::Text(text))
        }
        Some(Pb::NotApplicable(true)) => Some(Value::NotApplicable),
        Some(Pb::NotApplicable(false)) | None => {
            fields.violation("value", "请填写检查结果", "required");
            None
        }
    };
    fields.within("photos", sent.photos.len(), 0..=PHOTOS);
    let mut photos = Vec::new();
    for (place, sent) in sent.photos.iter().take(PHOTOS).enumerate() {
        let at = format!("photos[{place}]");
        photos.extend(photo::photo(&mut fields, &at, sent, now + CLOCKS_DIFFER));
    }
    photos.sort_by_key(|photo| photo.sha256);
    photos.dedup_by_key(|photo| photo.sha256);
    fields.finish().map_err(|problem| sentence(&problem))?;
    match (client_id, value, written) {
        (Some(client_id), Some(value), Some(written)) => Ok(Answer {
            client_id,
            item: sent.item,
            value,
            note: sent.note,
            written,
            fingerprint,
            photos,
        }),
        _ => Err("填写的内容有误".to_owned()),
    }
}

/// The Chinese words of every field that is wrong.
fn sentence(problem: &Problem) -> String {
    let wrong = problem
        .fields()
        .map(|(field, zh)| format!("；{field}：{zh}"));
    format!("{}{}", problem.chinese(), wrong.collect::<String>())
}

/// A digest of what was handed in.
fn fingerprint(sent: &pb::InspectionAnswer) -> i64 {
    let digest = Sha256::digest(sent.encode_to_vec());
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(head)
}

/// What became of one answer.
pub(in crate::grpc) fn verdict(
    client_id: String,
    verdict: Result<Verdict, String>,
) -> pb::AnswerVerdict {
    use pb::answer_verdict::Outcome as Pb;
    let (borrowed, misplaced) = match &verdict {
        Ok(Verdict::Recorded {
            borrowed,
            misplaced,
            outdated: _,
        }) => (*borrowed, *misplaced),
        _ => (0, 0),
    };
    let (outcome, message) = match verdict {
        Ok(Verdict::Recorded {
            outdated: false, ..
        }) => (Pb::Recorded, String::new()),
        Ok(Verdict::Recorded { .. }) => {
            let words = "已保存，但此项目已有更晚的答案，以更晚的为准";
            (Pb::Outdated, words.to_owned())
        }
        Ok(Verdict::Repeated) => (Pb::Repeated, "此前已记录，未重复保存".to_owned()),
        Ok(Verdict::Differs) => {
            let words = "同一编号此前记录了不同内容，未保存";
            (Pb::Differs, words.to_owned())
        }
        Ok(Verdict::Refused(why)) => (Pb::Refused, why.to_owned()),
        Err(why) => (Pb::Refused, why),
    };
    pb::AnswerVerdict {
        client_id,
        outcome: outcome.into(),
        message,
        borrowed_photo_count: super::count(borrowed),
        misplaced_photo_count: super::count(misplaced),
    }
}
