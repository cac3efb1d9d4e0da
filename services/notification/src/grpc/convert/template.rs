//! Templates on the wire.

use std::collections::BTreeMap;

use kit::field::{Fields, to_timestamp};
use kit::status::Problem;
use proto::notification as pb;

use super::malformed;
use crate::app::templates::{Source, template_name};
use crate::domain::template::{
    Language, RenderedText, Template, TemplateVersion, Text, Type, Variable, Variant,
};
use crate::domain::template_check::VARIABLES;

const DESCRIPTION: usize = 200;
/// Characters of an example, whatever it stands for.
const EXAMPLE: usize = 200;
/// Texts of one template: each language in each variant.
const TEXTS: usize = Language::ALL.len() * Variant::ALL.len();

/// The id in `templates/{template}`.
pub(in crate::grpc) fn template_id(field: &'static str, name: &str) -> Result<String, Problem> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let id = name.strip_prefix("templates/").unwrap_or_default();
    if (1..=40).contains(&id.len()) && id.bytes().all(allowed) {
        Ok(id.to_owned())
    } else {
        Err(malformed(field))
    }
}

/// A version that is asked for; none for the latest.
pub(in crate::grpc) fn template_version(version: i32) -> Result<Option<i32>, Problem> {
    match version {
        0 => Ok(None),
        1.. => Ok(Some(version)),
        _ => Err(Problem::invalid(
            "version",
            "不能为负数",
            "must not be negative",
        )),
    }
}

/// A template that is to be saved or previewed: its form, not yet whether its texts can be filled.
pub(in crate::grpc) fn template(template: Option<pb::Template>) -> Result<Template, Problem> {
    let template = template.unwrap_or_default();
    let mut fields = Fields::new();
    let id = template_id("template.name", &template.name);
    if id.is_err() {
        let (zh, en) = (
            "应为 templates/ 加 1 至 40 个小写字母、数字或连字符",
            "templates/ and 1 to 40 of `a-z`, `0-9` and `-`",
        );
        fields.violation("template.name", zh, en);
    }
    fields.required("template.description", template.description.trim());
    fields.text("template.description", &template.description, DESCRIPTION);
    if template.variables.len() > VARIABLES {
        fields.violation("template.variables", "最多 20 个", "at most 20");
    }
    if template.texts.len() > TEXTS {
        fields.violation("template.texts", "最多 4 份", "at most 4");
    }
    let mut variables = Vec::with_capacity(template.variables.len());
    for (index, variable) in template.variables.into_iter().enumerate() {
        let field = |part: &str| format!("template.variables[{index}].{part}");
        let holds: Option<pb::template_variable::Type> =
            fields.enumeration(&field("type"), variable.r#type);
        fields.text(&field("example"), &variable.example, EXAMPLE);
        let holds = holds.and_then(|of| Type::ALL.into_iter().find(|one| *one as i32 == of as i32));
        variables.extend(holds.map(|holds| Variable {
            name: variable.name,
            holds,
            example: variable.example,
        }));
    }
    let mut texts = Vec::with_capacity(template.texts.len());
    for (index, text) in template.texts.into_iter().enumerate() {
        let field = |part: &str| format!("template.texts[{index}].{part}");
        let language = Language::parse(&text.language);
        if language.is_none() {
            fields.violation(field("language"), "应为 zh-CN 或 en", "`zh-CN` or `en`");
        }
        let variant: Option<pb::template_text::Variant> =
            fields.enumeration(&field("variant"), text.variant);
        let variant = variant.and_then(|of| {
            Variant::ALL
                .into_iter()
                .find(|one| *one as i32 == of as i32)
        });
        texts.extend(language.zip(variant).map(|(language, variant)| Text {
            language,
            variant,
            title: text.title,
            body: text.body.replace("\r\n", "\n"),
        }));
    }
    fields.finish()?;
    Ok(Template {
        id: id?,
        description: template.description,
        variables,
        texts,
    })
}

/// What is previewed, and with which values.
pub(in crate::grpc) fn preview(
    request: pb::PreviewTemplateRequest,
) -> Result<(Source, BTreeMap<String, String>), Problem> {
    use pb::preview_template_request::Source as Asked;
    let source = match request.source {
        Some(Asked::Name(name)) => Source::Stored(template_id("name", &name)?),
        Some(Asked::Template(given)) => Source::Given(template(Some(given))?),
        None => return Err(Problem::invalid("source", "必填", "required")),
    };
    Ok((source, request.values))
}

/// A version of a template as callers see it.
pub(in crate::grpc) fn template_of(saved: TemplateVersion) -> pb::Template {
    let TemplateVersion {
        template:
            Template {
                id,
                description,
                variables,
                texts,
            },
        version,
        author,
        created,
    } = saved;
    let variable = |Variable {
                        name,
                        holds,
                        example,
                    }| pb::TemplateVariable {
        name,
        r#type: holds as i32,
        example,
    };
    let text = |Text {
                    language,
                    variant,
                    title,
                    body,
                }| pb::TemplateText {
        language: language.as_str().to_owned(),
        variant: variant as i32,
        title,
        body,
    };
    pb::Template {
        name: template_name(&id),
        version,
        description,
        variables: variables.into_iter().map(variable).collect(),
        texts: texts.into_iter().map(text).collect(),
        author,
        create_time: Some(to_timestamp(created)),
    }
}

/// A filled text as callers see it.
pub(in crate::grpc) fn rendered(text: RenderedText) -> pb::RenderedText {
    let RenderedText {
        language,
        variant,
        title,
        body,
    } = text;
    pb::RenderedText {
        language: language.as_str().to_owned(),
        variant: variant as i32,
        title,
        body,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_variants_have_the_numbers_of_the_contract() {
        for holds in Type::ALL {
            let pb = pb::template_variable::Type::try_from(holds as i32).unwrap();
            assert_eq!(format!("{pb:?}"), format!("{holds:?}"));
        }
        for variant in Variant::ALL {
            let pb = pb::template_text::Variant::try_from(variant as i32).unwrap();
            assert_eq!(format!("{pb:?}"), format!("{variant:?}"));
        }
    }
}
