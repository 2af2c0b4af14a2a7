//! `valueFiles`: paths, globs, and `$name/…` for the files of another source.

use std::collections::{HashMap, HashSet};

use globset::{GlobBuilder, GlobMatcher};

use super::super::files::{Files, folder_of, join};
use super::super::helm::Trail;
use super::super::unfilled::has_placeholder;
use super::super::value::Value;

/// How the entries of `valueFiles` are read.
pub struct ValueFiles<'a> {
    /// The source's folder, if it is in this repository.
    pub folder: Option<&'a str>,
    /// The Application's name.
    pub application: &'a str,
    /// The `$name` of each source with a `ref`, and whether it is this repository.
    pub references: &'a HashMap<String, bool>,
    pub ignore_missing: bool,
}

impl ValueFiles<'_> {
    /// The files in order. Those that a glob matches are sorted. A file that is also listed by its path keeps that
    /// position. (Argo CD, `valueFileResolver.ResolveValueFiles`.)
    pub fn resolve(&self, files: &mut Files<'_>, listed: &[Value], trail: &mut Trail) -> Vec<String> {
        let paths: Vec<(&Value, Result<String, &str>)> =
            listed.iter().filter_map(|item| Some((item, self.path(item.text()?)))).collect();
        let plain: HashSet<&String> =
            paths.iter().filter_map(|(_, path)| path.as_ref().ok()).filter(|path| !is_glob(path)).collect();
        let mut found = Vec::new();
        for (item, path) in &paths {
            let matched = match path {
                Ok(path) if is_glob(path) => {
                    matching(files, path).into_iter().filter(|path| !plain.contains(path)).collect()
                }
                Ok(path) => files.load(path).map(|_| path.clone()).into_iter().collect(),
                Err(why) => {
                    trail.uncertain(item.place(), *why);
                    continue;
                }
            };
            if Vec::is_empty(&matched) && !self.ignore_missing {
                trail.uncertain(item.place(), "names a values file that does not exist");
            }
            found.extend(matched);
        }
        let mut seen = HashSet::new();
        found.retain(|path: &String| seen.insert(path.clone()));
        found
    }

    /// The path from the repository's root, or why there is none.
    fn path(&self, text: &str) -> Result<String, &'static str> {
        const OUTSIDE: &str = "names a values file outside of this repository";
        let name = text.split('/').next().unwrap_or_default();
        if let Some(is_here) = self.references.get(name) {
            let inside = text[name.len()..].trim_start_matches('/');
            return join("", inside).filter(|_| *is_here).ok_or(OUTSIDE);
        }
        let text = ["$ARGOCD_APP_NAME", "${ARGOCD_APP_NAME}"]
            .iter()
            .fold(text.to_owned(), |text, variable| text.replace(variable, self.application));
        if has_placeholder(&text) || text.contains('$') {
            return Err("names a values file with a variable");
        }
        if text.contains("://") {
            return Err(OUTSIDE);
        }
        // a path that starts with `/` starts at the repository's root
        match (text.strip_prefix('/'), self.folder) {
            (Some(path), _) => join("", path).ok_or(OUTSIDE),
            (None, Some(folder)) => join(folder, &text).ok_or(OUTSIDE),
            (None, None) => Err("names a values file of a chart that is not in this repository"),
        }
    }
}

fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// Looking at this many paths counts as one value.
pub const PATHS_OF_A_VALUE: usize = 2;

/// The YAML and JSON files that a glob matches, sorted.
pub fn matching(files: &mut Files<'_>, glob: &str) -> Vec<String> {
    let fixed = glob.split(['*', '?', '[']).next().unwrap_or_default();
    let folder = folder_of(fixed);
    let Some(matcher) = matcher(glob) else { return Vec::new() };
    let mut looked_at = 0;
    let paths = files.below(folder).chain(files.json_below(folder)).inspect(|_| looked_at += 1);
    let mut matched: Vec<_> = paths.filter(|path| matcher.is_match(path)).map(str::to_owned).collect();
    matched.sort_unstable();
    if files.spend(looked_at / PATHS_OF_A_VALUE) { matched } else { Vec::new() }
}

/// `*` matches a part of a name, `**` any folders.
pub fn matcher(glob: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(glob).literal_separator(true).backslash_escape(true).build().ok()?;
    Some(glob.compile_matcher())
}

/// The patterns of a folder's manifests, in which `*` matches anything. (Argo CD, `glob.Match`.)
pub fn any_of(glob: Option<&str>) -> Option<GlobMatcher> {
    let glob =
        GlobBuilder::new(glob.filter(|glob| !glob.is_empty())?).literal_separator(false).build().ok()?;
    Some(glob.compile_matcher())
}
