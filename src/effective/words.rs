//! The words of a file that may be paths or names, found without parsing. Cheap, because it is done for every file that
//! can include others.

use crate::manifest::is_kustomization_file;

/// Longer words aren't paths.
const MAX_PATH: usize = 1024;

/// What refers to a declaration by name: values and variables from ConfigMaps, sources and charts of Flux.
const REFERENCES: [&[u8]; 4] = [b"valuesFrom", b"substituteFrom", b"sourceRef", b"chartRef"];

/// The words of a file, each by its place in the text.
#[derive(Debug, Default)]
pub struct FileWords {
    /// Those that may be relative paths, by the last part.
    pub(super) paths: Vec<Word>,
    /// Those that may be names of objects in other files.
    pub(super) names: Vec<Word>,
}

/// A word of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// The hash of its last part, if it may be a path, else of the whole word.
    pub hash: u32,
    start: u32,
    length: u16,
}

impl FileWords {
    /// Finds the words in the bytes of the file at `path`.
    pub fn of(path: &str, bytes: &[u8]) -> Self {
        let mut found = FileWords::default();
        if std::str::from_utf8(bytes).is_err() {
            return found;
        }
        let refers = REFERENCES.iter().any(|key| memchr::memmem::find(bytes, key).is_some());
        let is_kustomization = is_kustomization_file(path);
        let (mut before, mut is_path): (&[u8], bool) = (b"", false);
        for (start, word) in words(bytes) {
            let behind = std::mem::replace(&mut before, word);
            if word.last() == Some(&b':') {
                is_path = false;
                continue;
            }
            // the next item of a list in flow style is one if this is
            is_path = is_path
                || is_kustomization
                || word.iter().any(|byte| matches!(byte, b'/' | b'.'))
                || is_before_path(behind);
            // an absolute path leads nowhere, and `-` starts an item
            if is_path && word.first() != Some(&b'/') && word != b"-" {
                found.paths.extend(Word::new(start, word, last_part(without_slash(word))));
            }
            if refers && matches!(behind, b"name:" | b":") {
                found.names.extend(Word::new(start, word, word));
            }
        }
        found
    }
}

impl Word {
    fn new(start: usize, word: &[u8], hashed: &[u8]) -> Option<Self> {
        let (start, length) = (u32::try_from(start).ok()?, u16::try_from(word.len()).ok()?);
        Some(Word { hash: hash(hashed), start, length })
    }

    /// The word in the bytes that it was found in.
    pub fn text(self, bytes: &[u8]) -> &str {
        let start = self.start as usize;
        let word = bytes.get(start..start + usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(word).unwrap_or_default()
    }
}

/// FNV-1a.
pub(super) fn hash(word: &[u8]) -> u32 {
    word.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Whether this is before a path of one part, outside of kustomizations: other single words are too often names.
fn is_before_path(word: &[u8]) -> bool {
    matches!(
        word,
        b":" | b"-"
            | b"path:"
            | b"chart:"
            | b"file:"
            | b"repository:"
            | b"components:"
            | b"valueFiles:"
            | b"valuesFiles:"
            | b"valuesFile:"
            | b"include:"
    )
}

pub(super) fn last_part(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |at| &path[at + 1..])
}

fn without_slash(word: &[u8]) -> &[u8] {
    let slashes = word.iter().rev().take_while(|byte| **byte == b'/').count();
    &word[..word.len() - slashes]
}

const SEPARATORS: [bool; 256] = {
    let (mut table, bytes) = ([false; 256], b" \t\n\r\x0b\x0c[]{},\"'=;");
    let mut i = 0;
    while i < bytes.len() {
        table[bytes[i] as usize] = true;
        i += 1;
    }
    table
};

/// The words of a text, each with its start, without quotes and brackets, and without what precedes a path in a Helm
/// dependency (`file://`) and in Argo CD's `valueFiles` (`$name/`).
fn words(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut next = 0;
    let words = bytes.split(|byte| SEPARATORS[usize::from(*byte)]).map(move |word| {
        let start = next;
        next += word.len() + 1;
        let path = path_in(word);
        (start + word.len() - path.len(), path)
    });
    words.filter(|(_, word)| !word.is_empty() && word.len() <= MAX_PATH)
}

fn path_in(word: &[u8]) -> &[u8] {
    let word = word.strip_prefix(b"file://").unwrap_or(word);
    let name = word.first().filter(|byte| **byte == b'$').and_then(|_| memchr::memchr(b'/', word));
    name.map_or(word, |slash| &word[slash + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words of a text that may be paths, and those that may be names.
    fn found(path: &str, text: &str) -> [Vec<String>; 2] {
        let FileWords { paths, names } = FileWords::of(path, text.as_bytes());
        [paths, names].map(|words| words.iter().map(|word| word.text(text.as_bytes()).to_owned()).collect())
    }

    #[test]
    fn words_with_slash_or_dot_or_behind_a_path_key_may_be_paths() {
        let text = "path: apps\nchart: \"./charts/api\"\nvalueFiles: [a, b]\nname: api\nurl: file://x/y\nv: $ref/z.yaml\n";
        let [paths, names] = found("a.yaml", text);
        assert_eq!(paths, ["apps", "./charts/api", "a", "b", "x/y", "z.yaml"]);
        assert!(names.is_empty());
    }

    #[test]
    fn every_word_of_a_kustomization_may_be_a_path() {
        let [paths, _] = found("k/kustomization.yaml", "resources:\n- base\nnamePrefix: dev\nabsolute: /x\n");
        assert_eq!(paths, ["base", "dev"]);
    }

    #[test]
    fn names_count_where_something_refers_to_others() {
        let text = "kind: ConfigMap\nname: other\n";
        assert!(found("a.yaml", text)[1].is_empty());
        assert_eq!(
            found("a.yaml", &format!("{text}valuesFrom: [{{name: \"settings\"}}]\n"))[1],
            ["other", "settings"]
        );
    }

    #[test]
    fn words_of_other_bytes_are_none() {
        let FileWords { paths, names } = FileWords::of("a.yaml", b"path: ./a\n\xff");
        assert!(paths.is_empty() && names.is_empty());
    }
}
