//! The words of a file that may be paths or names, found without parsing. Cheap, because it is done for every file that
//! can include others.

use std::collections::HashMap;
use std::sync::LazyLock;

use memchr::memmem::{Finder, find};

use crate::manifest::is_kustomization_file;

/// Longer words aren't paths.
const MAX_PATH: usize = 1024;

/// How the names of files end that can set an image, and that a search doesn't find: patches, and lines of `NAME=VALUE`.
const UNSEARCHED: [&[u8]; 3] = [b".json", b".env", b".properties"];

/// Most files have no more than this.
const FEW_PATHS: usize = 16;

/// What refers to a declaration by name: values and variables from ConfigMaps, sources and charts of Flux.
static REFERENCES: LazyLock<[Finder<'static>; 4]> =
    LazyLock::new(|| ["valuesFrom", "substituteFrom", "sourceRef", "chartRef"].map(Finder::new));

/// The words of a file, each by its place in the text.
#[derive(Debug, Default)]
pub struct FileWords {
    /// Those that may be relative paths, by the last part.
    pub(super) paths: Vec<Word>,
    /// Those of them that may be paths of JSON files, or of files with variables: a search doesn't find those.
    pub(super) unsearched: Vec<Word>,
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
        let refers = REFERENCES.iter().any(|key| key.find(bytes).is_some());
        let is_kustomization = is_kustomization_file(path);
        let (mut before, mut is_path): (&[u8], bool) = (b"", false);
        let mut anchors = None;
        for FoundWord { start, text, has_mark } in tokens(bytes) {
            // an anchor or a tag before a value
            if matches!(text.first(), Some(b'&' | b'!')) {
                continue;
            }
            let behind = std::mem::replace(&mut before, text);
            if text.last() == Some(&b':') {
                is_path = false;
                continue;
            }
            // the next item of a list in flow style is one if this is
            is_path = is_path || is_kustomization || has_mark || is_before_path(behind);
            // an absolute path leads nowhere, and `-` starts an item
            if is_path && text.first() != Some(&b'/') && text != b"-" {
                found.path(start, text);
            }
            if refers && matches!(behind, b"name:" | b":") {
                let alias = text.strip_prefix(b"*");
                let value = alias.and_then(|alias| anchors.get_or_insert_with(|| anchored(bytes)).get(alias));
                let (start, name) = value.copied().unwrap_or((start, text));
                found.names.extend(Word::new(start, name, name));
            }
        }
        found
    }

    fn path(&mut self, start: usize, text: &[u8]) {
        let text = without_glob(text);
        let path = without_slash(text);
        let Some(word) = Word::new(start, text, last_part(path)) else { return };
        if self.paths.is_empty() {
            self.paths.reserve(FEW_PATHS);
        }
        self.paths.push(word);
        // the URL of a schema isn't a file of the repository, and is in many files
        if UNSEARCHED.iter().any(|ending| path.ends_with(ending)) && find(path, b"://").is_none() {
            self.unsearched.push(word);
        }
    }
}

/// The words behind the anchors of a text, by the anchor's name, each with its place.
fn anchored(bytes: &[u8]) -> HashMap<&[u8], (usize, &[u8])> {
    let is_end = |byte: &u8| class(*byte) == ByteClass::Separator;
    let word = |start: usize| {
        let rest = bytes.get(start..).unwrap_or_default();
        &rest[..rest.iter().take(MAX_PATH).position(is_end).unwrap_or(rest.len().min(MAX_PATH))]
    };
    let mut found = HashMap::new();
    for at in memchr::memchr_iter(b'&', bytes) {
        // several in a row aren't an anchor
        if bytes.get(at + 1) == Some(&b'&') {
            continue;
        }
        let name = word(at + 1);
        let behind = at + 1 + name.len();
        let blanks = bytes[behind..].iter().take(MAX_PATH).take_while(|byte| **byte == b' ').count();
        if blanks > 0 {
            found.entry(name).or_insert((behind + blanks, word(behind + blanks)));
        }
    }
    found
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

/// The folder of a pattern, such as the `services/*` of an ApplicationSet: `services/`. So is that of a path with a variable,
/// `services/${NAME}`, of which the brackets are already gone. A pattern without one stays.
fn without_glob(word: &[u8]) -> &[u8] {
    let before = memchr::memchr2(b'*', b'$', word).map(|star| &word[..star]);
    let folder = before.and_then(|before| Some(&before[..=memchr::memrchr(b'/', before)?]));
    folder.unwrap_or(word)
}

fn without_slash(word: &[u8]) -> &[u8] {
    let slashes = word.iter().rev().take_while(|byte| **byte == b'/').count();
    &word[..word.len() - slashes]
}

/// What a byte is to the words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ByteClass {
    Separator,
    /// It makes a word look like a path.
    Mark,
    Other,
}

const CLASSES: [ByteClass; 256] = {
    let mut table = [ByteClass::Other; 256];
    let (separators, marks) = (b" \t\n\r\x0b\x0c[]{},\"'=;", b"/.");
    let mut i = 0;
    while i < separators.len() {
        table[separators[i] as usize] = ByteClass::Separator;
        i += 1;
    }
    table[marks[0] as usize] = ByteClass::Mark;
    table[marks[1] as usize] = ByteClass::Mark;
    table
};

fn class(byte: u8) -> ByteClass {
    CLASSES[usize::from(byte)]
}

/// A word as it is found.
struct FoundWord<'a> {
    start: usize,
    text: &'a [u8],
    /// There is a slash or a dot in it.
    has_mark: bool,
}

/// The words of a text, without quotes and brackets, and without what precedes a path in a Helm dependency (`file://`)
/// and in Argo CD's `valueFiles` (`$name/`).
struct WordTokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

fn tokens(bytes: &[u8]) -> WordTokens<'_> {
    WordTokens { bytes, at: 0 }
}

impl<'a> Iterator for WordTokens<'a> {
    type Item = FoundWord<'a>;

    fn next(&mut self) -> Option<FoundWord<'a>> {
        loop {
            let word = self.next_word()?.path();
            if !word.text.is_empty() && word.text.len() <= MAX_PATH {
                return Some(word);
            }
        }
    }
}

impl<'a> WordTokens<'a> {
    fn next_word(&mut self) -> Option<FoundWord<'a>> {
        let rest = &self.bytes[self.at..];
        let start = self.at + rest.iter().position(|byte| class(*byte) != ByteClass::Separator)?;
        let (text, mut has_mark) = (&self.bytes[start..], false);
        let is_end = |byte: &u8| {
            has_mark |= class(*byte) == ByteClass::Mark;
            class(*byte) == ByteClass::Separator
        };
        let length = text.iter().position(is_end).unwrap_or(text.len());
        self.at = start + length;
        Some(FoundWord { start, text: &text[..length], has_mark })
    }
}

impl FoundWord<'_> {
    /// The word without what precedes a path.
    fn path(self) -> Self {
        if !matches!(self.text.first(), Some(b'f' | b'$')) {
            return self;
        }
        let text = path_in(self.text);
        match self.text.len() - text.len() {
            0 => self,
            left_out => FoundWord {
                start: self.start + left_out,
                text,
                has_mark: text.iter().any(|byte| class(*byte) == ByteClass::Mark),
            },
        }
    }
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
        let FileWords { paths, names, .. } = FileWords::of(path, text.as_bytes());
        [paths, names].map(|words| words.iter().map(|word| word.text(text.as_bytes()).to_owned()).collect())
    }

    #[test]
    fn words_with_slash_or_dot_or_behind_a_path_key_may_be_paths() {
        let text = "path: apps\nchart: \"./charts/api\"\nvalueFiles: [a, b]\nname: api\nurl: file://x/y\nv: $ref/z.yaml\n";
        let [paths, names] = found("a.yaml", text);
        assert_eq!(paths, ["apps", "./charts/api", "a", "b", "x/y", "z.yaml"]);
        assert!(names.is_empty());
        let [paths, _] =
            found("a.yaml", "- path: services/*\n- path: apps/*/prod\n- path: '**/a.yaml'\n- path: '*'\n");
        assert_eq!(paths, ["services/", "apps/", "**/a.yaml", "*"]);
    }

    #[test]
    fn urls_are_not_looked_for_as_files() {
        let text = "# yaml-language-server: $schema=https://example.com/kustomization.json\npatches:\n- path: a.json\n";
        let words = FileWords::of("k/kustomization.yaml", text.as_bytes()).unsearched;
        let words: Vec<_> = words.iter().map(|word| word.text(text.as_bytes())).collect();
        assert_eq!(words, ["a.json"]);
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
        let FileWords { paths, names, .. } = FileWords::of("a.yaml", b"path: ./a\n\xff");
        assert!(paths.is_empty() && names.is_empty());
    }
}
