//! Marks on tags: each tag that is written in a repository is numbered. Where every tag is replaced by its number and
//! all is rendered, each container shows which place it takes its tag from.

use std::collections::BTreeMap;

const OPEN: char = '\u{2}';
const MIDDLE: char = '\u{3}';
const CLOSE: char = '\u{4}';

pub fn mark(number: usize, tag: &str) -> String {
    format!("{OPEN}{number}{MIDDLE}{tag}{CLOSE}")
}

/// The text as it is written in the repository.
pub fn plain(text: &str) -> String {
    each(text, |_, tag| tag.to_owned())
}

/// The text as it is written after these tags were set.
pub fn with_tag(text: &str, numbers: &std::collections::BTreeSet<usize>, new: &str) -> String {
    each(text, |number, tag| if numbers.contains(&number) { new.to_owned() } else { tag.to_owned() })
}

/// The text with each tag's number in its place.
pub fn numbered(text: &str) -> String {
    each(text, |number, _| format!("zq{number}qz"))
}

/// The tags in a marked text, each with what stands for it in the numbered one.
pub fn tags(text: &str) -> Vec<(String, String)> {
    let mut tags = Vec::new();
    each(text, |number, tag| {
        tags.push((format!("zq{number}qz"), tag.to_owned()));
        String::new()
    });
    tags
}

/// A numbered text with its tags.
pub fn with_tags(numbered: &str, tags: &BTreeMap<String, String>) -> String {
    let mut parts = numbered.split("zq");
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once("qz").unwrap_or((part, ""));
        match tags.get(&format!("zq{number}qz")) {
            Some(tag) => made.extend([tag, rest]),
            None => made.extend(["zq", part]),
        }
    }
    made
}

/// The number in a rendered tag.
pub fn number(tag: &str) -> Option<usize> {
    let (_, rest) = tag.split_once("zq")?;
    rest.split_once("qz")?.0.parse().ok()
}

/// The numbers in a marked text.
pub fn numbers(text: &str) -> Vec<usize> {
    let parts = text.split(OPEN).skip(1);
    parts.filter_map(|part| part.split(MIDDLE).next()?.parse().ok()).collect()
}

/// The range of the first marked tag.
pub fn first(text: &str) -> Option<(usize, usize)> {
    let start = text.find(OPEN)?;
    Some((start, text[start..].find(CLOSE)? + start + CLOSE.len_utf8()))
}

fn each(text: &str, mut write: impl FnMut(usize, &str) -> String) -> String {
    let mut parts = text.split(OPEN);
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(MIDDLE).unwrap_or(("0", part));
        let (tag, rest) = rest.split_once(CLOSE).unwrap_or((rest, ""));
        made.push_str(&write(number.parse().unwrap_or(0), tag));
        made.push_str(rest);
    }
    made
}
