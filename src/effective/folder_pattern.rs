//! Paths with placeholders that nothing here fills in.

use super::files::join;

/// The openings of placeholders (Argo CD's and Helm's, then Flux's), with what closes them.
const PLACEHOLDERS: [(&str, &str); 2] = [("{{", "}}"), ("${", "}")];

/// Stands for a placeholder while the parts of a path are put together. No path has it.
const ANY: char = '\0';

/// The folders that a path may mean, with everything below them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FolderPattern {
    /// The texts between the placeholders. The last one ends with `/`, unless all is empty.
    pieces: Vec<String>,
}

impl FolderPattern {
    /// `path` is relative to the repository's root. A placeholder stands for any text. `None` if the path leaves the repository.
    pub fn new(path: &str) -> Option<Self> {
        let (mut pattern, mut rest) = (String::new(), path.trim_start_matches('/'));
        while let Some((start, length)) = first_placeholder(rest) {
            pattern.push_str(&rest[..start]);
            pattern.push(ANY);
            rest = &rest[start + length..];
        }
        pattern.push_str(rest);
        let mut folder = join("", &pattern)?;
        folder.push_str(if folder.is_empty() { "" } else { "/" });
        Some(FolderPattern { pieces: folder.split(ANY).map(str::to_owned).collect() })
    }

    /// Whether a file may be in one of the folders.
    pub fn holds(&self, path: &str) -> bool {
        let Some(mut rest) = path.strip_prefix(self.start()) else { return false };
        self.pieces.iter().skip(1).all(|piece| {
            let end = rest.find(piece.as_str()).map(|at| at + piece.len());
            rest = end.map_or("", |end| &rest[end..]);
            end.is_some()
        })
    }

    /// What the path of each file starts with.
    pub fn start(&self) -> &str {
        self.pieces.first().map_or("", String::as_str)
    }

    /// The names of folders that are in the path of each file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        // a name beside a placeholder is only a part of one
        let last = self.pieces.len().saturating_sub(1);
        self.pieces.iter().enumerate().flat_map(move |(nth, piece)| {
            let whole = match (nth > 0, nth < last) {
                (false, false) => Some(piece.as_str()),
                (true, false) => piece.split_once('/').map(|(_, rest)| rest),
                (false, true) => piece.rsplit_once('/').map(|(rest, _)| rest),
                (true, true) => piece.split_once('/').and_then(|(_, rest)| Some(rest.rsplit_once('/')?.0)),
            };
            whole.into_iter().flat_map(|text| text.split('/')).filter(|name| !name.is_empty())
        })
    }

    /// Whether it says nothing of the folders: they may be any.
    pub fn is_any(&self) -> bool {
        self.pieces.iter().all(|piece| piece.chars().all(|c| c == '/'))
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

    #[test]
    fn names_are_those_of_whole_folders() {
        for (path, names) in [
            ("apps/x-{{ .env }}/api", vec!["apps", "api"]),
            ("a/{{ b }}/c/${d}-e/f", vec!["a", "c", "f"]),
            ("a/b", vec!["a", "b"]),
            ("{{ a }}{{ b }}", vec![]),
            (".", vec![]),
        ] {
            assert_eq!(FolderPattern::new(path).unwrap().names().collect::<Vec<_>>(), names, "{path}");
        }
    }

    #[test]
    fn placeholders_alone_may_be_any_folder() {
        let is_any = |path: &str| FolderPattern::new(path).unwrap().is_any();
        assert!([".", "/", "{{ a }}", "./{{ a }}/${b}"].into_iter().all(is_any));
        assert!(!is_any("{{ a }}/api") && !is_any("api"));
    }
}
