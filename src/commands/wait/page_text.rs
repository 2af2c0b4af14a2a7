//! Whether a page shows a version. Pure.

/// Whether a text has a word, and not only as a part of a longer tag. `v1.20`, `v1.2.1`, `v1.2-rc1` and `api-v1.2` don't
/// have the word `v1.2`; `"v1.2"`, `api:v1.2` and `It is v1.2.` do.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    !word.is_empty()
        && text.match_indices(word).any(|(at, _)| {
            ends_before(text[..at].chars().rev()) && ends_before(text[at + word.len()..].chars())
        })
}

/// Whether no tag goes on with these characters: neither at once, nor after a character that joins the parts of one.
fn ends_before(mut next: impl Iterator<Item = char>) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    match next.next() {
        None => true,
        Some(c) if is_part(c) => false,
        Some('.' | '-' | '+') => !next.next().is_some_and(is_part),
        Some(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_is_not_part_of_a_longer_tag() {
        for text in [
            "v1.2",
            "{\"version\":\"v1.2\"}",
            "api:v1.2@sha256:1",
            "It is v1.2.",
            "v1.20 v1.2",
            "<b>v1.2</b>",
            "v1.2\n",
        ] {
            assert!(has_word(text, "v1.2"), "{text}");
        }
        for text in
            ["", "v1.20", "v1.2.1", "v1.2-rc1", "v1.2+7", "api-v1.2", "xv1.2", "v1.2_a", "v1x2", "v1.2é"]
        {
            assert!(!has_word(text, "v1.2"), "{text}");
        }
        assert!(!has_word("anything", ""));
        assert!(has_word("a-é-b v1", "v1") && !has_word("é-v1", "v1"));
    }
}
