//! Decides from a file's bytes whether a listing can find a reference in it. Only such files are parsed.
//!
//! Every rule needs one of these: a key or a comment with `image` in it, a `repository` or `repo`, or a value of
//! the form `name:tag` or `name@digest`. Only an escape in a double-quoted scalar can hide them.

use memchr::memmem::{Finder, find};
use memchr::{memchr_iter, memrchr};

use super::super::prefilter::has_escape;
use super::super::what_runs::surroundings::Names;

/// Parts of the keys that a reference has, in any spelling: `image`, `newImage`, `IMAGE`, `repository`, `helmRepo`.
const KEY_PARTS: [&str; 4] = ["mage", "MAGE", "epo", "EPO"];

/// The mark of an image policy is no variable.
const POLICY: &[u8] = b"$imagepolicy";

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
    /// What the file may name. It must be parsed unless that is nothing.
    pub fn names(&self, bytes: &[u8]) -> Names {
        match self.lets_pass(bytes) {
            false => Names::Nothing,
            true if self.has_variable(bytes) => Names::Variable,
            true => Names::Image,
        }
    }

    fn lets_pass(&self, bytes: &[u8]) -> bool {
        (self.has_key(bytes) || has_version(bytes) || has_escape(bytes)) && !self.is_definition(bytes)
    }

    /// Whether a value that may be an image, or a part of one, has a variable in it.
    fn has_variable(&self, bytes: &[u8]) -> bool {
        memchr_iter(b'$', bytes).filter(|&at| !bytes[at..].starts_with(POLICY)).any(|at| {
            let start = memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1);
            let before = &bytes[start..at];
            let is_value = before.contains(&b':') && !before.trim_ascii_start().starts_with(b"#");
            has_version(&bytes[start..=at]) || (is_value && self.has_part(before))
        })
    }

    /// Whether the key of a part of an image is in the text.
    fn has_part(&self, text: &[u8]) -> bool {
        self.has_key(text) || PARTS_OF_IMAGE.iter().any(|part| find(text, part.as_bytes()).is_some())
    }

    fn has_key(&self, bytes: &[u8]) -> bool {
        self.key_parts.iter().any(|part| part.find(bytes).is_some())
    }

    /// Whether the file is one custom resource definition. Some of them are the largest files there are.
    fn is_definition(&self, bytes: &[u8]) -> bool {
        let ends = |at: usize| bytes.get(at + DEFINITION.len()).is_none_or(u8::is_ascii_whitespace);
        self.definition.find(bytes).is_some_and(ends) && self.separator.find(bytes).is_none()
    }
}

/// Parts of the keys whose values are parts of an image, besides [`KEY_PARTS`].
const PARTS_OF_IMAGE: [&str; 7] = ["ag", "igest", "egistry", "ame", "ersion", "hub", "AG"];

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
        ListingFilter::default().names(text.as_bytes()) != Names::Nothing
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
    fn variable_counts_in_the_line_of_an_image() {
        let names = |text: &str| ListingFilter::default().names(text.as_bytes());
        for yes in ["image: a\ntag: ${TAG}", "- acme/api:$TAG", "image: {hub: $(HUB), image: a}"] {
            assert!(names(yes) == Names::Variable, "{yes}");
        }
        for no in [
            "image: a:v1\nrun: echo $X",
            "image: a\nb: |\n  set $tag x",
            "image: a\n# $schema: tag",
            "image: a:v1 # {\"$imagepolicy\": \"a:b\"}",
        ] {
            assert!(names(no) == Names::Image, "{no}");
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
