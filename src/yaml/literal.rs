//! The lines of a literal block scalar (`|`, YAML 1.2.2, section 8.1.2): where they are in the file, and how to replace
//! some of them.
//!
//! The parser only says where the first line that isn't empty starts. The others follow from the indentation, and
//! together they must read back as the text that the parser saw; otherwise the edit is refused.

use std::ops::Range;

use super::change::Splice;
use super::document::{NodeId, NodeKind, ParsedYaml, ScalarStyle};
use super::span::EditBlocker;

/// Whether a scalar is a literal block scalar, not a folded one.
pub fn is_literal(text: &str, yaml: &ParsedYaml, id: NodeId) -> bool {
    let node = yaml.node(id);
    let is_block = matches!(node.kind, NodeKind::Scalar { style: ScalarStyle::Block, .. });
    let before = text.get(..node.start).unwrap_or_default();
    let header = before.trim_end().rsplit(['\n', '\r']).next().unwrap_or_default();
    is_block && indicator(header) == Some('|')
}

/// Why the lines of a scalar's text can't be edited; `None` if they can.
pub fn text_blocker(text: &str, yaml: &ParsedYaml, id: NodeId) -> Option<EditBlocker> {
    let NodeKind::Scalar { value, .. } = &yaml.node(id).kind else { return Some(EditBlocker::NotScalar) };
    set(text, yaml, id, value).err()
}

/// The `|` or `>` of a line that ends in the header of a block scalar.
fn indicator(header: &str) -> Option<char> {
    let is_header = |&(at, _): &(usize, &str)| {
        let rest = header[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
        let comment = rest.trim_start_matches([' ', '\t']);
        comment.is_empty() || (comment.starts_with('#') && comment.len() < rest.len())
    };
    let (at, _) = header.match_indices(['|', '>']).find(is_header)?;
    header[at..].chars().next()
}

/// Replaces the text of a literal block scalar. Only lines that differ change, behind their indentation.
pub(super) fn set(text: &str, yaml: &ParsedYaml, id: NodeId, new: &str) -> Result<Vec<Splice>, EditBlocker> {
    if !is_literal(text, yaml, id) {
        return Err(EditBlocker::Folded);
    }
    let node = yaml.node(id);
    let NodeKind::Scalar { value: old, .. } = &node.kind else { return Err(EditBlocker::NotScalar) };
    if node.tag.as_deref().is_some_and(|tag| tag != "str") {
        return Err(EditBlocker::Tagged);
    }
    let indent = node.column - 1;
    let lines = lines(text, node.start, indent).ok_or(EditBlocker::Unplaced)?;
    let (old, old_end) = split_end(old);
    let (new, new_end) = split_end(new);
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split('\n').collect(), new.split('\n').collect());
    if old.len() != new.len() || old_end != new_end {
        return Err(EditBlocker::Lines);
    }
    let here = |line: &Range<usize>| text[line.clone()].get(indent..).unwrap_or_default();
    let same = lines.len() >= old.len() && lines.iter().zip(&old).all(|(line, old)| here(line) == *old);
    if !same || lines[old.len()..].iter().any(|line| !here(line).is_empty()) {
        return Err(EditBlocker::Unplaced);
    }
    let changed = lines.iter().zip(old.iter().zip(&new)).filter(|(_, (old, new))| old != new);
    Ok(changed.map(|(line, (old, new))| splice(line, indent, old, new)).collect())
}

/// The line breaks at the end are a matter of the header.
fn split_end(text: &str) -> (&str, &str) {
    text.split_at(text.trim_end_matches('\n').len())
}

/// The bytes of a line that differ. An empty line may lack its indentation.
fn splice(line: &Range<usize>, indent: usize, old: &str, new: &str) -> Splice {
    let has_indent = line.len() >= indent;
    if !has_indent {
        return Splice { range: line.clone(), text: format!("{}{new}", " ".repeat(indent)) };
    }
    let same = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
        pairs.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
    };
    let head = same(&mut old.chars().zip(new.chars()));
    let tail = same(&mut old[head..].chars().rev().zip(new[head..].chars().rev()));
    let start = line.start + indent;
    Splice { range: start + head..start + old.len() - tail, text: new[head..new.len() - tail].to_owned() }
}

/// The lines of a block scalar without their line breaks, from the line behind its header; `start` is in the first line
/// that isn't empty.
fn lines(text: &str, start: usize, indent: usize) -> Option<Vec<Range<usize>>> {
    let first = start.checked_sub(indent)?;
    let begins_line = text[..first].ends_with(['\n', '\r']);
    let blank = text.get(first..start)?.bytes().all(|byte| byte == b' ');
    if !begins_line || !blank {
        return None;
    }
    let header = text[..first].trim_end_matches([' ', '\n', '\r']).len();
    let header_end = header + text[header..first].find(['\n', '\r'])?;
    let mut lines = Vec::new();
    let mut at = header_end + break_length(&text[header_end..]);
    while at < text.len() {
        let length = text[at..].find(['\n', '\r']).unwrap_or(text.len() - at);
        let line = at..at + length;
        if !belongs(&text[line.clone()], indent) {
            break;
        }
        at = line.end + break_length(&text[line.end..]);
        lines.push(line);
    }
    Some(lines)
}

/// Whether a line still belongs to a block scalar.
fn belongs(line: &str, indent: usize) -> bool {
    let blanks = line.len() - line.trim_start_matches(' ').len();
    let is_mark = indent == 0 && (line.starts_with("---") || line.starts_with("..."));
    blanks == line.len() || (blanks >= indent && !is_mark)
}

fn break_length(text: &str) -> usize {
    if text.starts_with("\r\n") { 2 } else { usize::from(!text.is_empty()) }
}

#[cfg(test)]
mod tests {
    use super::super::{Change, EditError, apply, scan};
    use super::*;

    /// Replaces `v1` by `v2` in the block scalar `text`.
    fn changed(yaml: &str) -> Result<String, EditError> {
        with_text(yaml, |text| text.replacen("v1", "v2", 1))
    }

    fn with_text(yaml: &str, change: impl Fn(&str) -> String) -> Result<String, EditError> {
        let parsed = scan(yaml.as_bytes()).unwrap();
        let node = parsed.at(parsed.roots()[0], &["text"]).unwrap();
        let value = change(parsed.text(node).unwrap());
        let made = apply(yaml.as_bytes(), &parsed, &[Change::SetText { node, value }])?;
        Ok(String::from_utf8(made).unwrap())
    }

    fn refused(result: Result<String, EditError>) -> EditBlocker {
        match result {
            Err(EditError::Refused { obstacle, .. }) => obstacle,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_the_line_changes_whatever_the_header_says() {
        for yaml in [
            "text: |\n  tag: v1\n  x: y\nb: c\n",
            "text: |-\n  tag: v1",
            "text: |+\n  tag: v1\n\n\nb: c\n",
            "text: |2-\n  tag: v1\n",
            "text: |-2 # a comment > b\n  tag: v1\n",
            "text: |2\n    indented: v1\n  x: y\n",
            "a:\n- text: x\ntext: |\n    tag: v1\n    é: x\n\n    b: c\n# behind\n",
            "text: |\n\n  \n \n  tag: v1\n  \n  x: y\n",
            "text: &a |\n  tag: v1\nb: *a\n",
            "text: !!str |\n  tag: v1\n",
            "text:\n  |\n  tag: v1\n",
            "text: |\r\n  tag: v1\r\n  x: y\r\nb: c\r\n",
            "text: |\r  tag: v1\r  x: y\r",
            "text: |\n  tag:\tv1\t# tab\n  \tx: y\n",
            "text: |\n  é: 日本 v1 é\n",
            "\u{feff}text: |\n  tag: v1\n",
            "text: |\n  tag: v1\n  x: y   \n---\nother: document\n",
        ] {
            assert_eq!(changed(yaml).as_deref(), Ok(yaml.replacen("v1", "v2", 1).as_str()), "{yaml:?}");
        }
    }

    #[test]
    fn lines_that_become_empty_or_full_keep_the_indentation() {
        let after = with_text("text: |\n  a\n\n  b\n", |_| "a\nnew\nb\n".to_owned());
        assert_eq!(after.unwrap(), "text: |\n  a\n  new\n  b\n");
        let after = with_text("text: |\n  a\n  c\n  b\n", |_| "a\n\nb\n".to_owned());
        assert_eq!(after.unwrap(), "text: |\n  a\n  \n  b\n");
    }

    #[test]
    fn folded_and_quoted_text_is_refused() {
        for yaml in
            ["text: >\n  tag: v1\n  x: y\n", "text: >-\n  v1\n", "text: \"tag: v1\\n\"\n", "text: v1\n"]
        {
            assert_eq!(refused(changed(yaml)), EditBlocker::Folded, "{yaml:?}");
        }
    }

    #[test]
    fn text_with_more_or_fewer_lines_is_refused() {
        let yaml = "text: |\n  a\n  b\n";
        for new in ["a\n", "a\nb\nc\n", "a\nb", "a\nb\n\n"] {
            assert_eq!(refused(with_text(yaml, |_| new.to_owned())), EditBlocker::Lines, "{new:?}");
        }
    }

    #[test]
    fn text_that_would_read_otherwise_is_refused() {
        for new in ["  a\nb\n", "a\rx\nb\n", "\u{0}\nb\n"] {
            let made = with_text("text: |\n  a\n  b\n", |_| new.to_owned());
            assert_eq!(made, Err(EditError::VerificationFailed), "{new:?}");
        }
    }

    #[test]
    fn change_inside_is_made_in_the_text_and_in_the_file() {
        let yaml = "a: |\n  image: {repository: x, tag: v1} # é\n  other: 'v1'\nb: c\n";
        let parsed = scan(yaml.as_bytes()).unwrap();
        let block = parsed.at(parsed.roots()[0], &["a"]).unwrap();
        let inner = scan(parsed.text(block).unwrap().as_bytes()).unwrap();
        let set = |path: &[&str], value: &str| {
            let node = inner.at(inner.roots()[0], path).unwrap();
            let change = Box::new(Change::Set { node, value: value.to_owned() });
            Change::Inside { block, change }
        };
        let changes = [set(&["image", "tag"], "1e5"), set(&["other"], "v2")];
        let made = apply(yaml.as_bytes(), &parsed, &changes).unwrap();
        let expected = "a: |\n  image: {repository: x, tag: \"1e5\"} # é\n  other: 'v2'\nb: c\n";
        assert_eq!(String::from_utf8(made).unwrap(), expected);
        let twice = [set(&["other"], "v2"), set(&["other"], "v3")];
        assert_eq!(apply(yaml.as_bytes(), &parsed, &twice), Err(EditError::Overlap { node: block }));
    }

    #[test]
    fn change_inside_that_needs_a_new_line_is_refused() {
        let yaml = "a: |\n  image: x\n";
        let parsed = scan(yaml.as_bytes()).unwrap();
        let block = parsed.at(0, &["a"]).unwrap();
        let pairs = vec![super::super::NewPair { key: "tag", value: "v1".to_owned() }];
        let change = Change::Inside { block, change: Box::new(Change::InsertAfter { key: 1, pairs }) };
        let made = apply(yaml.as_bytes(), &parsed, &[change]).map(|_| String::new());
        assert_eq!(refused(made), EditBlocker::Lines);
    }
}
