//! Fluent patterns: read, looked through, and refused unless any values fill them.

use std::collections::BTreeSet;

use fluent_syntax::ast::{
    CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement, VariantKey,
};
use fluent_syntax::parser;
use fluent_syntax::unicode::unescape_unicode_to_string;

/// Placeables of one pattern, and calls: what Fluent fills at most, and what its parser may nest.
const MOST: usize = 100;
/// Characters of a number, so that plural rules can be asked about it.
const DIGITS: usize = 15;
/// The arguments of `NUMBER` that are numbers.
const NUMERIC: [&str; 5] = [
    "minimumIntegerDigits",
    "minimumFractionDigits",
    "maximumFractionDigits",
    "minimumSignificantDigits",
    "maximumSignificantDigits",
];

/// What is wrong with a pattern, in Chinese and English.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong(pub &'static str, pub &'static str);

/// A Fluent message of which the whole value is `pattern`: each line is indented, so that no line can
/// begin a message of its own.
pub fn message(name: &str, pattern: &str) -> String {
    let mut source = format!("{name} =\n");
    for line in pattern.lines() {
        source.push_str("    ");
        source.push_str(line);
        source.push('\n');
    }
    source
}

/// The variables that a pattern uses. `counts` are those that hold whole numbers.
///
/// # Errors
/// When it is no Fluent pattern, refers to messages, terms or functions other than `NUMBER`, or has a
/// number that could not be written.
pub fn variables(pattern: &str, counts: &BTreeSet<&str>) -> Result<BTreeSet<String>, Wrong> {
    if pattern.matches('{').count() > MOST || pattern.matches('(').count() > MOST {
        return Err(Wrong(
            "占位符或括号超过 100 个",
            "more than 100 placeables or brackets",
        ));
    }
    let unreadable = Wrong("不符合 Fluent 语法", "not a Fluent pattern");
    let source = message("text", pattern);
    let resource = parser::parse(&*source).map_err(|_| unreadable)?;
    let [Entry::Message(message)] = &resource.body[..] else {
        return Err(unreadable);
    };
    let (Some(value), true) = (&message.value, message.attributes.is_empty()) else {
        return Err(unreadable);
    };
    let mut walk = Walk {
        counts,
        used: BTreeSet::new(),
    };
    walk.pattern(value)?;
    Ok(walk.used)
}

struct Walk<'a> {
    counts: &'a BTreeSet<&'a str>,
    used: BTreeSet<String>,
}

impl Walk<'_> {
    fn pattern(&mut self, pattern: &Pattern<&str>) -> Result<(), Wrong> {
        for element in &pattern.elements {
            match element {
                PatternElement::TextElement { .. } => {}
                PatternElement::Placeable { expression } => self.expression(expression)?,
            }
        }
        Ok(())
    }

    fn expression(&mut self, expression: &Expression<&str>) -> Result<(), Wrong> {
        match expression {
            Expression::Inline(inline) => self.inline(inline),
            Expression::Select { selector, variants } => {
                self.inline(selector)?;
                for variant in variants {
                    if let VariantKey::NumberLiteral { value } = variant.key {
                        number(value)?;
                    }
                    self.pattern(&variant.value)?;
                }
                Ok(())
            }
        }
    }

    fn inline(&mut self, inline: &InlineExpression<&str>) -> Result<(), Wrong> {
        match inline {
            InlineExpression::StringLiteral { value } => literal(value),
            InlineExpression::NumberLiteral { value } => number(value),
            InlineExpression::VariableReference { id } => {
                self.used.insert(id.name.to_owned());
                Ok(())
            }
            InlineExpression::Placeable { expression } => self.expression(expression),
            InlineExpression::FunctionReference { id, arguments } if id.name == "NUMBER" => {
                self.number_call(arguments)
            }
            InlineExpression::FunctionReference { .. } => Err(Wrong(
                "除 NUMBER 外不能使用函数",
                "no function but NUMBER may be used",
            )),
            InlineExpression::MessageReference { .. } | InlineExpression::TermReference { .. } => {
                Err(Wrong(
                    "不能引用其他消息或术语",
                    "no other message or term may be referred to",
                ))
            }
        }
    }

    /// `NUMBER` of a whole number, with arguments that it understands.
    fn number_call(&mut self, arguments: &CallArguments<&str>) -> Result<(), Wrong> {
        let wrong = Wrong(
            "NUMBER 只能用于整数变量，且参数须有效",
            "NUMBER takes one variable that is a count, and arguments that it knows",
        );
        let [InlineExpression::VariableReference { id }] = &arguments.positional[..] else {
            return Err(wrong);
        };
        if !self.counts.contains(id.name) {
            return Err(wrong);
        }
        self.used.insert(id.name.to_owned());
        let known = arguments.named.iter().all(|argument| match argument.value {
            InlineExpression::NumberLiteral { value } => {
                let one_digit = value.len() == 1 && value.bytes().all(|b| b.is_ascii_digit());
                NUMERIC.contains(&argument.name.name) && one_digit
            }
            InlineExpression::StringLiteral { value } => {
                argument.name.name == "type" && matches!(value, "cardinal" | "ordinal")
            }
            _ => false,
        });
        if known { Ok(()) } else { Err(wrong) }
    }
}

fn number(value: &str) -> Result<(), Wrong> {
    if value.len() <= DIGITS {
        Ok(())
    } else {
        Err(Wrong("数字过长", "a number is too long"))
    }
}

/// A quoted text: an end of line is the only control character that it may stand for.
fn literal(value: &str) -> Result<(), Wrong> {
    let odd = |c: char| c.is_control() && c != '\n';
    if unescape_unicode_to_string(value).contains(odd) {
        return Err(Wrong("含控制字符", "a control character"));
    }
    Ok(())
}
