//! Decides from a file's bytes whether a listing can find a reference in it. Only such files are parsed.
//!
//! Every rule needs one of these: a key or a comment with `image` in it, a `repository` or `repo`, or a value of
//! the form `name:tag` or `name@digest`. Only an escape in a double-quoted scalar can hide them.

use memchr::memchr_iter;
use memchr::memmem::Finder;

use super::prefilter::has_escape;

/// Parts of the keys that a reference has, in any spelling: `image`, `newImage`, `IMAGE`, `repository`, `helmRepo`.
const KEY_PARTS: [&str; 4] = ["mage", "MAGE", "epo", "EPO"];

/// The object that describes a kind. Its values run nothing.
const DEFINITION: &str = "\nkind: CustomResourceDefinition";

pub(super) struct ListingFilter {
    key_parts: [Finder<'static>; 4],
    definition: Finder<'static>,
    separator: Finder<'static>,
}

impl Default for ListingFilter {
    fn default() -> Self {
        ListingFilter {
            key_parts: KEY_PARTS.map(Finder::new),
            definition: Finder::new(DEFINITION),
            separator: Finder::new("\n---"),
        }
    }
}

impl ListingFilter {
    /// Whether the file must be parsed.
    pub fn lets_pass(&self, bytes: &[u8]) -> bool {
        let has_key = || self.key_parts.iter().any(|part| part.find(bytes).is_some());
        (has_key() || has_version(bytes) || has_escape(bytes)) && !self.is_definition(bytes)
    }

    /// Whether the file is one custom resource definition. Some of them are the largest files there are.
    fn is_definition(&self, bytes: &[u8]) -> bool {
        let ends = |at: usize| bytes.get(at + DEFINITION.len()).is_none_or(u8::is_ascii_whitespace);
        self.definition.find(bytes).is_some_and(ends) && self.separator.find(bytes).is_none()
    }
}

/// `name:tag`, also with a digest or a variable, but no URL.
fn has_version(bytes: &[u8]) -> bool {
    memchr_iter(b':', bytes).any(|at| {
        let is_name = at.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric());
        is_name && bytes.get(at + 1).is_some_and(|next| next.is_ascii_alphanumeric() || b"_${".contains(next))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(text: &str) -> bool {
        ListingFilter::default().lets_pass(text.as_bytes())
    }

    #[test]
    fn whatever_can_hold_a_reference_passes() {
        for yes in [
            "image: x",
            "newImage: [a]",
            "IMAGE: {a: b}",
            "repository: x\ntag: y",
            "helmRepo: x",
            "a: ghcr.io/acme/api:v1",
            "a: acme/api:${TAG}",
            "a: api@sha512:00",
            "# {\"$imagepolicy\": \"flux-system:api\"}",
            r#"a: "\x69m\u0061ge""#,
        ] {
            assert!(passes(yes), "{yes}");
        }
        for no in ["a: b\nc:\n- d", "url: https://acme.example/a", "a: {b: c}", "a: \"b\"", ""] {
            assert!(!passes(no), "{no}");
        }
    }

    #[test]
    fn definition_on_its_own_is_skipped() {
        let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nimage: a\n";
        assert!(!passes(definition));
        assert!(!passes(&format!("---\n{definition}")));
        for other in [
            format!("image: a:v1\n---\n{definition}"),
            format!("{definition}---\nimage: a:v1\n"),
            definition.replace("tion\n", "tions\n"),
            definition.replace("kind", "  kind"),
        ] {
            assert!(passes(&other), "{other}");
        }
    }
}
