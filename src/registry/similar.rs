//! Finds tags similar to one that doesn't exist. No I/O.

use serde::Deserialize;

use crate::image::Tag;

/// How many tags are named.
const SHOWN: usize = 3;

/// How alike they must be, from 0 to 1.
const LIKENESS: f64 = 0.6;

#[derive(Deserialize)]
struct TagList {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

/// The tags in an answer to `tags/list`; those that are not valid are left out.
pub(super) fn parse_tags(body: &[u8]) -> Vec<Tag> {
    let list: Option<TagList> = serde_json::from_slice(body).ok();
    let tags = list.and_then(|list| list.tags).unwrap_or_default();
    tags.iter().filter_map(|tag| Tag::parse(tag).ok()).collect()
}

/// The tags most like the wanted one, the most alike first.
pub(super) fn similar(tags: &[Tag], wanted: &str) -> Vec<String> {
    let likeness = |tag: &Tag| strsim::normalized_damerau_levenshtein(tag.as_str(), wanted);
    let mut alike: Vec<(f64, &Tag)> =
        tags.iter().map(|tag| (likeness(tag), tag)).filter(|(likeness, _)| *likeness >= LIKENESS).collect();
    alike.sort_by(|(one, a), (other, b)| other.total_cmp(one).then_with(|| a.cmp(b)));
    alike.into_iter().take(SHOWN).map(|(_, tag)| tag.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_alike_come_first() {
        let tags = parse_tags(
            br#"{"name": "x", "tags": ["main-1a2b3c5", "v1.2", "main-1a2b3d5", "bad tag", "latest"]}"#,
        );
        assert_eq!(similar(&tags, "main-1a2b3c4"), ["main-1a2b3c5", "main-1a2b3d5"]);
        assert_eq!(similar(&tags, "nothing"), Vec::<String>::new());
        assert_eq!(parse_tags(br#"{"tags": null}"#), []);
        assert_eq!(parse_tags(b"<html>"), []);
    }
}
