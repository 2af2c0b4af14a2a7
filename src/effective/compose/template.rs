//! Placeholders in a text: `$VAR`, `${VAR}`, `${VAR:-default}` and so on (compose-go, `template/template.go`).

use std::ops::Range;

/// A part of a template. Ranges are in bytes of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Stands for itself. A placeholder that compose rejects counts as text too.
    Text(Range<usize>),
    /// `$$`, which gives `$`.
    Dollar(Range<usize>),
    Variable {
        range: Range<usize>,
        name: Range<usize>,
        operator: Option<(Operator, Range<usize>)>,
    },
}

/// What comes behind the name of a variable; the operand is the text up to the closing brace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `:-`, or without the colon `-`.
    Default { unless_empty: bool },
    /// `:?` or `?`.
    Required { not_empty: bool },
    /// `:+` or `+`.
    Alternative { unless_empty: bool },
}

/// The parts of a template, in order, without gaps.
pub(super) fn tokens(template: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut text_from, mut at) = (0, 0);
    while let Some(found) = template[at..].find('$') {
        let start = at + found;
        let Some(token) = placeholder(template, start) else {
            at = start + 1;
            continue;
        };
        if text_from < start {
            tokens.push(Token::Text(text_from..start));
        }
        at = token.range().end;
        text_from = at;
        tokens.push(token);
    }
    if text_from < template.len() {
        tokens.push(Token::Text(text_from..template.len()));
    }
    tokens
}

impl Token {
    fn range(&self) -> &Range<usize> {
        match self {
            Token::Text(range) | Token::Dollar(range) | Token::Variable { range, .. } => range,
        }
    }
}

/// The placeholder that starts with the `$` at `start`.
fn placeholder(template: &str, start: usize) -> Option<Token> {
    let rest = &template[start + 1..];
    if rest.starts_with('$') {
        return Some(Token::Dollar(start..start + 2));
    }
    if let Some(length) = name_length(rest) {
        let name = start + 1..start + 1 + length;
        return Some(Token::Variable { range: start..name.end, name, operator: None });
    }
    let inner = rest.strip_prefix('{')?;
    let name = start + 2..start + 2 + name_length(inner)?;
    let behind = &template[name.end..];
    if behind.starts_with('}') {
        return Some(Token::Variable { range: start..name.end + 1, name, operator: None });
    }
    let (operator, length) = operator(behind)?;
    let end = closing_brace(template, start)?;
    let operand = name.end + length..end;
    (operand.start <= operand.end).then_some(Token::Variable {
        range: start..end + 1,
        name,
        operator: Some((operator, operand)),
    })
}

fn name_length(text: &str) -> Option<usize> {
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let length = text.find(|c| !is_name(c)).unwrap_or(text.len());
    (length > 0 && !text.starts_with(|c: char| c.is_ascii_digit())).then_some(length)
}

fn operator(text: &str) -> Option<(Operator, usize)> {
    let (colon, rest) = text.strip_prefix(':').map_or((false, text), |rest| (true, rest));
    let operator = match rest.chars().next()? {
        '-' => Operator::Default { unless_empty: colon },
        '?' => Operator::Required { not_empty: colon },
        '+' => Operator::Alternative { unless_empty: colon },
        _ => return None,
    };
    Some((operator, 1 + usize::from(colon)))
}

/// The brace that closes the placeholder at `start`; braces in its operand count. All must be on one line.
/// (`getFirstBraceClosingIndex`, and the `.*` of the pattern)
fn closing_brace(template: &str, start: usize) -> Option<usize> {
    let line = template[start..].split('\n').next().unwrap_or_default();
    let last = line.rfind('}')?;
    let (bytes, mut at, mut open) = (&line.as_bytes()[..=last], 0, 0_i32);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'}' => {
                open -= 1;
                if open == 0 {
                    return Some(start + at);
                }
            }
            b'{' => {
                open += 1;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    Some(start + last)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each token, with variables as `name|operator|operand`.
    fn shown(template: &str) -> Vec<String> {
        let show = |token: &Token| match token {
            Token::Text(range) => format!("={}", &template[range.clone()]),
            Token::Dollar(_) => "$".to_owned(),
            Token::Variable { name, operator: None, .. } => template[name.clone()].to_owned(),
            Token::Variable { name, operator: Some((_, operand)), .. } => {
                let operator = &template[name.end..operand.start];
                format!("{}|{operator}|{}", &template[name.clone()], &template[operand.clone()])
            }
        };
        tokens(template).iter().map(show).collect()
    }

    #[test]
    fn every_form_of_placeholder_is_found() {
        assert_eq!(shown("api:v1"), ["=api:v1"]);
        assert_eq!(shown("api:$TAG-ad"), ["=api:", "TAG", "=-ad"]);
        assert_eq!(shown("api:${TAG}x"), ["=api:", "TAG", "=x"]);
        assert_eq!(shown("${A-b}${C:-d}"), ["A|-|b", "C|:-|d"]);
        assert_eq!(shown("${A?b}${C:?}"), ["A|?|b", "C|:?|"]);
        assert_eq!(shown("${A+b}${C:+d-e}"), ["A|+|b", "C|:+|d-e"]);
        assert_eq!(shown("a$$b"), ["=a", "$", "=b"]);
    }

    #[test]
    fn nested_braces_belong_to_the_operand() {
        assert_eq!(shown("${A:-${B:-v1}}:${C}"), ["A|:-|${B:-v1}", "=:", "C"]);
        assert_eq!(shown("${A:-{x}}}"), ["A|:-|{x}", "=}"]);
    }

    #[test]
    fn what_compose_rejects_is_text() {
        for text in ["${", "${A", "${A:-x", "${1}", "${A b}", "${A:-x\n}", "${}", "$", "$1", "$(A)"] {
            assert_eq!(shown(text).concat(), format!("={text}"), "{text:?}");
        }
    }
}
