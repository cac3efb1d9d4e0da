//! Why a command failed, in one sentence that says what to do.

use std::io;

use tonic::{Code, Status};
use tonic_types::{ErrorDetail, StatusExt};

/// The sentence for an error: what was being done, then why it failed.
pub fn failure(err: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in err.chain() {
        // What stands behind the answer of a service is its own matter.
        if let Some(status) = cause.downcast_ref::<Status>() {
            parts.push(answer(status));
            break;
        }
        let part = match cause.downcast_ref::<io::Error>() {
            Some(err) => system(err),
            None => cause.to_string(),
        };
        // Many errors repeat the one below them.
        if !parts.iter().any(|said| said.contains(&part)) {
            parts.push(part);
        }
    }
    parts.join("：")
}

/// What a service answered.
fn answer(status: &Status) -> String {
    let mut sentences = Vec::new();
    for detail in status.get_error_details_vec() {
        match detail {
            ErrorDetail::LocalizedMessage(words) if words.locale.starts_with("zh") => {
                sentences.insert(0, format!("{} ({})", words.message, status.message()));
            }
            ErrorDetail::BadRequest(bad) => {
                let fields = bad.field_violations.into_iter();
                sentences.extend(fields.map(|one| format!("{}：{}", one.field, one.description)));
            }
            _ => {}
        }
    }
    let sentence = match (sentences.is_empty(), status.code()) {
        (false, _) => sentences.join("；"),
        (true, Code::Unavailable) => {
            "连不上服务，请看地址是否正确、campus up 是否在运行 (nobody answers: check the address, and \
             whether `campus up` runs)"
                .to_owned()
        }
        (true, Code::Unimplemented | Code::Internal | Code::Unknown) => format!(
            "那个地址答的不是 Campus 的网关，请核对 --gateway (what answers is not the gateway: {})",
            status.message()
        ),
        (true, _) => status.message().to_owned(),
    };
    match status.code() {
        Code::Unauthenticated => {
            sentence + "；令牌用 --token 或 CAMPUS_TOKEN 给出，试用时由 campus token 打印"
        }
        _ => sentence,
    }
}

fn system(err: &io::Error) -> String {
    let words = match err.kind() {
        io::ErrorKind::NotFound => "没有这个文件或文件夹 (no such file or folder)",
        io::ErrorKind::PermissionDenied => "没有权限 (permission denied)",
        io::ErrorKind::AddrInUse => {
            "端口已被占用，请用 --port 换一个，或先停下另一个 campus up (the port is in use)"
        }
        io::ErrorKind::StorageFull => "磁盘已满 (the disk is full)",
        _ => return err.to_string(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use kit::status::Problem;
    use proto::error::ErrorReason;

    use super::*;

    #[test]
    fn an_answer_is_told_in_both_languages_without_its_inner_parts() {
        let status = Status::from(Problem::new(ErrorReason::ImportPlanStale));
        let err = Err::<(), _>(status).context("导入中断").unwrap_err();
        let sentence = failure(&err);
        assert!(
            sentence.starts_with("导入中断：比对之后名册已有变动"),
            "{sentence}"
        );
        assert!(sentence.contains("the register changed"), "{sentence}");
        assert!(!sentence.contains("details"), "{sentence}");
    }

    #[test]
    fn wrong_fields_are_named() {
        let status = Status::from(Problem::invalid("source", "应为小写字母", "lower case"));
        let sentence = failure(&status.into());
        assert!(sentence.contains("source：应为小写字母"), "{sentence}");
    }

    #[test]
    fn nobody_at_the_address_is_said_plainly() {
        let sentence = failure(&Status::unavailable("tcp connect error").into());
        assert!(sentence.contains("campus up"), "{sentence}");
        assert!(!sentence.contains("tcp"), "{sentence}");
    }

    #[test]
    fn the_system_is_quoted_in_plain_words() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let err = Err::<(), _>(missing).context("x.csv").unwrap_err();
        assert_eq!(
            failure(&err),
            "x.csv：没有这个文件或文件夹 (no such file or folder)"
        );
    }
}
