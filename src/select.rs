//! Which files are looked at: `-f` and the default, by path alone.
//!
//! Pure: paths are relative to the root, with `/`. Both the working tree and a commit's tree are selected
//! from with this.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::error::{Failure, Result};

/// Files over this many bytes are skipped.
pub const MAX_FILE_SIZE: u64 = 50 * 1000 * 1000;

/// How a file came to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Found by search, or by a pattern.
    Found,
    /// Named without a wildcard.
    Named,
    /// Not to be edited, but says how workloads spell an image.
    Context,
}

/// The `-f` arguments, checked.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    names: Vec<String>,
    patterns: Vec<String>,
    set: GlobSet,
}

impl Selection {
    /// Takes paths and patterns relative to the root. A path without a wildcard may be a folder.
    ///
    /// # Errors
    /// Exit 2: a pattern that can't be read, or a path that leaves the root.
    pub fn new(arguments: &[String]) -> Result<Self> {
        let mut set = GlobSetBuilder::new();
        let (mut names, mut patterns) = (Vec::new(), Vec::new());
        for argument in arguments {
            let path = inside_root(argument)?;
            if !path.contains(['*', '?', '[', '{']) {
                names.push(path);
                continue;
            }
            let glob = GlobBuilder::new(&path).literal_separator(true).build();
            set.add(glob.map_err(|e| unreadable(argument, &e))?);
            patterns.push(path);
        }
        let set = set.build().map_err(|e| unreadable(&patterns.join(" "), &e))?;
        Ok(Selection { names, patterns, set })
    }

    /// Whether files were named at all.
    pub fn is_everything(&self) -> bool {
        self.names.is_empty() && self.patterns.is_empty()
    }

    /// The paths without a wildcard: files or folders.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether there are no patterns.
    pub fn names_only(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether and why a file is looked at.
    pub fn standing(&self, path: &str) -> Option<Standing> {
        if self.names.iter().any(|name| name == path) {
            return Some(Standing::Named);
        }
        if !is_yaml(path) {
            return None;
        }
        let in_folder = |name: &String| {
            name == "." || path.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        let chosen = self.is_everything() || self.set.is_match(path) || self.names.iter().any(in_folder);
        chosen.then_some(Standing::Found)
    }
}

fn unreadable(argument: &str, error: &globset::Error) -> Failure {
    Failure::usage(format!("-f {argument}: {}", error.kind()))
        .hinted("patterns are *, **, ?, [abc] and {a,b}; quote them, so that the shell leaves them alone")
}

/// YAML by its name: `.yaml`, `.yml`, and kustomize's `Kustomization`.
pub fn is_yaml(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.ends_with(".yaml") || name.ends_with(".yml") || name == "Kustomization"
}

/// The path without `.` parts.
fn inside_root(argument: &str) -> Result<String> {
    let path = if cfg!(windows) { argument.replace('\\', "/") } else { argument.to_owned() };
    let leaves = path.starts_with('/') || path.split('/').any(|part| part == "..") || path.contains('\0');
    if leaves {
        return Err(Failure::usage(format!("-f {argument}: leaves the root"))
            .hinted("paths are relative to the root and stay in it; choose the root with -C"));
    }
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(arguments: &[&str], path: &str) -> Option<Standing> {
        let arguments: Vec<_> = arguments.iter().map(|a| (*a).to_owned()).collect();
        Selection::new(&arguments).unwrap().standing(path)
    }

    #[test]
    fn names_folders_and_patterns() {
        use Standing::{Found, Named};
        assert_eq!(standing(&[], "a/b.yaml"), Some(Found));
        assert_eq!(standing(&[], "a/b.txt"), None);
        assert_eq!(standing(&[], "a/Kustomization"), Some(Found));
        assert_eq!(standing(&["./a//b.txt"], "a/b.txt"), Some(Named));
        assert_eq!(standing(&["a/b.yaml"], "a/c.yaml"), None);
        assert_eq!(standing(&["k8s"], "k8s/x/y.yml"), Some(Found));
        assert_eq!(standing(&["k8s"], "k8s2/y.yml"), None);
        assert_eq!(standing(&["k8s/**"], "k8s/x/y.yml"), Some(Found));
        assert_eq!(standing(&["k8s/**"], "k8s/README.md"), None);
        assert_eq!(standing(&["*.yaml"], "x/y.yaml"), None);
        assert_eq!(standing(&["{a,b}/*.yaml"], "b/y.yaml"), Some(Found));
        assert_eq!(standing(&["."], "b/y.yaml"), Some(Found));
    }

    #[test]
    fn nothing_outside_of_the_root() {
        for outside in ["../x.yaml", "/etc/x.yaml", "a/../../x.yaml"] {
            assert!(Selection::new(&[outside.to_owned()]).is_err(), "{outside}");
        }
        assert!(Selection::new(&["a[".to_owned()]).is_err());
    }
}
