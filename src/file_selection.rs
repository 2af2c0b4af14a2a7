//! Which files are looked at: those that were asked for, or every YAML file, by path alone.
//!
//! Pure: paths are relative to the root, with `/`. Both the working tree and a commit's tree are selected
//! from with this.

use std::collections::HashMap;
use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::dot_git::is_dot_git;
use crate::visible::inline;

/// Files with more than this many bytes are skipped.
pub const MAX_FILE_SIZE: u64 = 50 * 1000 * 1000;

/// The possible paths of a repository's configuration, relative to the root.
pub const CONFIG_PATHS: [&str; 2] = ["tagbump.yaml", ".github/tagbump.yaml"];

/// Where the holds of a repository are, relative to the root.
pub const HOLDS_PATH: &str = "tagbump-holds.yaml";

/// Whether a file is tagbump's own, which deploys nothing.
pub fn is_own_file(path: &str) -> bool {
    CONFIG_PATHS.contains(&path) || path == HOLDS_PATH
}

/// A path or pattern that selects no files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    #[error("{}: {reason}", inline(.pattern))]
    Pattern { pattern: String, reason: String },
    #[error("{}: is outside the root", inline(.path))]
    OutsideRoot { path: String },
    #[error("{}: is inside .git{}", inline(.path), if *.by_alias { ", as some file systems read that name" } else { "" })]
    InsideDotGit {
        path: String,
        /// It is another name for `.git`.
        by_alias: bool,
    },
}

/// How strongly a selection asks for a file, in increasing order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchLevel {
    /// Never edited, but shows how workloads spell an image.
    ContextOnly,
    /// Found by search.
    Discovered,
    /// Selected by a pattern, or by naming its folder.
    Pattern,
    /// Named by its path, without a wildcard.
    Explicit,
}

/// Paths and patterns, checked.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Sorted.
    names: Vec<String>,
    patterns: Vec<String>,
    set: GlobSet,
    /// Every YAML file, in addition to those that are named.
    everything: bool,
}

impl PartialEq for Selection {
    fn eq(&self, other: &Self) -> bool {
        let parts = |s: &Self| (s.names.clone(), s.patterns.clone(), s.everything);
        parts(self) == parts(other)
    }
}

impl Eq for Selection {}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chosen: Vec<_> = self.names.iter().chain(&self.patterns).map(String::as_str).collect();
        f.write_str(&chosen.join(", "))
    }
}

impl Selection {
    /// Takes paths and patterns relative to the root. A path without a wildcard may be a folder.
    ///
    /// # Errors
    /// A pattern that is not valid, or a path that leaves the root.
    pub fn new(arguments: &[String]) -> Result<Self, SelectionError> {
        let paths = arguments.iter().map(|argument| inside_root(argument)).collect::<Result<Vec<_>, _>>()?;
        let (patterns, mut names): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| is_pattern(path));
        names.sort();
        names.dedup();
        Ok(Selection { everything: arguments.is_empty(), set: glob_set(&patterns)?, names, patterns })
    }

    /// One file by its path, even if the path has characters that mean something in a pattern.
    pub fn of_file(path: &str) -> Self {
        Selection { names: vec![path.to_owned()], ..Selection::default() }
    }

    /// What any of several selections selects.
    ///
    /// # Errors
    /// As [`Selection::new`].
    pub fn all_of<'a>(selections: impl IntoIterator<Item = &'a Selection>) -> Result<Self, SelectionError> {
        let mut all = Selection::default();
        for one in selections {
            all.names.extend(one.names.iter().cloned());
            all.patterns.extend(one.patterns.iter().cloned());
            all.everything |= one.everything;
        }
        for list in [&mut all.names, &mut all.patterns] {
            list.sort();
            list.dedup();
        }
        all.set = glob_set(&all.patterns)?;
        Ok(all)
    }

    /// Selects at least the files that both selections select, and no named file that the other one can't select.
    ///
    /// # Errors
    /// As [`Selection::new`].
    pub fn narrowed_to(&self, other: &Selection) -> Result<Self, SelectionError> {
        if self.everything || other.everything {
            return Ok(if self.everything { other.clone() } else { self.clone() });
        }
        let named = |one: &Selection, by: &Selection| {
            let kept = one.names.iter().filter(|name| by.may_select_in(name)).cloned();
            kept.collect::<Vec<_>>()
        };
        let mut names = [named(self, other), named(other, self)].concat();
        names.sort();
        names.dedup();
        let patterns = if other.patterns.is_empty() { Vec::new() } else { self.patterns.clone() };
        Ok(Selection { names, set: glob_set(&patterns)?, patterns, everything: false })
    }

    /// Whether it selects this path or, if it is a folder, may select something in it by a pattern.
    fn may_select_in(&self, path: &str) -> bool {
        self.match_level_of_any(path).is_some() || (!is_yaml(path) && !self.patterns.is_empty())
    }

    /// Whether every YAML file is selected.
    pub fn is_everything(&self) -> bool {
        self.everything
    }

    /// The paths and patterns.
    pub fn texts(&self) -> impl Iterator<Item = String> + '_ {
        self.names.iter().chain(&self.patterns).cloned()
    }

    /// The paths without a wildcard: files or folders.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether only named paths are selected.
    pub fn names_only(&self) -> bool {
        self.patterns.is_empty() && !self.everything
    }

    /// Whether a folder can contain selected files.
    pub fn reaches(&self, folder: &str) -> bool {
        !self.names_only() || self.names_above(folder) || self.is_name(folder) || self.names_below(folder)
    }

    fn is_name(&self, path: &str) -> bool {
        self.names.binary_search_by(|name| name.as_str().cmp(path)).is_ok()
    }

    /// Whether a folder that contains the path is named.
    fn names_above(&self, path: &str) -> bool {
        self.is_name(".") || path.match_indices('/').any(|(end, _)| self.is_name(&path[..end]))
    }

    /// Whether something inside the folder is named.
    fn names_below(&self, folder: &str) -> bool {
        let inside = format!("{folder}/");
        let first = self.names.partition_point(|name| *name < inside);
        self.names.get(first).is_some_and(|name| name.starts_with(&inside))
    }

    /// How strongly the selection asks for a file; `None` if it isn't selected.
    pub fn match_level(&self, path: &str) -> Option<MatchLevel> {
        if self.is_name(path) {
            return Some(MatchLevel::Explicit);
        }
        if !is_yaml(path) { None } else { self.match_level_of_any(path) }
    }

    /// As [`Selection::match_level`], for a file that may be something else than YAML.
    pub fn match_level_of_any(&self, path: &str) -> Option<MatchLevel> {
        if self.is_name(path) {
            return Some(MatchLevel::Explicit);
        }
        if self.set.is_match(path) || self.names_above(path) {
            return Some(MatchLevel::Pattern);
        }
        self.everything.then_some(MatchLevel::Discovered)
    }
}

/// An index over many selections, to find all that select a path at once.
pub struct SelectionIndex {
    by_name: HashMap<String, Vec<usize>>,
    patterns: GlobSet,
    /// The selection that each pattern belongs to.
    of_pattern: Vec<usize>,
    everything: Vec<usize>,
}

impl SelectionIndex {
    /// # Errors
    /// As [`Selection::new`].
    pub fn new<'a>(selections: impl IntoIterator<Item = &'a Selection>) -> Result<Self, SelectionError> {
        let (mut patterns, mut of_pattern) = (Vec::new(), Vec::new());
        let (mut by_name, mut everything) = (HashMap::<_, Vec<_>>::new(), Vec::new());
        for (nth, selection) in selections.into_iter().enumerate() {
            for name in &selection.names {
                by_name.entry(name.clone()).or_default().push(nth);
            }
            patterns.extend(selection.patterns.iter().cloned());
            of_pattern.resize(patterns.len(), nth);
            everything.extend(selection.everything.then_some(nth));
        }
        Ok(SelectionIndex { by_name, patterns: glob_set(&patterns)?, of_pattern, everything })
    }

    /// The indexes of the selections that select a path, in order.
    pub fn selecting(&self, path: &str) -> Vec<usize> {
        let named = |name: &str| self.by_name.get(name).into_iter().flatten().copied();
        let mut found: Vec<usize> = named(path).collect();
        if is_yaml(path) {
            let folders = path.match_indices('/').map(|(end, _)| &path[..end]).chain(["."]);
            found.extend(folders.flat_map(named));
            found.extend(self.patterns.matches(path).into_iter().map(|nth| self.of_pattern[nth]));
            found.extend(&self.everything);
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// An `-f` argument that selects only this file, whatever characters its name has.
pub fn literal(path: &str) -> String {
    if !is_pattern(path) {
        return path.to_owned();
    }
    let plain = |c: char| if "*?[]{}\\".contains(c) { format!("[{c}]") } else { c.to_string() };
    path.chars().map(plain).collect()
}

fn glob_set(patterns: &[String]) -> Result<GlobSet, SelectionError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        set.add(glob.map_err(|e| unreadable(pattern, &e))?);
    }
    set.build().map_err(|e| unreadable(&patterns.join(" "), &e))
}

fn unreadable(argument: &str, error: &globset::Error) -> SelectionError {
    SelectionError::Pattern { pattern: argument.to_owned(), reason: error.kind().to_string() }
}

/// Whether the name is that of a YAML file: `.yaml`, `.yml`, or kustomize's `Kustomization`.
pub fn is_yaml(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".yaml") || name.ends_with(".yml") || name == "Kustomization"
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder of a file; empty at the root.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The path of what is in a folder; the root's is empty.
pub fn in_folder(folder: &str, path: &str) -> String {
    if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
}

/// Validates a path, and removes its `.` parts.
fn inside_root(argument: &str) -> Result<String, SelectionError> {
    inside_root_of(argument, cfg!(windows))
}

/// On Windows, a backslash separates too, and a colon ends a drive or begins a stream: no file there has one in its name.
fn inside_root_of(argument: &str, windows: bool) -> Result<String, SelectionError> {
    let path = if windows { argument.replace('\\', "/") } else { argument.to_owned() };
    let leaves = path.starts_with('/')
        || path.split('/').any(|part| part == "..")
        || path.contains('\0')
        || (windows && path.contains(':'));
    if leaves {
        return Err(SelectionError::OutsideRoot { path: argument.to_owned() });
    }
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if let Some(part) = parts.iter().find(|part| is_dot_git(part)) {
        return Err(SelectionError::InsideDotGit { path: argument.to_owned(), by_alias: *part != ".git" });
    }
    Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn match_level(arguments: &[&str], path: &str) -> Option<MatchLevel> {
        let arguments: Vec<_> = arguments.iter().map(|a| (*a).to_owned()).collect();
        Selection::new(&arguments).unwrap().match_level(path)
    }

    #[test]
    fn names_folders_and_patterns() {
        use MatchLevel::{Discovered, Explicit, Pattern};
        assert_eq!(match_level(&[], "a/b.yaml"), Some(Discovered));
        assert_eq!(match_level(&[], "a/b.txt"), None);
        assert_eq!(match_level(&[], "a/Kustomization"), Some(Discovered));
        assert_eq!(match_level(&["./a//b.txt"], "a/b.txt"), Some(Explicit));
        assert_eq!(match_level(&["a/b.yaml"], "a/c.yaml"), None);
        assert_eq!(match_level(&["k8s"], "k8s/x/y.yml"), Some(Pattern));
        assert_eq!(match_level(&["k8s"], "k8s2/y.yml"), None);
        assert_eq!(match_level(&["k8s/**"], "k8s/x/y.yml"), Some(Pattern));
        assert_eq!(match_level(&["k8s/**"], "k8s/README.md"), None);
        assert_eq!(match_level(&["*.yaml"], "x/y.yaml"), None);
        assert_eq!(match_level(&["{a,b}/*.yaml"], "b/y.yaml"), Some(Pattern));
        assert_eq!(match_level(&["."], "b/y.yaml"), Some(Pattern));
    }

    #[test]
    fn narrowed_selection_reads_what_both_select() {
        let selection = |arguments: &[&str]| {
            Selection::new(&arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()).unwrap()
        };
        let all: [&[&str]; 9] = [
            &[],
            &["."],
            &["a"],
            &["a/b.yaml"],
            &["a/b.yaml", "c.yaml"],
            &["**/b.yaml"],
            &["{a,c}/**", "c.yaml"],
            &["a/x", "c"],
            &["c.yaml"],
        ];
        for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
            let (mine, theirs) = (selection(one), selection(other));
            let narrowed = mine.narrowed_to(&theirs).unwrap();
            for path in ["a/b.yaml", "a/x/b.yaml", "c.yaml", "c/d.yml", "ab.yaml"] {
                let by_both = mine.match_level(path).is_some() && theirs.match_level(path).is_some();
                assert!(!by_both || narrowed.match_level(path).is_some(), "{one:?} {other:?} {path}");
            }
        }
        // a file that isn't wanted may be broken, or missing
        let narrowed = selection(&["a/b.yaml", "c.yaml"]).narrowed_to(&selection(&["a/**"])).unwrap();
        assert_eq!(narrowed.names(), ["a/b.yaml"]);
        assert_eq!(
            selection(&["a/b.yaml"]).narrowed_to(&selection(&["c.yaml", "a"])).unwrap().names(),
            ["a/b.yaml"]
        );
    }

    #[test]
    fn backslashes_separate_only_on_windows() {
        let windows = |argument: &str| inside_root_of(argument, true).ok();
        for (argument, path) in [
            (r"apps\api\values.yaml", "apps/api/values.yaml"),
            (r".\apps\api\", "apps/api"),
            (r"apps\*/values.yaml", "apps/*/values.yaml"),
            (r".\", "."),
        ] {
            assert_eq!(windows(argument).as_deref(), Some(path), "{argument}");
        }
        for argument in [
            r"..\x.yaml",
            r"apps\..\..\x.yaml",
            r"\x.yaml",
            r"C:\x.yaml",
            "c:x.yaml",
            "x.yaml:s",
            r"\\?\C:\x",
            r"a\.git\x",
        ] {
            assert_eq!(windows(argument), None, "{argument}");
        }
        let unix = |argument: &str| inside_root_of(argument, false).ok();
        assert_eq!(unix(r"apps\api.yaml").as_deref(), Some(r"apps\api.yaml"));
        assert_eq!(unix("a:b.yaml").as_deref(), Some("a:b.yaml"));
    }

    #[test]
    fn a_literal_selects_its_file_and_no_other() {
        for path in
            ["a/b.yaml", "a/*.yaml", "a[b]/c?.yaml", "{a,b}.yaml", "[!x]]y.yaml", "a\\*[.yaml", "[.yaml"]
        {
            assert!(match_level(&[&literal(path)], path).is_some(), "{path}");
        }
        assert_eq!(match_level(&[&literal("a/*.yaml")], "a/b.yaml"), None);
        assert_eq!(match_level(&[&literal("{a,b}.yaml")], "a.yaml"), None);
    }

    #[test]
    fn folders_that_are_worth_a_look() {
        let reaches =
            |argument: &str, folder: &str| Selection::new(&[argument.to_owned()]).unwrap().reaches(folder);
        for (argument, folder) in
            [("a/b/c.yaml", "a"), ("a/b/c.yaml", "a/b"), ("a", "a/b"), (".", "a"), ("a/*", "b")]
        {
            assert!(reaches(argument, folder), "{argument} {folder}");
        }
        for (argument, folder) in [("a/b/c.yaml", "ab"), ("a/b/c.yaml", "a/bc"), ("a", "b")] {
            assert!(!reaches(argument, folder), "{argument} {folder}");
        }
    }

    #[test]
    fn index_finds_what_each_selection_selects() {
        let arguments: [&[&str]; 9] = [
            &[],
            &["a/b.txt"],
            &["a"],
            &["."],
            &["a/*.yaml", "c.yaml"],
            &["**/b.yaml"],
            &["a/b.yaml", "a"],
            &["{a,c}/**"],
            &["c.yaml"],
        ];
        let selection = |arguments: &&[&str]| {
            Selection::new(&arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()).unwrap()
        };
        let selections: Vec<_> = arguments.iter().map(selection).collect();
        let index = SelectionIndex::new(&selections).unwrap();
        for path in ["a/b.txt", "a/b.yaml", "a/x/b.yaml", "c.yaml", "c/d.yml", "ab.yaml", "a"] {
            let one_by_one = (0..selections.len()).filter(|&nth| selections[nth].match_level(path).is_some());
            assert_eq!(index.selecting(path), one_by_one.collect::<Vec<_>>(), "{path}");
        }
    }

    #[test]
    fn nothing_outside_of_the_root() {
        for outside in ["../x.yaml", "/etc/x.yaml", "a/../../x.yaml"] {
            assert!(Selection::new(&[outside.to_owned()]).is_err(), "{outside}");
        }
        assert!(Selection::new(&["a[".to_owned()]).is_err());
    }

    #[test]
    fn nothing_inside_of_git() {
        for inside in [".git", ".GIT/x.yaml", "a/.Git/**", "git~1/*.yaml", "./a//.g\u{200c}it/x.yaml"] {
            let error = Selection::new(&[inside.to_owned()]).unwrap_err();
            assert!(matches!(&error, SelectionError::InsideDotGit { path, .. } if path == inside), "{error}");
        }
        for beside in [".github/x.yaml", "**/*.git", ".gitlab-ci.yml", "git~2/x.yaml"] {
            assert!(Selection::new(&[beside.to_owned()]).is_ok(), "{beside}");
        }
    }
}
