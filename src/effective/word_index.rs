//! Finds the words of many files by their hash.

use super::words::Word;

/// Words by hash, each with the position of its file.
pub(super) struct WordIndex {
    /// For each low part of a hash, where its words start in `words`; at the end, where the last ones end.
    starts: Vec<usize>,
    words: Vec<(usize, Word)>,
}

/// More parts than this don't make it faster.
const MAX_PARTS: usize = 1 << 16;

impl WordIndex {
    /// `files` gives the words of each file.
    pub fn new<'a>(files: impl Iterator<Item = &'a [Word]> + Clone) -> Self {
        let count = files.clone().map(<[Word]>::len).sum::<usize>();
        let Some(first) = files.clone().flatten().next() else {
            return WordIndex { starts: vec![0; 2], words: Vec::new() };
        };
        let parts = count.next_power_of_two().min(MAX_PARTS);
        let part = |word: &Word| word.hash as usize & (parts - 1);
        let mut starts = vec![0; parts + 1];
        for words in files.clone() {
            words.iter().for_each(|word| starts[part(word) + 1] += 1);
        }
        (0..parts).for_each(|at| starts[at + 1] += starts[at]);
        let (mut next, mut sorted) = (starts.clone(), vec![(0, *first); count]);
        for (file, words) in files.enumerate() {
            for word in words {
                let at = &mut next[part(word)];
                sorted[*at] = (file, *word);
                *at += 1;
            }
        }
        WordIndex { starts, words: sorted }
    }

    /// The words with a hash, in the order of their files.
    pub fn with_hash(&self, hash: u32) -> impl Iterator<Item = (usize, Word)> {
        let part = hash as usize & (self.starts.len() - 2);
        let words = &self.words[self.starts[part]..self.starts[part + 1]];
        words.iter().filter(move |(_, word)| word.hash == hash).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::{FileWords, hash};
    use super::*;

    #[test]
    fn words_are_found_in_every_file_that_has_them() {
        let texts = ["- a\n- b/c\n", "", "- c\n- a\n"];
        let files = texts.map(|text| FileWords::of("kustomization.yaml", text.as_bytes()).paths);
        let index = WordIndex::new(files.iter().map(Vec::as_slice));
        let found = |word: &str| {
            let found = index.with_hash(hash(word.as_bytes()));
            found.map(|(file, word)| (file, word.text(texts[file].as_bytes()))).collect::<Vec<_>>()
        };
        assert_eq!(found("a"), [(0, "a"), (2, "a")]);
        assert_eq!(found("c"), [(0, "b/c"), (2, "c")]);
        assert_eq!(found("b"), []);
        assert_eq!(WordIndex::new([[].as_slice()].into_iter()).with_hash(hash(b"a")).count(), 0);
    }
}
