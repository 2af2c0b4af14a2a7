//! Values that are read a second time, without the quotes that they are written with.

use crate::yaml::needs_quotes;

/// Who reads a value again, after YAML has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondReader {
    /// Argo CD's `parameters` without `forceString`, Flux's `valuesFrom` with a `targetPath`, and a helmfile's `set`: all are
    /// `--set`.
    HelmSet,
    /// A variable of `postBuild` that is a whole value: Flux puts it into YAML without quotes.
    PostBuild,
}

impl SecondReader {
    /// Whether it takes the text for something other than a string.
    pub fn misreads(self, text: &str) -> bool {
        match self {
            // `typedVal` in Helm's strvals
            SecondReader::HelmSet => {
                let is_word = ["true", "false", "null", "0"].contains(&text);
                is_word || (!text.starts_with('0') && text.parse::<i64>().is_ok())
            }
            SecondReader::PostBuild => needs_quotes(text, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SecondReader::{HelmSet, PostBuild};

    #[test]
    fn numbers_and_words_are_misread() {
        for text in ["1019584", "-5", "0", "true", "null"] {
            assert!(HelmSet.misreads(text), "{text}");
        }
        for text in ["0123456", "2994e02", "1.5", "v1", "99999999999999999999", ""] {
            assert!(!HelmSet.misreads(text), "{text}");
        }
        for text in ["1019584", "2994e02", "1.10", "0123456", "true"] {
            assert!(PostBuild.misreads(text), "{text}");
        }
        assert!(!PostBuild.misreads("v1.2.3"));
    }
}
