//! Decides from a file's bytes whether it can name an image at all. Only such files are parsed.
//!
//! Registry, hub and repository may be in separate scalars, so this looks for the last part of the name, as a
//! whole word. Only an escape in a double-quoted scalar can hide it.

use memchr::memmem::Finder;

use super::Request;
use crate::image::{Field, short_name};

/// The API group that marks a kustomization.
const KUSTOMIZE: &str = "kustomize.config.k8s.io/";

pub(super) struct Prefilter<'a> {
    names: Vec<Finder<'a>>,
    kustomization: Option<Finder<'a>>,
}

impl<'a> Prefilter<'a> {
    /// The filter for the files that can concern a request.
    pub fn of(request: &'a Request) -> Self {
        let names = request.targets.iter().flat_map(|target| {
            let new = match &target.new_name {
                Field::Set(new) => Some(new.as_str()),
                Field::Unspecified | Field::Keep => None,
            };
            [Some(target.name.as_str()), new].into_iter().flatten()
        });
        Prefilter {
            names: names.map(|name| Finder::new(short_name(name))).collect(),
            // with `--add`, a kustomization that lacks the image may get an entry
            kustomization: request.add.then(|| Finder::new(KUSTOMIZE)),
        }
    }

    /// Whether the file must be parsed.
    pub fn lets_pass(&self, bytes: &[u8]) -> bool {
        self.names.iter().any(|word| holds_word(bytes, word))
            || self.kustomization.as_ref().is_some_and(|group| group.find(bytes).is_some())
            || has_escape(bytes)
    }
}

fn holds_word(bytes: &[u8], word: &Finder<'_>) -> bool {
    let in_name = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || b"._-".contains(b));
    let length = word.needle().len();
    word.find_iter(bytes).any(|at| {
        let before = at.checked_sub(1).and_then(|i| bytes.get(i));
        let behind = &bytes[at + length..];
        !in_name(before) && !in_name(behind.first()) && !is_key(behind)
    })
}

/// `app: …` as a key, which every manifest with labels has.
fn is_key(behind: &[u8]) -> bool {
    behind.first() == Some(&b':') && behind.get(1).is_none_or(u8::is_ascii_whitespace)
}

/// `\x61`, `\u0061`, or a line break joined by a `\` (YAML 1.2.2, section 5.7).
pub(super) fn has_escape(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\\', bytes)
        .any(|at| bytes.get(at + 1).is_some_and(|next| b"xuU\r\n".contains(next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(name: &str, text: &str) -> bool {
        let target = super::super::UpdateTarget {
            name: name.to_owned(),
            new_name: Field::Unspecified,
            tag: None,
            digest: Field::Unspecified,
            new_digest: crate::plan::NewDigest::default(),
            service: None,
            scope: super::super::Scope::default(),
        };
        let request = Request { targets: vec![target], ..Request::default() };
        Prefilter::of(&request).lets_pass(text.as_bytes())
    }

    #[test]
    fn the_last_part_as_a_word() {
        let api = "ghcr.io/acme/api";
        for yes in
            ["image: ghcr.io/acme/api:v1", "repository: acme/api", "image: api", "x=api@sha", r#""\x61pi""#]
        {
            assert!(passes(api, yes), "{yes}");
        }
        for no in
            ["apiVersion: v1", "image: acme/api-worker:v1", "acme/my.api", "apis:", r"a\d+", "api: x", "api:"]
        {
            assert!(!passes(api, no), "{no}");
        }
    }

    #[test]
    fn an_escaped_line_break_can_join_a_name() {
        assert!(passes("acme/api", "image: \"acme/a\\\n  pi:v1\""));
    }
}
