//! Paths with placeholders that nothing here fills in.

use globset::{GlobBuilder, GlobMatcher};

use super::files::join;

/// The openings of placeholders (Argo CD's and Helm's, then Flux's), with what closes them.
const PLACEHOLDERS: [(&str, &str); 2] = [("{{", "}}"), ("${", "}")];

/// The folders that a path may mean, with everything below them.
#[derive(Clone, Debug)]
pub struct FolderPattern(GlobMatcher);

impl FolderPattern {
    /// `path` is relative to the repository's root. A placeholder stands for any text. `None` if the path leaves the repository.
    pub fn new(path: &str) -> Option<Self> {
        let (mut pattern, mut rest) = (String::new(), path.trim_start_matches('/'));
        while let Some((start, length)) = first_placeholder(rest) {
            pattern.push_str(&globset::escape(&rest[..start]));
            pattern.push('*');
            rest = &rest[start + length..];
        }
        pattern.push_str(&globset::escape(rest));
        let pattern = match join("", &pattern)? {
            folder if folder.is_empty() => "*".to_owned(),
            folder => format!("{folder}/*"),
        };
        let glob = GlobBuilder::new(&pattern).literal_separator(false).build().ok()?;
        Some(FolderPattern(glob.compile_matcher()))
    }

    /// Whether a file may be in one of the folders.
    pub fn holds(&self, path: &str) -> bool {
        self.0.is_match(path)
    }

    /// The pattern as text. Equal ones hold the same files.
    pub fn text(&self) -> &str {
        self.0.glob().glob()
    }
}

/// Where the first placeholder of a text starts, and its length.
fn first_placeholder(text: &str) -> Option<(usize, usize)> {
    let found = PLACEHOLDERS.iter().filter_map(|(open, close)| {
        let start = text.find(open)?;
        Some((start, text[start..].find(close)? + close.len()))
    });
    found.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholder_stands_for_any_text() {
        for (path, file, holds) in [
            ("./apps/${ENV}", "apps/prod/d.yaml", true),
            ("./apps/${ENV}", "apps/d.yaml", false),
            ("apps/{{ .env | lower }}/api", "apps/prod/eu/api/base/d.yaml", true),
            ("apps/{{ .env }}/api", "apps/prod/web/d.yaml", false),
            ("{{path}}", "apps/d.yaml", true),
            ("/k[1]", "k[1]/d.yaml", true),
            ("k", "kk/d.yaml", false),
            (".", "d.yaml", true),
            ("a/${open", "a/${open/d.yaml", true),
        ] {
            assert_eq!(FolderPattern::new(path).unwrap().holds(file), holds, "{path} {file}");
        }
        assert!(FolderPattern::new("../${ENV}").is_none());
    }
}
